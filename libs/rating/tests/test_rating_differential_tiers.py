"""Tiers against a naive reading of the same document, in fractions: equal to the last digit."""

from dataclasses import replace
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
from gridtally.rating.state import read_state, state_document
from gridtally.rating.tariff import Part
from gridtally.rating.usage import ConnectedChange, Usage, slots_in
from naive.tiers import naive_bill

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
CLOCK_CHANGES = (date(2025, 3, 9), date(2025, 3, 30), date(2025, 4, 6), date(2025, 10, 26))
DAY = timedelta(days=1)


rates = st.decimals("-1", "10", places=5).map(str)
kilowatts = st.decimals(0, 100, places=3)


@st.composite
def tier_lists(draw):
    steps = draw(st.lists(st.integers(1, 3_000_000), max_size=3))
    limits = [str(Decimal(sum(steps[: n + 1])).scaleb(-4)) for n in range(len(steps))]
    return [{"limit": limit, "rate": draw(rates)} for limit in limits] + [{"rate": draw(rates)}]


@st.composite
def limits(draw, mode):
    if mode == "graduated" and draw(st.integers(0, 3)) == 0:
        return {
            "per": "period",
            "proration": "actual_days",
            "kw": draw(st.sampled_from([None, "connected"])),
            "reset_months": draw(st.sampled_from([1, 2, 3, 12])),
            "anchor_month": draw(st.integers(1, 12)),
            "on_version_change": "keep",
        }
    if draw(st.integers(0, 4)) == 0:
        return {
            "per": "day",
            "kw": None,
            "reset_daily": True,
            "reset_months": None,
            "on_version_change": "keep",
        }
    kw = draw(st.sampled_from([None, None, "connected", "peak"]))
    return {
        "per": draw(st.sampled_from(["month", "month", "day", "period"])),
        "proration": draw(
            st.sampled_from(["actual_days", "thirty_days", "year_over_twelve", "none"])
        ),
        "kw": kw,
        "peak_minutes": draw(st.sampled_from([30, 60])) if kw == "peak" else None,
        "reset_months": None,
        "on_version_change": draw(st.sampled_from(["keep", "reset"])),
    }


@st.composite
def charges(draw, id_, step):
    """Tiers, or some for each of three bands around the clock."""
    mode = draw(st.sampled_from(["graduated", "graduated", "volume"]))
    limited = draw(limits(mode))
    common = {
        "id": id_,
        "mode": mode,
        "limits": limited,
        "flow": draw(st.sampled_from(["import", "export"])),
        "tax_class": "a",
    }
    if draw(st.booleans()):
        return common | {"kind": "tiered", "tiers": draw(tier_lists())}
    splits = ["per_band"] + ["pro_rata"] * ("reset_daily" not in limited)
    splits += ["chronological"] * 2 * (mode == "graduated")
    edges = draw(st.lists(st.integers(0, 1440 // step - 1), max_size=6, unique=True))
    clock = [f"{e * step // 60:02}:{e * step % 60:02}" for e in sorted(edges)]
    windows = [
        {"band": f"band-{n % 2}", "from_time": start, "to_time": end}
        for n, (start, end) in enumerate(zip(clock, clock[1:] + clock[:1], strict=True))
        if start != end and draw(st.booleans())
    ]
    tiers = draw(tier_lists())
    return common | {
        "kind": "tiered_time_of_use",
        "split": draw(st.sampled_from(splits)),
        "bands": [
            {"name": name, "tiers": tiers if draw(st.booleans()) else draw(tier_lists())}
            for name in sorted({window["band"] for window in windows} | {"band-2"})
        ],
        "windows": windows,
        "default_band": "band-2",
    }


@st.composite
def documents(draw, zone, period, step):
    tax = {
        "kind": "tax",
        "id": "tax",
        "rate": "0.1",
        "tax_class": "a",
        "from_on": draw(st.sampled_from(period.dates())).isoformat(),
    }
    components = [draw(charges(f"c{n}", step)) for n in range(draw(st.integers(2, 4)))]
    return {"currency": "EUR", "zone": zone, "components": [*components, tax]}


@st.composite
def usages(draw, zone, period, minutes):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    most = draw(st.sampled_from([3, 2_000, 10**6]))
    slots = slots_in(zone, period, minutes)
    usage = Usage(
        zone,
        period,
        minutes,
        {flow: random.integers(0, most, slots) for flow in ("import", "export")},
        draw(kilowatts),
        kwh_decimals=draw(st.sampled_from([3, 4])),
    )
    days = draw(st.lists(st.sampled_from(period.dates()[1:]), max_size=2, unique=True))
    changes = tuple(ConnectedChange(day, draw(kilowatts)) for day in sorted(days))
    return replace(usage, connected_changes=changes)


@st.composite
def cases(draw):
    """A document for one or two parts of a period, and two meters in it."""
    zone = draw(st.sampled_from(ZONES))
    minutes = draw(st.sampled_from([15, 30, 30, 60]))
    assume(minutes < 60 or zone != "Australia/Lord_Howe")
    start_on = draw(st.sampled_from(CLOCK_CHANGES)) - timedelta(days=draw(st.integers(0, 8)))
    period = Period(start_on, start_on + timedelta(days=draw(st.integers(2, 9))))
    document = draw(documents(zone, period, max(minutes, 30)))
    for charge in document["components"]:
        if charge["kind"] != "tax" and charge["limits"]["kw"] == "peak" and minutes == 60:
            charge["limits"]["peak_minutes"] = 60
    cut = draw(st.sampled_from([period.end_on, *period.dates()[1:]]))
    parts = [(Period(start_on, cut), document)]
    if cut < period.end_on:
        other = [
            replaced(charge, draw(tier_lists())) if draw(st.booleans()) else charge
            for charge in document["components"]
        ]
        parts.append((Period(cut, period.end_on), document | {"components": other}))
    return parts, [draw(usages(zone, period, minutes)) for _ in range(2)]


def replaced(charge, tiers):
    """The charge with other tiers."""
    if charge["kind"] == "tiered":
        return charge | {"tiers": tiers}
    if charge["kind"] == "tax":
        return charge
    return charge | {"bands": [band | {"tiers": tiers} for band in charge["bands"]]}


def parts_of(documents):
    return [
        Part(part, tariff_version(UUID(int=n), document))
        for n, (part, document) in enumerate(documents, 1)
    ]


def lines_of(bill):
    return {
        (line.item.part, line.item.component_id, line.item.band): (line.quantity, line.amount_exact)
        for line in bill.lines
        if line.item.kind != "tax"
    }


def assert_equal(bill, naive):
    lines = {key: (shown(kwh), shown(amount)) for key, (kwh, amount) in naive.items() if kwh}
    amounts = {key: numbers for key, numbers in lines_of(bill).items() if any(numbers)}
    assert amounts == lines


def shown(number):
    """A fraction as the decimal that a line shows: to 20 places where it is not finite."""
    return Decimal(round(number * 10**20)).scaleb(-20, context=EXACT)


@examples(120)
@given(cases())
def test_the_engine_agrees_with_the_naive_one_to_the_last_digit(case):
    documents, meters = case
    bill = rate(parts_of(documents), meters)[0]
    naive, left = naive_bill(documents, meters[0], {})
    assert_equal(bill, naive)
    assert progress_of(bill.state) == left


def progress_of(state):
    """A state as the naive engine tells it."""
    return {
        id_: (
            date.fromisoformat(progress["since_on"]),
            {used["band"]: Fraction(used["kwh"]) for used in progress["used"]},
        )
        for id_, progress in state_document(state).items()
    }


@examples(30)
@given(cases(), st.data())
def test_two_bills_with_the_state_handed_on_equal_the_naive_chain(case, data):
    documents, meters = case
    _, document = documents[0]
    first = meters[0]
    days = data.draw(st.integers(2, 6))
    after = Period(first.period.end_on, first.period.end_on + timedelta(days=days))
    assume(all(c["kind"] == "tax" or c["limits"]["kw"] != "peak" for c in document["components"]))
    second = data.draw(usages(first.zone, after, first.minutes))
    second = replace(second, kwh_decimals=first.kwh_decimals)
    version = tariff_version(UUID(int=1), document)
    (before,) = rate(version, [first])
    states = [read_state(state_document(before.state))]
    (bill,) = rate(version, [second], states=states)
    _, left = naive_bill([(first.period, document)], first, {})
    naive, left = naive_bill(
        [(after, document)], second, {id_: (*progress, True) for id_, progress in left.items()}
    )
    assert_equal(bill, naive)
    assert progress_of(bill.state) == left
    assert rate(version, [second], states=states) == [bill]


@examples(40)
@given(cases())
def test_the_order_and_company_of_meters_change_nothing(case):
    documents, meters = case
    parts = parts_of(documents)
    bills = rate(parts, meters)
    assert rate(parts, meters[::-1]) == bills[::-1]
    assert [rate(parts, [usage])[0] for usage in meters] == bills
