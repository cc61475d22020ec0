"""Daily costs: what a meter's local day costs so far, by the same rating that makes invoices.

Standing charges (fixed and per connected kW) are not in it, whatever they are per. A missing
interval or flow has no energy until it comes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.reference_data import DayKey, ReferenceData
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.intervals import usage_of
from gridtally.rating.price_days import VersionedSeries
from gridtally.rating.tariff import Part, TariffVersion, usage_charges
from gridtally.rating.usage import ACTIVE_FLOWS, MISSING, Flow, Usage

FlowKey = tuple[str, UUID, date, Flow]
"""Tenant, meter, local day and flow."""
NO_AMOUNT = Decimal(0)


@dataclass(frozen=True, slots=True)
class FlowUsage:
    """A flow of a meter's day as it was recorded; `energy` in Wh, four bytes an interval."""

    tenant_id: str
    meter_id: UUID
    day: date
    flow: Flow
    zone: str
    minutes: int
    version: int
    energy: bytes
    correlation_id: str

    @property
    def key(self) -> FlowKey:
        """Whose day and which flow it is."""
        return self.tenant_id, self.meter_id, self.day, self.flow


def newest_flows(flows: Iterable[FlowUsage]) -> list[FlowUsage]:
    """The newest version of each flow of a day, in whatever order they came."""
    newest: dict[FlowKey, FlowUsage] = {}
    for usage in flows:
        if usage.key not in newest or newest[usage.key].version < usage.version:
            newest[usage.key] = usage
    return list(newest.values())


@dataclass(frozen=True, slots=True, eq=False)
class DailyUsage:
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
        """Tenant, meter and day, which have one cost."""
        return self.tenant_id, self.meter_id, self.day

    def energy_wh(self, flow: Flow) -> int:
        """What is known of the flow's energy."""
        values = self.series.get(flow)
        return 0 if values is None else int(values.sum(where=values != MISSING, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class DailyCost:
    """What the day costs by that agreement and tariff version; `gross` is `net` plus `tax`.

    `usage_version` is that of the day's usage. `prices_version` is the sum of the versions of the
    prices that may be in it, so it grows with each change of them.
    """

    tenant_id: str
    meter_id: UUID
    day: date
    agreement_id: UUID
    tariff_version_id: UUID
    usage_version: int
    prices_version: int
    import_wh: int
    export_wh: int
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    correlation_id: str

    @property
    def key(self) -> DayKey:
        """Tenant, meter and day, which have one cost."""
        return self.tenant_id, self.meter_id, self.day


def price_days(
    days: Sequence[DailyUsage],
    agreements: Mapping[DayKey, Agreement],
    reference_data: ReferenceData,
) -> list[DailyCost]:
    """The cost of each day that can be priced.

    Left out are days without agreement or tariff, and those that their tariff cannot rate: they
    become due when what they lack arrives.
    """
    # Rating compiles a plan for a version and a day, and sums many meters as one matrix: so the
    # same day of all meters on a tariff is rated in one call, not meter by meter.
    groups: dict[tuple[str, UUID, date], list[tuple[DailyUsage, Agreement]]] = {}
    for usage in days:
        agreement = agreements.get(usage.key)
        if agreement is not None:
            group_key = (usage.tenant_id, agreement.tariff_id, usage.day)
            groups.setdefault(group_key, []).append((usage, agreement))
    costs: list[DailyCost] = []
    for (tenant_id, tariff_id, day), members in groups.items():
        try:
            (part,) = reference_data.parts(tenant_id, tariff_id, Period(day, day + ONE_DAY))
        except Rejected:
            continue
        prices = reference_data.prices_for(tenant_id, [part])
        costs.extend(_price_group(part, prices, members))
    return costs


@lru_cache(maxsize=1024)
def _usage_charges(version: TariffVersion) -> TariffVersion | None:
    return usage_charges(version)


def _price_group(
    part: Part,
    prices: Mapping[str, VersionedSeries],
    members: list[tuple[DailyUsage, Agreement]],
) -> list[DailyCost]:
    """The costs of days that one version prices; where rating refuses them together they are
    priced one by one, so that only those at fault are left out."""
    version = part.version
    priced = _usage_charges(version)
    amounts = [(NO_AMOUNT, NO_AMOUNT, NO_AMOUNT)] * len(members)
    if priced is not None:
        try:
            bills = rate(
                priced,
                [_rated_usage(usage) for usage, _ in members],
                prices={code: versioned.series for code, versioned in prices.items()},
                missing="counts_as_zero",
            )
        except Rejected:
            if len(members) == 1:
                return []
            return [cost for member in members for cost in _price_group(part, prices, [member])]
        amounts = [(bill.net, bill.tax, bill.total) for bill in bills]
    prices_version = sum(
        number
        for versioned in prices.values()
        for number in versioned.versions_for(part.period).values()
    )
    return [
        DailyCost(
            tenant_id=usage.tenant_id,
            meter_id=usage.meter_id,
            day=usage.day,
            agreement_id=agreement.id,
            tariff_version_id=version.id,
            usage_version=usage.version,
            prices_version=prices_version,
            import_wh=usage.energy_wh("import"),
            export_wh=usage.energy_wh("export"),
            currency=version.currency,
            net=net,
            tax=tax,
            gross=gross,
            correlation_id=usage.correlation_id,
        )
        for (usage, agreement), (net, tax, gross) in zip(members, amounts, strict=True)
    ]


def _rated_usage(usage: DailyUsage) -> Usage:
    """The day as rating takes it; Rejected where its flows were recorded in zones that differ."""
    day = Period(usage.day, usage.day + ONE_DAY)
    try:
        return usage_of(
            usage.zone, day, usage.minutes, usage.series, flows_without_channel=ACTIVE_FLOWS
        )
    except ValueError as impossible:
        raise Rejected("usage_impossible", str(impossible)) from None
