"""Plans: a tariff compiled for one period, zone and resolution, once for all meters.

A plan holds the lines of the bill in order and, per flow, which intervals each sum of energy
takes. Plans are cached; they depend on nothing but their key.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from kernel.money import Rounding
from kernel.periods import Period
from rating.components import adjustment, capacity, energy, fixed, time_of_use
from rating.components import tax as taxes
from rating.components.adjustment import Adjustment
from rating.components.capacity import CapacityCharge
from rating.components.energy import EnergyCharge
from rating.components.fixed import FixedCharge
from rating.components.tax import Tax
from rating.components.time_of_use import TimeOfUse
from rating.lines import PerConnectedKw, PlannedLine, Same
from rating.span import Columns, Span, chosen_slots, local_minutes
from rating.tariff import Component, Part
from rating.usage import Flow

PLANS_MAX = 256
"""A month of 15 minutes takes some 200 kB per plan."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`weights` are intervals × columns, 1.0 where a column takes the interval."""

    currency: str
    lines: tuple[tuple[PlannedLine, Rounding], ...]
    weights: Mapping[Flow, NDArray[np.float64]]
    denominator: int
    """What every quantity of `lines` is a whole number of parts of: 1 unless months are shared."""
    rounded_once: Rounding | None
    """The rule for the bill's total, where a version rounds per invoice."""


@lru_cache(maxsize=PLANS_MAX)
def plan_for(parts: tuple[Part, ...], zone: str, period: Period, minutes: int) -> Plan:
    """The plan for meters in `zone` with intervals of `minutes`.

    Rejected where the parts leave a day out, overlap or mix currencies.
    """
    _check_parts(parts, period)
    columns = Columns()
    lines: list[tuple[PlannedLine, Rounding]] = []
    for part in parts:
        version = part.version
        clock = local_minutes(zone, period, minutes, version.zone)
        for cut in _cut_at_tax_changes(part):
            span = Span(
                version_id=version.id,
                calendar=version.calendar,
                part=cut,
                within=part.period,
                chosen=chosen_slots(zone, period, minutes, cut),
                local_minutes=clock,
                columns=columns,
            )
            charges = [line for charge in version.components for line in _lines(charge, span)]
            levied = [
                line
                for tax in version.taxes
                for line in taxes.plan(tax, span, charges, len(lines), version.currency)
            ]
            lines.extend((line, version.rounding) for line in (*charges, *levied))
    roundings = [part.version.rounding for part in parts]
    return Plan(
        currency=parts[0].version.currency,
        lines=tuple(lines),
        weights=columns.matrices(),
        denominator=math.lcm(*(_denominator(line) for line, _ in lines)),
        rounded_once=next((rule for rule in reversed(roundings) if rule.per == "invoice"), None),
    )


def _lines(charge: Component, span: Span) -> list[PlannedLine]:
    match charge:
        case FixedCharge():
            return [*fixed.plan(charge, span)]
        case CapacityCharge():
            return [*capacity.plan(charge, span)]
        case EnergyCharge():
            return [*energy.plan(charge, span)]
        case TimeOfUse():
            return [*time_of_use.plan(charge, span)]
        case Adjustment():
            return [*adjustment.plan(charge, span)]
        case Tax():
            return []  # after all that it is levied on


def _denominator(line: PlannedLine) -> int:
    match line:
        case Same(quantity=share) | PerConnectedKw(times=share):
            return share.denominator
        case _:
            return 1


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
