"""Entering, changing and withdrawing register readings; each entry is told to the others.

Whoever writes for a meter holds it, so what was checked stays true until the commit, and the
events of a meter leave in the order of its entries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from database import ReadConnection, WriteConnection
from kernel.errors import Conflict, Fault, NotFound, Rejected
from kernel.ids import new_id
from ledger.domain.readings import (
    EXCHANGE_KINDS,
    Caution,
    Entry,
    Recorded,
    Wanted,
    cautions,
    check_moment,
    check_value,
    register_of,
    register_then,
    same_content,
    shown,
    taken,
)
from ledger.domain.registry import Flow, Meter, Register
from ledger.handlers import registry
from ledger.store import readings
from ledger.store.readings import NOTHING_AROUND, Surroundings
from ledger.wire import Cause, reading_recorded
from messaging import enqueue

Key = tuple[UUID, Flow]


@dataclass(frozen=True, slots=True)
class Asked:
    """A reading to enter for a meter; without a `flow`, for its only register."""

    meter_id: UUID
    flow: Flow | None
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class Accepted:
    """A reading as recorded; not `created` where it was there already, just so."""

    recorded: Recorded
    cautions: tuple[Caution, ...] = ()
    created: bool = True


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A reading that its meter can have, and what the register has around it."""

    meter: Meter
    register: Register
    wanted: Wanted
    around: Surroundings = NOTHING_AROUND

    @property
    def key(self) -> Key:
        return self.meter.id, self.register.flow


async def record_readings(
    tx: WriteConnection, cause: Cause, items: Sequence[Asked], now: datetime
) -> list[Accepted | Rejected]:
    """Enter those readings that can be, in their order; of the others, why not."""
    answers: dict[int, Accepted | Rejected] = {}
    new: dict[int, tuple[Entry, tuple[Caution, ...]]] = {}
    last: dict[Key, Entry | None] = {}
    moments: dict[tuple[Key, datetime], int] = {}
    again: dict[int, int] = {}
    fitting = await _fit(tx, cause.tenant_id, items, now)
    for n, each in enumerate(fitting):
        if isinstance(each, Rejected):
            answers[n] = each
            continue
        known = each.around.last
        before = last.setdefault(each.key, known.entry if known is not None else None)
        moment = (each.key, each.wanted.read_at)
        first = moments.get(moment)
        try:
            entry = _first_entry(each, None if first is None else new[first][0])
        except Rejected as refused:
            answers[n] = refused
            continue
        if entry is not None:
            new[n] = (entry, cautions(each.wanted, before))
            moments[moment] = n
            last[each.key] = entry if before is None else max(entry, before, key=_place)
        elif first is not None:
            again[n] = first
        elif each.around.same is not None:
            answers[n] = Accepted(each.around.same, created=False)
    recorded = await _record(tx, cause, [entry for entry, _ in new.values()])
    entered = dict(zip(new, recorded, strict=True))
    answers |= {n: Accepted(one, new[n][1]) for n, one in entered.items()}
    answers |= {n: Accepted(entered[first], created=False) for n, first in again.items()}
    return [answers[n] for n in range(len(items))]


def _place(entry: Entry) -> tuple[datetime, bool]:
    return entry.place


async def _fit(
    tx: WriteConnection, tenant_id: str, items: Sequence[Asked], now: datetime
) -> list[_Fitting | Rejected]:
    """Each reading with its meter, which is held, and its surroundings; or why it has none."""
    found = await readings.lock_meters(tx, tenant_id, list({one.meter_id for one in items}))
    fitting: list[_Fitting | Rejected] = []
    for one in items:
        try:
            if one.meter_id not in found:
                raise registry.unknown_meter()
            meter = found[one.meter_id]
            register = register_of(meter, one.flow)
            check_moment(one.wanted.read_at, now)
        except Rejected as refused:
            fitting.append(refused)
        else:
            fitting.append(_Fitting(meter, register, one.wanted))
    asked = [(*one.key, one.wanted) for one in fitting if isinstance(one, _Fitting)]
    around = iter(await readings.fetch_surroundings(tx, tenant_id, asked))
    return [
        replace(one, around=next(around)) if isinstance(one, _Fitting) else one for one in fitting
    ]


def _first_entry(each: _Fitting, just_now: Entry | None) -> Entry | None:
    """The entry that makes the reading; None where it is there already, just so. Rejected."""
    register = register_then(each.register, each.around.closing)
    check_value(each.wanted.value, register)
    if just_now is not None:
        if same_content(just_now, each.wanted):
            return None
        raise Conflict("reading_exists", "another item of the request was taken at that moment")
    if each.around.same is not None:
        if same_content(each.around.same.entry, each.wanted):
            return None
        raise taken(each.around.same.entry)
    return made(new_id(), each.meter, register, each.wanted)


def made(id_: UUID, meter: Meter, register: Register, wanted: Wanted) -> Entry:
    """The first entry of a new reading."""
    return Entry(
        id=id_,
        reading_id=id_,
        version=1,
        supersedes_id=None,
        meter_id=meter.id,
        property_id=meter.property_id,
        register=register,
        kind="reading",
        exchange_id=None,
        value=shown(wanted.value, register),
        quality=wanted.quality,
        note=wanted.note,
        read_at=wanted.read_at,
    )


async def change_reading(
    tx: WriteConnection,
    cause: Cause,
    reading_id: UUID,
    wanted: Wanted,
    now: datetime,
    *,
    check: Callable[[int], None],
) -> Accepted:
    """Enter what a reading should have been; `check` is given the version that this replaces.

    The same content again changes nothing.
    """
    current, meter = await _lock_reading(tx, cause.tenant_id, reading_id)
    check(current.entry.version)
    if same_content(current.entry, wanted):
        return Accepted(current, created=False)
    before = current.entry
    if before.kind in EXCHANGE_KINDS and wanted.read_at != before.read_at:
        fault = Fault("/read_at", "must stay: withdraw the exchange and enter it anew")
        raise Rejected("exchange_moves_whole", "half of an exchange cannot be moved", (fault,))
    check_moment(wanted.read_at, now)
    asked = [(meter.id, before.register.flow, wanted)]
    [around] = await readings.fetch_surroundings(tx, cause.tenant_id, asked, but=reading_id)
    register = before.register
    if before.kind == "reading":
        if around.same is not None:
            raise taken(around.same.entry)
        register = register_then(register_of(meter, register.flow), around.closing)
    check_value(wanted.value, register)
    wanted = replace(wanted, value=shown(wanted.value, register))
    entry = before.superseded(new_id(), wanted, register)
    [recorded] = await _record(tx, cause, [entry])
    last = around.last.entry if around.last is not None else None
    return Accepted(recorded, cautions(wanted, last))


async def withdraw_reading(
    tx: WriteConnection, cause: Cause, reading_id: UUID, note: str, *, check: Callable[[int], None]
) -> None:
    """End a reading; of an exchange, both halves, unless the new meter was read meanwhile."""
    current, meter = await _lock_reading(tx, cause.tenant_id, reading_id)
    check(current.entry.version)
    ended = [current.entry]
    if current.entry.kind in EXCHANGE_KINDS:
        ended = await readings.fetch_exchange(tx, cause.tenant_id, current.entry)
        old, now = ended[0].register, register_of(meter, current.entry.register.flow)
        asked = (meter.id, old.flow, Wanted(current.entry.value, current.entry.read_at))
        [around] = await readings.fetch_surroundings(tx, cause.tenant_id, [asked])
        if old != now and around.last is not None:
            if around.last.entry.place > ended[-1].place:
                raise Conflict(
                    "exchange_has_readings", "withdraw the readings of the new meter first"
                )
            await registry.set_register(tx, cause, meter.id, old)
    await _record(tx, cause, [entry.withdrawn(new_id(), note) for entry in ended])


async def exchange_meter(
    tx: WriteConnection, cause: Cause, asked: Asked, initial: Wanted, dial: Register, now: datetime
) -> tuple[Recorded, Recorded]:
    """Close a register with a last read (`asked`) and open that of the new meter, at one moment.

    Conflict where something was read at that moment, or later and the new dial is another one.
    """
    held = await registry.lock_meter(tx, cause.tenant_id, asked.meter_id)
    [fit] = await _fit(tx, cause.tenant_id, [asked], now)
    if isinstance(fit, Rejected):
        raise fit
    old, around = register_then(fit.register, fit.around.closing), fit.around
    check_value(asked.wanted.value, old)
    check_value(initial.value, dial)
    if around.same is not None:
        raise taken(around.same.entry)
    later = around.last is not None and around.last.entry.read_at > asked.wanted.read_at
    if later and dial != old:
        raise Conflict(
            "readings_after_exchange",
            "readings of the old dial were taken later; withdraw them first",
        )
    before, after = sorted((new_id(), new_id()))  # in lists, readings of one moment go by their ids
    closing = made(before, fit.meter, old, asked.wanted)
    opening = made(after, fit.meter, dial, initial)
    pair = new_id()
    final, first = await _record(
        tx,
        cause,
        [
            replace(closing, kind="exchange_final", exchange_id=pair),
            replace(opening, kind="exchange_initial", exchange_id=pair),
        ],
    )
    if dial != old:
        await registry.set_register(tx, cause, held[0].thing.id, dial)
    return final, first


async def fetch_reading(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> Recorded:
    """A reading as it counts, now or as known at a moment; NotFound."""
    found = await readings.fetch_reading(read, tenant_id, reading_id, as_of)
    if found is None:
        raise _unknown_reading()
    return found


async def fetch_history(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> list[Recorded]:
    """Every entry of a reading, oldest first; NotFound where there is none."""
    found = await readings.fetch_history(read, tenant_id, reading_id, as_of)
    if not found:
        raise _unknown_reading()
    return found


async def _lock_reading(
    tx: WriteConnection, tenant_id: str, reading_id: UUID
) -> tuple[Recorded, Meter]:
    """A reading that counts and its meter, which is held."""
    seen = await fetch_reading(tx, tenant_id, reading_id, None)
    if seen.entry.kind in EXCHANGE_KINDS:  # its end may change the registers, as the registry does
        await registry.lock_meter(tx, tenant_id, seen.entry.meter_id)
    held = await readings.lock_meters(tx, tenant_id, [seen.entry.meter_id])
    if not held:
        raise _unknown_reading()
    return await fetch_reading(tx, tenant_id, reading_id, None), held[seen.entry.meter_id]


async def _record(tx: WriteConnection, cause: Cause, entries: Sequence[Entry]) -> list[Recorded]:
    if not entries:
        return []
    recorded = await readings.insert_entries(tx, cause.tenant_id, cause.correlation_id, entries)
    await enqueue(tx, [reading_recorded(one, cause) for one in recorded])
    return recorded


def _unknown_reading() -> NotFound:
    return NotFound("reading_unknown", "no reading has this id, or it was withdrawn")
