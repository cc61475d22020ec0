"""A visit: what every page is handed, made of the session's cookie, the services and the templates.

@router.get("/invoices")
async def list_invoices(visit: Visit) -> Response:
    invoices = await visit.get("billing", "/v1/invoices", limit=50)
    return visit.page(PageView(...))
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Query, Request
from jinja2 import Environment
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from gridtally.console.sessions import Session, Sessions
from gridtally.console.upstream import (
    Answer,
    Failure,
    Json,
    PageRefusal,
    PortalOnly,
    SignInNeeded,
    Upstream,
)
from gridtally.console.views.blocks import PageView

ROWS = 50
NAMES_AT_ONCE = 50
FORM = "application/x-www-form-urlencoded"


BINDING = "Gridtally-Customer"
"""The header by which a service answers with what is one customer's, and refuses all else."""


class SignedIn:
    """Somebody who is signed in and asks for a page.

    Whatever a customer's session asks is bound to the customer here, so that no page can forget it;
    and what is another customer's is not there, even where a service would tell it.
    """

    def __init__(self, request: Request, session: Session, now: datetime) -> None:
        self.request = request
        self.session = session
        self.now = now
        self._upstream: Upstream = request.app.state.upstream
        bound_to = session.customer_id
        self._binding = {} if bound_to is None else {BINDING: bound_to}
        self._asker = session.key_id if bound_to is None else f"{session.key_id} {bound_to}"

    @property
    def correlation_id(self) -> str:
        """Of this request, and of all that it asks the services."""
        text: str = self.request.state.correlation_id
        return text

    async def get(self, service: str, path: str, **params: Any) -> Answer:
        """What is there; `from_` is sent as `from`. SignInNeeded where the key is gone."""
        named = {name.rstrip("_"): value for name, value in params.items()}
        return await self.send(service, "GET", path, params=named)

    async def send(self, service: str, method: str, path: str, **how: Any) -> Answer:
        """One request of any method; SignInNeeded where the key is gone."""
        headers = {**how.pop("headers", {}), **self._binding}
        answer = await self._upstream.call(
            service,
            method,
            path,
            key=self.session.key,
            correlation_id=self.correlation_id,
            headers=headers,
            **how,
        )
        if answer.failure is not None and answer.failure.status == 401:
            raise SignInNeeded
        if self.session.customer_id is not None and _is_foreign(answer, self.session.customer_id):
            foreign = Failure(service, 404, "not_found", "no such thing", self.correlation_id)
            return Answer(failure=foreign)
        return answer

    async def the(self, service: str, path: str, **params: Any) -> Any:
        """What a page is about; PageRefusal where it is not there, or the service is away."""
        answer = await self.get(service, path, **params)
        if answer.failure is not None:
            raise PageRefusal(answer.failure)
        return answer.data

    async def everything(self, service: str, path: str, pages_max: int, **params: Any) -> Answer:
        """The items of a listing's first pages, as if they were one."""
        rows: list[Json] = []
        cursor = None
        for _ in range(pages_max):
            answer = await self.get(service, path, cursor=cursor, **params)
            if not answer.ok:
                return answer
            rows += answer.items
            cursor = answer.data["next_cursor"]
            if cursor is None:
                break
        return Answer(data={"items": rows, "next_cursor": cursor})

    async def names(self, service: str, path: str, ids: Iterable[str | None]) -> dict[str, str]:
        """The names of things by their ids, as far as they can be had: `path` is their listing."""
        wanted = [known for known in dict.fromkeys(ids) if known][:NAMES_AT_ONCE]
        named = await asyncio.gather(
            *(self._name(service, f"{path}/{wanted_id}") for wanted_id in wanted)
        )
        return {wanted_id: name for wanted_id, name in zip(wanted, named, strict=True) if name}

    async def _name(self, service: str, path: str) -> str | None:
        known = self._upstream.known_name(self._asker, path)
        if known is not None:
            return known
        answer = await self.get(service, path)
        if not answer.ok:
            return None
        name: str = answer.data["name"]
        self._upstream.learn_name(self._asker, path, name)
        return name

    async def file(self, service: str, path: str, params: Mapping[str, Any]) -> Response:
        """A file of a service, handed on piece by piece; PageRefusal where there is none."""
        named = {name.rstrip("_"): value for name, value in params.items()}
        opened = await self._upstream.open_file(
            service,
            path,
            key=self.session.key,
            correlation_id=self.correlation_id,
            params=named,
            headers=self._binding,
        )
        # As a file, never as a page of ours: what is in it was written by others.
        disposition = opened.headers.get("content-disposition", "attachment")
        headers = {
            "content-type": opened.headers.get("content-type", "application/octet-stream"),
            "content-disposition": disposition.replace("inline", "attachment", 1),
        }
        return StreamingResponse(
            opened.aiter_bytes(), headers=headers, background=BackgroundTask(opened.aclose)
        )

    def page(self, view: PageView, status: int = 200) -> Response:
        """The page as HTML."""
        return HTMLResponse(rendered(self.request, view, self.session), status)

    def go(self, path: str) -> Response:
        """On to another page, after something was done."""
        return RedirectResponse(path, 303)


def _is_foreign(answer: Answer, customer_id: str) -> bool:
    """Whether an answer, or an item of its page, is of another customer than it was asked for."""
    if not isinstance(answer.data, dict):
        return False
    parts = [answer.data, *answer.data.get("items", ())]
    return any(part.get("customer_id", customer_id) != customer_id for part in parts)


def rendered(request: Request, view: PageView, session: Session | None) -> str:
    """A page as HTML; without a session it has no navigation."""
    templates: Environment = request.app.state.templates
    return templates.get_template("page.html").render(
        view=view, session=session, path=request.url.path, query=request.query_params.get("q", "")
    )


def session_of(request: Request, now: datetime) -> Session | None:
    """The session of the request's cookie."""
    sessions: Sessions = request.app.state.sessions
    token = request.cookies.get(cookie_name(request))
    return sessions.open(token, now) if token else None


def cookie_name(request: Request) -> str:
    """`__Host-` needs https, which loopback has not."""
    return "__Host-gt" if request.app.state.is_behind_tls else "gt"


def cookie_of(request: Request, value: str, *, max_age_s: int) -> str:
    """The `Set-Cookie` of a session; an age of 0 takes it away."""
    secure = "; Secure" if request.app.state.is_behind_tls else ""
    name = cookie_name(request)
    return f"{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"


COOKIE_AGE_S = 8 * 3600


def current_session(request: Request) -> tuple[Session, datetime]:
    """Whoever is signed in, staff or customer, and now; SignInNeeded without a session."""
    now: datetime = request.app.state.clock()
    session = session_of(request, now)
    if session is None:
        raise SignInNeeded
    sessions: Sessions = request.app.state.sessions
    if sessions.needs_renewal(session, now):
        request.state.renewed_cookie = cookie_of(
            request, sessions.seal(session, now), max_age_s=COOKIE_AGE_S
        )
    return session, now


async def signed_in(request: Request) -> SignedIn:
    """The dependency of every page of the staff's; PortalOnly for a customer."""
    session, now = current_session(request)
    if session.customer_id is not None:
        raise PortalOnly
    return SignedIn(request, session, now)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form, the last of each name."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        return {}
    body = await request.body()
    pairs: Sequence[tuple[str, str]] = parse_qsl(
        body.decode(errors="replace"), keep_blank_values=True, max_num_fields=500
    )
    return {name: value.strip() for name, value in pairs}


Visit = Annotated[SignedIn, Depends(signed_in)]
FormFields = Annotated[dict[str, str], Depends(form_of)]
From = Annotated[str, Query(alias="from")]
"""The start of a time, which Python has no such name for."""
