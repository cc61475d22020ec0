"""Defining derived meters, and loading what they are sums of.

Owns what a definition may refer to: meters of its property, or of one below it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from gridtally.contracts.metering import MeterDefined
from gridtally.database import ReadConnection, WriteConnection
from gridtally.kernel.errors import Fault, Rejected
from gridtally.kernel.periods import midnight_utc
from gridtally.kernel.resources import Cause
from gridtally.ledger.metering.analytics.domain.definitions import (
    DEFINED_TERMS_MAX,
    VERSIONS_MAX,
    Definition,
    InForce,
    Network,
    built_in,
    counting,
    in_order,
    refuse_circle,
)
from gridtally.ledger.metering.analytics.events import definitions_made, meter_defined
from gridtally.ledger.metering.analytics.store import definitions
from gridtally.ledger.registry.domain.meters import BUILT_IN_TYPE, Meter
from gridtally.ledger.registry.handlers.meters import lock_meter, unknown_meter
from gridtally.ledger.registry.store import meters, properties
from gridtally.messaging import ReceivedMessage, enqueue
from gridtally.metering.derived_meters import DEPTH_MAX, Term


async def define_meter(
    tx: WriteConnection, cause: Cause, meter_id: UUID, from_on: date, terms: Sequence[Term]
) -> Definition:
    """Make a derived meter the sum of `terms` from a local day on; return the new definition.

    Rejected for a meter that is read, inputs that do not belong to the property or one below it,
    and circles.
    """
    derived, property_ = await lock_meter(tx, cause.tenant_id, meter_id)
    if not derived.resource.is_derived:
        raise _not_derived()
    # The tree must not change before this commits: it decides which meters may be inputs.
    await properties.lock_tree(tx, cause.tenant_id)
    input_ids = list({term.meter_id for term in terms})
    stored = await meters.fetch_meters(tx, cause.tenant_id, input_ids)
    inputs = {id_: meter.resource for id_, meter in stored.items()}
    below = await properties.fetch_ids_below(tx, cause.tenant_id, property_.id)
    faults = [
        Fault(f"/terms/{index}{path}", expected)
        for index, term in enumerate(terms)
        for path, expected in _faults_of(term, inputs.get(term.meter_id), {property_.id, *below})
    ]
    if len({(term.meter_id, term.flow) for term in terms}) < len(terms):
        faults.append(Fault("/terms", "must name each register once"))
    if faults:
        raise Rejected("invalid_terms", "the sum cannot be made of these", tuple(faults))
    network = await fetch_network(tx, cause.tenant_id, list(inputs.values()), None)
    refuse_circle(meter_id, terms, network)
    made, at = await definitions.insert_definition(tx, cause.tenant_id, meter_id, from_on, terms)
    if made.version > VERSIONS_MAX:
        raise Rejected("too_many_versions", f"a meter is defined at most {VERSIONS_MAX} times")
    await _publish(tx, cause, meter_id, made, at)
    return made


async def adopt_definitions(
    tx: WriteConnection, messages: Sequence[ReceivedMessage[MeterDefined]]
) -> Sequence[ReceivedMessage[Any]]:
    """After a restore: the definitions that count, in the versions that were published. A tombstone
    ends none: the meter's own end does."""
    for message in messages:
        if message.event is not None:
            made = definitions_made(message.event)
            at = message.envelope.occurred_at
            await definitions.insert_adopted(
                tx, message.envelope.tenant_id, message.event.meter_id, made, at
            )
    return []


async def _publish(
    tx: WriteConnection, cause: Cause, meter_id: UUID, made: Definition, at: datetime
) -> None:
    """Publish all definitions of the meter that count, of which `made` is the newest."""
    definitions_made = counting(await fetch_definitions(tx, cause.tenant_id, meter_id, None))
    if sum(len(definition.terms) for definition in definitions_made) > DEFINED_TERMS_MAX:
        raise Rejected(
            "too_many_versions",
            f"the definitions of a meter have at most {DEFINED_TERMS_MAX} terms together",
        )
    input_ids = {term.meter_id for definition in definitions_made for term in definition.terms}
    inputs = await meters.fetch_meters(tx, cause.tenant_id, list(input_ids))
    main_flows = {id_: stored.resource.main_flow for id_, stored in inputs.items()}
    await enqueue(tx, [meter_defined(meter_id, definitions_made, main_flows, made, cause, at)])


def _faults_of(term: Term, meter: Meter | None, property_ids: set[UUID]) -> list[tuple[str, str]]:
    """What is wrong with a term: the path within it, and what is expected there."""
    if meter is None or meter.property_id not in property_ids:
        return [("/meter_id", "must be a meter of the property or of one below it")]
    flows = {register.flow for register in meter.registers}
    if term.flow is not None and term.flow not in flows:
        return [("/flow", "must be one of the meter's registers")]
    if not meter.is_derived and not flows:
        return [("/meter_id", "must have a register")]
    return []


async def fetch_definitions(
    read: ReadConnection, tenant_id: str, meter_id: UUID, as_of: datetime | None
) -> list[Definition]:
    """The versions of a derived meter's definition, oldest first; NotFound, Rejected."""
    stored = (await meters.fetch_meters(read, tenant_id, [meter_id])).get(meter_id)
    if stored is None:
        raise unknown_meter()
    meter = stored.resource
    if not meter.is_derived:
        raise _not_derived()
    by_meter = await definitions.fetch_definitions(read, tenant_id, [meter_id], as_of)
    versions = by_meter.get(meter_id, [])
    if meter.meter_type != BUILT_IN_TYPE:
        return versions
    own = await meters.fetch_meters_of(read, tenant_id, [meter.property_id])
    terms = built_in(sibling.resource for sibling in own[meter.property_id])
    return [Definition(0, None, terms), *versions]


# One round of queries for each level of sums of sums, whatever their number: a sum of a hundred
# sums of a hundred meters takes two, not ten thousand.
async def fetch_network(
    read: ReadConnection, tenant_id: str, roots: Sequence[Meter], as_of: datetime | None
) -> Network:
    """Some meters, and all that the derived ones among them are sums of."""
    known = {meter.id: meter for meter in roots}
    in_force: dict[UUID, Sequence[InForce]] = {}
    fresh = list(roots)
    for _ in range(DEPTH_MAX + 1):
        derived = [meter for meter in fresh if meter.is_derived and meter.id not in in_force]
        if not derived:
            break
        in_force |= await _fetch_in_force(read, tenant_id, derived, as_of)
        input_ids = {
            term.meter_id
            for meter in derived
            for definition in in_force[meter.id]
            for term in definition.terms
        }
        stored = await meters.fetch_meters(read, tenant_id, list(input_ids - known.keys()))
        fresh = [meter.resource for meter in stored.values()]
        known |= {meter.id: meter for meter in fresh}
    return Network(known, in_force)


async def _fetch_in_force(
    read: ReadConnection, tenant_id: str, derived: Sequence[Meter], as_of: datetime | None
) -> dict[UUID, list[InForce]]:
    """The definitions of derived meters with the instants from which they hold, oldest first."""
    by_meter = await definitions.fetch_definitions(
        read, tenant_id, [meter.id for meter in derived], as_of
    )
    property_ids = list({meter.property_id for meter in derived})
    stored = await properties.fetch_properties(read, tenant_id, property_ids)
    own = await meters.fetch_meters_of(read, tenant_id, property_ids)
    in_force = {}
    for meter in derived:
        zone = stored[meter.property_id].resource.zone
        versions = by_meter.get(meter.id, [])
        begin_at = {
            definition.from_on: midnight_utc(zone, definition.from_on)
            for definition in versions
            if definition.from_on is not None
        }
        siblings = [sibling.resource for sibling in own[meter.property_id]]
        in_force[meter.id] = in_order(versions, begin_at, siblings, meter.meter_type)
    return in_force


def _not_derived() -> Rejected:
    return Rejected("not_derived", "only a derived meter is a sum of others")
