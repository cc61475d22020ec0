"""Banks of kWh: which units pay for which, oldest first, and when they are gone.

Owns no prices. Energy is exact kWh; lots are never changed, only replaced by what is left.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Literal

from kernel.periods import Period
from rating.exact import NOTHING
from rating.state import Lot
from rating.surplus import CarryForward, months_after

CrossBand = Literal["none", "later", "any"]
"""Whether units of a band pay for those of no other, of bands after it, or of any."""


def draw(
    lacking: Sequence[Decimal],
    lots: Sequence[Lot],
    bands: Sequence[str | None],
    cross_band: CrossBand,
) -> tuple[list[Decimal], list[Lot]]:
    """What each of the `bands` gets of what it is `lacking`, and the lots that are left.

    Every band takes of its own lots before any takes of another's, in their order both times.
    """
    left = [lot.kwh for lot in lots]
    needs = list(lacking)
    places = {band: place for place, band in enumerate(bands)}
    for crossing in (False,) if cross_band == "none" else (False, True):
        for place, band in enumerate(bands):
            for number, lot in enumerate(lots):
                if not needs[place]:
                    break
                if not left[number] or crossing == (lot.band == band):
                    continue
                if crossing and cross_band == "later" and places.get(lot.band, place) >= place:
                    continue
                units = min(left[number], needs[place])
                left[number] -= units
                needs[place] -= units
    taken = [one - other for one, other in zip(lacking, needs, strict=True)]
    kept = [replace(lot, kwh=kwh) for lot, kwh in zip(lots, left, strict=True) if kwh]
    return taken, kept


def earned(
    surplus: Sequence[Decimal],
    bands: Sequence[str | None],
    days: Period,
    rule: CarryForward | None,
) -> list[Lot]:
    """What these days leave over in each band, as lots."""
    months = None if rule is None else rule.expires_after_months
    expires_on = None if months is None else months_after(days.end_on, months)
    return [
        Lot(band, kwh, days.end_on, expires_on)
        for band, kwh in zip(bands, surplus, strict=True)
        if kwh
    ]


def still_good(lots: Sequence[Lot], start_on: date) -> list[Lot]:
    """The lots that a bill from `start_on` may still use."""
    return [lot for lot in lots if lot.expires_on is None or lot.expires_on > start_on]


def gathered(lots: Sequence[Lot]) -> tuple[Lot, ...]:
    """The lots, with those of a band that never expire as one, as old as its newest.

    So a bank does not grow with its years.
    """
    lasting: dict[str | None, Lot] = {}
    for lot in lots:
        if lot.expires_on is None:
            before = lasting.get(lot.band)
            kwh = lot.kwh + (NOTHING if before is None else before.kwh)
            lasting[lot.band] = replace(lot, kwh=kwh)
    return (*(lot for lot in lots if lot.expires_on is not None), *lasting.values())
