"""Rates per kWh: one for all of it, or one per band of local time. Refuses both and neither."""

from decimal import Decimal

from rating.bands import Bands, Window
from rating.components.time_of_use import Band
from rating.limits import check_rate


def check_rates(
    rate: Decimal | None,
    bands: tuple[Band, ...],
    windows: tuple[Window, ...],
    default_band: str | None,
) -> None:
    """ValueError unless there is one well-formed rate, or bands that are on at times."""
    if (rate is not None) == bool(bands):
        raise ValueError("either a rate or bands are needed")
    if rate is not None:
        check_rate(rate)
        if windows or default_band is not None:
            raise ValueError("windows and a default band need bands")
    if (banded := bands_of(bands, windows, default_band)) is not None:
        banded.check()


def bands_of(
    bands: tuple[Band, ...], windows: tuple[Window, ...], default_band: str | None
) -> Bands | None:
    """When each band is on; None where there are none."""
    if not bands:
        return None
    return Bands(tuple(band.name for band in bands), windows, default_band)


def named_rates(rate: Decimal | None, bands: tuple[Band, ...]) -> list[tuple[str | None, Decimal]]:
    """The rate of each band by its place; the only rate without a name."""
    if rate is not None:
        return [(None, rate)]
    return [(band.name, band.rate) for band in bands]
