"""How a customer gets in: by a link that staff or a program makes, good for some days.

Owns that a link is made only for a customer whom its key can see, and that a session begins only
where the services say that they bind its requests to the customer.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from gridtally.console.pages.customers import page_of
from gridtally.console.pages.portal.visit import Customer, rendered, wording_of_request
from gridtally.console.pages.sign_in import begin_session, session_of_key
from gridtally.console.pages.visit import BINDING, FormFields, Visit, cookie_of, session_of
from gridtally.console.sessions import Sessions
from gridtally.console.upstream import Upstream
from gridtally.console.views import formats
from gridtally.console.views.blocks import Copied, Empty, Form, Notice, PageView, Panel
from gridtally.console.views.words import LANGUAGE_NAMES

router = APIRouter()

ENTER = "/portal/enter"
FLASH_COOKIE, FLASH_AGE_S = "gt-link", 60
"""Holds a link between its making and the page that shows it, once."""
_bearer = HTTPBearer(auto_error=False)


class LinkOrder(BaseModel):
    """For whom a link is asked for."""

    model_config = ConfigDict(extra="forbid")

    customer_id: UUID


@router.get("/customers/{customer_id}/portal-link")
async def show_link(visit: Visit, customer_id: str) -> Response:
    """What a portal link is; and the link, once, right after it was made."""
    customer = await visit.the("billing", f"/v1/customers/{customer_id}")
    link = visit.request.cookies.get(FLASH_COOKIE, "")
    sessions: Sessions = visit.request.app.state.sessions
    followed = sessions.follow(link, visit.now)
    path = f"/customers/{customer_id}/portal-link"
    days = formats.duration(visit.request.app.state.portal_link_limit_s)
    if customer.get("merged_into"):
        return visit.page(page_of(customer, "/portal-link", []))
    blocks = [
        Panel(
            "Portal link",
            [Form(path, [], "Make a portal link")],
            text=f"It shows the bills, usage and account of {customer['name']}, and nothing else. "
            f"Whoever has it gets in, for {days}; it ends sooner if your key is revoked.",
        )
    ]
    if followed is not None and followed[1] == customer_id:
        shown = Copied("Link", f"{_origin(visit.request)}{ENTER}?link={link}")
        note = Notice(
            f"Send it to {customer['name']} alone. It works for {days}, and is shown only now. "
            "Opened in this browser it takes the place of your own session.",
            tone="good",
            title="The link is made.",
        )
        blocks.insert(0, Panel("New link", [note, shown]))
    answer = visit.page(page_of(customer, "/portal-link", blocks))
    if link:
        answer.headers.append("Set-Cookie", _flash(visit.request, customer_id, "", 0))
    return answer


@router.post("/customers/{customer_id}/portal-link")
async def make_link(visit: Visit, customer_id: str) -> Response:
    """Make a link, and go on to the page that shows it."""
    customer = await visit.the("billing", f"/v1/customers/{customer_id}")
    if customer.get("merged_into"):
        return visit.page(page_of(customer, "/portal-link", []), 409)
    sessions: Sessions = visit.request.app.state.sessions
    link, _ = sessions.link(visit.session.key, customer["id"], visit.now)
    answer = visit.go(f"/customers/{customer_id}/portal-link")
    answer.headers.append("Set-Cookie", _flash(visit.request, customer_id, link, FLASH_AGE_S))
    return answer


@router.post("/v1/portal-links", status_code=201)
async def order_link(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Response:
    """For programs: a path that opens a customer's portal until it expires."""
    try:
        order = LinkOrder.model_validate_json(await request.body())
    except ValidationError:
        return JSONResponse({"detail": 'the body is {"customer_id": a UUID}'}, 422)
    key, customer_id = shown.credentials if shown else "", str(order.customer_id)
    upstream: Upstream = request.app.state.upstream
    if not key.isascii() or not key.isprintable():
        return _refused_key()
    asked = await upstream.call(
        "billing",
        "GET",
        f"/v1/customers/{customer_id}",
        key=key,
        correlation_id=request.state.correlation_id,
        headers={BINDING: customer_id},
    )
    if asked.failure is not None:
        if asked.failure.status == 401:
            return _refused_key()
        if asked.failure.status is None:
            return JSONResponse({"detail": asked.failure.detail}, 503)
        return JSONResponse({"detail": "no such customer, for this key"}, 404)
    if survivor_id := asked.data.get("merged_into"):
        return JSONResponse({"detail": f"the customer was merged into {survivor_id}"}, 409)
    sessions: Sessions = request.app.state.sessions
    link, expires_at = sessions.link(key, customer_id, request.app.state.clock())
    path = f"{ENTER}?link={link}"
    return JSONResponse({"path": path, "expires_at": _rfc3339(expires_at)}, 201)


@router.get(ENTER)
async def enter(request: Request) -> Response:
    """Follow a link; the redirect takes it out of the address."""
    sessions: Sessions = request.app.state.sessions
    followed = sessions.follow(request.query_params.get("link", ""), request.app.state.clock())
    if followed is None:
        return _ended(request, 410)
    key, customer_id = followed
    session, is_away = await session_of_key(request, key, customer_id)
    if session is None:
        return _ended(request, 503 if is_away else 410)
    return begin_session(request, session, "")


@router.post("/portal/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session here, even one that is over already."""
    session = session_of(request, request.app.state.clock())
    sessions: Sessions = request.app.state.sessions
    if session is not None and session.customer_id is not None:
        sessions.forget(session)
    answer = RedirectResponse("/portal/signed-out", 303)
    answer.headers.append("Set-Cookie", cookie_of(request, "", max_age_s=0))
    return answer


@router.get("/portal/signed-out")
async def show_signed_out(request: Request) -> Response:
    """Where signing out leads."""
    say = wording_of_request(request, None).say
    empty = Empty("", say("Open your link again whenever you want to come back."))
    view = PageView("", say("You are signed out"), [empty])
    return HTMLResponse(rendered(request, view, None))


@router.post("/portal/language")
async def choose_language(visit: Customer, fields: FormFields) -> Response:
    """Go on in another language, for this session."""
    answer = visit.go("/portal")
    if fields.get("language") in dict(LANGUAGE_NAMES):
        answer.headers.append("Set-Cookie", visit.cookie_in(fields["language"]))
    return answer


def _ended(request: Request, status: int) -> Response:
    return HTMLResponse(rendered(request, link_ended(request, is_away=status == 503), None), status)


def link_ended(request: Request, *, is_away: bool = False) -> PageView:
    """The page of a link that opens nothing, or of a session that is over."""
    say = wording_of_request(request, None).say
    if is_away:
        title = say("Please try again in a moment")
        text = say("Your bills cannot be reached just now.")
    else:
        title = say("Please open your link again")
        text = say(
            "Open the link that you were sent once more. If it does not work either, its time is "
            "over: ask for a new one."
        )
    return PageView("", title, [Empty("", text)])


def _refused_key() -> Response:
    detail = "billing does not accept this key"
    return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})


def _origin(request: Request) -> str:
    public: str | None = request.app.state.public_url
    return public or str(request.base_url).rstrip("/")


def _flash(request: Request, customer_id: str, link: str, age_s: int) -> str:
    secure = "; Secure" if request.app.state.is_behind_tls else ""
    path = f"/customers/{customer_id}/portal-link"
    return f"{FLASH_COOKIE}={link}; Path={path}; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
