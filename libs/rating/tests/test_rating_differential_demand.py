"""Demand against a naive reading of the same document, in fractions: equal to the last digit."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Peak, Peaks, read_state, state_document
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in
from naive.demand import naive_demand

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
CLOCK_CHANGES = (date(2025, 3, 9), date(2025, 3, 30), date(2025, 4, 6), date(2025, 10, 26))
DAY = timedelta(days=1)
FLOWS = ("import", "export", "reactive_import", "reactive_export")

rates = st.decimals("-1", "10", places=5).map(str)


@st.composite
def tiers(draw):
    steps = draw(st.lists(st.integers(1, 800_000), min_size=1, max_size=3))
    limits = [str(Decimal(sum(steps[: n + 1])).scaleb(-3)) for n in range(len(steps))]
    return [{"limit": limit, "rate": draw(rates)} for limit in limits] + [{"rate": draw(rates)}]


@st.composite
def priced(draw):
    """A rate or tiers."""
    if draw(st.booleans()):
        return {"rate": draw(rates), "tiers": []}
    return {"rate": None, "tiers": draw(tiers())}


@st.composite
def ratchets(draw):
    """How far back, at what share, and which months count."""
    months = draw(st.sampled_from([0, 0, 1, 2, 11]))
    by_month = months and draw(st.booleans())
    percentages = st.one_of(st.just("0"), st.decimals(1, 100, places=2).map(str))
    only = st.lists(st.integers(1, 12), max_size=9, unique=True)
    return {
        "ratchet_months": months,
        "ratchet_percent": "100" if by_month else draw(st.decimals(1, 100, places=2).map(str)),
        "ratchet_percent_by_month": draw(st.lists(percentages, min_size=12, max_size=12))
        if by_month
        else [],
        "ratchet_only_months": draw(only) if months else [],
    }


@st.composite
def charges(draw, id_, minutes):
    per = draw(st.sampled_from(["day", "month", "month", "year"]))
    prorations = {
        "day": ["actual_days"],
        "month": ["actual_days", "thirty_days", "year_over_twelve", "none"],
        "year": ["actual_days", "thirty_days", "year_over_twelve", "twelfths"],
    }
    window = draw(st.sampled_from([n for n in (15, 30, 60) if n % minutes == 0 or n < minutes]))
    common = {
        "kind": "demand",
        "id": id_,
        "minutes": window,
        "window": draw(st.sampled_from(["block", "sliding"])),
        "from_coarser": "mean",
        "mean_of_highest_days": draw(st.sampled_from([1, 1, 2, 3, 7])),
        "minimum_kw": draw(st.sampled_from(["0", "0", "1.125", "700"])),
        "kw_step": draw(st.sampled_from([None, None, "0.25", "7"])),
        "per": per,
        "proration": draw(st.sampled_from(prorations[per])),
        "on_version_change": draw(st.sampled_from(["keep", "reset"])),
        "flow": draw(st.sampled_from(["import", "export"])),
    }
    if draw(st.booleans()):
        reactive = draw(st.sampled_from(["import", "export", "net", "higher"]))
        common |= {"unit": draw(st.sampled_from(["kVA", "kvar"])), "reactive": reactive}
    if common["on_version_change"] == "keep" and draw(st.booleans()):
        common |= {"mean_of_months": draw(st.sampled_from([1, 2, 3, 12])), "ratchet_months": 0}
    else:
        common |= draw(ratchets())
    if draw(st.booleans()):
        return common | draw(priced()) | {"bands": []}
    step = max(window, minutes)
    edges = draw(st.lists(st.integers(0, 1440 // step - 1), min_size=2, max_size=6, unique=True))
    clock = [f"{e * step // 60:02}:{e * step % 60:02}" for e in sorted(edges)]
    windows = [
        {"band": f"band-{n % 2}", "from_time": start, "to_time": end}
        for n, (start, end) in enumerate(zip(clock, clock[1:] + clock[:1], strict=True))
        if n == 0 or draw(st.booleans())
    ]
    default = draw(st.sampled_from([None, "band-2"]))
    names = sorted({window["band"] for window in windows} | ({default} - {None}))
    times = {"windows": windows, "default_band": default}
    if draw(st.booleans()):
        weights = st.decimals("0.0001", "9", places=draw(st.sampled_from([1, 4]))).filter(bool)
        weighted = [{"name": name, "weight": str(draw(weights))} for name in names]
        return common | times | draw(priced()) | {"bands": [], "weights": weighted}
    return (
        common
        | times
        | {
            "rate": None,
            "tiers": [],
            "bands": [{"name": name, **draw(priced())} for name in names],
        }
    )


@st.composite
def documents(draw, zone, minutes):
    count = draw(st.integers(2, 4))
    components = [draw(charges(f"c{n}", minutes)) for n in range(count)]
    return {"currency": "EUR", "zone": zone, "components": components}


@st.composite
def usages(draw, zone, period, minutes):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    most = draw(st.sampled_from([3, 2_000, 10**6, 10**10]))
    slots = slots_in(zone, period, minutes)
    series = {flow: random.integers(0, most, slots) for flow in FLOWS}
    return Usage(zone, period, minutes, series, kwh_decimals=draw(st.sampled_from([3, 4])))


def carries_peaks(charge):
    return bool(charge.get("ratchet_months") or charge.get("mean_of_months"))


@st.composite
def earlier(draw, document, period):
    """Peaks of whole months before, and perhaps of the first days of this one, by component."""
    states = {}
    first = period.start_on.replace(day=1)
    for charge in document["components"]:
        if not carries_peaks(charge):
            continue
        peaks = []
        for band in [band["name"] for band in charge["bands"]] or [None]:
            end_on = first
            for _ in range(draw(st.integers(0, 3))):
                start_on = (end_on - DAY).replace(day=1)
                days = start_on + DAY * draw(st.sampled_from([0, 0, 0, 3]))
                peaks.insert(0, Peak(band, days, end_on, *draw(kilowatts())))
                end_on = start_on
            if first < period.start_on and draw(st.booleans()):
                peaks.append(Peak(band, first, period.start_on, *draw(kilowatts())))
        states[charge["id"]] = Peaks(tuple(peaks))
    return states


def kilowatts():
    return st.tuples(st.decimals(0, 9000, places=3), st.sampled_from([1, 1, 3, 7]))


@st.composite
def cases(draw):
    """A document for one or two parts of a period, a meter in it and what its last bills left."""
    zone = draw(st.sampled_from(ZONES))
    minutes = draw(st.sampled_from([5, 15, 30, 30, 60]))
    assume(minutes < 60 or zone != "Australia/Lord_Howe")
    tariff_zone = "Asia/Kolkata" if minutes == 15 and draw(st.booleans()) else zone
    start_on = draw(st.sampled_from(CLOCK_CHANGES)) - timedelta(days=draw(st.integers(0, 8)))
    length = draw(st.integers(2, 4 if minutes == 5 else 9))
    period = Period(start_on, start_on + timedelta(days=length))
    document = draw(documents(tariff_zone, minutes))
    cut = draw(st.sampled_from([period.end_on, *period.dates()[1:]]))
    parts = [(Period(start_on, cut), document)]
    if cut < period.end_on:
        dearer = [charge | {"minimum_kw": "2"} for charge in document["components"]]
        parts.append((Period(cut, period.end_on), document | {"components": dearer}))
    return parts, draw(usages(zone, period, minutes)), draw(earlier(document, period))


def parts_of(documents):
    return [
        Part(part, tariff_version(UUID(int=n), document))
        for n, (part, document) in enumerate(documents, 1)
    ]


def months_of(state):
    """A state as the naive engine tells it: by component and band, the days and kW of months."""
    months_of = {}
    for id_, stored in state_document(state).items():
        months_of[id_] = {}
        for peak in stored["peaks"]:
            period = Period(*(date.fromisoformat(peak[edge]) for edge in ("start_on", "end_on")))
            months = months_of[id_].setdefault(peak["band"], {})
            kw = Fraction(peak["kw"]) / peak["parts"]
            months[period.start_on.replace(day=1)] = (set(period.dates()), kw)
    return months_of


def assert_equal(bill, naive):
    lines = {key: (shown(kw), shown(amount)) for key, (kw, amount) in naive.items() if kw}
    amounts = {
        (line.item.part, line.item.component_id, line.item.band): (line.quantity, line.amount_exact)
        for line in bill.lines
        if line.quantity
    }
    assert amounts == lines


def assert_remembered(bill, months):
    """Equal for the months that both know; the engine forgets what no ratchet will look at."""
    left = months_of(bill.state)
    assert left.keys() == months.keys()
    for id_, bands in left.items():
        for band, stored in bands.items():
            assert stored == {month: months[id_][band][month] for month in stored}
            assert all(day in stored for day in months[id_][band] if day >= min(stored))


def shown(number):
    """A fraction as the decimal that a line shows: to 20 places where it is not finite."""
    return Decimal(round(number * 10**20)).scaleb(-20, context=EXACT)


@examples(80)
@given(cases())
def test_the_engine_agrees_with_the_naive_one_to_the_last_digit(case):
    documents, usage, before = case
    (bill,) = rate(parts_of(documents), [usage], states=[before])
    months = months_of(before)
    assert_equal(bill, naive_demand(documents, usage, months))
    assert_remembered(bill, months)


@examples(24)
@given(cases(), st.data())
def test_two_bills_with_the_state_handed_on_equal_the_naive_chain(case, data):
    documents, first, before = case
    _, document = documents[0]
    after = Period(first.period.end_on, first.period.end_on + 35 * DAY)
    assume(first.minutes >= 30)
    second = data.draw(usages(first.zone, after, first.minutes))
    version = tariff_version(UUID(int=1), document)
    (bill,) = rate(version, [first], states=[before])
    states = [read_state(state_document(bill.state))]
    bills = rate(version, [second], states=states)
    months = months_of(before)
    naive_demand([(first.period, document)], first, months)
    assert_equal(bills[0], naive_demand([(after, document)], second, months))
    assert_remembered(bills[0], months)
    assert rate(version, [second], states=states) == bills


@examples(25)
@given(cases(), st.data())
def test_the_order_and_company_of_meters_change_nothing(case, data):
    documents, usage, before = case
    other = data.draw(usages(usage.zone, usage.period, usage.minutes))
    parts = parts_of(documents)
    bills = rate(parts, [usage, other], states=[before, {}])
    assert rate(parts, [other, usage], states=[{}, before]) == bills[::-1]
    assert rate(parts, [usage], states=[before]) == bills[:1]


@examples(25)
@given(cases())
def test_months_in_pieces_leave_the_peaks_of_the_whole(case):
    """Of blocks and single days' peaks: a bill for each part leaves what one for all does."""
    documents, usage, before = case
    assume(len(documents) == 2)
    (first, document), (second, _) = documents
    simple = [
        charge | {"window": "block", "mean_of_highest_days": 1}
        for charge in document["components"]
        if usage.zone == document["zone"]
    ]
    assume(any(carries_peaks(charge) for charge in simple))
    version = tariff_version(UUID(int=1), document | {"components": simple})
    (whole,) = rate(version, [usage], states=[before])
    slots = slots_in(usage.zone, first, usage.minutes)
    state = before
    for part, slots_of_part in ((first, slice(None, slots)), (second, slice(slots, None))):
        series = {flow: values[slots_of_part] for flow, values in usage.series.items()}
        piece = Usage(usage.zone, part, usage.minutes, series, kwh_decimals=usage.kwh_decimals)
        (bill,) = rate(version, [piece], states=[state])
        state = bill.state
    assert state == whole.state
