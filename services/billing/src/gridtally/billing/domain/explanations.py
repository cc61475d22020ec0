"""Explanations: what each line of an invoice is made of, down to its intervals.

The rates of intervals are bills of one kWh by `rating`, and an explanation is only given where it
adds up to the line to the last digit; a line that no interval has a share of by itself (tiers,
demand, netting) names the intervals that it rests on, and no amounts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import midnight_utc
from gridtally.rating.components.percent import Percent
from gridtally.rating.components.tax import Tax
from gridtally.rating.engine.exact import LOSSLESS, add_up
from gridtally.rating.engine.lines import Line
from gridtally.rating.interval_prices import line_rates
from gridtally.rating.intervals import usage_of
from gridtally.rating.plan.span import chosen_slots
from gridtally.rating.recalculation import InvoiceBasis
from gridtally.rating.tariff import Component, Part, TariffVersion
from gridtally.rating.usage import ACTIVE_FLOWS, MISSING, Flow, Usage

MadeOf = Literal["intervals", "whole", "lines", "days"]
"""A sum over intervals; of intervals that are taken as a whole; of other lines; owed for days."""
WORST_FIRST = "-ESAN"
WH_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Interval:
    """What an interval has to do with a line: Wh (varh) of its flow, null where there is none, and
    the worst quality of what it was added up from. `rate` and `amount` where it has a share."""

    start_at: datetime
    wh: int | None
    quality: str
    rate: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line by its position, with its tariff version, and what it is made of.

    `of_lines` are the positions of the lines that it is a tax or percentage of.
    """

    position: int
    line: Line
    version: TariffVersion
    made_of: MadeOf
    intervals: Sequence[Interval]
    of_lines: Sequence[int]


Letters = Mapping[Flow, tuple[int, str]]
"""By flow the length of its intervals in minutes, and a letter of quality for each."""


def explain(
    basis: InvoiceBasis, letters: Letters, lines: Sequence[Line], position: int | None
) -> list[Explanation]:
    """What the lines are made of, or the one at `position` (from 1). Rejected as by rating."""
    usage = usage_of(
        basis.zone,
        basis.period,
        basis.minutes,
        basis.series,
        flows_without_channel=ACTIVE_FLOWS,
        connected_kw=basis.connected_kw,
    )
    return [
        _explanation(basis, usage, letters, lines, number)
        for number in range(1, len(lines) + 1)
        if position is None or number == position
    ]


def _explanation(
    basis: InvoiceBasis, usage: Usage, letters: Letters, lines: Sequence[Line], position: int
) -> Explanation:
    line = lines[position - 1]
    part = next(part for part in basis.parts if line.item.part.start_on in part.period)
    component = next(
        (own for own in part.version.components if own.id == line.item.component_id), None
    )
    made_of: MadeOf = "days"
    intervals: list[Interval] = []
    of_lines: list[int] = []
    if component is None or isinstance(component, Tax | Percent) or line.item.kind == "tax":
        made_of = "lines"
        of_lines = _taken_of(line, component, lines, position)
    elif line.item.flow is not None:
        made_of, intervals = _intervals(basis, usage, letters, line, component, part)
    return Explanation(position, line, part.version, made_of, intervals, of_lines)


def _taken_of(
    line: Line, component: Component | None, lines: Sequence[Line], position: int
) -> list[int]:
    """The lines that a tax or percentage is of; none where they do not add up to its quantity."""
    days = line.item.part
    taken = [
        number
        for number, other in enumerate(lines, start=1)
        if number != position
        and other.item.part.overlap(days) is not None
        and component is not None
        and _is_taken(component, other)
    ]
    total = add_up(lines[number - 1].amount_exact for number in taken)
    return taken if total == line.quantity else []


def _is_taken(component: Component, other: Line) -> bool:
    item = other.item
    if isinstance(component, Tax):
        return item.component_id in component.component_ids or (
            component.tax_class is not None and item.tax_class == component.tax_class
        )
    if isinstance(component, Percent):
        named = component.component_ids or component.kinds
        if not named:
            return item.kind != "tax" and item.component_id != component.id
        return item.component_id in component.component_ids or item.kind in component.kinds
    return False


def _intervals(
    basis: InvoiceBasis,
    usage: Usage,
    letters: Letters,
    line: Line,
    component: Component,
    part: Part,
) -> tuple[MadeOf, list[Interval]]:
    """The intervals of a line, with their amounts where these add up to it."""
    flow = line.item.flow
    values = usage.series.get(flow) if flow is not None else None
    if flow is None or values is None:
        return "whole", []
    rates = line_rates(component, part, line.item, usage, basis.prices)
    on_days = chosen_slots(usage.zone, usage.period, usage.minutes, line.item.part)
    quality = _quality(letters.get(flow), usage.minutes, len(values))
    begin = midnight_utc(usage.zone, usage.period.start_on).astimezone(UTC)
    step = timedelta(minutes=usage.minutes)
    chosen = on_days if rates is None else np.array([rate is not None for rate in rates])
    intervals = []
    for slot in np.flatnonzero(chosen).tolist():
        wh = int(values[slot])
        rate = None if rates is None else rates[slot]
        known = None if wh == MISSING else wh
        amount = None
        if rate is not None:
            kwh = Decimal(known or 0).scaleb(-WH_DECIMALS)
            amount = LOSSLESS.multiply(kwh, rate)
        intervals.append(Interval(begin + slot * step, known, quality[slot], rate, amount))
    amounts = [interval.amount for interval in intervals if interval.amount is not None]
    if rates is not None and add_up(amounts) == line.amount_exact:
        return "intervals", intervals
    return "whole", [Interval(own.start_at, own.wh, own.quality, None, None) for own in intervals]


def _quality(own: tuple[int, str] | None, minutes: int, slots: int) -> Sequence[str]:
    """The worst letter of the parts of each interval; `N` of a flow that was not metered."""
    if own is None:
        return "N" * slots
    own_minutes, letters = own
    parts = minutes // own_minutes
    grouped: NDArray[np.str_] = np.array(list(letters)).reshape(-1, parts)
    worst = np.full(len(grouped), "N")
    for letter in reversed(WORST_FIRST):
        worst[(grouped == letter).any(axis=1)] = letter
    letters_of: list[str] = worst.tolist()
    return letters_of
