"""`/v1/dead-letters`: what a service's consumers could not understand, and what becomes of it.

    return with_dead_letters(process, Parts(…))

Owns the routes, which every service that consumes has alike, and the loop that deletes old letters.
A key sees the letters that name its tenant; those that name none, only the operator's token does,
which sees all. What a replay does is `gridtally.messaging.replay`.
"""

import base64
import dataclasses
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query, Request

from gridtally.contracts.model import Text
from gridtally.database import WriteConnection, snapshot, transaction
from gridtally.http.auth import Principal
from gridtally.http.callers import reader_or_operator, writer_or_operator
from gridtally.http.context import Db, Now
from gridtally.http.json_bodies import Router
from gridtally.http.openapi import ApiDescription
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import AnswerModel, Body
from gridtally.http.windows import OptionalUtcFrom, OptionalUtcTo, known_instant_of
from gridtally.kernel.errors import NotFound
from gridtally.messaging import letter_store
from gridtally.messaging.letter_store import LetterFilters, Status
from gridtally.messaging.replay import Subscriptions, discard_letter, replay_letter
from gridtally.service.polling import polling_loop
from gridtally.service.service import Loop, Parts, Process
from gridtally.service.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)
EXPIRY_POLL_S = 60.0

_STATE = "dead_letter_subscriptions"
_AREA = "dead letters"
_UNKNOWN = ("dead_letter_unknown",)
_DESCRIPTION = ApiDescription(
    areas={_AREA: "Messages that consumers could not understand, replaying and discarding them"},
    problems={
        "get_dead_letter": {404: _UNKNOWN},
        "replay_dead_letter": {404: _UNKNOWN, 409: ("dead_letter_resolved", "still_refused")},
        "discard_dead_letter": {404: _UNKNOWN, 409: ("dead_letter_resolved",)},
    },
)


class DeadLetter(AnswerModel):
    """A message that a consumer could not understand or store."""

    id: UUID
    tenant_id: str | None
    """The tenant that the message names; null where it names none."""
    consumer: str
    """The consumer that gave it up: its service and topic."""
    topic: str
    """The topic that the message is on."""
    partition: int
    """The topic's partition that it is in."""
    offset: int
    """Its offset in the partition."""
    reason: str
    """Why it was given up, for people."""
    value_bytes: int
    """The length of its value, in bytes."""
    dead_at: datetime
    """When it was given up, UTC."""
    status: Status
    """`open` until it is `replayed` or `discarded`."""
    replays: int
    """How often it was replayed, with success or without."""
    refused_because: str | None
    """Why the last replay that failed did."""
    resolved_at: datetime | None
    """When it was replayed or discarded, UTC."""
    resolved_by: str | None
    """The API key that did so, or `operator`."""
    discarded_because: str | None
    """The reason that was given for discarding it."""


class DeadLetterWithValue(DeadLetter):
    """The same with all that the message has; a letter that is resolved has no value any more."""

    key: str | None
    """The message's key, as text."""
    headers: list[tuple[str, str]]
    """The names and contents of the message's headers, as text."""
    value: str | None
    """The message's value as text; what is not UTF-8 in it is replaced."""
    value_base64: str | None
    """The message's value, byte for byte, in Base64."""

    @classmethod
    def of(cls, row: Any) -> "DeadLetterWithValue":
        """The letter in a row of the table."""
        value: bytes | None = row["value"]
        key: bytes | None = row["key"]
        return cls.model_validate(
            {
                **row,
                "key": None if key is None else key.decode(errors="replace"),
                "value": None if value is None else value.decode(errors="replace"),
                "value_base64": None if value is None else base64.b64encode(value).decode(),
            }
        )


class DeadLetterCount(AnswerModel):
    """Letters of one topic."""

    tenant_id: str
    """The tenant that they name, `-` where they name none."""
    topic: str
    """The topic that the messages are on."""
    open: int
    """Letters that nobody has replayed or discarded yet."""
    bytes: int
    """The length of their values together."""
    dropped: int
    """Letters that were never stored, because the tenant's quota was full."""
    expired: int
    """Letters that were deleted unresolved, because they were too old."""


class DeadLetterCounts(AnswerModel):
    """Letters by topic, as far as there are any."""

    items: list[DeadLetterCount]


class Discard(Body):
    """Giving a letter up."""

    reason: Text
    """Why it is given up, for whoever looks later."""


def _subscriptions(request: Request) -> Subscriptions:
    subscriptions: Subscriptions = getattr(request.app.state, _STATE)
    return subscriptions


def router_of(service: str) -> Router:
    """The routes of a service, for keys with its scopes and for the operator."""
    router = Router(prefix="/v1/dead-letters", tags=[_AREA])
    reader, writer = reader_or_operator(service), writer_or_operator(service)

    @router.get("")
    async def list_dead_letters(
        db: Db,
        caller: Annotated[Principal, reader],
        paging: Paging,
        topic: Annotated[
            str | None, Query(max_length=249, description="The topic that the messages are on")
        ] = None,
        reason: Annotated[
            str | None, Query(max_length=500, description="A part of the reason, in any case")
        ] = None,
        status: Status | None = None,
        from_: OptionalUtcFrom = None,
        to: OptionalUtcTo = None,
    ) -> Page[DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message was
        given up."""
        filters = LetterFilters(
            topic, reason, status, known_instant_of(from_), known_instant_of(to)
        )
        after = paging.after(datetime.fromisoformat, UUID)
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await letter_store.list_letters(read, filters, after, paging.rows)
        return paging.cut(rows, item=_letter, position=lambda row: (row["dead_at"], row["id"]))

    @router.get("/counts")
    async def count_dead_letters(db: Db, caller: Annotated[Principal, reader]) -> DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        async with snapshot(db, tenant=caller.tenant_id) as read:
            rows = await letter_store.count_letters(read)
        return DeadLetterCounts(items=[DeadLetterCount.model_validate(dict(row)) for row in rows])

    @router.get("/{dead_letter_id}")
    async def get_dead_letter(
        dead_letter_id: UUID, db: Db, caller: Annotated[Principal, reader]
    ) -> DeadLetterWithValue:
        """One letter with its key, headers and value."""
        async with snapshot(db, tenant=caller.tenant_id) as read:
            return await _fetch(read, dead_letter_id)

    @router.post("/{dead_letter_id}/replay")
    async def replay_dead_letter(
        dead_letter_id: UUID,
        db: Db,
        caller: Annotated[Principal, writer],
        now: Now,
        request: Request,
    ) -> DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where it
        is refused again, and then it stays open."""
        await replay_letter(
            db,
            _subscriptions(request),
            caller.tenant_id,
            dead_letter_id,
            by=caller.key_id,
            now=now,
        )
        async with snapshot(db, tenant=caller.tenant_id) as read:
            return await _fetch(read, dead_letter_id)

    @router.post("/{dead_letter_id}/discard")
    async def discard_dead_letter(
        dead_letter_id: UUID,
        discard: Discard,
        db: Db,
        caller: Annotated[Principal, writer],
        now: Now,
    ) -> DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        async with transaction(db, tenant=caller.tenant_id) as tx:
            await discard_letter(tx, dead_letter_id, discard.reason, by=caller.key_id, now=now)
            return await _fetch(tx, dead_letter_id)

    return router


def _letter(row: Any) -> DeadLetter:
    return DeadLetter.model_validate(dict(row))


async def _fetch(read: Any, letter_id: UUID) -> DeadLetterWithValue:
    row = await letter_store.fetch_letter(read, letter_id)
    if row is None:
        raise NotFound("dead_letter_unknown", f"there is no dead letter {letter_id}")
    return DeadLetterWithValue.of(row)


def with_dead_letters(process: Process[S], parts: Parts) -> Parts:
    """The parts of a service that consumes, with the routes of its dead letters and the loop that
    deletes those older than `DEAD_LETTER_DAYS`."""
    subscriptions = {known.event.TOPIC: known for known in parts.subscriptions}
    api = parts.api
    return dataclasses.replace(
        parts,
        routers=(*parts.routers, router_of(process.service)),
        loops=(*parts.loops, _expiry(process)),
        state={**parts.state, _STATE: subscriptions},
        api=dataclasses.replace(
            api,
            areas={**api.areas, **_DESCRIPTION.areas},
            problems={**api.problems, **_DESCRIPTION.problems},
        ),
    )


def _expiry(process: Process[S]) -> Loop:
    kept_for = timedelta(days=process.settings.dead_letter_days)

    async def delete_expired(tx: WriteConnection, now: datetime) -> int:
        return await letter_store.delete_expired(tx, now - kept_for)

    return polling_loop(
        f"{process.service}.dead_letters",
        delete_expired,
        process.database,
        process.clock,
        idle_s=EXPIRY_POLL_S,
    )
