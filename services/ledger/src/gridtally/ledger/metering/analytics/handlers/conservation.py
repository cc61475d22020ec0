"""Checking that what a property was supplied went through the meters below it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridtally.database import ReadConnection
from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.conservation import (
    Balance,
    BalanceTerm,
    balance,
    balance_terms,
)
from gridtally.ledger.metering.analytics.domain.consumption import (
    Consumption,
    EnergySource,
    Window,
)
from gridtally.ledger.metering.analytics.handlers.consumption import count, fetch_register_data
from gridtally.ledger.registry.domain.meters import Meter
from gridtally.ledger.registry.store import meters, properties


@dataclass(frozen=True, slots=True)
class ConservationCheck:
    """A property's balance, and what each register contributes to it."""

    terms: list[tuple[BalanceTerm, Consumption]]
    balance: Balance


async def check_conservation(
    read: ReadConnection,
    tenant_id: str,
    property_id: UUID,
    own: list[Meter],
    window: Window,
    as_of: datetime | None,
) -> ConservationCheck:
    """Compare what a property with its `own` meters was supplied with what the meters below it
    counted; Rejected where one side has no meters."""
    children = await properties.fetch_children(read, tenant_id, property_id)
    below = await meters.fetch_meters_of(read, tenant_id, list(children))
    terms = balance_terms(own, [[meter.resource for meter in child] for child in below.values()])
    if {term.side for term in terms} != {"supplied", "metered"}:
        raise Rejected(
            "nothing_to_compare",
            "a balance needs a main meter, and sub meters or properties below",
        )
    sources = [EnergySource(term.meter, term.flow) for term in terms]
    data = await fetch_register_data(read, tenant_id, sources, window, as_of)
    counted = await count(data, sources, [window])
    contributions = [(term, part.consumption) for term, part in zip(terms, counted, strict=True)]
    return ConservationCheck(contributions, balance(contributions))
