"""Recalculation: a bill computed again from all that it rests on, by the function that made it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.engine.batch import MissingRule
from gridtally.rating.engine.bill import Bill, rate
from gridtally.rating.engine.lines import Line
from gridtally.rating.intervals import usage_of
from gridtally.rating.prices import Prices
from gridtally.rating.quality import DoubtfulFlows, with_quality
from gridtally.rating.state import State
from gridtally.rating.tariff import Part
from gridtally.rating.usage import ACTIVE_FLOWS, Flow

ClosedBy = Literal["complete", "grace", "forced"]


def missing_rule(closed_by: ClosedBy) -> MissingRule:
    """What rating does with a missing interval.

    In a period that was closed as complete there is none, so the bill is refused. In one that was
    closed by its grace time or by force what is missing is left out of all sums.
    """
    return "refused" if closed_by == "complete" else "counts_as_zero"


@dataclass(frozen=True, slots=True, eq=False)
class InvoiceBasis:
    """All that a bill rests on: `series` in Wh by flow, `minutes` the interval of each."""

    zone: str
    period: Period
    minutes: Mapping[Flow, int]
    series: Mapping[Flow, NDArray[np.int32]]
    doubtful: DoubtfulFlows
    connected_kw: Decimal | None
    closed_by: ClosedBy
    parts: Sequence[Part]
    state_before: State
    prices: Prices


@dataclass(frozen=True, slots=True, eq=False)
class Recalculation:
    """The bill made again; it `agrees` where its lines and its state are those of the invoice."""

    bill: Bill
    agrees: bool


def rate_again(basis: InvoiceBasis) -> Bill:
    """The bill, once more.

    A flow of active energy without a series was one that the meter did not have, and has no energy.
    Rejected where rating refuses what it once took.
    """
    usage = usage_of(
        basis.zone,
        basis.period,
        basis.minutes,
        basis.series,
        flows_without_channel=ACTIVE_FLOWS,
        connected_kw=basis.connected_kw,
    )
    (bill,) = rate(
        basis.parts,
        [usage],
        states=[basis.state_before],
        prices=basis.prices,
        missing=missing_rule(basis.closed_by),
    )
    lines = with_quality(bill.lines, basis.parts, basis.zone, basis.period, basis.doubtful)
    return replace(bill, lines=lines)


def recalculate(basis: InvoiceBasis, lines: Sequence[Line], state_after: State) -> Recalculation:
    """The bill, once more, beside the `lines` and the `state_after` that were issued; Rejected as
    `rate_again` is."""
    bill = rate_again(basis)
    return Recalculation(bill, list(lines) == list(bill.lines) and bill.state == state_after)
