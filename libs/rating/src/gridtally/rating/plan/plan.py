"""Plans: a tariff compiled for one period, zone and resolution, once for all meters.

A plan holds the steps that charge a bill in order, the order in which a bill shows their lines,
and per flow which intervals each sum of energy takes. Plans are cached; they depend on nothing but
their key. A kind of component that no `match` here names is a type error: there is no default.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import Rounding
from gridtally.kernel.periods import Period
from gridtally.rating.components import (
    capacity,
    coincident_demand,
    export_credit,
    fixed,
    minimum,
    net_billing,
    net_metering,
    per_kwh,
    percent,
    power_factor,
    reactive_energy,
    spot,
    tiered,
    tiered_time_of_use,
    time_of_use,
)
from gridtally.rating.components import tax as taxes
from gridtally.rating.components.adjustment import Adjustment
from gridtally.rating.components.capacity import CapacityCharge
from gridtally.rating.components.coincident_demand import CoincidentDemand
from gridtally.rating.components.dated import DatedCharge
from gridtally.rating.components.demand import plan as demand
from gridtally.rating.components.demand.charge import Demand
from gridtally.rating.components.energy import EnergyCharge
from gridtally.rating.components.export_credit import ExportCredit
from gridtally.rating.components.fixed import FixedCharge
from gridtally.rating.components.minimum import MinimumBill
from gridtally.rating.components.net_billing import NetBilling
from gridtally.rating.components.net_metering import NetMetering
from gridtally.rating.components.percent import Percent
from gridtally.rating.components.power_factor import PowerFactor
from gridtally.rating.components.reactive_energy import ReactiveEnergy
from gridtally.rating.components.spot import SpotPrice
from gridtally.rating.components.tax import Tax
from gridtally.rating.components.tiered import Tiered
from gridtally.rating.components.tiered_time_of_use import TieredTimeOfUse
from gridtally.rating.components.time_of_use import TimeOfUse
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.engine.lines import PlannedLine
from gridtally.rating.engine.steps import ProratedByDays, Step
from gridtally.rating.plan.credit_plan import plan_offset
from gridtally.rating.plan.span import Columns, Span, chosen_slots, local_minutes
from gridtally.rating.plan.tier_plan import plan_daily_tiers
from gridtally.rating.surplus import only_pays
from gridtally.rating.tariff import (
    Component,
    Crediting,
    Part,
    TariffVersion,
    comes_after_taxes,
)
from gridtally.rating.usage import Summed

PLANS_MAX = 256
"""A month of 15 minutes takes some 200 kB per plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`steps` with the rounding of their lines; `shown` are the lines' indexes in bill order.

    `weights` are by flow, intervals × columns, 1.0 where a column's sum takes the interval.
    """

    currency: str
    steps: tuple[tuple[Step, Rounding], ...]
    shown: tuple[int, ...]
    weights: Mapping[Summed, NDArray[np.float64]]
    prorated_days: int
    """A multiple of the days of every part that `ProratedByDays` divides; 1 where there is none."""
    last_version_id: UUID
    rounded_once: Rounding | None
    """The rule for the bill's total, where a version rounds per invoice."""
    zero: Decimal
    """With as many decimals as the finest of the roundings leaves."""


@dataclass(slots=True, eq=False)
class _Draft:
    """The steps so far, with the index of each line."""

    steps: list[tuple[Step, Rounding]] = field(default_factory=list)
    lines: list[PlannedLine] = field(default_factory=list)
    prorated_days: int = 1

    def prorate_over(self, cuts: Sequence[Span], steps: Sequence[Step]) -> None:
        """Notes that the lines of steps, or what they pay, are prorated over several cuts."""
        if len(cuts) > 1:
            days = {item.part.days for step in steps for item in step.items}
            self.prorated_days = math.lcm(self.prorated_days, cuts[0].within.days, *days)

    def add(self, steps: Sequence[Step], rounding: Rounding) -> None:
        """Adds steps and their lines."""
        for step in steps:
            self.steps.append((step, rounding))
            self.lines.extend(
                PlannedLine(index, item) for index, item in enumerate(step.items, len(self.lines))
            )

    def lines_of(self, version: TariffVersion, days: Period) -> tuple[PlannedLine, ...]:
        """The version's lines on these days."""
        return tuple(
            line
            for line in self.lines
            if line.item.tariff_version_id == version.id and line.item.part.start_on in days
        )


@lru_cache(maxsize=PLANS_MAX)
def plan_for(parts: tuple[Part, ...], zone: str, period: Period, minutes: int) -> Plan:
    """The plan for meters in `zone` with intervals of `minutes`.

    All that depends on clocks, calendars and documents happens here, in tens of ms, and is shared
    by every meter of the zone, period and resolution; charging a batch only multiplies and adds up.
    Rejected where the parts leave a day out, overlap or mix currencies.
    """
    _check_parts(parts, period)
    columns = Columns()
    draft = _Draft()
    for part in parts:
        version = part.version
        whole = Span(
            version_id=version.id,
            currency=version.currency,
            calendar=version.calendar,
            part=part.period,
            within=part.period,
            period=period,
            zone=zone,
            minutes=minutes,
            chosen=chosen_slots(zone, period, minutes, part.period),
            local_minutes=local_minutes(zone, period, minutes, version.zone),
            columns=columns,
        )
        cuts = [replace(whole.narrowed(cut), within=part.period) for cut in _cut_at_changes(part)]
        _add_version(draft, version, whole, cuts)
    roundings = [part.version.rounding for part in parts]
    return Plan(
        currency=parts[0].version.currency,
        steps=tuple(draft.steps),
        shown=_order_shown(draft.lines),
        weights=columns.matrices(),
        prorated_days=draft.prorated_days,
        last_version_id=parts[-1].version.id,
        rounded_once=next((rule for rule in reversed(roundings) if rule.per == "invoice"), None),
        zero=max(roundings, key=lambda rule: rule.decimals).round(ZERO),
    )


def _add_version(draft: _Draft, version: TariffVersion, whole: Span, cuts: Sequence[Span]) -> None:
    """What a version charges in its order, then its taxes, then what comes after the taxes."""
    for charge in version.components:
        if not isinstance(charge, Tax) and not comes_after_taxes(charge):
            _add_charge(draft, version, charge, whole, cuts)
        if isinstance(charge, Crediting) and not charge.surplus.after_tax:
            _add_credit(draft, version, charge, whole, cuts)
    _add_taxes(draft, version, whole, cuts)
    for charge in version.components:
        if comes_after_taxes(charge):
            _add_charge(draft, version, charge, whole, cuts)
        if isinstance(charge, Crediting) and charge.surplus.after_tax:
            _add_credit(draft, version, charge, whole, cuts)


def _add_charge(
    draft: _Draft,
    version: TariffVersion,
    charge: Component,
    whole: Span,
    cuts: Sequence[Span],
) -> None:
    if isinstance(charge, DatedCharge):
        days = charge.days_in_force(whole.part)
        if days is None:
            return
        if days != whole.part:
            whole = whole.narrowed(days)
            cuts = [replace(cut, within=days) for cut in cuts if cut.part.start_on in days]
    for cut in cuts:
        steps = _cut_steps(charge, cut, draft.lines_of(version, cut.part))
        draft.add(steps, version.rounding)
    steps = _whole_steps(charge, whole, draft.lines_of(version, whole.part))
    _add_whole(draft, version, steps, cuts)


def _add_credit(
    draft: _Draft,
    version: TariffVersion,
    charge: Crediting,
    whole: Span,
    cuts: Sequence[Span],
) -> None:
    """What a component credits, then what of it is not paid out on this bill."""
    for cut in cuts:
        draft.add(_cut_credit(charge, cut), version.rounding)
    _add_whole(draft, version, _whole_credit(charge, whole), cuts)
    offset = plan_offset(charge, whole, cuts, draft.lines_of(version, whole.part))
    if offset:
        draft.prorate_over(cuts, [])
    draft.add(offset, version.rounding)


def _add_whole(
    draft: _Draft, version: TariffVersion, steps: Sequence[Step], cuts: Sequence[Span]
) -> None:
    """Adds steps for all of the version's days, their lines prorated over the cuts."""
    if steps and len(cuts) > 1:
        draft.prorate_over(cuts, steps)
        steps = [ProratedByDays(step, tuple(cut.part for cut in cuts)) for step in steps]
    draft.add(steps, version.rounding)


def _add_taxes(draft: _Draft, version: TariffVersion, whole: Span, cuts: Sequence[Span]) -> None:
    """Each tax on what is charged and on the taxes before it, less the credits that are taxed."""
    crediting = [charge for charge in version.components if isinstance(charge, Crediting)]
    untaxed = {charge.id for charge in crediting if not charge.surplus.taxed}
    paying = {charge.id for charge in crediting if only_pays(charge.surplus, whole.part)}
    for tax in version.taxes:
        lines_by_cut = [
            (
                cut,
                [
                    line
                    for line in draft.lines_of(version, cut.part)
                    if line.item.kind != "credit" or line.item.component_id not in untaxed
                ],
            )
            for cut in cuts
        ]
        draft.add(taxes.plan(tax, lines_by_cut, paying), version.rounding)


def _cut_steps(charge: Component, span: Span, lines: tuple[PlannedLine, ...]) -> Sequence[Step]:
    """Of charges that add up: the steps for the days between two changes."""
    match charge:
        case FixedCharge():
            return fixed.plan(charge, span)
        case CapacityCharge():
            return capacity.plan(charge, span)
        case EnergyCharge() | Adjustment():
            return per_kwh.plan(charge, span)
        case TimeOfUse():
            return time_of_use.plan(charge, span)
        case SpotPrice():
            return spot.plan(charge, span)
        case NetBilling():
            return net_billing.plan(charge, span)
        case Percent():
            return percent.plan(charge, span, lines)
        case PowerFactor():
            return power_factor.plan(charge, span, lines)
        case Tiered() | TieredTimeOfUse():
            return plan_daily_tiers(charge, span)
        case Demand() | CoincidentDemand() | ReactiveEnergy() | NetMetering() | MinimumBill():
            return []  # of the whole
        case ExportCredit() | Tax():
            return []  # after all that it pays or is levied on


def _whole_steps(charge: Component, span: Span, lines: tuple[PlannedLine, ...]) -> Sequence[Step]:
    """Of charges, or their limits, that do not add up: the steps for all the version's days."""
    match charge:
        case Tiered():
            return tiered.plan(charge, span)
        case TieredTimeOfUse():
            return tiered_time_of_use.plan(charge, span)
        case Demand():
            return demand.plan(charge, span)
        case CoincidentDemand():
            return coincident_demand.plan(charge, span)
        case ReactiveEnergy():
            return reactive_energy.plan(charge, span)
        case NetMetering():
            return net_metering.plan(charge, span)
        case Percent():
            return percent.plan_limits(charge, span, lines)
        case MinimumBill():
            return minimum.plan(charge, span, lines)
        case FixedCharge() | CapacityCharge() | EnergyCharge() | Adjustment() | TimeOfUse():
            return []  # of each cut
        case SpotPrice() | NetBilling() | PowerFactor():
            return []  # of each cut
        case ExportCredit() | Tax():
            return []  # after all that it pays or is levied on


def _cut_credit(charge: Crediting, span: Span) -> Sequence[Step]:
    """Of credits that add up: the steps for the days between two changes."""
    match charge:
        case NetBilling():
            return net_billing.plan_credit(charge, span)
        case ExportCredit():
            return export_credit.plan_credit(charge, span)
        case NetMetering():
            return []  # of the whole


def _whole_credit(charge: Crediting, span: Span) -> Sequence[Step]:
    """Of credits that do not add up: the steps for all the version's days."""
    match charge:
        case NetMetering():
            return net_metering.plan_credit(charge, span)
        case ExportCredit():
            return export_credit.plan_whole_credit(charge, span)
        case NetBilling():
            return []  # of each cut


def _order_shown(lines: Sequence[PlannedLine]) -> tuple[int, ...]:
    """The lines' indexes by the days that they are for, else in the order of charging."""
    return tuple(line.index for line in sorted(lines, key=lambda line: line.item.part.start_on))


def _check_parts(parts: tuple[Part, ...], period: Period) -> None:
    day = period.start_on
    for part in parts:
        if part.period.start_on != day:
            raise Rejected(
                "tariff_parts",
                f"the tariff's parts must follow one another: one begins on "
                f"{part.period.start_on} where {day} comes next",
            )
        day = part.period.end_on
    if day != period.end_on:
        raise Rejected("tariff_parts", f"the tariff's parts end on {day}, not {period.end_on}")
    if len(currencies := {part.version.currency for part in parts}) > 1:
        raise Rejected("tariff_parts", f"one bill in several currencies: {sorted(currencies)}")


def _cut_at_changes(part: Part) -> Iterator[Period]:
    dated = [charge for charge in part.version.components if isinstance(charge, DatedCharge)]
    days = {day for charge in dated for day in charge.changes_on if day in part.period}
    edges = sorted({part.period.start_on, *days, part.period.end_on})
    return (Period(start_on, end_on) for start_on, end_on in pairwise(edges))
