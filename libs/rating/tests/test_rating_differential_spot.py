"""Spot prices against a naive reading of the same document: interval by interval, in fractions."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.prices import series_of
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in

CLOCK_CHANGES = {
    "Europe/Berlin": (date(2025, 3, 30), date(2025, 10, 26)),
    "America/New_York": (date(2025, 3, 9), date(2025, 11, 2)),
    "Australia/Lord_Howe": (date(2025, 4, 6), date(2025, 10, 5)),
    "Asia/Kathmandu": (date(2025, 3, 9),),
    "UTC": (date(2025, 3, 9),),
}
"""Days on which each zone's clock is put; any day where it is not."""
LAST_PLACE = Fraction(1, 10**20)
FIVE = timedelta(minutes=5)
SPARE = timedelta(hours=2)
"""Windows on the local clock may begin before the period and end after it."""

rates = st.integers(-50_000, 50_000).map(lambda n: str(Decimal(n).scaleb(-4)))
published = st.one_of(rates, st.integers(-(10**9), 10**9).map(lambda n: str(Decimal(n).scaleb(-8))))


def naive_amounts(document, usage, prices, days):
    """The exact amounts at the prices and of the mark-up on some days."""
    (spot,) = document["components"]
    energy = defaultdict(int)
    at, _ = usage.period.bounds_utc(usage.zone)
    for wh in usage.series[spot["flow"]].tolist():
        if at.astimezone(ZoneInfo(usage.zone)).date() in days:
            energy[naive_begin(spot, at, ZoneInfo(document["zone"]), prices)] += wh
        at += timedelta(minutes=usage.minutes)
    at_prices, scale = Fraction(0), 10**usage.kwh_decimals
    for begin, wh in energy.items():
        zone = ZoneInfo(document["zone"])
        price = naive_price(spot, begin, zone, prices) * Fraction(spot["multiplier"])
        at_prices += Fraction(wh, scale) * (-price if spot["direction"] == "credit" else price)
    return at_prices, Fraction(sum(energy.values()), scale) * Fraction(spot["markup"])


def naive_begin(spot, at, zone, prices):
    """When the prices begin that an interval is settled at."""
    if spot["settlement"] != "interval":
        while naive_window(spot, at - FIVE, zone) == naive_window(spot, at, zone):
            at -= FIVE
        return at
    return naive_cover(at, prices)


def naive_window(spot, at, zone):
    """The clock's hour (or part of one) that an instant lies in, and how the clock is put then."""
    local = at.astimezone(zone)
    begin = local.replace(minute=local.minute - local.minute % spot["settle_minutes"])
    return begin.replace(tzinfo=None), local.utcoffset()


def naive_cover(at, prices):
    """When the price begins that covers an instant."""
    while at not in prices:
        at -= timedelta(minutes=1)
    return at


def naive_price(spot, begin, zone, prices):
    if spot["settlement"] == "interval":
        return bounded(spot, Fraction(prices[begin]))
    settled, at = [], begin  # every five minutes of the window at the price that covers them
    while naive_window(spot, at, zone) == naive_window(spot, begin, zone):
        settled.append(Fraction(prices[naive_cover(at, prices)]))
        at += FIVE
    if spot["settlement"] == "mean_price":
        return bounded(spot, sum(settled) / len(settled))
    return sum(bounded(spot, price) for price in settled) / len(settled)


def bounded(spot, price):
    if spot["floor"] is not None:
        price = max(price, Fraction(spot["floor"]))
    return price if spot["cap"] is None else min(price, Fraction(spot["cap"]))


@st.composite
def cases(draw):
    settlement = draw(st.sampled_from(("interval", "mean_price", "mean_energy")))
    window = None if settlement == "interval" else draw(st.sampled_from((15, 30, 60)))
    price_minutes = draw(st.sampled_from((5, 10, 15, 30, 60) if window else (15, 30, 60)))
    longest = window or price_minutes
    metered = draw(st.sampled_from([m for m in (5, 10, 15, 30, 60) if longest % m == 0]))
    low, high = sorted((draw(rates), draw(rates)), key=Decimal)
    spot = {
        "kind": "spot",
        "id": "spot",
        "series": "market",
        "flow": draw(st.sampled_from(("import", "export"))),
        "direction": draw(st.sampled_from(("charge", "credit"))),
        "settlement": settlement,
        "settle_minutes": window,
        "floor": draw(st.sampled_from((None, low))),
        "cap": draw(st.sampled_from((None, high))),
        "multiplier": draw(st.sampled_from(("1", "1.065", "0.9"))),
        "markup": draw(rates),
    }
    zone = draw(st.sampled_from(list(CLOCK_CHANGES)))
    # quarters keep 45-minute offsets and half-hour changes out of the middle of an interval
    odd = {"Australia/Lord_Howe"} if window else {"Asia/Kathmandu", "Australia/Lord_Howe"}
    if zone in odd and (metered if window else longest) > 30:
        zone = "Europe/Berlin"
    day = draw(st.sampled_from(CLOCK_CHANGES[zone])) - timedelta(days=draw(st.integers(0, 1)))
    period = Period(day, day + timedelta(days=2))
    wh = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=7))
    slots = slots_in(zone, period, metered)
    energy = np.resize(np.array(wh, np.int64), slots)
    usage = Usage(
        zone, period, metered, {spot["flow"]: energy}, kwh_decimals=draw(st.sampled_from((3, 4)))
    )
    published_prices = draw(st.lists(published, min_size=1, max_size=9))
    start_at, end_at = period.bounds_utc(zone)
    # prices need not begin where windows do, nor where hours of UTC do
    first_at = start_at - SPARE + timedelta(minutes=draw(st.integers(0, 11)) * 5 if window else 0)
    count = (end_at - start_at + 2 * SPARE) // timedelta(minutes=price_minutes)
    prices = {
        first_at + n * timedelta(minutes=price_minutes): published_prices[n % len(published_prices)]
        for n in range(count)
    }
    return spot, usage, prices, price_minutes, draw(st.booleans())


@examples(300)
@given(cases())
def test_spot_equals_the_naive_engine(case):
    spot, usage, prices, minutes, split = case
    document = {"currency": "EUR", "zone": usage.zone, "components": [spot]}
    middle = usage.period.start_on + timedelta(days=1)
    periods = (
        [Period(usage.period.start_on, middle), Period(middle, usage.period.end_on)]
        if split
        else [usage.period]
    )
    parts = [
        Part(days, tariff_version(UUID(int=number), document))
        for number, days in enumerate(periods, 1)
    ]
    series = series_of("EUR", minutes, {at: Decimal(text) for at, text in prices.items()})
    (bill,) = rate(parts, [usage], prices={"market": series})
    for part in parts:
        at_prices, markup = naive_amounts(document, usage, prices, part.period)
        lines = {line.item.band: line for line in bill.lines if line.item.part == part.period}
        # the mean of three prices may have no finite decimal
        assert abs(Fraction(lines["price"].amount_exact) - at_prices) < LAST_PLACE
        if Decimal(spot["markup"]):
            assert Fraction(lines["mark-up"].amount_exact) == markup
        kwh = Fraction(lines["price"].quantity)
        mean = at_prices / kwh if kwh else Fraction(0)
        assert abs(Fraction(lines["price"].item.rate) - mean) < LAST_PLACE


@examples(60)
@given(cases(), st.permutations(range(5)))
def test_spot_scales_and_permutes_with_its_meters(case, order):
    spot, usage, prices, minutes, _ = case
    document = {"currency": "EUR", "zone": usage.zone, "components": [spot]}
    version = tariff_version(UUID(int=1), document)
    series = {"market": series_of("EUR", minutes, {a: Decimal(t) for a, t in prices.items()})}
    meters = [
        Usage(
            usage.zone,
            usage.period,
            usage.minutes,
            {flow: values * times for flow, values in usage.series.items()},
            kwh_decimals=usage.kwh_decimals,
        )
        for times in range(5)
    ]
    bills = rate(version, meters, prices=series)
    of_one = bills[1].totals_exact()
    # the mean of three prices may have no finite decimal: each bill rounds its own multiple of it
    apart_max = 0 if spot["settlement"] == "interval" else 5 * LAST_PLACE
    for times, bill in enumerate(bills):
        totals = bill.totals_exact()
        assert totals.keys() == of_one.keys()
        for kind, amount in of_one.items():
            assert abs(Fraction(totals[kind]) - Fraction(amount) * times) <= apart_max
    assert rate(version, [meters[n] for n in order], prices=series) == [bills[n] for n in order]
