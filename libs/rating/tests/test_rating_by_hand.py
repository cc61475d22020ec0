"""Corners where several rules of docs/tariffs.md meet, worked by hand from that page."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.prices import series_of
from gridtally.rating.state import Bank, Credit, Lot
from gridtally.rating.usage import ConnectedChange, Usage, slots_in

MARCH = ("2025-03-01", "2025-04-01")
FIXED = {"kind": "fixed", "id": "standing", "rate": "31", "per": "month"}
ENERGY = {"kind": "energy", "id": "energy", "rate": "0.30"}
TAXES = [
    {"kind": "tax", "id": "old", "rate": "0.10", "component_ids": ["standing", "sun"]},
    {"kind": "tax", "id": "new", "rate": "0.20", "component_ids": ["standing", "sun"]},
]


def day_or(start_on, end_on=None):
    start = date.fromisoformat(start_on)
    return Period(start, date.fromisoformat(end_on) if end_on else start + timedelta(days=1))


def billed(components, *, start_on, end_on=None, zone="Europe/Berlin", minutes=60, **more):
    """{component and band: amounts before rounding} of a meter with the same Wh in each interval.

    `wh` by flow; of a single interval where it is a pair (slot, Wh).
    """
    period = day_or(start_on, end_on)
    slots = slots_in(zone, period, minutes)
    series = {}
    for flow, wh in more.pop("wh", {}).items():
        series[flow] = np.zeros(slots, np.int64)
        chosen, amount = wh if isinstance(wh, tuple) else (slice(None), wh)
        series[flow][chosen] = amount
    options = {name: more.pop(name) for name in ("connected_kw", "connected_changes") & more.keys()}
    document = {"currency": "EUR", "zone": zone, "components": components}
    version = tariff_version(UUID(int=1), document)
    usage = Usage(zone, period, minutes, series, **options)
    states = [more.pop("state", {})]
    (bill,) = rate(version, [usage], states=states, **more)
    return bill, [
        (line.item.component_id, line.item.band, format(line.amount_exact.normalize(), "f"))
        for line in bill.lines
    ]


def test_a_discount_a_credit_and_a_minimum_in_their_order():
    """Charges 10 + 30, discount 10 % of 30, credit 50 × 0.10, which leave 32 of at least 40.

    The tax is on 10 + 30 - 3 + 8: a credit that is not taxed lessens no tax.
    """
    components = [
        FIXED | {"rate": "10"},
        ENERGY,
        {"kind": "percent", "id": "loyalty", "rate": "-0.10", "component_ids": ["energy"]},
        {
            "kind": "export_credit",
            "id": "sun",
            "rate": "0.10",
            "surplus": {"kind": "offset", "kinds": ["energy"], "unused": "lost"},
        },
        {"kind": "minimum_bill", "id": "least", "amount": "40"},
        {
            "kind": "tax",
            "id": "vat",
            "rate": "0.20",
            "component_ids": ["standing", "energy", "loyalty", "least"],
        },
    ]
    bill, lines = billed(
        components,
        start_on=MARCH[0],
        end_on=MARCH[1],
        wh={"import": (700, 100_000), "export": (12, 50_000)},
    )
    assert lines == [
        ("standing", None, "10"),
        ("energy", None, "30"),
        ("loyalty", None, "-3"),
        ("sun", None, "-5"),
        ("least", None, "8"),
        ("vat", None, "9"),
    ]
    assert bill.total == 49


def test_a_credit_that_is_brought_forward_is_taxed_by_the_days_of_each_tax():
    """12.40 over 31 days: 4 on the 10 days at 10 %, 8.40 on the 21 at 20 %.

    (10 - 4) × 10 % and (21 - 8.40) × 20 %.
    """
    old, new = TAXES
    surplus = {"kind": "offset", "unused": "carry_forward", "taxed": True}
    bill, lines = billed(
        [
            FIXED,
            {"kind": "export_credit", "id": "sun", "rate": "0.10", "surplus": surplus},
            old | {"to_on": "2025-03-11"},
            new | {"from_on": "2025-03-11"},
        ],
        start_on=MARCH[0],
        end_on=MARCH[1],
        wh={"export": 0},
        state={"sun": Credit(Decimal("12.40"))},
    )
    assert [line for line in lines if line[2] != "0"] == [
        ("standing", None, "10"),
        ("sun", "brought-forward", "-4"),
        ("old", None, "0.6"),
        ("standing", None, "21"),
        ("sun", "brought-forward", "-8.4"),
        ("new", None, "2.52"),
    ]
    assert (bill.total, bill.state) == (Decimal("21.72"), {})


def prices_of(start, minutes, values):
    step = timedelta(minutes=minutes)
    prices = {start + n * step: Decimal(value) for n, value in enumerate(values)}
    return {"market": series_of("EUR", minutes, prices)}


@pytest.mark.parametrize(
    ("day", "hours", "expected"),
    [
        # hour h has the quarters 4h + 1 to 4h + 4, whose mean is 4h + 2.5
        ("2025-03-30", 23, "1069.5"),  # 4 × (0 + … + 22) + 23 × 2.5
        ("2025-06-04", 24, "1164"),  # 4 × 276 + 24 × 2.5
        ("2025-10-26", 25, "1262.5"),  # 4 × 300 + 25 × 2.5
    ],
)
def test_prices_of_quarters_settle_on_the_hours_of_clock_change_days(day, hours, expected):
    spot = {
        "kind": "spot",
        "id": "spot",
        "series": "market",
        "settlement": "mean_price",
        "settle_minutes": 60,
    }
    start, _ = day_or(day).bounds_utc("Europe/Berlin")
    prices = prices_of(start, 15, range(1, 4 * hours + 1))
    _, lines = billed([spot], start_on=day, wh={"import": 1_000}, prices=prices)
    assert lines == [("spot", "price", expected)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # 24 kWh at -0.10, and 10 % of that
        ({}, ["-2.4", "-0.24"]),
        # not below 0.02, then times 1.05: 24 × 0.021
        ({"floor": "0.02", "multiplier": "1.05"}, ["0.504", "0.0504"]),
        # a cap above them changes nothing; the mark-up is 24 × 0.03
        ({"cap": "0.5", "markup": "0.03"}, ["-2.4", "0.72", "-0.168"]),
        # who is credited at a price below nothing pays
        ({"direction": "credit"}, ["2.4", "0.24"]),
    ],
)
def test_negative_prices_with_a_percentage_on_top(fields, expected):
    spot = {"kind": "spot", "id": "spot", "series": "market"} | fields
    share = {"kind": "percent", "id": "share", "rate": "0.10"}
    prices = prices_of(datetime(2025, 6, 3, 22, tzinfo=UTC), 60, ["-0.10"] * 24)
    _, lines = billed([spot, share], start_on="2025-06-04", wh={"import": 1_000}, prices=prices)
    assert [amount for _, _, amount in lines] == expected


def test_the_connected_load_changes_on_the_day_of_23_hours():
    """A day counts as a day, however long: 10 kW, then twice 20 kW."""
    capacity = {"kind": "capacity", "id": "capacity", "rate": "1", "per": "day"}
    _, lines = billed(
        [capacity],
        start_on="2025-03-29",
        end_on="2025-04-01",
        connected_kw=Decimal(10),
        connected_changes=(ConnectedChange(date(2025, 3, 30), Decimal(20)),),
    )
    assert lines == [("capacity", None, "50")]


@pytest.mark.parametrize(
    ("day", "kwh"),
    [
        ("2025-04-06", "3"),  # back by half an hour at 02:00: 01:30 to 02:00 comes twice
        ("2025-06-04", "2"),
        ("2025-10-05", "2"),  # forward at 02:00: 02:00 to 02:30 does not exist
    ],
)
def test_a_clock_that_changes_by_half_an_hour(day, kwh):
    band = {
        "kind": "time_of_use",
        "id": "energy",
        "bands": [{"name": "night", "rate": "1"}, {"name": "rest", "rate": "0"}],
        "windows": [{"band": "night", "from_time": "01:00", "to_time": "02:00"}],
        "default_band": "rest",
    }
    _, lines = billed(
        [band], start_on=day, zone="Australia/Lord_Howe", minutes=30, wh={"import": 1_000}
    )
    assert lines[0] == ("energy", "night", kwh)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # the day with 10 kW alone, and with a day of 6 kW: the mean of as many days as there are
        (1, 10),
        (2, 8),
    ],
)
def test_fewer_days_than_a_mean_asks_for(days, expected):
    period = day_or("2025-06-04", f"2025-06-{4 + days:02}")
    energy = np.zeros(slots_in("Europe/Berlin", period, 60), np.int64)
    energy[5] = 10_000
    if days > 1:
        energy[30] = 6_000
    charge = {"kind": "demand", "id": "kw", "rate": "1", "minutes": 60, "proration": "none"}
    document = {"currency": "EUR", "zone": "Europe/Berlin"}
    version = tariff_version(
        UUID(int=1), document | {"components": [charge | {"mean_of_highest_days": 3}]}
    )
    (bill,) = rate(version, [Usage("Europe/Berlin", period, 60, {"import": energy})])
    assert bill.lines[0].amount_exact == expected


@pytest.mark.parametrize(
    ("start_on", "total"),
    [
        ("2026-03-31", 0),  # the day before twelve months are over
        ("2026-04-01", 25),
    ],
)
def test_banked_units_are_lost_after_their_months(start_on, total):
    """24 kWh taken and 4 given: the 20 between come from the bank, or cost 1.25 each."""
    component = {
        "kind": "net_metering",
        "id": "energy",
        "rate": "1.25",
        "surplus": {"kind": "carry_forward", "expires_after_months": 12},
    }
    lot = Lot(None, Decimal(20), date(2025, 4, 1), date(2026, 4, 1))
    bill, _ = billed(
        [component],
        start_on=start_on,
        wh={"import": (3, 24_000), "export": (12, 4_000)},
        state={"energy": Bank((lot,))},
    )
    assert (bill.total, bill.state) == (total, {})


@pytest.mark.parametrize(
    ("proration", "expected"),
    [
        ("actual_days", "0.1"),  # 36.6 / 366 in a leap year
        ("thirty_days", "0.10166667"),  # 36.6 / 360
        ("twelfths", "0.10517241"),  # 36.6 / 12 / 29
    ],
)
def test_a_year_charges_the_day_that_not_every_year_has(proration, expected):
    charge = {"kind": "fixed", "id": "fee", "rate": "36.6", "per": "year", "proration": proration}
    bill, _ = billed([charge], start_on="2024-02-29")
    assert bill.lines[0].amount_exact.quantize(Decimal("1E-8")).normalize() == Decimal(expected)


@pytest.mark.parametrize(
    ("wh", "expected"),
    [(100_000, ["10"]), (100_001, ["20.0002"])],  # all at 0.10 up to the limit, all at 0.20 beyond
)
def test_volume_tiers_at_their_edge(wh, expected):
    tiered = {
        "kind": "tiered",
        "id": "energy",
        "mode": "volume",
        "tiers": [{"limit": "100", "rate": "0.10"}, {"rate": "0.20"}],
        "limits": {"per": "period"},
    }
    _, lines = billed([tiered], start_on="2025-06-04", wh={"import": (7, wh)})
    assert [amount for _, _, amount in lines if amount != "0"] == expected


def test_a_credit_at_negative_prices_is_a_cost_that_is_taxed():
    """Charges of -5 (a rebate) and a credit that costs 10 × 0.30: 20 % of -2, not of -5."""
    components = [
        {"kind": "fixed", "id": "standing", "rate": "-5", "per": "period"},
        {
            "kind": "export_credit",
            "id": "sun",
            "rate": "-0.30",
            "surplus": {"kind": "offset", "unused": "lost", "taxed": True},
        },
        TAXES[1],
    ]
    bill, lines = billed(components, start_on="2025-06-04", wh={"export": (12, 10_000)})
    assert lines[-1] == ("new", None, "-0.4")
    assert bill.total == Decimal("-2.4")
