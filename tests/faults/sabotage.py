"""Starts a service with a planted bug: `python sabotage.py BUG SERVICE serve`.

Each bug is one of the ways in which such systems go wrong. Nothing in the services knows of it.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import numpy as np


def plant(owner: Any, name: str, bug: Any) -> None:
    """Put a bug in the place of what is there; AttributeError where nothing is, since a bug that
    nobody calls shows nothing."""
    getattr(owner, name)
    setattr(owner, name, bug)


def offset_committed_first() -> None:
    """The stored offset moves in a transaction of its own, before the business transaction."""
    from gridtally.database import ALL_TENANTS, transaction
    from gridtally.messaging import consumer

    async def commit(self: Any, received: list[Any], steps: Any) -> None:
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            await consumer.advance(tx, self._name, steps)
        async with transaction(self._database, tenant=ALL_TENANTS) as tx:
            await self._subscription.handle(tx, received)

    plant(consumer.Consumer, "_commit", commit)


def periods_billed_without_lock() -> None:
    """Whatever period comes is billed under a fresh id; the test drops the unique index."""
    from gridtally.billing.domain import periods as domain
    from gridtally.billing.handlers import periods

    async def lock_nothing(tx: Any, closed_periods: Any) -> Any:
        await lock(tx, closed_periods)
        return closed_periods

    async def find_nothing(*_: Any) -> dict[Any, Any]:
        return {}

    def fresh_id(billed: Any) -> UUID:
        return ids.setdefault(id(billed), (billed, uuid4()))[1]

    ids: dict[int, tuple[Any, UUID]] = {}
    lock = periods.periods.lock_newer
    plant(periods.periods, "lock_newer", lock_nothing)
    plant(periods.periods, "fetch_live_invoices", find_nothing)
    plant(domain.BilledPeriod, "invoice_id", property(fresh_id))


def outbox_by_last_seen() -> None:
    """The relay asks for rows after the last one it has seen, whoever commits later."""
    from gridtally.database import ALL_TENANTS, transaction
    from gridtally.messaging import outbox

    seen = 0

    async def relay_once(database: Any, publisher: Any) -> int:
        nonlocal seen
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            rows = await tx.raw.fetch("SELECT * FROM outbox WHERE seq > $1 ORDER BY seq", seen)
            await publisher.publish([_outgoing(row) for row in rows])
            seen = max([seen, *(row["seq"] for row in rows)])
            await tx.raw.execute(
                "DELETE FROM outbox WHERE seq = ANY($1)", [row["seq"] for row in rows]
            )
        return len(rows)

    plant(outbox, "relay_once", relay_once)


def outbox_deleted_first() -> None:
    """The relay deletes what it is about to send, without an acknowledgement."""
    from gridtally.database import ALL_TENANTS, transaction
    from gridtally.messaging import outbox

    async def relay_once(database: Any, publisher: Any) -> int:
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            rows = await tx.raw.fetch("DELETE FROM outbox RETURNING *")
        if rows:  # as the true relay: nothing is tried, nor retried, while nothing waits
            rows = sorted(rows, key=lambda row: row["seq"])
            await publisher.publish([_outgoing(row) for row in rows])
        return len(rows)

    plant(outbox, "relay_once", relay_once)


def _outgoing(row: Any) -> Any:
    from gridtally.contracts.envelope import Envelope
    from gridtally.messaging import OutgoingMessage

    names = ("event_id", "event_type", "source", "occurred_at", "tenant_id", "correlation_id")
    envelope = Envelope(*(row[name] for name in names))
    return OutgoingMessage(row["topic"], row["key"], envelope, row["value"])


def documents_posted_again() -> None:
    """Each delivery is posted under a fresh id; the test drops the unique constraint."""
    from gridtally.ledger.accounts.domain import postings

    plant(postings, "transaction_id", lambda *_: uuid4())


def duplicates_added() -> None:
    """What comes again is new, and is added up; the test drops the primary key of blocks."""
    from gridtally.ingest.domain.merge import MISSING
    from gridtally.ingest.handlers import merge

    async def nothing_stored(*_: Any) -> dict[Any, Any]:
        return {}

    def add(values: Any, quality: Any, piece: Any) -> None:
        part = slice(piece.slot, piece.slot + piece.values.size)
        present = values[part] != MISSING
        values[part] = np.where(present, values[part] + piece.values, piece.values)
        quality[part] = piece.quality

    plant(merge.readings, "fetch_stored_pieces", nothing_stored)
    plant(merge, "agrees", lambda *_: True)
    plant(merge, "overlay", add)


def last_arrival_wins() -> None:
    """Of two values for an interval the one that came last counts, not the one read last."""
    from gridtally.ingest.handlers import merge

    plant(merge, "agrees", lambda *_: True)


def numbers_taken_apart() -> None:
    """Invoice numbers are taken in a transaction of their own, as from a sequence."""
    from gridtally.billing.store import numbers

    taken = numbers.take_numbers

    async def take_numbers(_tx: Any, series: str, tenants: Any) -> list[str]:
        own = await asyncpg.connect(os.environ["DATABASE_URL"])
        try:
            await own.execute("SELECT set_config('gridtally.tenant', '*', false)")
            return await taken(_Raw(own), series, tenants)
        finally:
            await own.close()

    plant(numbers, "take_numbers", take_numbers)


def nothing_adopted() -> None:
    """After a restore numbers are taken from the counter, whatever was issued before."""
    from gridtally.messaging import adoption

    async def adopt_nothing(_adopter: Any) -> int:
        return 0

    plant(adoption.Adopter, "run", adopt_nothing)


class _Raw:
    """A connection as the stores expect it, without a transaction around it."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        offset_committed_first,
        periods_billed_without_lock,
        outbox_by_last_seen,
        outbox_deleted_first,
        documents_posted_again,
        duplicates_added,
        last_arrival_wins,
        numbers_taken_apart,
        nothing_adopted,
    )
}


def main(bug: str, service: str, words: list[str]) -> None:
    """Plant the bug and run the service as ever."""
    from gridtally.service.process import main as serve

    BUGS[bug]()
    serve(import_module(f"gridtally.{service}.app").SERVICE, words)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
