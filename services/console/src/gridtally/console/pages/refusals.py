"""Answers that are no page that was asked for: sign in first, not here, a service is away."""

from urllib.parse import quote

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gridtally.console.pages.portal import visit as portal
from gridtally.console.pages.portal.entry import link_ended
from gridtally.console.pages.sign_in import PORTAL
from gridtally.console.pages.visit import rendered, session_of
from gridtally.console.upstream import PageRefusal
from gridtally.console.views.blocks import Empty, Link, PageView, Panel

NOT_HERE = Empty(
    "There is nothing here",
    "The address is wrong, the thing is gone, or it belongs to somebody else.",
    (Link("To the overview", "/"),),
)


async def sign_in_needed(request: Request, _failure: Exception) -> Response:
    """On to the sign-in page, and back afterwards; customers have a link instead of a key."""
    if request.url.path.startswith(PORTAL):
        return HTMLResponse(portal.rendered(request, link_ended(request), None), 401)
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = (
        f"/sign-in?next={quote(back)}" if request.method == "GET" and back != "/" else "/sign-in"
    )
    return RedirectResponse(where, 303)


async def portal_only(request: Request, _failure: Exception) -> Response:
    """A customer who asks for a page of the staff's goes to his own; he changes nothing there."""
    if request.method == "GET":
        return RedirectResponse(PORTAL, 303)
    return _missing(request)


async def refused(request: Request, failure: Exception) -> Response:
    """The same page for what is not there and for what is another tenant's."""
    assert isinstance(failure, PageRefusal)  # noqa: S101 - registered for this class alone
    if failure.failure.is_unknown:
        return _missing(request)
    status = 403 if failure.failure.status == 403 else 502
    session = session_of(request, request.app.state.clock())
    if session is not None and session.customer_id is not None:
        words = portal.wording_of_request(request, session)
        part = portal.away(words, failure.failure)
        view = PageView("", words.say("This page cannot be shown now"), [part])
        return HTMLResponse(portal.rendered(request, view, session), status)
    view = PageView("", "This page cannot be shown now", [Panel("", failure=failure.failure)])
    return HTMLResponse(rendered(request, view, session), status)


async def not_here(request: Request, failure: Exception) -> Response:
    """An address that has no page."""
    status = failure.status_code if isinstance(failure, HTTPException) else 404
    return _missing(request, status)


def _missing(request: Request, status: int = 404) -> Response:
    session = session_of(request, request.app.state.clock())
    if session is not None and session.customer_id is not None:
        view = portal.nothing_here(portal.wording_of_request(request, session))
        return HTMLResponse(portal.rendered(request, view, session), status)
    title = "Not found" if status == 404 else "This cannot be done"
    return HTMLResponse(rendered(request, PageView("", title, [NOT_HERE]), session), status)
