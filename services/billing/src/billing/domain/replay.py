"""Replay: an invoice computed again from its evidence, by the function that made it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from billing.domain.intervals import FLOWS, usage_of
from billing.domain.periods import MissingRule
from kernel.periods import Period
from rating.bill import Bill, rate
from rating.prices import Prices
from rating.state import State
from rating.tariff import Part
from rating.usage import Flow


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """All that a bill rests on: `series` in Wh by flow, `minutes` the interval of each."""

    zone: str
    period: Period
    minutes: Mapping[Flow, int]
    series: Mapping[Flow, NDArray[np.int32]]
    connected_kw: Decimal | None
    missing: MissingRule
    parts: Sequence[Part]
    state_before: State
    prices: Prices


def replay(kept: Kept) -> Bill:
    """The bill, once more; Rejected where something that it rested on is not there any more.

    A flow without a series was one that the meter did not have, and counts as nothing.
    """
    usage = usage_of(
        kept.zone,
        kept.period,
        kept.minutes,
        kept.series,
        nothing_of=FLOWS,
        connected_kw=kept.connected_kw,
    )
    (bill,) = rate(
        kept.parts,
        [usage],
        states=[kept.state_before],
        prices=kept.prices,
        missing=kept.missing,
    )
    return bill
