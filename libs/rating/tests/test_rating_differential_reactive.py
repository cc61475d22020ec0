"""Reactive energy and power factors against a naive reading, in fractions: equal exactly."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.tariff import Part
from gridtally.rating.usage import Usage, slots_in
from naive.reactive import naive_factor, naive_reactive

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC")
STARTS = (date(2025, 3, 9), date(2025, 3, 28), date(2025, 10, 24), date(2025, 4, 29))
FLOWS = ("import", "export", "reactive_import", "reactive_export")
FIXED = {"kind": "fixed", "id": "fixed", "rate": "100", "per": "period", "proration": "actual_days"}


@st.composite
def priced(draw, least):
    """A rate, or tiers that begin above the free share."""
    if draw(st.booleans()):
        return {"rate": "0.05", "tiers": []}
    steps = draw(st.lists(st.integers(1, 90), min_size=1, max_size=3))
    limits = [str(Decimal(least) + Decimal(sum(steps[: n + 1])) / 100) for n in range(len(steps))]
    tiers = [{"limit": limit, "rate": f"0.{n}"} for n, limit in enumerate(limits, 1)]
    return {"rate": None, "tiers": [*tiers, {"rate": "0.9"}]}


@st.composite
def charges(draw):
    free = draw(st.sampled_from(["0", "0.33", "0.5", "1.25"]))
    charge = {
        "kind": "reactive_energy",
        "id": "kvarh",
        "free_share": free,
        "measured_over": draw(st.sampled_from(["day", "month", "period"])),
        "flow": draw(st.sampled_from(["reactive_import", "reactive_export"])),
        "active_flow": draw(st.sampled_from(["import", "export"])),
        "mode": "graduated",
    }
    if draw(st.booleans()):
        charge |= draw(priced(free)) | {"bands": []}
    else:
        edges = draw(st.lists(st.integers(0, 23), min_size=2, max_size=5, unique=True))
        clock = [f"{hour:02}:00" for hour in sorted(edges)]
        windows = [
            {"band": f"band-{n % 2}", "from_time": start, "to_time": end}
            for n, (start, end) in enumerate(zip(clock, clock[1:] + clock[:1], strict=True))
            if n == 0 or draw(st.booleans())
        ]
        default = draw(st.sampled_from([None, "band-2"]))
        names = sorted({window["band"] for window in windows} | ({default} - {None}))
        charge |= {
            "rate": None,
            "tiers": [],
            "bands": [{"name": name} | draw(priced(free)) for name in names],
            "windows": windows,
            "default_band": default,
        }
    if any(len(rated["tiers"]) > 1 for rated in (charge["bands"] or [charge])):
        charge["mode"] = draw(st.sampled_from(["graduated", "volume"]))
    return charge


@st.composite
def factors(draw):
    decimals = draw(st.integers(1, 4))
    rows = draw(st.lists(st.integers(1, 10**decimals), max_size=6, unique=True))
    table = [
        {"at_least": str(Decimal(row).scaleb(-decimals)), "rate": f"0.{n}"}
        for n, row in enumerate([*sorted(rows, reverse=True), 0])
    ]
    return {
        "kind": "power_factor",
        "id": "factor",
        "table": table,
        "component_ids": ["fixed"],
        "decimals": decimals,
        "flow": draw(st.sampled_from(["import", "export"])),
        "reactive": draw(st.sampled_from(["import", "export", "net", "higher"])),
    }


@st.composite
def usages(draw):
    zone = draw(st.sampled_from(ZONES))
    minutes = draw(st.sampled_from([15, 60])) if zone != "Asia/Kathmandu" else 15
    start_on = draw(st.sampled_from(STARTS))
    period = Period(start_on, start_on + timedelta(days=draw(st.integers(2, 5))))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    slots = slots_in(zone, period, minutes)
    series = {
        flow: random.integers(0, draw(st.sampled_from([2, 900, 10**6])), slots) for flow in FLOWS
    }
    return Usage(zone, period, minutes, series, kwh_decimals=draw(st.sampled_from([3, 5])))


def quantities(bill, part):
    return {
        line.item.band: Fraction(line.quantity)
        for line in bill.lines
        if line.item.part == part and line.quantity
    }


@examples(120)
@given(charges(), usages(), st.data())
def test_kvarh_equal_a_naive_reading_of_each_part(charge, usage, data):
    document = {"currency": "EUR", "zone": usage.zone, "components": [charge]}
    cut = data.draw(st.sampled_from(usage.period.dates()[1:]))
    parts = [Period(usage.period.start_on, cut), Period(cut, usage.period.end_on)]
    versions = [tariff_version(UUID(int=n), document) for n in (1, 2)]
    (bill,) = rate(
        [Part(part, version) for part, version in zip(parts, versions, strict=True)], [usage]
    )
    for part in parts:
        assert quantities(bill, part) == naive_reactive(charge, document, usage, part)
    (whole,) = rate(versions[0], [usage])
    expected = naive_reactive(charge, document, usage, usage.period)
    assert quantities(whole, usage.period) == expected
    if charge["measured_over"] == "day":  # days add up
        assert sum(expected.values()) == sum(Fraction(line.quantity) for line in bill.lines)


@examples(120)
@given(factors(), usages())
def test_a_power_factor_equals_a_naive_one(charge, usage):
    document = {"currency": "EUR", "zone": usage.zone, "components": [FIXED, charge]}
    (bill,) = rate(tariff_version(UUID(int=1), document), [usage])
    shown = [line.amount for line in bill.lines if line.item.component_id == "factor"]
    due = Decimal(naive_factor(charge, usage)) * 100
    assert shown == ([due] if due else [])
