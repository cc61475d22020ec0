"""Webhooks over HTTP: endpoints, the messages for them, and what became of each."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import Field

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.domain import webhooks as domain
from gridtally.billing.handlers import webhooks as handlers
from gridtally.billing.store import webhooks as store
from gridtally.contracts.model import Instant, Text
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import (
    AnswerModel,
    Body,
    NotNull,
    StoredModel,
    answer,
    answer_created,
    fields,
)
from gridtally.http.sorting import SortedPage
from gridtally.kernel.errors import NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Stored
from gridtally.webhooks.signature import secret_text

router = Router(prefix="/v1", tags=["webhooks"])
EventType = Literal[
    "invoice.issued.v1",
    "invoice.voided.v1",
    "credit_note.issued.v1",
    "payment.recorded.v1",
    "account.changed.v1",
    "readings.rejected.v1",
    "alert.raised.v1",
    "alert.cleared.v1",
    "prepayment.changed.v1",
]
"""What messages can be about; the data of each is the event's, as the AsyncAPI document has it."""
EventTypes = Annotated[tuple[EventType, ...], Field(max_length=9)]
Url = Annotated[str, Field(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Access:
    """What this installation lets webhooks do: `key` makes their secrets, None makes none."""

    key: bytes | None
    is_http_allowed: bool = False


async def _access(request: Request) -> Access:
    access: Access = request.app.state.webhooks
    return access


WebhookAccess = Annotated[Access, Depends(_access)]


class NewWebhookEndpoint(Body):
    """Where messages are to be posted."""

    id: UUID = Field(default_factory=new_id)
    """The endpoint's id; made by the service unless the caller names one."""
    url: Url
    """Where to, beginning with `https://`; it must lead to a public address."""
    types: EventTypes = ()
    """The types of events that it wants; all of them where none is named."""
    description: Text | None = None
    """What it is for, for people."""

    def to_domain(self, access: Access) -> domain.Endpoint:
        """The endpoint; Rejected where the url cannot be."""
        handlers.check_url(self.url, is_http_allowed=access.is_http_allowed)
        return domain.Endpoint(**self.model_dump())


class WebhookEndpointChange(Body):
    """What is to be different; what is left out stays."""

    url: Annotated[Url | None, NotNull] = None
    """Where to, beginning with `https://`."""
    types: Annotated[EventTypes | None, NotNull] = None
    """The types of events that it wants; all of them where none is named."""
    description: Text | None = None
    """What it is for, for people."""
    state: Annotated[domain.EndpointState | None, NotNull] = None
    """Whether messages are posted to it; what waits is posted once it is active."""


class WebhookEndpoint(StoredModel):
    """Where messages are posted."""

    id: UUID
    """The endpoint's id."""
    url: str
    """Where to."""
    types: list[str]
    """The types of events that it wants; all of them where none is named."""
    description: str | None
    """What it is for, for people."""
    state: domain.EndpointState
    """Whether messages are posted to it."""
    disabled_reason: str | None
    """Why none are posted, for people; null while it is active."""
    earlier_secret_until: datetime | None
    """Until when the secret before this one signs too, UTC."""
    failing_since: datetime | None
    """Since when it has taken no message, UTC; null where it took the last one."""

    @classmethod
    def of(cls, stored: Stored[domain.Endpoint]) -> Self:
        """The endpoint as the API shows it, without its secret."""
        return cls.model_validate(fields(stored))


class WebhookEndpointSecret(WebhookEndpoint):
    """An endpoint with its secret, which is shown this once."""

    secret: str | None
    """Signs its messages: `whsec_` and base64; null where the endpoint was there already."""


class WebhookMessage(AnswerModel):
    """Something that happened, posted to an endpoint until that takes it."""

    id: UUID
    """The message's id, its `webhook-id`: the same at each attempt."""
    endpoint_id: UUID
    """The endpoint."""
    type: str
    """The type of the event."""
    state: domain.MessageState
    """Whether it waits, was taken, or was given up after the last attempt."""
    attempts: int
    """How often it was posted."""
    due_at: datetime
    """When it is posted next, if it waits, UTC."""
    created_at: datetime
    """When it happened, UTC."""

    @classmethod
    def of(cls, row: Any) -> Self:
        """The message of a row."""
        return cls.model_validate(dict(row))


class WebhookAttempt(AnswerModel):
    """An attempt to post a message."""

    number: int
    """Which attempt, from 1."""
    status: int | None
    """The HTTP status of the answer; null where there was none."""
    error: str | None
    """Why there was no answer, or why it does not count, for people."""
    answer: str
    """The beginning of the answer."""
    took_ms: int
    """How long it took, in milliseconds."""
    attempted_at: datetime
    """When it ended, UTC."""


class WebhookAttempts(AnswerModel):
    """The attempts of a message."""

    items: list[WebhookAttempt]
    """In their order."""


class NewReplay(Body):
    """Which messages are to be posted again."""

    since: Instant
    """Those of events that happened then or later."""


class Queued(AnswerModel):
    """What is to be posted now."""

    messages: int
    """How many messages."""


class TestMessage(AnswerModel):
    """A message that was queued to try the endpoint."""

    message_id: UUID
    """The message; its attempts tell what the endpoint answered."""


@router.post("/webhook-endpoints", status_code=201)
async def create_webhook_endpoint(
    new: NewWebhookEndpoint,
    db: Db,
    cause: WriteCause,
    now: Now,
    access: WebhookAccess,
    response: Response,
) -> WebhookEndpointSecret:
    """Name an endpoint. The answer shows its secret, once; the same again answers 200 without."""
    endpoint = new.to_domain(access)
    key = _key(access)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored, created = await handlers.create_endpoint(tx, cause.tenant_id, endpoint, now)
    secret = _secret(key, cause.tenant_id, stored, now) if created else None
    location = f"/v1/webhook-endpoints/{endpoint.id}"
    return answer_created(
        response, stored, lambda shown: _with_secret(shown, secret), created=created,
        location=location,
    )  # fmt: skip


@router.get("/webhook-endpoints")
async def list_webhook_endpoints(db: Db, caller: Reader, paging: Paging) -> Page[WebhookEndpoint]:
    """Endpoints, the oldest first."""
    page = SortedPage(paging)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_endpoints(read, caller.tenant_id, page.position())
    return page.cut(rows, WebhookEndpoint.of)


@router.get("/webhook-endpoints/{endpoint_id}")
async def get_webhook_endpoint(
    endpoint_id: UUID, db: Db, caller: Reader, response: Response
) -> WebhookEndpoint:
    """One endpoint."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await store.fetch_endpoint(read, caller.tenant_id, endpoint_id)
    if stored is None:
        raise handlers.endpoint_unknown(endpoint_id)
    return answer(response, stored, WebhookEndpoint.of)


@router.patch("/webhook-endpoints/{endpoint_id}")
async def change_webhook_endpoint(
    endpoint_id: UUID,
    change: WebhookEndpointChange,
    db: Db,
    cause: WriteCause,
    now: Now,
    access: WebhookAccess,
    if_match: OptionalMatch,
    response: Response,
) -> WebhookEndpoint:
    """Change what is named; one that was disabled may be made active again."""
    if change.url is not None:
        handlers.check_url(change.url, is_http_allowed=access.is_http_allowed)
    tenant_id = cause.tenant_id
    async with transaction(db, tenant=tenant_id) as tx:
        current = await handlers.existing(tx, tenant_id, endpoint_id)
        if_match.check(current.version)
        changed = await handlers.change_endpoint(tx, tenant_id, current, change.changes(), now)
    return answer(response, changed, WebhookEndpoint.of)


@router.delete("/webhook-endpoints/{endpoint_id}", status_code=204)
async def delete_webhook_endpoint(endpoint_id: UUID, db: Db, cause: WriteCause) -> None:
    """Delete an endpoint with its messages."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if not await store.delete_endpoint(tx, cause.tenant_id, endpoint_id):
            raise handlers.endpoint_unknown(endpoint_id)


@router.post("/webhook-endpoints/{endpoint_id}/rotation")
async def rotate_webhook_secret(
    endpoint_id: UUID, db: Db, cause: WriteCause, now: Now, access: WebhookAccess
) -> WebhookEndpointSecret:
    """Give the endpoint a new secret; for a day, messages are signed with the one before too."""
    key = _key(access)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        stored = await handlers.rotate_secret(tx, cause.tenant_id, endpoint_id, now)
    return _with_secret(stored, _secret(key, cause.tenant_id, stored, now))


@router.post("/webhook-endpoints/{endpoint_id}/test", status_code=202)
async def test_webhook_endpoint(
    endpoint_id: UUID, db: Db, cause: WriteCause, now: Now
) -> TestMessage:
    """Post a message of the type `webhook.test` to the endpoint."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        message_id = await handlers.send_test(tx, cause.tenant_id, endpoint_id, now)
    return TestMessage(message_id=message_id)


@router.post("/webhook-endpoints/{endpoint_id}/replay", status_code=202)
async def replay_webhook_messages(
    endpoint_id: UUID, replay: NewReplay, db: Db, cause: WriteCause, now: Now
) -> Queued:
    """Post again what happened since an instant, also what was taken; messages keep their ids."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.existing(tx, cause.tenant_id, endpoint_id)
        messages = await store.replay_messages(tx, cause.tenant_id, endpoint_id, replay.since, now)
    return Queued(messages=messages)


@router.get("/webhook-messages")
async def list_webhook_messages(
    db: Db,
    caller: Reader,
    paging: Paging,
    endpoint_id: UUID | None = None,
    state: Annotated[domain.MessageState | None, Query()] = None,
) -> Page[WebhookMessage]:
    """Messages of the last 30 days, the newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.list_messages(
            read, caller.tenant_id, endpoint_id, state, after, paging.rows
        )
    return paging.cut(
        rows, item=WebhookMessage.of, position=lambda row: (row["created_at"], row["id"])
    )


@router.get("/webhook-messages/{message_id}/attempts")
async def list_webhook_attempts(message_id: UUID, db: Db, caller: Reader) -> WebhookAttempts:
    """What each attempt to post a message came to."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        rows = await store.fetch_attempts(read, caller.tenant_id, message_id)
    if rows is None:
        raise _message_unknown(message_id)
    return WebhookAttempts(items=[WebhookAttempt.model_validate(dict(row)) for row in rows])


@router.post("/webhook-messages/{message_id}/redelivery", status_code=202)
async def redeliver_webhook_message(
    message_id: UUID, db: Db, cause: WriteCause, now: Now
) -> Queued:
    """Post a message again, whatever became of it."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if not await store.redeliver_message(tx, cause.tenant_id, message_id, now):
            raise _message_unknown(message_id)
    return Queued(messages=1)


def _message_unknown(message_id: UUID) -> NotFound:
    return NotFound("webhook_message_unknown", f"there is no message {message_id}")


def _key(access: Access) -> bytes:
    if access.key is None:
        raise Rejected(
            "webhooks_unset", "this installation has no WEBHOOK_SECRET_KEY, so it signs no messages"
        )
    return access.key


def _secret(key: bytes, tenant_id: str, stored: Stored[domain.Endpoint], now: datetime) -> str:
    return secret_text(domain.secrets_of(key, tenant_id, stored.resource, now)[0])


def _with_secret(stored: Stored[domain.Endpoint], secret: str | None) -> WebhookEndpointSecret:
    return WebhookEndpointSecret(**WebhookEndpoint.of(stored).model_dump(), secret=secret)
