"""Plans: a tariff compiled for one period, zone and resolution, once for all meters.

A plan holds the steps that charge a bill in order, the order in which a bill shows their lines,
and per flow which intervals each sum of energy takes. Plans are cached; they depend on nothing but
their key.
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

from kernel.errors import Rejected
from kernel.money import Rounding
from kernel.periods import Period
from rating import surplus
from rating.components import (
    capacity,
    demand,
    export_credit,
    fixed,
    minimum,
    net_billing,
    net_metering,
    per_kwh,
    percent,
    spot,
    tiered,
    tiered_time_of_use,
    time_of_use,
)
from rating.components import tax as taxes
from rating.components.adjustment import Adjustment
from rating.components.capacity import CapacityCharge
from rating.components.demand import Demand
from rating.components.energy import EnergyCharge
from rating.components.export_credit import ExportCredit
from rating.components.fixed import FixedCharge
from rating.components.minimum import MinimumBill
from rating.components.net_billing import NetBilling
from rating.components.net_metering import NetMetering
from rating.components.percent import Percent
from rating.components.spot import SpotPrice
from rating.components.tax import Tax
from rating.components.tiered import Tiered
from rating.components.tiered_time_of_use import TieredTimeOfUse
from rating.components.time_of_use import TimeOfUse
from rating.exact import NOTHING
from rating.lines import Placed
from rating.span import Columns, Span, chosen_slots, local_minutes
from rating.steps import SharedByDays, Step
from rating.tariff import Component, Crediting, Part, TariffVersion, settles
from rating.usage import Summed

PLANS_MAX = 256
"""A month of 15 minutes takes some 200 kB per plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`steps` with the rounding of their lines; `shown` are the lines' places in the bill's order.

    `weights` are intervals × columns, 1.0 where a column takes the interval.
    """

    currency: str
    steps: tuple[tuple[Step, Rounding], ...]
    shown: tuple[int, ...]
    weights: Mapping[Summed, NDArray[np.float64]]
    shared_days: int
    """A multiple of the days of every part that `SharedByDays` shares; 1 where there is none."""
    last_version_id: UUID
    rounded_once: Rounding | None
    """The rule for the bill's total, where a version rounds per invoice."""
    nothing: Decimal
    """With as many decimals as the finest of the roundings leaves."""


@dataclass(slots=True, eq=False)
class _Draft:
    """The steps so far, with the place of each line."""

    steps: list[tuple[Step, Rounding]] = field(default_factory=list)
    lines: list[Placed] = field(default_factory=list)
    shared_days: int = 1

    def share_over(self, cuts: Sequence[Span]) -> None:
        """What comes is shared over the days of several cuts."""
        if len(cuts) > 1:
            self.shared_days = math.lcm(self.shared_days, cuts[0].within.days)

    def add(self, steps: Sequence[Step], rounding: Rounding) -> None:
        for step in steps:
            self.steps.append((step, rounding))
            self.lines.extend(
                Placed(place, item) for place, item in enumerate(step.items, len(self.lines))
            )

    def of(self, version: TariffVersion, days: Period) -> tuple[Placed, ...]:
        """The version's lines on these days."""
        return tuple(
            line
            for line in self.lines
            if line.item.tariff_version_id == version.id and line.item.part.start_on in days
        )


@lru_cache(maxsize=PLANS_MAX)
def plan_for(parts: tuple[Part, ...], zone: str, period: Period, minutes: int) -> Plan:
    """The plan for meters in `zone` with intervals of `minutes`.

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
        cuts = [
            replace(whole, part=cut, chosen=chosen_slots(zone, period, minutes, cut))
            for cut in _cut_at_tax_changes(part)
        ]
        _add_version(draft, version, whole, cuts)
    roundings = [part.version.rounding for part in parts]
    return Plan(
        currency=parts[0].version.currency,
        steps=tuple(draft.steps),
        shown=_order_shown(draft.lines),
        weights=columns.matrices(),
        shared_days=draft.shared_days,
        last_version_id=parts[-1].version.id,
        rounded_once=next((rule for rule in reversed(roundings) if rule.per == "invoice"), None),
        nothing=max(roundings, key=lambda rule: rule.decimals).round(NOTHING),
    )


def _add_version(draft: _Draft, version: TariffVersion, whole: Span, cuts: Sequence[Span]) -> None:
    """What a version charges in its order, then its taxes, then what settles the taxed bill."""
    for charge in version.components:
        if not isinstance(charge, Tax) and not settles(charge):
            _add_charge(draft, version, charge, whole, cuts)
        if isinstance(charge, Crediting) and not charge.surplus.after_tax:
            _add_credit(draft, version, charge, whole, cuts)
    _add_taxes(draft, version, whole, cuts)
    for charge in version.components:
        if settles(charge):
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
    for cut in cuts:
        steps = _cut_steps(charge, cut, draft.of(version, cut.part))
        draft.add(steps, version.rounding)
    _add_whole(draft, version, _whole_steps(charge, whole, draft.of(version, whole.part)), cuts)


def _add_credit(
    draft: _Draft,
    version: TariffVersion,
    charge: Crediting,
    whole: Span,
    cuts: Sequence[Span],
) -> None:
    """What a component gives, then what of it is not paid out on this bill."""
    match charge:
        case NetMetering():
            _add_whole(draft, version, net_metering.plan_credit(charge, whole), cuts)
        case NetBilling():
            for cut in cuts:
                draft.add(net_billing.plan_credit(charge, cut), version.rounding)
        case ExportCredit():
            for cut in cuts:
                draft.add(export_credit.plan_credit(charge, cut), version.rounding)
    settled = surplus.plan(charge, whole, cuts, draft.of(version, whole.part))
    if settled:
        draft.share_over(cuts)
    draft.add(settled, version.rounding)


def _add_whole(
    draft: _Draft, version: TariffVersion, steps: Sequence[Step], cuts: Sequence[Span]
) -> None:
    """Steps for all of the version's days, their lines shared over the cuts."""
    if steps and len(cuts) > 1:
        steps = [SharedByDays(step, tuple(cut.part for cut in cuts)) for step in steps]
        draft.share_over(cuts)
    draft.add(steps, version.rounding)


def _add_taxes(draft: _Draft, version: TariffVersion, whole: Span, cuts: Sequence[Span]) -> None:
    """Each tax on what is charged and on the taxes before it, less the credits that are taxed."""
    crediting = [charge for charge in version.components if isinstance(charge, Crediting)]
    untaxed = {charge.id for charge in crediting if not charge.surplus.taxed}
    paying = {charge.id for charge in crediting if surplus.only_pays(charge.surplus, whole.part)}
    for cut in cuts:
        for tax in version.taxes:
            lines = [
                line
                for line in draft.of(version, cut.part)
                if line.item.kind != "credit" or line.item.component_id not in untaxed
            ]
            draft.add(taxes.plan(tax, cut, lines, version.currency, paying), version.rounding)


def _cut_steps(charge: Component, span: Span, lines: tuple[Placed, ...]) -> Sequence[Step]:
    """Of charges that add up: the steps for the days between two changes of taxes."""
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
        case Tiered() | TieredTimeOfUse() | Demand() | NetMetering() | MinimumBill():
            return []  # of the whole
        case ExportCredit() | Tax():
            return []  # after all that it pays or is levied on


def _whole_steps(charge: Component, span: Span, lines: tuple[Placed, ...]) -> Sequence[Step]:
    """Of charges, or their limits, that do not add up: the steps for all the version's days."""
    match charge:
        case Tiered():
            return tiered.plan(charge, span)
        case TieredTimeOfUse():
            return tiered_time_of_use.plan(charge, span)
        case Demand():
            return demand.plan(charge, span)
        case NetMetering():
            return net_metering.plan(charge, span)
        case Percent():
            return percent.plan_limits(charge, span, lines)
        case MinimumBill():
            return minimum.plan(charge, span, lines)
        case _:
            return []


def _order_shown(lines: Sequence[Placed]) -> tuple[int, ...]:
    """The places by the days that the lines are for, else in the order of charging."""
    return tuple(line.place for line in sorted(lines, key=lambda line: line.item.part.start_on))


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


def _cut_at_tax_changes(part: Part) -> Iterator[Period]:
    days = {day for tax in part.version.taxes for day in tax.changes_on if day in part.period}
    edges = sorted({part.period.start_on, *days, part.period.end_on})
    return (Period(start_on, end_on) for start_on, end_on in pairwise(edges))
