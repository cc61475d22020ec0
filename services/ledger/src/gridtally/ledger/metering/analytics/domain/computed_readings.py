"""What derived meters showed whenever one of their inputs was read."""

from datetime import datetime

from gridtally.kernel.errors import Rejected
from gridtally.ledger.metering.analytics.domain.consumption import (
    EnergySource,
    RegisterData,
    Value,
    Window,
)


def values_of_sum(
    data: RegisterData, source: EnergySource, window: Window
) -> list[tuple[datetime, Value]]:
    """The value at each moment in the window at which an input was read and all are known, in
    order."""
    moments = {
        moment
        for curve in data.curves.values()
        for moment in curve.moments
        if window[0] <= moment < window[1]
    }
    values = []
    for moment in sorted(moments):
        try:
            value = data.value(source, moment)
        except Rejected:
            continue  # not defined yet
        if value.kwh is not None:
            values.append((moment, value))
    return values
