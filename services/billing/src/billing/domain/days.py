"""Days: what a meter's local day costs so far, by the same rating that makes invoices.

Standing charges (fixed and per connected kW) are not in it, whatever they are per; a missing
interval or flow counts as nothing until it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from billing.domain.agreements import Agreement
from billing.domain.facts import Facts
from billing.domain.intervals import FLOWS, usage_of
from billing.domain.prices import CopiedSeries
from kernel.errors import Rejected
from kernel.periods import ONE_DAY, Period
from rating.bill import rate
from rating.tariff import Part, TariffVersion, usage_charges
from rating.usage import MISSING, Flow, Usage

DayKey = tuple[str, UUID, date]
"""Tenant, meter and local day."""
FlowKey = tuple[str, UUID, date, str]
"""Tenant, meter, local day and flow."""
NOTHING = Decimal(0)


class FlowUsage(NamedTuple):
    """A flow of a meter's day as it was told; `energy` in Wh, four bytes an interval.

    A tuple, since it becomes a row as it is.
    """

    zone: str
    minutes: int
    version: int
    energy: bytes
    correlation_id: str


@dataclass(frozen=True, slots=True, eq=False)
class DayUsage:
    """All flows of a meter's day; `version` is the sum of theirs, so it grows with each change."""

    tenant_id: str
    meter_id: UUID
    day: date
    zone: str
    minutes: Mapping[Flow, int]
    version: int
    series: Mapping[Flow, NDArray[np.int32]]
    correlation_id: str

    @property
    def key(self) -> DayKey:
        """What one cost belongs to."""
        return self.tenant_id, self.meter_id, self.day

    def energy_wh(self, flow: Flow) -> int:
        """What is known of the flow's energy."""
        values = self.series.get(flow)
        return 0 if values is None else int(values.sum(where=values != MISSING, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class CostDay:
    """What the day costs by that agreement and tariff version.

    `prices_version` is the sum of the versions of the prices that may be in it, so it grows with
    each change of them.
    """

    usage: DayUsage
    agreement_id: UUID
    tariff_version_id: UUID
    prices_version: int
    currency: str
    import_wh: int
    export_wh: int
    net: Decimal
    tax: Decimal
    gross: Decimal


def price_days(
    days: Sequence[DayUsage], agreements: Mapping[DayKey, Agreement], facts: Facts
) -> list[CostDay]:
    """The cost of each day that can be priced; left out are days without agreement or tariff, and
    those that their tariff cannot rate. A fact that arrives marks them due.
    """
    alike: dict[tuple[str, UUID, date], list[tuple[DayUsage, Agreement]]] = {}
    for usage in days:
        agreement = agreements.get(usage.key)
        if agreement is not None:
            group = (usage.tenant_id, agreement.tariff_id, usage.day)
            alike.setdefault(group, []).append((usage, agreement))
    costs: list[CostDay] = []
    for (tenant_id, tariff_id, day), members in alike.items():
        try:
            (part,) = facts.parts(tenant_id, tariff_id, Period(day, day + ONE_DAY))
        except Rejected:
            continue
        prices = facts.prices_for(tenant_id, [part])
        costs.extend(_price_group(part, prices, members))
    return costs


@lru_cache(maxsize=1024)
def _per_usage(version: TariffVersion) -> TariffVersion | None:
    return usage_charges(version)


def _price_group(
    part: Part, prices: Mapping[str, CopiedSeries], members: list[tuple[DayUsage, Agreement]]
) -> list[CostDay]:
    """Price together; where that is refused, one by one, so that only the culprits are left out."""
    version = part.version
    priced = _per_usage(version)
    amounts = [(NOTHING, NOTHING, NOTHING)] * len(members)
    if priced is not None:
        try:
            bills = rate(
                priced,
                [_usage(usage) for usage, _ in members],
                prices={name: copied.series for name, copied in prices.items()},
                missing="nothing",
            )
        except Rejected:
            if len(members) == 1:
                return []
            return [cost for one in members for cost in _price_group(part, prices, [one])]
        amounts = [(bill.net, bill.tax, bill.total) for bill in bills]
    prices_version = sum(
        number for copied in prices.values() for number in copied.versions_for(part.period).values()
    )
    return [
        CostDay(
            usage=usage,
            agreement_id=agreement.id,
            tariff_version_id=version.id,
            prices_version=prices_version,
            currency=version.currency,
            import_wh=usage.energy_wh("import"),
            export_wh=usage.energy_wh("export"),
            net=net,
            tax=tax,
            gross=gross,
        )
        for (usage, agreement), (net, tax, gross) in zip(members, amounts, strict=True)
    ]


def _usage(usage: DayUsage) -> Usage:
    """The day as rating takes it; Rejected where its flows were told in zones that differ."""
    day = Period(usage.day, usage.day + ONE_DAY)
    try:
        return usage_of(usage.zone, day, usage.minutes, usage.series, nothing_of=FLOWS)
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None
