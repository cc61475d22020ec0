"""Usage by band: which band each interval of a bill lies in, to be shown to people.

Owns which component's bands a reader means by the time of use: those of the first charge for
imported energy that has any. Charges nothing.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gridtally.kernel.periods import Period
from gridtally.rating.bands import UNCOVERED, band_indexes
from gridtally.rating.plan.span import Columns, Span, chosen_slots, local_minutes
from gridtally.rating.tariff import Component, Part

_SHOWN = ("time_of_use", "tiered_time_of_use", "net_billing", "net_metering")
"""Kinds whose bands are of imported energy, unless they are for another flow."""


def bands_of_intervals(
    parts: Sequence[Part], zone: str, period: Period, minutes: int
) -> tuple[list[str], NDArray[np.int16]]:
    """The names of the bands, in the order in which tariffs name them, and for each of the period's
    intervals the index of its band; `UNCOVERED` where the tariff has none.

    Rejected where a band changes within an interval.
    """
    names: list[str] = []
    band_of = np.full(period.slots(zone, minutes), UNCOVERED, np.int16)
    for part in parts:
        component = next(filter(_is_shown, part.version.components), None)
        bands = None if component is None else component.banded
        if component is None or bands is None:
            continue
        names += [name for name in bands.names if name not in names]
        chosen = chosen_slots(zone, period, minutes, part.period)
        span = Span(
            version_id=part.version.id,
            currency=part.version.currency,
            calendar=part.version.calendar,
            part=part.period,
            within=part.period,
            period=period,
            zone=zone,
            minutes=minutes,
            chosen=chosen,
            local_minutes=local_minutes(zone, period, minutes, part.version.zone),
            columns=Columns(),
        )
        index_of = np.array([*(names.index(name) for name in bands.names), UNCOVERED], np.int16)
        band_of[chosen] = index_of[band_indexes(bands, component.id, span)][chosen]
    return names, band_of


def _is_shown(component: Component) -> bool:
    return (
        component.kind in _SHOWN
        and component.banded is not None
        and getattr(component, "flow", "import") == "import"
    )
