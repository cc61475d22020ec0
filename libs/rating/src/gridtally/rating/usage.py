"""Usage: what a meter measured in a period, as whole numbers per interval.

Missing is not zero: an interval without a value holds `MISSING`, and rating refuses it unless the
caller says that it counts as zero. Refuses floats and series that do not fill their period.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import RESOLUTIONS_MIN, Period
from gridtally.rating.field_types import check_connected_kw, check_days
from gridtally.rating.quantity_steps import QuantityRounding

ActiveFlow = Literal["import", "export", "load", "generation"]
"""Active energy, in Wh."""
ReactiveFlow = Literal["reactive_import", "reactive_export"]
"""Reactive energy, in varh: drawn from the grid, and fed into it."""
Flow = Literal[ActiveFlow, ReactiveFlow]
ACTIVE_FLOWS: tuple[ActiveFlow, ...] = get_args(ActiveFlow)
REACTIVE_FLOWS: tuple[ReactiveFlow, ...] = get_args(ReactiveFlow)
NettableFlow = Literal[ActiveFlow, "net_import", "net_export"]
"""Whose kWh a charge counts: a flow of active energy, or what is left of import or of export where
the two are netted within each interval."""
Series = NDArray[np.int64] | NDArray[np.int32]
MISSING = -(2**31)
"""The value of an interval that has none: below everything that can be metered."""
PERIOD_DAYS_MAX = 1100
KWH_DECIMALS_MAX = 9
CONNECTED_CHANGES_MAX = 366


@dataclass(frozen=True, slots=True)
class RoundedFlow:
    """A flow whose energy is rounded within each interval before it is summed; after netting, where
    it is what is left then."""

    flow: NettableFlow
    rounding: QuantityRounding


Summed = Flow | Literal["net_import", "net_export"] | RoundedFlow
"""What energy is summed of: a flow, also rounded within each interval, or what is left of one less
another within each interval."""


@dataclass(frozen=True, slots=True)
class ConnectedChange:
    """The connected load from the local day `from_on` on."""

    from_on: date
    connected_kw: Decimal

    def __post_init__(self) -> None:
        check_connected_kw(self.connected_kw)


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """Energy of one meter by flow over `period`, from local midnight to local midnight.

    `zone` is the meter's; each series holds one integer per interval of `minutes`, in Wh (varh of
    reactive flows) unless `kwh_decimals` declares a finer unit (3 is Wh, 4 is 0.1 Wh).
    `connected_kw` is the load on the first day; `connected_changes` within the period come in order
    of time.
    """

    zone: str
    period: Period
    minutes: int
    series: Mapping[Flow, Series] = field(repr=False)
    connected_kw: Decimal | None = None
    kwh_decimals: int = field(default=3, kw_only=True)
    connected_changes: tuple[ConnectedChange, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        slots = slots_in(self.zone, self.period, self.minutes)
        for flow, values in self.series.items():
            if values.dtype.kind != "i":
                raise ValueError(f"{flow}: energy must be integers, not {values.dtype}")
            if values.shape != (slots,):
                raise ValueError(
                    f"{flow}: {values.shape} values where {self.period.start_on} to "
                    f"{self.period.end_on} in {self.zone} has {slots} intervals"
                )
        if self.connected_kw is not None:
            check_connected_kw(self.connected_kw)
        if not 0 <= self.kwh_decimals <= KWH_DECIMALS_MAX:
            raise ValueError(f"kWh decimals must lie between 0 and {KWH_DECIMALS_MAX}")
        if self.connected_changes:
            self._check_changes()

    def _check_changes(self) -> None:
        if self.connected_kw is None:
            raise ValueError("a connected load that changes needs the load before")
        if len(self.connected_changes) > CONNECTED_CHANGES_MAX:
            raise ValueError(f"at most {CONNECTED_CHANGES_MAX} changes of the connected load")
        before_on = self.period.start_on
        for change in self.connected_changes:
            if not before_on < change.from_on < self.period.end_on:
                raise ValueError(
                    f"the connected load changes on {change.from_on}: changes must lie within the "
                    "period after its first day, in order of time"
                )
            before_on = change.from_on


def billed_flow(flow: NettableFlow) -> ActiveFlow:
    """The flow that a bill's lines are for: that of what is left after netting."""
    match flow:
        case "net_import":
            return "import"
        case "net_export":
            return "export"
        case _:
            return flow


def with_net(series: Mapping[Flow, Series]) -> dict[Flow, Series]:
    """The series and, of a meter that has `load`, the import and export that it implies.

    Within each interval what is generated serves the load first: the rest of the load is imported,
    the rest of the generation exported, so that never both are above nothing. Generation that is
    not measured is none; where either value is `MISSING`, so are both that follow from it.
    ValueError where import or export is measured too and would be contradicted.
    """
    if "load" not in series:
        return dict(series)
    if "import" in series or "export" in series:
        raise ValueError("load already implies import and export")
    load = series["load"].astype(np.int64)
    generation = series.get("generation", np.zeros_like(load)).astype(np.int64)
    absent = (load == MISSING) | (generation == MISSING)
    net = load - generation
    return {
        **series,
        "import": np.where(absent, MISSING, np.maximum(net, 0)),
        "export": np.where(absent, MISSING, np.maximum(-net, 0)),
    }


@lru_cache(maxsize=4096)
def slots_in(zone: str, period: Period, minutes: int) -> int:
    """The number of intervals in a period; ValueError where they cannot fill it."""
    if minutes not in RESOLUTIONS_MIN:
        raise ValueError(f"intervals of {minutes} minutes: must be one of {RESOLUTIONS_MIN}")
    if period.days > PERIOD_DAYS_MAX:
        raise ValueError(f"a period has at most {PERIOD_DAYS_MAX} days, not {period.days}")
    check_days(period.start_on, period.end_on)
    return period.slots(zone, minutes)
