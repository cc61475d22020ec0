"""Rates per kWh that netting and credits may have: one, tiers, or either for each band.

Refuses more than one of these and none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from gridtally.rating.bands import Bands, Window
from gridtally.rating.field_types import Length, Name, Rate, check_name, check_rate
from gridtally.rating.tiers import TIERS_MAX, Tier, check_energy_tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedBand:
    """A name on the bill, and a rate per kWh or tiers."""

    name: Name
    """What windows and bill lines call it."""
    rate: Rate | None = None
    """Money per kWh; null for tiers."""
    tiers: Annotated[tuple[Tier, ...], Length(most=TIERS_MAX)] = ()
    """Tiers in place of the one rate."""

    def __post_init__(self) -> None:
        check_name("band", self.name)
        if (self.rate is None) == (not self.tiers):
            raise ValueError(f"band {self.name!r} has either a rate or tiers")
        if self.rate is not None:
            check_rate(self.rate)
        else:
            check_energy_tiers(self.tiers)


def check_rates(
    rate: Decimal | None,
    tiers: Sequence[Tier],
    bands: Sequence[RatedBand],
    windows: tuple[Window, ...],
    default_band: str | None,
) -> None:
    """ValueError unless there is one well-formed rate, or tiers, or bands in force at times."""
    if tiers and (rate is not None or bands):
        raise ValueError("tiers are in place of a rate and of bands, which may have their own")
    if not tiers and (rate is not None) == bool(bands):
        raise ValueError("either a rate or bands are needed")
    if tiers:
        check_energy_tiers(tiers)
    elif rate is not None:
        check_rate(rate)
    if (banded := bands_of(bands, windows, default_band)) is not None:
        banded.check()
    elif windows or default_band is not None:
        raise ValueError("windows and a default band need bands")


def check_split(split: str | None, bands: Sequence[RatedBand]) -> None:
    """ValueError unless it is said of bands with tiers, and only of these, what fills them."""
    if any(band.tiers for band in bands) != (split is not None):
        raise ValueError("a split is for bands with tiers, which need it")


def bands_of(
    bands: Sequence[RatedBand], windows: tuple[Window, ...], default_band: str | None
) -> Bands | None:
    """When each band is in force; None where there are none."""
    if not bands:
        return None
    return Bands(tuple(band.name for band in bands), windows, default_band)


def tiers_by_band(
    rate: Decimal | None, tiers: tuple[Tier, ...], bands: Sequence[RatedBand]
) -> list[tuple[str | None, tuple[Tier, ...]]]:
    """The tiers of each band, or of everything (None); one rate is a single tier."""
    if bands:
        return [(band.name, _all_tiers(band.rate, band.tiers)) for band in bands]
    return [(None, _all_tiers(rate, tiers))]


def _all_tiers(rate: Decimal | None, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    return tiers if rate is None else (Tier(rate=rate),)
