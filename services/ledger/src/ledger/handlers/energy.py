"""What meters counted and show: loads the registers that are asked about, and has them summed.

Owns how derived meters are defined, and which registers a question comes down to. What takes long
is computed beside the event loop.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from database import ReadConnection, WriteConnection
from kernel.errors import Fault, NotFound, Rejected
from kernel.money import EXACT
from kernel.periods import midnight_utc
from ledger.domain.curves import Curve, Quality, Read, worst
from ledger.domain.derived import (
    DEPTH_MAX,
    NOTHING_KNOWN,
    VERSIONS_MAX,
    Consumption,
    Definition,
    InForce,
    Leaf,
    Network,
    Term,
    Value,
    built_in,
    consumption,
    in_order,
    refuse_circle,
    value_at,
)
from ledger.domain.registry import BUILT_IN_TYPE, Flow, Meter, Property
from ledger.handlers import registry
from ledger.store import definitions, meters, properties, reads
from ledger.wire import Cause

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that counts: a register of a meter, or a derived meter as a whole."""

    meter: Meter
    flow: Flow | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What a counter counted in one piece of a time."""

    counter: Counter
    window: Window
    consumption: Consumption


@dataclass(frozen=True, slots=True)
class Known:
    """The registers that a question comes down to, and how they went."""

    network: Network
    curves: dict[Leaf, Curve]

    def counted(self, counter: Counter, window: Window) -> Counted:
        """What a counter counted; nothing is known of a sum that is not defined then."""
        try:
            found = consumption(self.network, counter.meter.id, self.curves, window, counter.flow)
        except Rejected:
            found = NOTHING_KNOWN
        return Counted(counter, window, found)

    def value(self, counter: Counter, at: datetime) -> Value:
        """What a counter shows at a moment; Rejected for a sum that is not defined then."""
        if counter.flow is None:
            factors = self.network.leaves(counter.meter.id, at)
        else:
            factors = {(counter.meter.id, counter.flow): 1}
        return value_at(factors, self.curves, at)

    def shown(self, counter: Counter, at: datetime) -> Decimal | None:
        """What a counter shows at a moment, where that is known."""
        try:
            return self.value(counter, at).kwh
        except Rejected:
            return None


def counters_of(own: Sequence[Meter]) -> list[Counter]:
    """Everything that counts among meters: each register, and each derived meter."""
    return [
        Counter(meter, flow)
        for meter in own
        for flow in ([each.flow for each in meter.registers] if not meter.derived else [None])
    ]


async def fetch_place(
    read: ReadConnection, tenant_id: str, property_id: UUID
) -> tuple[Property, list[Meter]]:
    """A property and its meters; NotFound."""
    found = await properties.fetch_properties(read, tenant_id, [property_id])
    if property_id not in found:
        raise registry.unknown_property()
    own = await meters.fetch_meters_of(read, tenant_id, [property_id])
    return found[property_id].thing, [one.thing for one in own.get(property_id, [])]


async def fetch_counter(
    read: ReadConnection, tenant_id: str, meter_id: UUID, flow: Flow | None
) -> tuple[Counter, Property]:
    """A meter's register, its main one unless `flow` is given, and its property; NotFound."""
    found = (await meters.fetch_meters(read, tenant_id, [meter_id])).get(meter_id)
    if found is None:
        raise registry.unknown_meter()
    meter = found.thing
    place = await properties.fetch_properties(read, tenant_id, [meter.property_id])
    if not meter.derived:
        flow = flow or meter.main_flow
        if flow not in {register.flow for register in meter.registers}:
            raise NotFound("register_unknown", "the meter has no such register")
    elif flow is not None:
        raise NotFound("register_unknown", "a derived meter has no registers")
    return Counter(meter, flow), place[meter.property_id].thing


async def fetch_network(
    read: ReadConnection, tenant_id: str, roots: Sequence[Meter], as_of: datetime | None
) -> Network:
    """Some meters, and all that the derived ones among them are sums of."""
    known = {meter.id: meter for meter in roots}
    in_force: dict[UUID, Sequence[InForce]] = {}
    fresh = list(roots)
    for _ in range(DEPTH_MAX + 1):
        sums = [meter for meter in fresh if meter.derived and meter.id not in in_force]
        if not sums:
            break
        in_force |= await _fetch_in_force(read, tenant_id, sums, as_of)
        wanted = {
            term.meter_id
            for meter in sums
            for version in in_force[meter.id]
            for term in version.terms
        }
        found = await meters.fetch_meters(read, tenant_id, list(wanted - known.keys()))
        fresh = [one.thing for one in found.values()]
        known |= {meter.id: meter for meter in fresh}
    return Network(known, in_force)


async def _fetch_in_force(
    read: ReadConnection, tenant_id: str, sums: Sequence[Meter], as_of: datetime | None
) -> dict[UUID, list[InForce]]:
    versions = await definitions.fetch_definitions(
        read, tenant_id, [meter.id for meter in sums], as_of
    )
    place_ids = list({meter.property_id for meter in sums})
    places = await properties.fetch_properties(read, tenant_id, place_ids)
    own = await meters.fetch_meters_of(read, tenant_id, place_ids)
    answer = {}
    for meter in sums:
        zone = places[meter.property_id].thing.zone
        theirs = versions.get(meter.id, [])
        begin = {
            each.from_on: midnight_utc(zone, each.from_on)
            for each in theirs
            if each.from_on is not None
        }
        siblings = [one.thing for one in own[meter.property_id]]
        answer[meter.id] = in_order(theirs, begin, siblings, meter.type)
    return answer


async def fetch_known(
    read: ReadConnection,
    tenant_id: str,
    counters: Sequence[Counter],
    window: Window,
    as_of: datetime | None,
) -> Known:
    """All that is needed to tell what some counters did in a time."""
    network = await fetch_network(
        read, tenant_id, list({one.meter.id: one.meter for one in counters}.values()), as_of
    )
    leaves: set[Leaf] = {(one.meter.id, one.flow) for one in counters if one.flow is not None}
    moments = [window[0], *network.changes(*window)]
    for one in counters:
        for moment in moments if one.flow is None else ():
            try:
                leaves |= network.leaves(one.meter.id, moment).keys()
            except Rejected:
                continue  # told where it is asked for
    ordered = sorted(leaves, key=str)
    return Known(network, await reads.fetch_curves(read, tenant_id, ordered, window, as_of))


async def count(
    known: Known, counters: Sequence[Counter], windows: Sequence[Window]
) -> list[Counted]:
    """What each counter counted in each piece of a time, piece by piece."""

    def compute() -> list[Counted]:
        return [known.counted(each, window) for window in windows for each in counters]

    return await asyncio.to_thread(compute)


async def show(known: Known, counter: Counter, moments: Sequence[datetime]) -> list[Decimal | None]:
    """What a counter shows at each moment; None where that is not known."""

    def compute() -> list[Decimal | None]:
        return [known.shown(counter, moment) for moment in moments]

    return await asyncio.to_thread(compute)


async def define_meter(
    tx: WriteConnection, cause: Cause, meter_id: UUID, from_on: date, terms: Sequence[Term]
) -> Definition:
    """Say what a derived meter is the sum of from a local day on.

    Rejected for a meter that is read, inputs beyond its property's subtree, and circles.
    """
    held, place = await registry.lock_meter(tx, cause.tenant_id, meter_id)
    if not held.thing.derived:
        raise Rejected("not_derived", "only a derived meter is a sum of others")
    await properties.lock_tree(tx, cause.tenant_id)
    found = await meters.fetch_meters(tx, cause.tenant_id, list({term.meter_id for term in terms}))
    inputs = {id_: one.thing for id_, one in found.items()}
    within = {place.id, *await properties.fetch_below(tx, cause.tenant_id, place.id)}
    faults = [
        Fault(f"/terms/{n}{where}", why)
        for n, term in enumerate(terms)
        for where, why in _faults_of(term, inputs.get(term.meter_id), within)
    ]
    if len({(term.meter_id, term.flow) for term in terms}) < len(terms):
        faults.append(Fault("/terms", "must name each register once"))
    if faults:
        raise Rejected("invalid_terms", "the sum cannot be made of these", tuple(faults))
    refuse_circle(
        meter_id, terms, await fetch_network(tx, cause.tenant_id, list(inputs.values()), None)
    )
    made = await definitions.insert_definition(tx, cause.tenant_id, meter_id, from_on, terms)
    if made.version > VERSIONS_MAX:
        raise Rejected("too_many_versions", f"a meter is defined at most {VERSIONS_MAX} times")
    return made


def _faults_of(term: Term, meter: Meter | None, within: set[UUID]) -> list[tuple[str, str]]:
    if meter is None or meter.property_id not in within:
        return [("/meter_id", "must be a meter of the property or of one below it")]
    flows = {register.flow for register in meter.registers}
    if term.flow is not None and term.flow not in flows:
        return [("/flow", "must be one of the meter's registers")]
    if not meter.derived and not flows:
        return [("/meter_id", "must have a register")]
    return []


async def fetch_definitions(
    read: ReadConnection, tenant_id: str, meter_id: UUID, as_of: datetime | None
) -> list[Definition]:
    """The versions of a derived meter's definition, oldest first; NotFound, Rejected."""
    found = (await meters.fetch_meters(read, tenant_id, [meter_id])).get(meter_id)
    if found is None:
        raise registry.unknown_meter()
    meter = found.thing
    if not meter.derived:
        raise Rejected("not_derived", "only a derived meter is a sum of others")
    stored = await definitions.fetch_definitions(read, tenant_id, [meter_id], as_of)
    versions = stored.get(meter_id, [])
    if meter.type == BUILT_IN_TYPE:
        own = await meters.fetch_meters_of(read, tenant_id, [meter.property_id])
        terms = built_in(one.thing for one in own[meter.property_id])
        return [Definition(0, None, terms), *versions]
    return versions


@dataclass(frozen=True, slots=True)
class Current:
    """The last value of a counter; that of a sum is as old as the oldest of its inputs."""

    counter: Counter
    value: Decimal | None
    multiplier: Decimal | None
    quality: Quality
    read_at: datetime | None
    reading_id: UUID | None = None
    aligned: bool = True
    missing: tuple[UUID, ...] = ()


async def fetch_current(
    read: ReadConnection,
    tenant_id: str,
    own: Sequence[Meter],
    upto: datetime,
    as_of: datetime | None,
) -> list[Current]:
    """The last values of all counters among meters, of what was read up to a moment."""
    counters = counters_of(own)
    network = await fetch_network(read, tenant_id, own, as_of)
    sums: dict[UUID, dict[Leaf, int]] = {}
    for one in counters:
        if one.flow is None:
            try:
                sums[one.meter.id] = network.leaves(one.meter.id, upto)
            except Rejected:
                sums[one.meter.id] = {}
    direct = {(one.meter.id, one.flow) for one in counters if one.flow is not None}
    leaves = sorted(direct.union(*sums.values()), key=str)
    last = await reads.fetch_last(read, tenant_id, leaves, upto, as_of)
    return [
        _last_sum(one, sums[one.meter.id], last)
        if one.flow is None
        else _last_read(one, last.get((one.meter.id, one.flow)))
        for one in counters
    ]


def _last_read(counter: Counter, found: tuple[UUID, Read] | None) -> Current:
    if found is None:
        return Current(counter, None, None, "missing", None, missing=(counter.meter.id,))
    id_, read = found
    multiplier = read.register.multiplier
    return Current(counter, read.value, multiplier, read.quality, read.read_at, id_)


def _last_sum(
    counter: Counter, factors: dict[Leaf, int], last: dict[Leaf, tuple[UUID, Read]]
) -> Current:
    missing = tuple(sorted({leaf[0] for leaf in factors if leaf not in last}))
    if missing or not factors:
        return Current(counter, None, None, "missing", None, missing=missing)
    known = [(factor, last[leaf][1]) for leaf, factor in factors.items()]
    total = Decimal(0)
    for factor, read in known:
        shown = EXACT.multiply(read.value, read.register.multiplier)
        total = EXACT.add(total, factor * shown)
    moments = {read.read_at for _, read in known}
    aligned = len(moments) == 1
    qualities: list[Quality] = [read.quality for _, read in known]
    if not aligned:
        qualities.append("estimated")  # values of different moments only come near a sum
    return Current(counter, total, None, worst(qualities), min(moments), aligned=aligned)
