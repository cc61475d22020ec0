"""Entering, changing and withdrawing register readings, and publishing each entry."""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected
from gridtally.kernel.ids import new_id
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.readings.domain.readings import (
    EXCHANGE_KINDS,
    Entry,
    ReadingContent,
    ReadingWarning,
    RecordedEntry,
    check_moment,
    check_value,
    position_of,
    reading_exists,
    register_of,
    register_then,
    warnings_about,
)
from gridtally.ledger.metering.readings.events import reading_recorded
from gridtally.ledger.metering.readings.store import exchanges, readings
from gridtally.ledger.metering.readings.store.readings import NOTHING_AROUND, Surroundings
from gridtally.ledger.registry.domain.meters import ActiveFlow, Meter, Register, RegisterKey
from gridtally.ledger.registry.handlers.meters import lock_meter, set_register, unknown_meter
from gridtally.ledger.registry.store.meters import fetch_meters
from gridtally.ledger.registry.store.properties import fetch_properties
from gridtally.ledger.registry.store.tenant_defaults import fetch_defaults
from gridtally.messaging import enqueue


@dataclass(frozen=True, slots=True)
class ReadingRequest:
    """A reading to enter for a meter; without a `flow`, for its only register."""

    meter_id: UUID
    flow: ActiveFlow | None
    content: ReadingContent


@dataclass(frozen=True, slots=True)
class AcceptedReading:
    """A reading as it is recorded; not `created` where it existed with the same content."""

    recorded: RecordedEntry
    warnings: tuple[ReadingWarning, ...] = ()
    created: bool = True


@dataclass(frozen=True, slots=True)
class CheckedReading:
    """A reading that its meter can have, and what the register has around it."""

    meter: Meter
    register: Register
    content: ReadingContent
    around: Surroundings = NOTHING_AROUND

    @property
    def key(self) -> RegisterKey:
        """Its register."""
        return self.meter.id, self.register.flow


# Nothing is asked of the database reading by reading: the meters are locked, the surroundings
# fetched and the entries inserted in one statement each. What a request itself puts around a
# reading is followed in `entered_of` and `moments` instead, as if each reading had been stored
# before the next was looked at.
async def record_readings(
    tx: WriteConnection, cause: Cause, requests: Sequence[ReadingRequest], now: datetime
) -> list[AcceptedReading | Rejected]:
    """Enter those readings that can be entered; the outcome of each, in their order."""
    caused = [(request, cause) for request in requests]
    return await record_caused_readings(tx, cause.tenant_id, caused, now)


async def record_caused_readings(
    tx: WriteConnection,
    tenant_id: str,
    caused: Sequence[tuple[ReadingRequest, Cause]],
    now: datetime,
) -> list[AcceptedReading | Rejected]:
    """As `record_readings`, each with the cause of its own."""
    requests = [request for request, _ in caused]
    outcomes: dict[int, AcceptedReading | Rejected] = {}
    new: dict[int, tuple[Entry, tuple[ReadingWarning, ...]]] = {}
    entered_of: defaultdict[RegisterKey, list[Entry]] = defaultdict(list)
    moments: dict[tuple[RegisterKey, datetime], int] = {}
    repeated: dict[int, int] = {}
    for index, checked in enumerate(await check_readings(tx, tenant_id, requests, now)):
        if isinstance(checked, Rejected):
            outcomes[index] = checked
            continue
        own = entered_of[checked.key]
        moment = (checked.key, checked.content.read_at)
        first_index = moments.get(moment)
        try:
            entry = _first_entry(checked, None if first_index is None else new[first_index][0])
        except Rejected as refused:
            outcomes[index] = refused
            continue
        if entry is not None:
            around = checked.around.neighbours.beside(own, entry.read_at)
            new[index] = (entry, warnings_about(checked.content, around))
            moments[moment] = index
            insort(own, entry, key=position_of)
        elif first_index is not None:
            repeated[index] = first_index
        elif checked.around.same is not None:
            outcomes[index] = AcceptedReading(checked.around.same, created=False)
    recorded = await _record_caused(
        tx, [(entry, caused[index][1]) for index, (entry, _) in new.items()]
    )
    entered = dict(zip(new, recorded, strict=True))
    outcomes |= {index: AcceptedReading(entry, new[index][1]) for index, entry in entered.items()}
    outcomes |= {
        index: AcceptedReading(entered[first_index], created=False)
        for index, first_index in repeated.items()
    }
    return [outcomes[index] for index in range(len(requests))]


async def check_readings(
    tx: WriteConnection, tenant_id: str, requests: Sequence[ReadingRequest], now: datetime
) -> list[CheckedReading | Rejected]:
    """Each reading with its meter, which is locked, and its surroundings; or why there can be no
    such reading."""
    meters = await readings.lock_meters(tx, tenant_id, list({r.meter_id for r in requests}))
    checked: list[CheckedReading | Rejected] = []
    for request in requests:
        try:
            if request.meter_id not in meters:
                raise unknown_meter()
            meter = meters[request.meter_id]
            register = register_of(meter, request.flow)
            check_moment(request.content.read_at, now)
        except Rejected as refused:
            checked.append(refused)
        else:
            checked.append(CheckedReading(meter, register, request.content))
    possible = [reading for reading in checked if isinstance(reading, CheckedReading)]
    new = [(*reading.key, reading.content) for reading in possible]
    surroundings = iter(await readings.fetch_surroundings(tx, tenant_id, new))
    return [
        replace(reading, around=next(surroundings))
        if isinstance(reading, CheckedReading)
        else reading
        for reading in checked
    ]


def _first_entry(checked: CheckedReading, just_entered: Entry | None) -> Entry | None:
    """The entry that makes the reading; None where it exists already with the same content.

    `just_entered` is what the same request enters for that moment. Rejected, Conflict.
    """
    register = register_then(checked.register, checked.around.closing)
    check_value(checked.content.value, register)
    if just_entered is not None:
        if just_entered.has(checked.content):
            return None
        raise Conflict("reading_exists", "another item of the request was taken at that moment")
    if checked.around.same is not None:
        if checked.around.same.entry.has(checked.content):
            return None
        raise reading_exists(checked.around.same.entry)
    return Entry.first(new_id(), checked.meter, register, checked.content)


async def change_reading(
    tx: WriteConnection,
    cause: Cause,
    reading_id: UUID,
    content: ReadingContent,
    now: datetime,
    *,
    check: Callable[[int], None],
) -> AcceptedReading:
    """Correct a reading; `check` is given the version that this replaces, and may refuse.

    The same content again changes nothing.
    """
    current, meter = await _lock_reading(tx, cause.tenant_id, reading_id)
    check(current.entry.version)
    before = current.entry
    if before.has(content):
        return AcceptedReading(current, created=False)
    if before.kind in EXCHANGE_KINDS and content.read_at != before.read_at:
        fault = Fault("/read_at", "must stay: withdraw the exchange and enter it again")
        raise Rejected("exchange_moves_whole", "half of an exchange cannot be moved", (fault,))
    check_moment(content.read_at, now)
    new = [(meter.id, before.register.flow, content)]
    [around] = await readings.fetch_surroundings(tx, cause.tenant_id, new, but=[reading_id])
    register = before.register
    if before.kind == "reading":
        if around.same is not None:
            raise reading_exists(around.same.entry)
        register = register_then(register_of(meter, register.flow), around.closing)
    check_value(content.value, register)
    entry = before.superseded(new_id(), content, register)
    [recorded] = await record_entries(tx, cause, [entry])
    return AcceptedReading(recorded, warnings_about(content, around.neighbours))


async def withdraw_reading(
    tx: WriteConnection, cause: Cause, reading_id: UUID, note: str, *, check: Callable[[int], None]
) -> None:
    """End a reading; of an exchange, both readings, unless the new meter was read meanwhile.

    `check` is given the version that this ends, and may refuse.
    """
    current, meter = await _lock_reading(tx, cause.tenant_id, reading_id)
    check(current.entry.version)
    withdrawn = [current.entry]
    if current.entry.kind in EXCHANGE_KINDS:
        withdrawn = await exchanges.fetch_exchange(tx, cause.tenant_id, current.entry)
        closing, opening = withdrawn[0], withdrawn[-1]
        old, now = closing.register, register_of(meter, current.entry.register.flow)
        content = ReadingContent(current.entry.value, current.entry.read_at)
        [around] = await readings.fetch_surroundings(
            tx, cause.tenant_id, [(meter.id, old.flow, content)]
        )
        if old != now and around.last is not None:
            if around.last.entry.position > opening.position:
                raise Conflict(
                    "exchange_has_readings", "withdraw the readings of the new meter first"
                )
            await set_register(tx, cause, meter.id, old)
    await record_entries(tx, cause, [entry.withdrawn(new_id(), note) for entry in withdrawn])


async def fetch_reading(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> RecordedEntry:
    """A reading as it counts, now or as known at a moment; NotFound."""
    recorded = await readings.fetch_reading(read, tenant_id, reading_id, as_of)
    if recorded is None:
        raise _unknown_reading()
    return recorded


async def fetch_history(
    read: ReadConnection, tenant_id: str, reading_id: UUID, as_of: datetime | None
) -> list[RecordedEntry]:
    """Every entry of a reading, oldest first; NotFound where there is none."""
    history = await readings.fetch_history(read, tenant_id, reading_id, as_of)
    if not history:
        raise _unknown_reading()
    return history


async def fetch_zone(
    read: ReadConnection, tenant_id: str, meter_id: UUID | None, property_id: UUID | None
) -> str:
    """Where days begin: the zone of the meter or property that is named, else the tenant's."""
    if meter_id is not None:
        by_id = await fetch_meters(read, tenant_id, [meter_id])
        property_id = by_id[meter_id].resource.property_id if meter_id in by_id else property_id
    if property_id is not None:
        known = await fetch_properties(read, tenant_id, [property_id])
        if property_id in known:
            return known[property_id].resource.zone
    return (await fetch_defaults(read, tenant_id)).zone or "UTC"


async def _lock_reading(
    tx: WriteConnection, tenant_id: str, reading_id: UUID
) -> tuple[RecordedEntry, Meter]:
    """A reading that counts and its meter, which is locked."""
    seen = await fetch_reading(tx, tenant_id, reading_id, None)
    if seen.entry.kind in EXCHANGE_KINDS:
        # Its end may change the meter's registers, so the locks are taken as the registry does.
        await lock_meter(tx, tenant_id, seen.entry.meter_id)
    meters = await readings.lock_meters(tx, tenant_id, [seen.entry.meter_id])
    if not meters:
        raise _unknown_reading()
    return await fetch_reading(tx, tenant_id, reading_id, None), meters[seen.entry.meter_id]


async def record_entries(
    tx: WriteConnection, cause: Cause, entries: Sequence[Entry]
) -> list[RecordedEntry]:
    """Store entries and put their events into the outbox; in their order."""
    return await _record_caused(tx, [(entry, cause) for entry in entries])


async def _record_caused(
    tx: WriteConnection, caused: Sequence[tuple[Entry, Cause]]
) -> list[RecordedEntry]:
    if not caused:
        return []
    recorded = await readings.insert_entries(tx, caused)
    await enqueue(
        tx,
        [reading_recorded(e, cause) for e, (_, cause) in zip(recorded, caused, strict=True)],
    )
    return recorded


def _unknown_reading() -> NotFound:
    return NotFound("reading_unknown", "no reading has this id, or it was withdrawn")
