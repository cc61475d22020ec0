"""Days that are rated as a whole, since an interval's price depends on what else is used: tiers,
netting, rounded quantities.

An hour costs what it adds to the bill of its local day, as in daily costs. So the parts of a day
add up to it: each is the bill up to its end less the bill up to its beginning.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.fleet_costs.price_grids import Unpriced, Window, time_grid
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import ONE_DAY, Period
from gridtally.rating.engine.bill import Bill, rate
from gridtally.rating.intervals import in_common_interval
from gridtally.rating.prices import Prices
from gridtally.rating.tariff import TariffVersion
from gridtally.rating.usage import ACTIVE_FLOWS, Flow, Series, Usage

DayNumber = int
"""Of a local day, counted from the first of the window's days."""
_EPOCH_ON = datetime(1970, 1, 1, tzinfo=UTC).date()


@dataclass(frozen=True, slots=True)
class DayPart:
    """What the part of a local day costs that lies on a UTC day and in the window."""

    utc_on: date
    currency: str
    net: Fraction
    tax: Fraction


@dataclass(slots=True)
class DayCosts:
    """The parts of a device's days, and the days that rating refused, by zone and number."""

    parts: list[DayPart] = field(default_factory=list)
    unpriced: dict[tuple[str, DayNumber], Unpriced] = field(default_factory=dict)


def cost_of_days(
    window: Window,
    days: Mapping[tuple[str, DayNumber], Mapping[Flow, tuple[int, NDArray[np.int32]]]],
    versions: Mapping[DayNumber, tuple[TariffVersion, str]],
    prices_for: Callable[[TariffVersion, Period], Prices],
) -> DayCosts:
    """What these days of a device cost, by the version of each and its currency.

    `days` are by zone and number, with the minutes and the Wh of each flow.
    """
    costs = DayCosts()
    for (zone, number), flows in days.items():
        version, currency = versions[number]
        day = window.days.start_on + number * ONE_DAY
        try:
            costs.parts += _parts(window, zone, day, flows, version, currency, prices_for)
        except Rejected as refused:
            costs.unpriced[zone, number] = Unpriced(refused.code, refused.detail)
        except ValueError as impossible:
            costs.unpriced[zone, number] = Unpriced("usage_impossible", str(impossible))
    return costs


def _parts(
    window: Window,
    zone: str,
    day: date,
    flows: Mapping[Flow, tuple[int, NDArray[np.int32]]],
    version: TariffVersion,
    currency: str,
    prices_for: Callable[[TariffVersion, Period], Prices],
) -> list[DayPart]:
    """A bill for each edge within the day at which a part of it ends, all in one call."""
    period = Period(day, day + ONE_DAY)
    minutes, series = in_common_interval(
        {flow: own for flow, (own, _) in flows.items()},
        {flow: values for flow, (_, values) in flows.items()},
    )
    pieces = list(_pieces(window, zone, day, minutes))
    edges = sorted({edge for first, last, _ in pieces for edge in (first, last)})
    if not edges:
        return []
    usages = [Usage(zone, period, minutes, _up_to(edge, series)) for edge in edges]
    prices = prices_for(version, period)
    bills = rate(version, usages, prices=prices, missing="counts_as_zero")
    up_to = dict(zip(edges, map(_unrounded, bills), strict=True))
    return [
        DayPart(
            utc_on,
            currency,
            up_to[last][0] - up_to[first][0],
            up_to[last][1] - up_to[first][1],
        )
        for first, last, utc_on in pieces
    ]


def _unrounded(bill: Bill) -> tuple[Fraction, Fraction]:
    """What a bill comes to before tax, and its taxes: fractions, since a day's part of a month's
    limit may have no finite decimal, and days of them are added up."""
    return bill.unrounded.net, bill.unrounded.tax


def _pieces(window: Window, zone: str, day: date, minutes: int) -> Iterator[tuple[int, int, date]]:
    """The day's intervals in the window, as runs on one UTC day: first, end, UTC date."""
    grid = time_grid(zone, minutes, window)
    number = (day - grid.period.start_on).days
    own = slice(int(grid.first_of[number]), int(grid.first_of[number + 1]))
    within, utc_days = grid.within[own], grid.utc_day_of[own]
    for utc_day in np.unique(utc_days[within]).tolist():
        slots = np.flatnonzero(within & (utc_days == utc_day))
        yield int(slots[0]), int(slots[-1]) + 1, _EPOCH_ON + timedelta(days=utc_day)


def _up_to(edge: int, series: Mapping[Flow, Series]) -> dict[Flow, Series]:
    """The series with no energy from the interval `edge` on; a flow without one has none."""
    slots = len(next(iter(series.values())))
    cut = {flow: np.where(np.arange(slots) < edge, own, 0) for flow, own in series.items()}
    return {flow: cut.get(flow, np.zeros(slots, np.int32)) for flow in ACTIVE_FLOWS}
