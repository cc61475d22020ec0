"""Answers that are no page that was asked for: sign in first, not here, a service is away."""

from urllib.parse import quote

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gridtally.console.pages.visit import rendered, session_of
from gridtally.console.upstream import PageRefusal
from gridtally.console.views.blocks import Empty, Link, PageView, Panel

NOT_HERE = Empty(
    "There is nothing here",
    "The address is wrong, the thing is gone, or it belongs to somebody else.",
    (Link("To the overview", "/"),),
)


async def sign_in_needed(request: Request, _failure: Exception) -> Response:
    """On to the sign-in page, and back afterwards."""
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = (
        f"/sign-in?next={quote(back)}" if request.method == "GET" and back != "/" else "/sign-in"
    )
    return RedirectResponse(where, 303)


async def refused(request: Request, failure: Exception) -> Response:
    """The same page for what is not there and for what is another tenant's."""
    assert isinstance(failure, PageRefusal)  # noqa: S101 - registered for this class alone
    if failure.failure.is_unknown:
        return _page(request, PageView("", "Not found", [NOT_HERE]), 404)
    status = 403 if failure.failure.status == 403 else 502
    view = PageView("", "This page cannot be shown now", [Panel("", failure=failure.failure)])
    return _page(request, view, status)


async def not_here(request: Request, failure: Exception) -> Response:
    """An address that has no page."""
    status = failure.status_code if isinstance(failure, HTTPException) else 404
    if status == 404:
        return _page(request, PageView("", "Not found", [NOT_HERE]), 404)
    return _page(request, PageView("", "This cannot be done", [NOT_HERE]), status)


def _page(request: Request, view: PageView, status: int) -> Response:
    session = session_of(request, request.app.state.clock())
    return HTMLResponse(rendered(request, view, session), status)
