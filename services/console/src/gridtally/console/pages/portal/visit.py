"""A customer's visit: what every page of the portal is handed."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from gridtally.console.pages.visit import COOKIE_AGE_S, SignedIn, cookie_of, current_session
from gridtally.console.sessions import Session, Sessions
from gridtally.console.upstream import Failure, Json
from gridtally.console.views.blocks import Block, Empty, Link, Notice, PageView, Panel
from gridtally.console.views.words import LANGUAGE_NAMES, PortalWording, accepted, words_of

SELLER = "/v1/seller"


class PortalVisit(SignedIn):
    """A customer who is signed in and asks for a page."""

    def __init__(self, request: Request, session: Session, now: datetime, customer_id: str) -> None:
        super().__init__(request, session, now)
        self.customer_id = customer_id
        self.words = wording_of_request(request, session)

    @property
    def customer_path(self) -> str:
        """Where billing and the ledger have what is the customer's."""
        return f"/v1/customers/{self.customer_id}"

    async def customer(self) -> Json:
        """The customer's record; PageRefusal where it cannot be had."""
        record: Json = await self.the("billing", self.customer_path)
        return record

    async def show(self, view: PageView, status: int = 200) -> Response:
        """The page as HTML, under the seller's name."""
        if self._upstream.known_name(self._asker, SELLER) is None:
            seller = await self.get("billing", SELLER)
            name = seller.data["name"] if seller.ok else ""
            self._upstream.learn_name(self._asker, SELLER, name)
        return HTMLResponse(rendered(self.request, view, self.session), status)

    def panel(
        self,
        title: str,
        blocks: Sequence[Block],
        failure: Failure | None = None,
        links: Sequence[Link] = (),
        text: str = "",
    ) -> Panel:
        """A part of a page; where it failed it says so, in words for customers."""
        if failure is not None:
            return Panel(title, [away(self.words, failure)])
        return Panel(title, blocks, links=links, text=text)

    def cookie_in(self, language: str) -> str:
        """The `Set-Cookie` of this session in another language."""
        session = dataclasses.replace(self.session, language=language)
        sessions: Sessions = self.request.app.state.sessions
        return cookie_of(self.request, sessions.seal(session, self.now), max_age_s=COOKIE_AGE_S)


def away(words: PortalWording, failure: Failure) -> Notice:
    """What stands in place of what cannot be had now."""
    text = words.say(
        "This part cannot be shown just now. Please try again later. Reference: {reference}",
        reference=failure.correlation_id,
    )
    return Notice(text, tone="warn")


async def portal_visit(request: Request) -> PortalVisit:
    """The dependency of every page of the portal; for staff there is no such page."""
    session, now = current_session(request)
    if session.customer_id is None:
        raise HTTPException(404)
    return PortalVisit(request, session, now, session.customer_id)


def wording_of_request(request: Request, session: Session | None) -> PortalWording:
    """The language of the customer where it is known, else the browser's, else English."""
    own = session.language if session else None
    return words_of(own, *accepted(request.headers.get("accept-language", "")))


def rendered(request: Request, view: PageView, session: Session | None) -> str:
    """A page of the portal as HTML; without a session it has no navigation."""
    words = wording_of_request(request, session)
    templates: Environment = request.app.state.templates
    seller = None
    if session is not None:
        asker = f"{session.key_id} {session.customer_id}"
        seller = request.app.state.upstream.known_name(asker, SELLER) or session.tenant_id
    return templates.get_template("portal.html").render(
        view=view,
        session=session,
        say=words.say,
        language=str(words.locale).replace("_", "-"),
        languages=LANGUAGE_NAMES,
        spoken=words.language,
        seller=seller or words.say("Customer portal"),
        path=request.url.path,
    )


def nothing_here(words: PortalWording) -> PageView:
    """The page of what is not there, and of what is somebody else's."""
    empty = Empty(
        words.say("There is nothing here"),
        words.say("The address is wrong, or what it names is not yours."),
        [Link(words.say("To the start page"), "/portal")],
    )
    return PageView("", words.say("Not found"), [empty])


Customer = Annotated[PortalVisit, Depends(portal_visit)]
