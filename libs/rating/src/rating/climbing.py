"""Plans of climbs: what of a billed period each ladder of a tiered charge is climbed by."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

import numpy as np

from rating.bands import Bands, places_in
from rating.climb import Climb, InTiers, Ladder, LimitUnit, Split
from rating.ladder import Limits, Mode, labels
from rating.lines import Item
from rating.peaks import highest_of, windows_of
from rating.span import Span, chosen_slots
from rating.steps import Connected
from rating.usage import Flow


class TieredCharge(Protocol):
    """What the tiered kinds have in common."""

    @property
    def id(self) -> str: ...
    @property
    def split(self) -> Split: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def flow(self) -> Flow: ...
    @property
    def payee(self) -> str | None: ...
    @property
    def tax_class(self) -> str | None: ...


def plan_climbs(
    charge: TieredCharge, ladders: Sequence[Ladder], bands: Bands | None, span: Span
) -> InTiers:
    """The step for all of a version's days, with the ladders whose bands are on in them.

    `bands` say when each ladder is climbed; without them the one ladder always is.
    """
    limits = charge.limits
    of_all = chosen_slots(span.zone, span.period, span.minutes, limits.days(span))
    if bands is None:
        places = np.zeros(len(span.chosen), np.int16)
    else:
        looked_at = of_all if charge.mode == "volume" else span.chosen
        places = places_in(bands, charge.id, replace(span, chosen=looked_at))
    on = [place for place in range(len(ladders)) if (places[span.chosen] == place).any()]
    column = span.columns.place
    climbs = []
    for since_on, days in limits.climbs(span):
        chosen = chosen_slots(span.zone, span.period, span.minutes, days)
        slots = np.flatnonzero(chosen)
        of_band = places[chosen][:, None] == np.array(on)
        climbs.append(
            Climb(
                since_on=since_on,
                columns=tuple(column(charge.flow, chosen & (places == n)) for n in on),
                total=column(charge.flow, chosen),
                columns_of_all=tuple(column(charge.flow, of_all & (places == n)) for n in on),
                total_of_all=column(charge.flow, of_all),
                slots=slice(int(slots[0]), int(slots[-1]) + 1),
                of_band=of_band.astype(np.float64),
            )
        )
    lasting = limits.reset_months is not None
    kept = charge.mode == "graduated" and limits.on_version_change == "keep"
    chosen_ladders = tuple(ladders[place] for place in on)
    return InTiers(
        lines=_lines(charge, chosen_ladders, span),
        component_id=charge.id,
        flow=charge.flow,
        mode=charge.mode,
        split=charge.split,
        ladders=chosen_ladders,
        climbs=tuple(climbs),
        unit=_unit(charge, span),
        go_on=lasting or (kept and span.within.start_on > span.period.start_on),
        handed_on=lasting or (kept and span.within.end_on < span.period.end_on),
    )


def _unit(charge: TieredCharge, span: Span) -> LimitUnit:
    limits = charge.limits
    days, term = limits.days(span), limits.term(span)
    times = term.times(days)
    if limits.kw is None:
        return LimitUnit(times)
    if limits.kw == "connected":
        return LimitUnit(times, connected=Connected(charge.id, term, days))
    assert limits.peak_minutes is not None  # noqa: S101 - Limits holds it
    windows = windows_of(
        charge.id, charge.flow, span, limits.peak_minutes, from_coarser=limits.from_coarser
    )
    chosen = windows.within(chosen_slots(span.zone, span.period, span.minutes, days))
    return LimitUnit(times, windows=windows, highest=highest_of(windows, chosen))


def _lines(charge: TieredCharge, ladders: Sequence[Ladder], span: Span) -> tuple[Item, ...]:
    def item(band: str | None, rate: Decimal) -> Item:
        return span.item(
            charge.id,
            "energy",
            band=band,
            flow=charge.flow,
            unit="kWh",
            rate=rate,
            payee=charge.payee,
            tax_class=charge.tax_class,
        )

    return tuple(
        item(name, tier.rate)
        for ladder in ladders
        for name, tier in zip(labels(ladder.band, ladder.tiers), ladder.tiers, strict=True)
    )
