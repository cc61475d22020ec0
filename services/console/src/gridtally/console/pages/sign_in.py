"""Signing in: with an API key, or with a link that a program has asked for with one.

Owns how often an address may try, and that every failure to sign in looks the same.
"""

import asyncio
import time
from collections import OrderedDict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from gridtally.console.pages.visit import (
    BINDING,
    COOKIE_AGE_S,
    FormFields,
    Visit,
    cookie_of,
    session_of,
)
from gridtally.console.sessions import Session, Sessions
from gridtally.console.upstream import Upstream

router = APIRouter()

PORTAL = "/portal"
TRIES_PER_MINUTE = 5
ADDRESSES_MAX = 10_000
WRONG_KEY = "No service accepts this key. It may be mistyped or revoked."
TOO_OFTEN = "Too many tries from this address. Wait a minute."
AWAY = "No service answers now, so that the key cannot be checked. Try again in a moment."
USED = "This link was used already, or is too old. Ask for a new one, or use a key."
_bearer = HTTPBearer(auto_error=False)


class Tries:
    """The failed tries of each address within the last minute, in this process."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, list[float]] = OrderedDict()

    def are_used_up(self, address: str) -> bool:
        """Whether an address must wait."""
        since_s = time.monotonic() - 60
        recent = [tried_s for tried_s in self._failed.get(address, ()) if tried_s > since_s]
        return len(recent) >= TRIES_PER_MINUTE

    def add(self, address: str) -> None:
        """Count one that failed."""
        since_s = time.monotonic() - 60
        recent = [tried_s for tried_s in self._failed.pop(address, ()) if tried_s > since_s]
        self._failed[address] = [*recent, time.monotonic()]
        if len(self._failed) > ADDRESSES_MAX:
            self._failed.popitem(last=False)


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """The form; who is signed in already goes on."""
    session = session_of(request, request.app.state.clock())
    if session is not None:
        return RedirectResponse(home(session), 303)
    return _form(request, "", request.query_params.get("next", ""))


@router.post("/sign-in")
async def sign_in(request: Request, fields: FormFields) -> Response:
    """Begin a session of the key."""
    address = request.client.host if request.client else ""
    tries: Tries = request.app.state.tries
    going_to = fields.get("next", "")
    if tries.are_used_up(address):
        return _form(request, TOO_OFTEN, going_to, 429)
    session, is_away = await session_of_key(request, fields.get("key", ""))
    if session is None:
        tries.add(address)
        return _form(request, AWAY if is_away else WRONG_KEY, going_to, 503 if is_away else 422)
    return begin_session(request, session, going_to)


@router.post("/v1/tickets", status_code=201)
async def make_ticket(
    request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Response:
    """For programs: a path that signs in, once and soon, whoever opens it."""
    key = shown.credentials if shown else ""
    session, _ = await session_of_key(request, key)
    if session is None:
        return JSONResponse({"detail": WRONG_KEY}, 401, {"WWW-Authenticate": "Bearer"})
    sessions: Sessions = request.app.state.sessions
    return JSONResponse(
        {"path": f"/enter?ticket={sessions.ticket(key, request.app.state.clock())}"}, 201
    )


@router.get("/enter")
async def enter(request: Request) -> Response:
    """Use a ticket; the redirect takes it out of the address."""
    sessions: Sessions = request.app.state.sessions
    now = request.app.state.clock()
    key = sessions.redeem(request.query_params.get("ticket", ""), now)
    session, _ = await session_of_key(request, key or "")
    if session is not None:
        return begin_session(request, session, "")
    known = session_of(request, now)
    if known is not None:  # the same link opened twice in one browser
        return RedirectResponse(home(known), 303)
    return _form(request, USED, "", 410)


@router.post("/sign-out")
async def sign_out(request: Request, visit: Visit) -> Response:
    """End the session here."""
    sessions: Sessions = request.app.state.sessions
    sessions.forget(visit.session)
    answer = RedirectResponse("/sign-in", 303)
    answer.headers.append("Set-Cookie", cookie_of(request, "", max_age_s=0))
    return answer


def home(session: Session) -> str:
    """Where a session begins: the overview, or a customer's own pages."""
    return "/" if session.customer_id is None else PORTAL


def begin_session(request: Request, session: Session, going_to: str) -> Response:
    """Hand the browser its cookie, and go to where it was going."""
    sessions: Sessions = request.app.state.sessions
    is_ours = going_to.startswith("/") and not going_to.startswith(("//", "/\\"))
    may = is_ours and going_to.startswith(home(session))
    answer = RedirectResponse(going_to if may else home(session), 303)
    sealed = sessions.seal(session, request.app.state.clock())
    answer.headers.append("Set-Cookie", cookie_of(request, sealed, max_age_s=COOKIE_AGE_S))
    return answer


async def session_of_key(
    request: Request, key: str, customer_id: str | None = None
) -> tuple[Session | None, bool]:
    """The session of a key that some service accepts; else None, and whether all are away.

    With a customer, or a key that is a customer's, it is his, and begins only where the services
    say that they bind it to him.
    """
    upstream: Upstream = request.app.state.upstream
    if not key.isascii() or not key.isprintable() or not key:
        return None, False
    how: dict[str, Any] = {"key": key, "correlation_id": request.state.correlation_id}
    if customer_id is not None:
        how["headers"] = {BINDING: customer_id}
    answers = await asyncio.gather(
        *(upstream.call(service, "GET", "/v1/me", **how) for service in upstream.services)
    )
    known = [answer.data for answer in answers if answer.ok]
    if not known:
        is_away = all(answer.failure and answer.failure.status is None for answer in answers)
        return None, is_away
    bound_to = {identity.get("customer_id") for identity in known}
    if customer_id is not None or bound_to != {None}:
        customer_id = customer_id or next(iter(bound_to - {None}))
        if bound_to != {customer_id}:
            return None, False
    language = None
    if customer_id is not None:
        how["headers"] = {BINDING: customer_id}
        record = await upstream.call("billing", "GET", f"/v1/customers/{customer_id}", **how)
        if record.failure is not None and record.failure.status is not None:
            return None, False
        language = record.data["language"] if record.ok else None
    sessions: Sessions = request.app.state.sessions
    session = sessions.begin(
        key=key,
        key_id=known[0]["key_id"],
        tenant_id=known[0]["tenant_id"],
        scopes=sorted({scope for identity in known for scope in identity["scopes"]}),
        now=request.app.state.clock(),
        customer_id=customer_id,
        language=language,
    )
    return session, False


def _form(request: Request, error: str, going_to: str, status: int = 200) -> Response:
    template = request.app.state.templates.get_template("sign_in.html")
    return HTMLResponse(template.render(error=error, going_to=going_to), status)
