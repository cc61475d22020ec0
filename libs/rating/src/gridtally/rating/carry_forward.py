"""Carry-forward: banks of kWh, which units pay for which, oldest first, and when they are gone.

Owns no prices. Energy is exact kWh; lots are never changed, only replaced by what is left.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal

from gridtally.kernel.periods import Period
from gridtally.rating.engine.exact import ZERO
from gridtally.rating.proration import months_in
from gridtally.rating.state import Lot
from gridtally.rating.surplus import CarryForward, months_after

CrossBand = Literal["none", "later", "any"]
"""Whether units of a band pay for those of no other, of bands after it, or of any."""
_WH_DECIMALS = 3


def draw_lots(
    needed: Sequence[Decimal],
    lots: Sequence[Lot],
    bands: Sequence[str | None],
    cross_band: CrossBand,
) -> tuple[list[Decimal], list[Lot]]:
    """What each of the `bands` gets of the kWh `needed` in it, and the lots that are left.

    Two rounds over the bands, the first with each band's own lots only: no band may take units
    that their own band still needs. Lots come oldest first and are used in that order. It takes
    bands × lots steps for one meter, some dozens, so that arrays would gain nothing.
    """
    left = [lot.kwh for lot in lots]
    needs = list(needed)
    index_of = {band: band_index for band_index, band in enumerate(bands)}
    for crossing in (False,) if cross_band == "none" else (False, True):
        for band_index, band in enumerate(bands):
            for lot_index, lot in enumerate(lots):
                if not needs[band_index]:
                    break
                if not left[lot_index] or crossing == (lot.band == band):
                    continue
                of_lot = index_of.get(lot.band, band_index)
                if crossing and cross_band == "later" and of_lot >= band_index:
                    continue
                units = min(left[lot_index], needs[band_index])
                left[lot_index] -= units
                needs[band_index] -= units
    drawn = [before - after for before, after in zip(needed, needs, strict=True)]
    return drawn, [replace(lot, kwh=kwh) for lot, kwh in zip(lots, left, strict=True) if kwh]


def earned_lots(
    surplus: Sequence[Decimal],
    bands: Sequence[str | None],
    days: Period,
    rule: CarryForward | None,
) -> list[Lot]:
    """The kWh that these days leave over in each band, as lots."""
    months = None if rule is None else rule.expires_after_months
    expires_on = None if months is None else months_after(days.end_on, months)
    return [
        Lot(band, kwh, days.end_on, expires_on)
        for band, kwh in zip(bands, surplus, strict=True)
        if kwh
    ]


def usable_lots(lots: Sequence[Lot], start_on: date) -> list[Lot]:
    """The lots that a bill from `start_on` may still use."""
    return [lot for lot in lots if lot.expires_on is None or lot.expires_on > start_on]


def capped_to_add(lots: Sequence[Lot], days: Period, rule: CarryForward) -> list[Lot]:
    """The lots, without what these days leave over above the rule's limit for their months.

    Lots are exact decimals, which a part of a month need not be: its limit is cut to the Wh.
    """
    if rule.max_kwh_per_month is None:
        return list(lots)
    limit = rule.max_kwh_per_month
    if (months := months_in(days, days, "actual_days")) != 1:
        limit_wh = floor(Fraction(limit) * months * 10**_WH_DECIMALS)
        limit = Decimal(limit_wh).scaleb(-_WH_DECIMALS)
    older = [lot for lot in lots if lot.earned_on != days.end_on]
    own = [lot for lot in lots if lot.earned_on == days.end_on]
    return older + _capped(own, limit)


def capped_to_keep(lots: Sequence[Lot], rule: CarryForward) -> list[Lot]:
    """The lots, without what lies above the most that the bank holds: what was earned last."""
    return list(lots) if rule.max_kwh is None else _capped(lots, rule.max_kwh)


def total_kwh(lots: Sequence[Lot]) -> Decimal:
    """The energy of all lots."""
    return sum((lot.kwh for lot in lots), ZERO)


def _capped(lots: Sequence[Lot], limit: Decimal) -> list[Lot]:
    """The first of the lots, as far as they are no more than the limit together."""
    kept, room = [], limit
    for lot in lots:
        kwh = min(lot.kwh, room)
        room -= kwh
        if kwh:
            kept.append(replace(lot, kwh=kwh))
    return kept


def merged_lots(lots: Sequence[Lot]) -> tuple[Lot, ...]:
    """The lots, with those of a band that never expire as one, as old as its newest.

    A bank that never expires would else grow by a lot per bill and band for ever, and with it the
    state that every bill stores. Lots that expire must stay apart, and are at most so many months.
    """
    lasting: dict[str | None, Lot] = {}
    for lot in lots:
        if lot.expires_on is None:
            before = lasting.get(lot.band)
            kwh = lot.kwh + (ZERO if before is None else before.kwh)
            lasting[lot.band] = replace(lot, kwh=kwh)
    return (*(lot for lot in lots if lot.expires_on is not None), *lasting.values())
