"""Replaying dead letters: a stored message goes to its topic's handler once more.

Owns that a replay is what the consumer would do: the message is decoded and handled in one
transaction of all tenants, which also notes that the letter is resolved. What refuses it again
changes nothing but the letter's own row.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from aiokafka import ConsumerRecord

from gridtally.database import ALL_TENANTS, Database, WriteConnection, snapshot, transaction
from gridtally.kernel.errors import Conflict, NotFound, Poison, Rejected
from gridtally.messaging.data_errors import blame_of
from gridtally.messaging.dead_letters import REASON_CHARS_MAX
from gridtally.messaging.letter_store import (
    Status,
    fetch_letter,
    lock_letter,
    note_refusal,
    resolve_letter,
)
from gridtally.messaging.message_log import log_messages
from gridtally.messaging.received_messages import Subscription, decode_record

Subscriptions = Mapping[str, Subscription]
"""A service's subscriptions, by the names of their topics."""

log = structlog.get_logger(__name__)


def _unknown(letter_id: UUID) -> NotFound:
    return NotFound("dead_letter_unknown", f"there is no dead letter {letter_id}")


def _resolved(letter_id: UUID, status: Status) -> Conflict:
    return Conflict("dead_letter_resolved", f"dead letter {letter_id} was {status} already")


async def replay_letter(
    database: Database,
    subscriptions: Subscriptions,
    tenant_id: str,
    letter_id: UUID,
    *,
    by: str,
    now: datetime,
) -> None:
    """Handle an open letter of the tenant (`ALL_TENANTS` for any) as its consumer would by now.

    NotFound, Conflict `dead_letter_resolved` where somebody was quicker, and Conflict
    `still_refused` with the reason where it cannot be handled; then it stays open.
    """
    async with snapshot(database, tenant=tenant_id) as read:
        letter = await fetch_letter(read, letter_id)
    if letter is None:
        raise _unknown(letter_id)
    if letter["status"] != "open":
        raise _resolved(letter_id, letter["status"])
    subscription = subscriptions.get(letter["topic"])
    if subscription is None:
        raise Conflict("still_refused", f"nobody here consumes {letter['topic']} any more")
    try:
        status = await _handle(database, subscription, letter_id, by=by, now=now)
    except (Poison, Rejected) as failure:
        await _refuse(database, letter_id, str(failure))
    except Exception as failure:  # raised again, unless the message is to blame
        if blame_of(failure) is None:
            raise
        await _refuse(database, letter_id, f"{type(failure).__name__}: {failure}")
    else:
        if status != "open":
            raise _resolved(letter_id, status)
        log.info("dead letter replayed", dead_letter_id=str(letter_id), key_id=by)


async def _handle(
    database: Database, subscription: Subscription, letter_id: UUID, *, by: str, now: datetime
) -> Status:
    """Handle the letter, if it is open; its status before that."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        letter = await lock_letter(tx, letter_id)
        if letter is None:
            raise _unknown(letter_id)
        status: Status = letter["status"]
        if status != "open":
            return status
        message = decode_record(_record_of(letter), subscription.event, subscription.read)
        await subscription.handle(tx, [message])
        await resolve_letter(tx, letter_id, status="replayed", by=by, now=now)
    log_messages("handled", [message])
    return status


async def _refuse(database: Database, letter_id: UUID, reason: str) -> None:
    reason = reason[:REASON_CHARS_MAX].replace("\0", "")
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await note_refusal(tx, letter_id, reason)
    raise Conflict("still_refused", f"dead letter {letter_id} is refused again: {reason}")


async def discard_letter(
    tx: WriteConnection, letter_id: UUID, because: str, *, by: str, now: datetime
) -> None:
    """Give an open letter up for good, with a reason; `tx` is of the letter's tenant.

    NotFound, or Conflict `dead_letter_resolved`.
    """
    letter = await lock_letter(tx, letter_id)
    if letter is None:
        raise _unknown(letter_id)
    if letter["status"] != "open":
        raise _resolved(letter_id, letter["status"])
    await resolve_letter(tx, letter_id, status="discarded", by=by, now=now, because=because)
    log.info("dead letter discarded", dead_letter_id=str(letter_id), key_id=by, reason=because)


def _record_of(letter: Any) -> ConsumerRecord:
    """The message as the broker brought it."""
    stored: Any = letter["headers"]
    headers = json.loads(stored) if isinstance(stored, str) else stored
    value: bytes | None = letter["value"]
    key: bytes | None = letter["key"]
    return ConsumerRecord(
        topic=letter["topic"],
        partition=letter["partition"],
        offset=letter["offset"],
        timestamp=int(letter["dead_at"].timestamp() * 1000),
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=len(key or b""),
        serialized_value_size=len(value or b""),
        headers=tuple((name, content.encode()) for name, content in headers),
    )
