"""Webhooks: endpoints are kept, events become messages, and messages are posted until taken."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gridtally.billing.domain import webhooks as domain
from gridtally.billing.domain.webhooks import Attempt, DueMessage, Endpoint
from gridtally.billing.events.webhooks import messages_of, test_message
from gridtally.billing.store import webhooks as store
from gridtally.database import ALL_TENANTS, Database, WriteConnection, transaction
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.periods import Clock
from gridtally.kernel.resources import Stored
from gridtally.messaging import ReceivedMessage
from gridtally.webhooks import addresses
from gridtally.webhooks.sender import Sender
from gridtally.webhooks.signature import signed_headers

IN_FLIGHT_MAX = 64
OF_ENDPOINT_MAX = 4
"""Of one endpoint's messages at once, so that a slow one has few of all."""
LEASE = timedelta(seconds=60)
"""After so long a message that was begun is begun again: several times what an attempt takes."""
PURGED_MAX = 1_000
TYPE_HEADERS = {"content-type": "application/json", "user-agent": "gridtally-webhooks/1"}


async def queue_messages(tx: WriteConnection, received: Sequence[ReceivedMessage[Any]]) -> None:
    """Store a message for each endpoint that wants an event; a repeated event makes none."""
    tenants = {message.envelope.tenant_id for message in received}
    endpoints = await store.fetch_endpoints(tx, tenants)
    if endpoints:
        await store.insert_messages(tx, list(messages_of(received, endpoints)))


def check_url(url: str, *, is_http_allowed: bool) -> None:
    """Rejected for an address that messages never go to."""
    try:
        addresses.check_url(url, is_http_allowed=is_http_allowed)
    except ValueError as invalid:
        detail = str(invalid)
        raise Rejected("invalid_url", detail, (Fault("/url", detail),)) from None


async def create_endpoint(
    tx: WriteConnection, tenant_id: str, endpoint: Endpoint, now: datetime
) -> tuple[Stored[Endpoint], bool]:
    """Store an endpoint; with whether it is new. Conflict where its id is another's."""
    created = await store.insert_endpoint(tx, tenant_id, endpoint, now)
    known = await existing(tx, tenant_id, endpoint.id)
    same = replace(endpoint, secret_number=known.resource.secret_number)
    asked, has = ((shown.url, shown.types, shown.description) for shown in (same, known.resource))
    if not created and asked != has:
        raise Conflict("webhook_endpoint_exists", "another endpoint has this id")
    return known, created


async def existing(tx: WriteConnection, tenant_id: str, endpoint_id: UUID) -> Stored[Endpoint]:
    """The endpoint, locked; NotFound where there is none."""
    known = await store.fetch_endpoint(tx, tenant_id, endpoint_id, locked=True)
    if known is None:
        raise endpoint_unknown(endpoint_id)
    return known


def endpoint_unknown(endpoint_id: UUID) -> NotFound:
    """That there is no such endpoint."""
    return NotFound("webhook_endpoint_unknown", f"there is no endpoint {endpoint_id}")


async def change_endpoint(
    tx: WriteConnection,
    tenant_id: str,
    current: Stored[Endpoint],
    changes: Mapping[str, Any],
    now: datetime,
) -> Stored[Endpoint]:
    """The endpoint with what is named changed; one that is made active begins anew."""
    new = replace(current.resource, **changes)
    if new.state == "disabled" and new.disabled_reason is None:
        new = replace(new, disabled_reason="it was disabled by hand")
    if new.state == "active":
        was_disabled = current.resource.state == "disabled"
        failing_since = None if was_disabled else new.failing_since
        new = replace(new, disabled_reason=None, failing_since=failing_since)
    if new == current.resource:
        return current
    return await store.update_endpoint(tx, tenant_id, current, new, now)


async def rotate_secret(
    tx: WriteConnection, tenant_id: str, endpoint_id: UUID, now: datetime
) -> Stored[Endpoint]:
    """The endpoint with a new secret; the one before it signs too, for a day."""
    current = await existing(tx, tenant_id, endpoint_id)
    new = replace(
        current.resource,
        secret_number=current.resource.secret_number + 1,
        earlier_secret_until=now + domain.OVERLAP,
    )
    return await store.update_endpoint(tx, tenant_id, current, new, now)


async def send_test(tx: WriteConnection, tenant_id: str, endpoint_id: UUID, now: datetime) -> UUID:
    """Queue a message that says nothing; its id."""
    await existing(tx, tenant_id, endpoint_id)
    message_id = new_id()
    await store.insert_messages(tx, [test_message(tenant_id, endpoint_id, message_id, now)])
    return message_id


async def purge_messages(tx: WriteConnection, now: datetime) -> int:
    """Delete some of the messages that are too old; how many."""
    return await store.purge_messages(tx, now - domain.KEPT_FOR, PURGED_MAX)


class Deliverer:
    """Posts what is due, many messages at once, and records each attempt.

    A message is claimed before it is posted and marked after, so that a process that is killed in
    between leaves it to be posted once more, under the same id. What was posted while the last
    attempts were recorded is recorded together.
    """

    def __init__(self, database: Database, sender: Sender, key: bytes, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._key = key
        self._clock = clock
        self._in_flight: dict[asyncio.Task[Attempt], tuple[str, UUID]] = {}
        self._unrecorded: list[Attempt] = []

    async def begin_due(self) -> int:
        """Begin to post what is due, as far as there is room; how many messages that were."""
        await self._record()  # first, or what is recorded late may be claimed once more
        room = IN_FLIGHT_MAX - len(self._in_flight)
        if room <= 0:
            return 0
        at_work = Counter(self._in_flight.values())
        busy = [endpoint for endpoint, count in at_work.items() if count >= OF_ENDPOINT_MAX]
        now = self._clock()
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            due = await store.claim_messages(
                tx,
                now,
                now + LEASE,
                of_endpoint_max=OF_ENDPOINT_MAX,
                messages_max=room,
                busy=busy,
            )
        for message in due:
            task = asyncio.create_task(self._post(message))
            self._in_flight[task] = message.key
        return len(due)

    async def wait(self, seconds: float) -> None:
        """Wait until a message that was begun is done, or so long; record those that are."""
        if self._in_flight:
            await asyncio.wait(
                self._in_flight, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        await self._record()

    async def finish(self) -> None:
        """Wait until all that was begun is done, and record it."""
        if self._in_flight:
            await asyncio.wait(self._in_flight)
        await self._record()

    async def _record(self) -> None:
        """Record the attempts that are done; then an error of ours is raised here.

        Where PostgreSQL cannot be reached they are recorded the next time, or, after the lease,
        made again.
        """
        done = [task for task in self._in_flight if task.done()]
        failed = [task for task in done if task.exception()]
        for task in done:
            del self._in_flight[task]
            if task not in failed:
                self._unrecorded.append(task.result())
        if self._unrecorded:
            async with transaction(self._database, tenant=ALL_TENANTS) as tx:
                await store.record_attempts(tx, self._unrecorded)
            self._unrecorded = []
        for task in failed:
            task.result()

    async def _post(self, message: DueMessage) -> Attempt:
        now = self._clock()
        secrets = domain.secrets_of(self._key, message.tenant_id, message.endpoint, now)
        headers = signed_headers(secrets, str(message.id), now, message.body)
        outcome = await self._sender.post(
            message.endpoint.url, TYPE_HEADERS | headers, message.body
        )
        return domain.attempt_of(
            message,
            outcome.status,
            outcome.error,
            outcome.answer,
            outcome.took_ms,
            outcome.retry_after_s,
            self._clock(),
        )
