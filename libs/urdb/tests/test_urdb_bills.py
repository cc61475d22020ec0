"""Real URDB records over a year of usage, against bills worked straight from the records' fields.

The naive biller reads a record as it stands, walks the clock interval by interval and adds up
fractions; it shares no code with the importer or the engine.
"""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gridtally.kernel.periods import Period, months_between
from gridtally.rating.document import tariff_version
from gridtally.rating.quote import rate_in_sequence
from gridtally.rating.usage import Usage, slots_in
from gridtally.urdb import import_record

RECORDS = sorted((Path(__file__).parent / "records").glob("*.json"))
ZONE = "America/Los_Angeles"
MONTHS = months_between(date(2025, 1, 1), date(2026, 1, 1))
MINUTES = (15, 60)
LAST_PLACE = Fraction(1, 10**18)


def read(path):
    document = json.loads(path.read_text(), parse_float=Decimal)
    (record,) = document.get("items", [document])
    return {name.lower(): value for name, value in record.items()}


@cache
def usages(minutes):
    """A year of a meter with a daily swing, peaks that move, and some idle days."""
    generator = np.random.default_rng(11)
    months = []
    for period in MONTHS:
        slots = slots_in(ZONE, period, minutes)
        swing = 1 + np.sin(np.arange(slots) * 2 * np.pi * minutes / 1440)
        noise = generator.integers(0, 90_000, slots)
        wh = (swing * 60_000).astype(np.int64) + noise
        wh[generator.integers(0, slots, 5)] += 150_000
        months.append(Usage(ZONE, period, minutes, {"import": wh * minutes // 60}))
    return months


# --- the naive biller -----------------------------------------------------------------------------


def naive_bills(record, usages):
    """The exact total of each month."""
    earlier = []
    totals = []
    for usage in usages:
        slots = local_slots(usage)
        total = naive_fixed(record) + naive_energy(record, slots, usage.minutes)
        total += naive_fuel(record, slots)
        total += naive_demand(record, slots, usage.minutes, earlier)
        totals.append(max(total, number(record.get("minmonthlycharge", 0))))
    totals[-1] += max(number(record.get("annualmincharge", 0)) - sum(totals), 0)
    return totals


def local_slots(usage):
    """The local time and kWh of every interval."""
    wh = tuple(usage.series["import"].tolist())
    return local_slots_of(ZoneInfo(usage.zone), usage.period, usage.minutes, wh)


@cache
def local_slots_of(zone, period, minutes, energy_wh):
    at = datetime.combine(period.start_on, datetime.min.time(), zone).astimezone(UTC)
    step = timedelta(minutes=minutes)
    return [
        ((at + slot * step).astimezone(zone), Fraction(wh, 1000))
        for slot, wh in enumerate(energy_wh)
    ]


def naive_fixed(record):
    if "fixedmonthlycharge" in record:
        return number(record["fixedmonthlycharge"])
    assert record.get("fixedchargeunits", "$/month") == "$/month"
    return number(record.get("fixedchargefirstmeter", 0))


def period_at(record, what, at):
    day = "weekend" if at.weekday() >= 5 else "weekday"
    return int(record[f"{what}{day}schedule"][at.month - 1][at.hour])


def naive_energy(record, slots, minutes):
    """Each period's energy; its tiers take the month's total, and the period its part of each."""
    by_period = defaultdict(Fraction)
    for at, kwh in slots:
        by_period[period_at(record, "energy", at)] += kwh
    total = sum(by_period.values())
    amount = Fraction(0)
    for period, kwh in by_period.items():
        tiers = record["energyratestructure"][period]
        times = highest(slots, minutes) if tiers[0].get("unit") == "kWh/kW" else 1
        for within, tier in split(total, tiers, times):
            amount += within * kwh / total * price(tier)
    return amount


def naive_demand(record, slots, minutes, earlier):
    amount = Fraction(0)
    if costs(record.get("flatdemandstructure")):
        month = slots[0][0].month - 1
        period = int(record["flatdemandmonths"][month])
        kw = highest(slots, minutes)
        billed = max(kw, naive_ratchet(record, month, earlier))
        earlier.append((month, kw))
        for within, tier in split(billed, record["flatdemandstructure"][period], 1):
            amount += within * price(tier)
    if costs(record.get("demandratestructure")):
        by_period = defaultdict(list)
        for at, kwh in slots:
            by_period[period_at(record, "demand", at)].append((at, kwh))
        for period, own in by_period.items():
            for within, tier in split(
                highest(own, minutes), record["demandratestructure"][period], 1
            ):
                amount += within * price(tier)
    return amount


def naive_ratchet(record, month, earlier):
    """A share of the highest of the earlier months; of some of them, where the record says so."""
    share = number(record.get("demandratchetpercentage", [0] * 12)[month])
    counted = [1] * 12
    if record.get("lookbackpercent"):
        share = number(record["lookbackpercent"])
        counted = record["lookbackmonths"] if any(record["lookbackmonths"]) else [1] * 12
    back = int(record.get("lookbackrange", 0)) or 11
    return max((share * kw for at, kw in earlier[-back:] if counted[at]), default=0)


def naive_fuel(record, slots):
    by_month = record.get("fueladjustmentsmonthly", [0] * 12)
    return sum(kwh for _, kwh in slots) * number(by_month[slots[0][0].month - 1])


def highest(slots, minutes):
    return max(kwh for _, kwh in slots) * 60 / minutes


def split(quantity, tiers, times):
    """What of a quantity lies in each tier; the last has no end."""
    floor = Fraction(0)
    for tier in tiers[:-1]:
        top = number(tier["max"]) * times
        yield max(min(quantity, top) - floor, Fraction(0)), tier
        floor = top
    yield max(quantity - floor, Fraction(0)), tiers[-1]


def costs(structure):
    return any(price(tier) for tiers in structure or () for tier in tiers)


def price(tier):
    return number(tier.get("rate", 0)) + number(tier.get("adj", 0))


def number(value):
    """To eight decimals, as finely as a tariff can say."""
    return Fraction(Decimal(str(value)).quantize(Decimal("1E-8")))


# --- what it is compared with ---------------------------------------------------------------------


@pytest.mark.parametrize("minutes", MINUTES)
@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_a_year_of_bills_equals_the_record_read_by_hand(path, minutes):
    document = json.loads(path.read_text(), parse_float=Decimal)
    imported = import_record(document, zone=ZONE, incomplete="accepted")
    version = tariff_version(UUID(int=1), imported.document)
    year = usages(minutes)
    expected = naive_bills(read(path), year)
    for bill, total in zip(rate_in_sequence(version, year), expected, strict=True):
        assert abs(Fraction(sum(bill.totals_exact().values())) - total) < LAST_PLACE


SUMMER = [0] * 5 + [1] * 4 + [0] * 3
VARIED = [
    {"demandratchetpercentage": [Decimal("0.9")] * 5 + [0] * 4 + [Decimal("0.75")] * 3},
    {"demandratchetpercentage": None, "lookbackpercent": Decimal("0.8"), "lookbackmonths": SUMMER},
    {
        "demandratchetpercentage": None,
        "lookbackpercent": Decimal("0.95"),
        "lookbackmonths": [0] * 12,
        "lookbackrange": 2,
    },
    {"fueladjustmentsmonthly": [Decimal("0.004")] * 12},
    {"annualmincharge": 2_000_000},
    {"fueladjustmentsmonthly": [Decimal(n - 4).scaleb(-3) for n in range(12)]},
]


@pytest.mark.parametrize("fields", VARIED)
def test_what_differs_from_month_to_month_equals_the_record_read_by_hand(fields):
    """A summer of twice the power, by Wallingford's rate with other ratchets, fuel or minimum."""
    document = read(RECORDS[-1])
    assert "demandratchetpercentage" in document
    year = [
        Usage(ZONE, usage.period, 60, {"import": usage.series["import"] * (1 + SUMMER[index])})
        for index, usage in enumerate(usages(60))
    ]
    record = {name: value for name, value in (document | fields).items() if value is not None}
    imported = import_record(record, zone=ZONE, incomplete="accepted")
    version = tariff_version(UUID(int=1), imported.document)
    expected = naive_bills(record, year)
    assert expected != naive_bills(document, year)
    for bill, total in zip(rate_in_sequence(version, year), expected, strict=True):
        assert abs(Fraction(sum(bill.totals_exact().values())) - total) < LAST_PLACE


TWO_PERIODS = {
    "energyratestructure": [
        [
            {"rate": Decimal("0.10"), "sell": Decimal("0.03"), "max": 400, "unit": "kWh"},
            {"rate": Decimal("0.16"), "sell": Decimal("0.02"), "unit": "kWh"},
        ],
        [
            {"rate": Decimal("0.30"), "sell": Decimal("0.09"), "max": 400, "unit": "kWh"},
            {"rate": Decimal("0.42"), "sell": Decimal("0.07"), "unit": "kWh"},
        ],
    ],
    "energyweekdayschedule": [[0] * 16 + [1] * 5 + [0] * 3] * 12,
    "energyweekendschedule": [[0] * 24] * 12,
}


def in_order_of_time(slots, what):
    """Each interval at its period's price of the tier that the month's running total is in."""
    amount = total = Fraction(0)
    for at, kwh in slots:
        tiers = TWO_PERIODS["energyratestructure"][period_at(TWO_PERIODS, "energy", at)]
        top = number(tiers[0]["max"])
        below = max(min(total + kwh, top) - total, Fraction(0))
        amount += below * number(tiers[0][what]) + (kwh - below) * number(tiers[1][what])
        total += kwh
    return amount


@pytest.mark.parametrize(
    ("rules", "imported", "exported"),
    [
        ("Net Billing Instantaneous", "import", "export"),
        ("Net Billing Hourly", "import", "export"),
        ("Buy All Sell All", "load", "generation"),
    ],
)
def test_what_is_netted_per_interval_fills_its_tiers_in_order_of_time(rules, imported, exported):
    record = TWO_PERIODS | {"dgrules": rules}
    document = import_record(record, zone=ZONE, export="as_declared").document
    version = tariff_version(UUID(int=1), document)
    generator = np.random.default_rng(3)
    for month in (MONTHS[0], MONTHS[2], MONTHS[10]):
        slots = slots_in(ZONE, month, 60)
        series = {flow: generator.integers(0, 2_000, slots) for flow in (imported, exported)}
        usage = Usage(ZONE, month, 60, series)
        totals = {
            flow: in_order_of_time(
                local_slots(Usage(ZONE, month, 60, {"import": series[flow]})), what
            )
            for flow, what in ((imported, "rate"), (exported, "sell"))
        }
        (bill,) = rate_in_sequence(version, [usage])
        exact = Fraction(sum(bill.totals_exact().values()))
        assert abs(exact - (totals[imported] - totals[exported])) < LAST_PLACE


SPRING = Period(date(2025, 5, 15), date(2025, 6, 15))


def test_a_bill_in_which_the_periods_change_has_each_by_its_days():
    """NatLabRockies/OpenStudio-HPXML#1036, NatLabRockies/REopt.jl#538: 15 May to 15 June, 1 kW.

    10 kWh a day until May, 8 from June: 170 × 0.10 + 238 × 0.30 + 112 × 0.10 + 224 × 0.30 is
    166.80; 5 and 8 per kW are 5 × 17/31 = 2.74 and 8 × 14/30 = 3.73.
    """
    summer = [0] * 5 + [1] * 4 + [0] * 3
    record = {
        "energyratestructure": [
            [
                {"max": limit, "rate": Decimal("0.1"), "unit": "kWh daily"},
                {"rate": Decimal("0.3"), "unit": "kWh daily"},
            ]
            for limit in (10, 8)
        ],
        "energyweekdayschedule": [[period] * 24 for period in summer],
        "energyweekendschedule": [[period] * 24 for period in summer],
        "flatdemandstructure": [[{"rate": 5}], [{"rate": 8}]],
        "flatdemandmonths": summer,
    }
    version = tariff_version(UUID(int=1), import_record(record, zone=ZONE).document)
    hours = np.full(slots_in(ZONE, SPRING, 60), 1000)
    (bill,) = rate_in_sequence(version, [Usage(ZONE, SPRING, 60, {"import": hours})])
    assert str(bill.net) == "173.27"


@pytest.mark.parametrize("minutes", MINUTES)
def test_tiers_in_kwh_within_blocks_per_kw_equal_the_record_read_by_hand(minutes):
    """3 000 kWh, 50 000 and all others of the first 200 hours' use, then others, as in Georgia.

    A month's total is divided at 3 000 kWh, 50 000 and 200 and 400 times the peak, whichever come
    first; the rate is that of the block, and in the first that of the step in kWh.
    """
    rates = [Decimal("0.15"), Decimal("0.13"), Decimal("0.11"), Decimal("0.02"), Decimal("0.01")]
    maxima = [(3_000, "kWh"), (50_000, "kWh"), (1e38, "kWh"), (400, "kWh/kW"), (1e38, "kWh/kW")]
    steps = [
        {"rate": rate, "max": most, "unit": unit}
        for rate, (most, unit) in zip(rates, maxima, strict=True)
    ]
    record = {"energyratestructure": [[{"rate": 0, "max": 200, "unit": "kWh/kW"}, *steps]]}
    version = tariff_version(UUID(int=1), import_record(record, zone=ZONE).document)
    year = usages(minutes)
    for usage, bill in zip(year, rate_in_sequence(version, year), strict=True):
        slots = local_slots(usage)
        total, kw = sum(kwh for _, kwh in slots), highest(slots, minutes)
        amount, floor = Fraction(0), Fraction(0)
        first, second = 200 * kw, 400 * kw
        for end, price_of in [
            (min(Fraction(3_000), first), rates[0]),
            (min(Fraction(50_000), first), rates[1]),
            (first, rates[2]),
            (second, rates[3]),
            (total, rates[4]),
        ]:
            amount += max(min(total, end) - floor, Fraction(0)) * Fraction(price_of)
            floor = max(floor, min(total, end))
        assert abs(Fraction(sum(bill.totals_exact().values())) - amount) < LAST_PLACE
