"""What meters use and what supplies of it cost, hour by hour, from the tariffs' documents.

It shares no code with the engine: it reads the same JSON and walks the clock. Every meter of the
model uses the same in all hours of a local month, so that each part of a month is known whatever
was read when, unless it has values of its own for each hour.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from gridtally.kernel.periods import Period
from naive.clock import naive_band, naive_clock

ZONE = "Europe/Berlin"
CENT = Decimal("0.01")
PLENTY = Context(prec=60)
HOUR = timedelta(hours=1)


def midnight(day):
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), ZoneInfo(ZONE)).astimezone(UTC)


def months(start_on, end_on):
    """The local months of some days, the first and the last cut at them."""
    periods = []
    while start_on < end_on:
        next_on = (start_on.replace(day=1) + timedelta(days=32)).replace(day=1)
        periods.append(Period(start_on, min(next_on, end_on)))
        start_on = next_on
    return periods


@dataclass(frozen=True)
class Load:
    """What a meter uses in an hour of each month of a year, in Wh."""

    wh: tuple[int, ...]
    misread: tuple[tuple[int, int], ...] = ()
    """By month the Wh that a wrong reading adds to a month that is billed whole, in one band."""

    def energy(self, period, charge):
        """Wh by band of a charge, in days of one month."""
        month = period.start_on.month
        hours = _hours(period, json.dumps(charge))
        energy = {band: count * self.wh[month - 1] for band, count in hours.items()}
        if wrong_wh := dict(self.misread).get(month):
            (band,) = energy
            energy[band] += wrong_wh
        return energy

    def register(self, start, until):
        """What a register that showed `start` kWh when the year began shows at an instant."""
        total_wh = sum(
            hours_between(midnight(month.start_on), min(midnight(month.end_on), until)) * wh
            for month, wh in zip(months(date(2025, 1, 1), date(2026, 1, 1)), self.wh, strict=True)
            if midnight(month.start_on) < until
        )
        return start + Decimal(total_wh) / 1000


@dataclass(frozen=True)
class Series:
    """What a meter uses in every hour of a year, in Wh."""

    wh: tuple[int, ...]

    def energy(self, period, charge):
        """Wh by band of a charge."""
        first = hours_between(midnight(date(2025, 1, 1)), midnight(period.start_on))
        energy = defaultdict(int)
        for index, (_, local) in enumerate(naive_clock(ZONE, ZONE, period, 60), first):
            energy[naive_band(charge, local)] += self.wh[index]
        return energy


@dataclass(frozen=True)
class Supply:
    """That a customer's load is billed by the versions of a plan, from a day until another."""

    customer: int
    load: Load | Series
    plan: str
    start_on: date
    end_on: date = date(2026, 1, 1)

    def until(self, end_on):
        return replace(self, end_on=min(self.end_on, end_on))

    def bills(self, plans):
        """The lines of each month's bill: (component, band) and amount."""
        return {
            period: [
                line for part in parts(period, plans[self.plan]) for line in lines(self.load, *part)
            ]
            for period in months(self.start_on, self.end_on)
        }


def hours_between(start, end):
    return int((end - start) / HOUR)


def parts(period, versions):
    """The days of a period that each version of a plan is in force on, with its document."""
    ends = [since for since, _ in versions[1:]] + [date.max]
    for (since, document), until_on in zip(versions, ends, strict=True):
        start_on, end_on = max(since, period.start_on), min(until_on, period.end_on)
        if start_on < end_on:
            yield Period(start_on, end_on), document


def lines(load, part, document):
    """The lines of some days, each rounded; a tax is on what its charges come to exactly."""
    exact = {}
    for charge in document["components"]:
        match charge["kind"]:
            case "fixed":
                days = (part.end_on - part.start_on).days
                exact[charge["id"], None] = days * Decimal(charge["rate"])
            case "energy" | "adjustment" | "time_of_use":
                rates = {band["name"]: band["rate"] for band in charge.get("bands", [])}
                for band, wh in load.energy(part, charge).items():
                    rate = Decimal(rates.get(band) or charge["rate"])
                    exact[charge["id"], band] = Decimal(wh) / 1000 * rate
            case "tax":
                base = sum(
                    amount for (id_, _), amount in exact.items() if id_ in charge["component_ids"]
                )
                exact[charge["id"], None] = base * Decimal(charge["rate"])
    return [(key, round_cents(amount)) for key, amount in exact.items()]


def round_cents(amount):
    return amount.quantize(CENT, ROUND_HALF_EVEN, PLENTY)


@lru_cache(maxsize=512)
def _hours(period, charge):
    """How many hours of some days lie in each band of a charge, which is JSON."""
    charge = json.loads(charge)
    return Counter(naive_band(charge, local) for _, local in naive_clock(ZONE, ZONE, period, 60))
