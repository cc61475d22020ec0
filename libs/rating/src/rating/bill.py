"""Bills: the one place where usage becomes money, for invoices, rollups, previews and quotes.

Energy is summed as integers. Shares of a month are fractions: within a plan all quantities are
whole parts of one denominator, so that every sum and product is an exact Decimal (a step that would
lose a digit raises `decimal.Inexact`) and the tariff's own rounding is the only one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kernel.errors import Rejected
from kernel.money import EXACT, PRECISION_DIGITS
from kernel.periods import Period
from rating.limits import ROUNDING_ID, decimals_in
from rating.lines import (
    KINDS,
    Item,
    Kind,
    Line,
    OnLines,
    PerConnectedKw,
    PerKwh,
    PlannedLine,
    Same,
)
from rating.plan import Plan, plan_for
from rating.tariff import Part, TariffVersion
from rating.usage import MISSING, Flow, Series, Usage

BATCH_METERS_MAX = 64
"""Meters that are rated at once: 1.5 MB per flow and month of 15 minutes, which a cache holds."""
FLOAT_EXACT_BELOW = 2**53
INT64_BELOW = 2**63
SHOWN_DECIMALS = 20
SHOWN_STEP = Decimal("1E-20")
_NOTHING = Decimal(0)
_LOSSLESS = Context(prec=PRECISION_DIGITS, traps=[InvalidOperation, Overflow, Inexact])

Sums = Mapping[Flow, list[list[int]]]
"""By flow and column, each meter's energy in its unit."""


@dataclass(frozen=True, slots=True)
class Bill:
    """`total` is `net` plus `tax`; the rounded amounts of `lines` add up to it exactly."""

    currency: str
    period: Period
    lines: tuple[Line, ...]
    net: Decimal
    tax: Decimal
    total: Decimal

    def totals(self) -> dict[Kind, Decimal]:
        """The rounded amounts by kind."""
        return {
            kind: add_up(line.amount for line in self.lines if line.item.kind == kind)
            for kind in KINDS
        }

    def totals_exact(self) -> dict[Kind, Decimal]:
        """The unrounded amounts by kind."""
        return {
            kind: add_up(line.amount_exact for line in self.lines if line.item.kind == kind)
            for kind in KINDS
        }


def add_up(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    return reduce(_LOSSLESS.add, amounts, _NOTHING)


def rate(
    tariff: TariffVersion | Sequence[Part],
    usages: Sequence[Usage],
    *,
    missing: Literal["refused", "nothing"] = "refused",
) -> list[Bill]:
    """One bill per usage, in order; meters alike in zone, period and resolution go together.

    `tariff` is a version, or the parts of the period with the version of each. Rejected where the
    tariff does not fit the period or its intervals, or the usage lacks what a charge needs;
    an interval without a value is `refused` unless it may count as `nothing`.
    """
    alike: dict[tuple[str, Period, int], list[int]] = {}
    for place, usage in enumerate(usages):
        alike.setdefault((usage.zone, usage.period, usage.minutes), []).append(place)
    bills: dict[int, Bill] = {}
    for (zone, period, minutes), places in alike.items():
        parts = (Part(period, tariff),) if isinstance(tariff, TariffVersion) else tuple(tariff)
        plan = plan_for(parts, zone, period, minutes)
        for first in range(0, len(places), BATCH_METERS_MAX):
            batch = places[first : first + BATCH_METERS_MAX]
            rated = _rate_batch(plan, period, [usages[place] for place in batch], missing)
            bills.update(zip(batch, rated, strict=True))
    return [bills[place] for place in range(len(usages))]


def _rate_batch(
    plan: Plan, period: Period, usages: list[Usage], missing: Literal["refused", "nothing"]
) -> list[Bill]:
    sums: Sums = {
        flow: _sums(flow, usages, missing, weights) for flow, weights in plan.weights.items()
    }
    with localcontext(_LOSSLESS):
        charged: list[list[Decimal]] = []  # each line's amounts, in parts of the denominator
        lines: list[list[Line]] = []
        for planned, rounding in plan.lines:
            quantities = _quantities(planned, usages, sums, charged, plan.denominator)
            amounts = [quantity * planned.item.rate for quantity in quantities]
            charged.append(amounts)
            lines.append(
                [
                    Line(planned.item, quantity, exact, rounding.round(exact))
                    for quantity, exact in zip(
                        _whole(quantities, plan.denominator),
                        _whole(amounts, plan.denominator),
                        strict=True,
                    )
                ]
            )
        if plan.rounded_once is None:
            return [_bill(plan.currency, period, row) for row in zip(*lines, strict=True)]
        totals = _whole(
            [sum(row, _NOTHING) for row in zip(*charged, strict=True)], plan.denominator
        )
        return [
            _bill(plan.currency, period, _rounded_once(plan, period, row, total))
            for row, total in zip(zip(*lines, strict=True), totals, strict=True)
        ]


def _quantities(
    planned: PlannedLine,
    usages: list[Usage],
    sums: Sums,
    charged: list[list[Decimal]],
    denominator: int,
) -> list[Decimal]:
    """Each meter's quantity of a line, in parts of `denominator`, exactly."""
    match planned:
        case Same(quantity=share):
            return [Decimal(int(share * denominator))] * len(usages)
        case PerConnectedKw(times=share):
            parts = Decimal(int(share * denominator))
            return [_connected_kw(usage, planned.item) * parts for usage in usages]
        case PerKwh(flow=flow, column=column):
            return [
                Decimal(energy * denominator).scaleb(-usage.kwh_decimals)
                for energy, usage in zip(sums[flow][column], usages, strict=True)
            ]
        case OnLines(places=places):
            taxed = zip(*(charged[place] for place in places), strict=True)
            return [sum(row, _NOTHING) for row in taxed]


def _whole(parts: list[Decimal], denominator: int) -> list[Decimal]:
    """The numbers that these are `denominator` parts of: exactly, or to 20 decimals."""
    if denominator == 1:
        return parts
    divisor = Decimal(denominator)
    quotients = [EXACT.divide(number, divisor) for number in parts]
    return [
        number.quantize(SHOWN_STEP, context=EXACT)
        if decimals_in(number) > SHOWN_DECIMALS
        else number
        for number in quotients
    ]


def _bill(currency: str, period: Period, lines: tuple[Line, ...]) -> Bill:
    net, tax = _NOTHING, _NOTHING
    for line in lines:
        if line.item.kind == "tax":
            tax += line.amount
        else:
            net += line.amount
    return Bill(currency, period, lines, net, tax, net + tax)


def _rounded_once(
    plan: Plan, period: Period, lines: tuple[Line, ...], total_exact: Decimal
) -> tuple[Line, ...]:
    """The lines, each rounded for itself, and one that brings them to the total, rounded once."""
    assert plan.rounded_once is not None  # noqa: S101 - the caller's condition
    difference = plan.rounded_once.round(total_exact) - sum(line.amount for line in lines)
    if not difference:
        return lines
    item = Item(
        component_id=ROUNDING_ID,
        kind="adjustment",
        band=None,
        flow=None,
        unit=plan.currency,
        rate=Decimal(1),
        tariff_version_id=lines[-1].item.tariff_version_id,
        part=period,
        payee=None,
        tax_class=None,
    )
    return (*lines, Line(item, _NOTHING, _NOTHING, difference))


def _connected_kw(usage: Usage, item: Item) -> Decimal:
    if usage.connected_kw is None:
        raise Rejected(
            "connected_kw_missing", f"{item.component_id}: the meter's connected kW is not known"
        )
    return usage.connected_kw


def _sums(
    flow: Flow,
    usages: list[Usage],
    missing: Literal["refused", "nothing"],
    weights: NDArray[np.float64],
) -> list[list[int]]:
    """Each meter's energy by column of `weights`, exactly.

    Rejected for a meter without the flow or with missing values.
    """
    if without := [place for place, usage in enumerate(usages) if flow not in usage.series]:
        raise Rejected("flow_missing", f"usage {without[0]} of the batch has no {flow} series")
    energy = _summable([usage.series[flow] for usage in usages])
    if energy.min() == MISSING:
        absent = energy == MISSING
        if missing == "refused":
            place = int(absent.any(axis=1).argmax())
            raise Rejected(
                "values_missing",
                f"usage {place} of the batch has no {flow} value in "
                f"{int(absent[place].sum())} intervals",
            )
        energy[absent] = 0
    sums: list[list[int]] = (
        (energy @ weights.astype(energy.dtype, copy=False)).T.astype(np.int64).tolist()
    )
    return sums


def _summable(rows: list[Series]) -> NDArray[np.float64] | NDArray[np.int64]:
    """Meters × intervals as floats, which hold integers below 2⁵³ exactly, or else as integers."""
    slots = len(rows[0])
    floats = np.stack(rows, dtype=np.float64)
    if _largest(floats) * slots < FLOAT_EXACT_BELOW:
        return floats
    integers = np.stack(rows, dtype=np.int64)
    if _largest(integers) * slots < INT64_BELOW:
        return integers
    raise Rejected("energy_out_of_range", "the energy of one interval is too much to add up")


def _largest(energy: NDArray[np.float64] | NDArray[np.int64]) -> int:
    return max(int(energy.max()), -int(energy.min()))
