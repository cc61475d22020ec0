"""Generated profiles of a run's houses: domain ↔ the models of `gridtally.simulation.profiles`,
and the files that they become."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from io import RawIOBase
from typing import Any

from gridtally.kernel.periods import Period, month_of, zone_named
from gridtally.simulation.domain.houses import House
from gridtally.simulation.profiles.house import HouseShape, Profile, profile_of
from gridtally.simulation.profiles.local_clock import local_clock

HEADINGS = "time,load_kwh,solar_kwh,net_kwh,import_kwh,export_kwh\n"
MONTHS_PER_YEAR = 12
COMMON_WH = 10_000
"""Values up to here have their text ready."""


def month_profile(house: House, month: Period, *, seed: int) -> Profile:
    """What is generated for a house in a month."""
    said = house.profile
    if said is None:
        raise ValueError("a house of generated readings has a profile")
    shape = HouseShape(
        latitude=float(said.latitude or 0),
        longitude=float(said.longitude or 0),
        tilt_degrees=float(said.tilt_degrees or 0),
        azimuth_degrees=float(said.azimuth_degrees or 0),
        kwp=float(said.kwp or 0),
        annual_kwh=float(said.annual_kwh or 0),
    )
    return profile_of(house.zone, month, shape, house=house.house_node_id, seed=seed)


def year_csv(house: House, year: int, *, seed: int) -> str:
    """A house's year, a line for each quarter of an hour: the local time with its offset, and kWh.

    What is made serves the load first: import is what is left of the load, export of the sun.
    """
    parts = [HEADINGS]
    for number in range(1, MONTHS_PER_YEAR + 1):
        month = month_of(date(year, number, 1))
        profile = month_profile(house, month, seed=seed)
        columns = [
            _texts(values.tolist())
            for values in (
                profile.load,
                profile.solar,
                profile.net,
                profile.imported,
                profile.exported,
            )
        ]
        rows = zip(_times(house.zone, month), *columns, strict=True)
        parts += [",".join(row) + "\n" for row in rows]
    return "".join(parts)


@lru_cache(maxsize=64)
def _times(zone: str, month: Period) -> tuple[str, ...]:
    info = zone_named(zone)
    starts = local_clock(zone, month).starts_s.tolist()
    return tuple(datetime.fromtimestamp(start, info).isoformat() for start in starts)


@lru_cache(maxsize=1)
def _common_texts() -> list[str]:
    return [_kwh(wh) for wh in range(COMMON_WH)]


def _texts(values: Sequence[int]) -> list[str]:
    """Whole Wh as kWh; most quarters of an hour have little, whose texts are ready."""
    ready = _common_texts()
    return [ready[wh] if 0 <= wh < COMMON_WH else _kwh(wh) for wh in values]


def _kwh(wh: int) -> str:
    whole, rest = divmod(abs(wh), 1000)
    return f"{'-' if wh < 0 else ''}{whole}.{rest:03}"


class _Sink(RawIOBase):
    """What was written since it was last taken; a ZIP is written front to back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class ProfilesZip:
    """A ZIP of profiles, in pieces: of all houses only one is in memory."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def add(self, house: House, year: int, *, seed: int) -> bytes:
        """The piece with a house's file, named by its id."""
        name = f"{house.house_node_id}/profile.csv"
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(entry, year_csv(house, year, seed=seed))
        return self._sink.take()

    def end(self) -> bytes:
        """The last piece, which lists all files."""
        self._zip.close()
        return self._sink.take()
