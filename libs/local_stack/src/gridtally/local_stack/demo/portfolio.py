"""The portfolio: 500 homes in two time zones on three tariffs, the same at every run.

Owns who lives where on which plan. The tariffs' texts are the JSON files beside this module.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

import numpy as np

from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import Period, midnight_utc
from gridtally.local_stack.demo.profiles import Energy, GeoLocation, Profiles, metered, profiles_of

PERIOD = Period(date(2025, 10, 1), date(2025, 11, 1))
"""On its 26th the clocks of Berlin go back; those of Johannesburg never change."""
BERLIN = GeoLocation("Europe/Berlin", 52.52, 13.40)
JOHANNESBURG = GeoLocation("Africa/Johannesburg", -26.20, 28.05)
INTERVAL_WH_MAX = 10_000
"""40 kW for a quarter of an hour: more than a home's fuse lets through."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff that homes of one place are on; its document is `<code>.json`."""

    code: str
    name: str
    location: GeoLocation

    @property
    def document(self) -> dict[str, Any]:
        """The tariff's JSON form."""
        text = (
            files("gridtally.local_stack.demo").joinpath("tariffs", f"{self.code}.json").read_text()
        )
        document: dict[str, Any] = json.loads(text)
        return document


PLANS = (
    Plan("city-flat", "Stadtstrom flat", BERLIN),
    Plan("city-time-of-use", "Stadtstrom day and night", BERLIN),
    Plan("homeflex", "Homeflex time of use", JOHANNESBURG),
)


@dataclass(frozen=True, slots=True)
class Home:
    """A home with its plan, yearly use and panels; `meter_id` is known once it is registered."""

    number: int
    plan: Plan
    annual_kwh: float
    panels_kwp: float
    connected_kw: int
    run: str

    @property
    def property_id(self) -> UUID:
        """Chosen by us, so that a repeated registration finds what is there."""
        return derive_id("demo property", self.run, self.number)

    @property
    def customer_id(self) -> UUID:
        """Likewise."""
        return derive_id("demo customer", self.run, self.number)

    @property
    def agreement_id(self) -> UUID:
        """Likewise."""
        return derive_id("demo agreement", self.run, self.number)

    @property
    def flows(self) -> tuple[str, ...]:
        """What its meter measures."""
        return ("import", "export") if self.panels_kwp else ("import",)


def homes(count: int, *, run: str) -> list[Home]:
    """The first `count` homes; a third have panels."""
    random = np.random.default_rng(7)
    return [
        Home(
            number=number,
            plan=PLANS[number % len(PLANS)],
            annual_kwh=float(np.clip(random.lognormal(8.15, 0.35), 1_200, 12_000)),
            panels_kwp=float(random.choice([0, 0, 5, 8])) if random.random() < 0.66 else 0.0,
            connected_kw=int(random.choice([7, 11, 15, 22])),
            run=run,
        )
        for number in range(count)
    ]


@cache
def _profiles(location: GeoLocation) -> Profiles:
    return profiles_of(location, PERIOD)


def month_of_readings(home: Home) -> dict[str, list[Energy]]:
    """Per flow and local day of the period, the home's interval energy in Wh."""
    imported, exported = metered(
        _profiles(home.plan.location),
        annual_kwh=home.annual_kwh,
        panels_kwp=home.panels_kwp,
        seed=home.number,
    )
    zone = home.plan.location.zone
    begin = midnight_utc(zone, PERIOD.start_on)
    cuts = [
        int((midnight_utc(zone, day) - begin).total_seconds()) // 900 for day in PERIOD.dates()[1:]
    ]
    flows = {"import": imported, "export": exported}
    return {flow: np.split(flows[flow], cuts) for flow in home.flows}
