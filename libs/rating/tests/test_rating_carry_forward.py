"""Banks of kWh: from bill to bill, oldest first, until they expire or the year is trued up."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Bank, Credit, Lot, read_state, state_document
from gridtally.rating.surplus import months_after, reaches
from gridtally.rating.tariff import Part

BANK = {"kind": "carry_forward"}
CHARGE = {"kind": "net_metering", "id": "net", "rate": "0.30", "surplus": BANK}
FEBRUARY_PEAK = {"band": None, "start_on": "2025-02-01", "end_on": "2025-03-01", "kw": "5"}
BANDS = {
    "kind": "net_metering",
    "id": "net",
    "bands": [{"name": "day", "rate": "0.40"}, {"name": "night", "rate": "0.25"}],
    "windows": [{"band": "day", "from_time": "06:00", "to_time": "22:00"}],
    "default_band": "night",
    "surplus": BANK,
}


def month(usage_of, number, imported=0, exported=0, hour=12):
    end = date(2025, number + 1, 1) if number < 12 else date(2026, 1, 1)
    usage = usage_of(f"2025-{number:02}-01", end.isoformat(), import_=0, export=0)
    usage.series["import"][hour], usage.series["export"][hour] = imported * 1000, exported * 1000
    return usage


def bills_of(version, usages, state=()):
    """The total of each bill, and the kWh by band that its bank holds."""
    bills, state = [], dict(state)
    for usage in usages:
        (bill,) = rate(version, [usage], states=[state])
        assert rate(version, [usage], states=[state])[0] == bill
        state = read_state(state_document(bill.state))
        assert state == bill.state
        bills.append((str(bill.total), balance(state)))
    return bills


def balance(state):
    kwh = {}
    for lot in state["net"].lots if "net" in state else ():
        kwh[lot.band] = kwh.get(lot.band, 0) + int(lot.kwh)
    return kwh


@pytest.mark.parametrize(
    ("surplus", "months", "bills"),
    [
        # 100 kWh over, then 60 and 70 taken: 40 are left, and 30 must be paid
        (
            {},
            [(1, 0, 100), (2, 60, 0), (3, 70, 0)],
            [("0.00", {None: 100}), ("0.00", {None: 40}), ("9.00", {})],
        ),
        # the bank is emptied by the bill that reaches 1 April: lost, or paid
        (
            {"true_up_month": 4},
            [(2, 0, 100), (3, 60, 0), (4, 10, 0)],
            [("0.00", {None: 100}), ("0.00", {}), ("3.00", {})],
        ),
        (
            {"true_up_month": 4, "true_up_rate": "0.05"},
            [(2, 0, 100), (3, 60, 0), (4, 10, 0)],
            [("0.00", {None: 100}), ("-2.00", {}), ("3.00", {})],
        ),
        # also what this bill itself earned
        (
            {"true_up_month": 4, "true_up_rate": "0.05"},
            [(3, 0, 100), (4, 10, 0)],
            [("-5.00", {}), ("3.00", {})],
        ),
        # January's units expire on 1 March, with February's on 1 April
        (
            {"expires_after_months": 1},
            [(1, 0, 100), (2, 30, 0), (3, 10, 0)],
            [("0.00", {None: 100}), ("0.00", {None: 70}), ("3.00", {})],
        ),
        (
            {"expires_after_months": 2},
            [(1, 0, 100), (2, 0, 5), (3, 10, 0), (4, 1, 0), (5, 10, 0)],
            [
                ("0.00", {None: 100}),
                ("0.00", {None: 105}),
                ("0.00", {None: 95}),  # the oldest are taken first
                ("0.00", {None: 4}),  # 90 of January's are lost
                ("3.00", {}),
            ],
        ),
    ],
)
def test_units_pay_for_units_of_later_bills(version_of, usage_of, surplus, months, bills):
    version = version_of(CHARGE | {"surplus": BANK | surplus})
    assert bills_of(version, [month(usage_of, *fields) for fields in months]) == bills


def test_units_drawn_from_the_bank_are_a_line(version_of, usage_of):
    state = {"net": Bank((Lot(None, Decimal("12.5"), date(2025, 1, 1), None),))}
    bill = rate(version_of(CHARGE), [month(usage_of, 1, 20)], states=[state])[0]
    assert [
        (line.item.kind, line.item.flow, str(line.quantity), str(line.item.rate), str(line.amount))
        for line in bill.lines
    ] == [
        ("energy", "import", "20.000", "0.30", "6.00"),
        ("energy", "export", "-12.500", "0.30", "-3.75"),
    ]
    assert bill.state == {}


@pytest.mark.parametrize(
    ("cross_band", "bills"),
    [
        # January banks 100 by day; February lacks 30 by night, March 40 by day
        ("none", [{"day": 100}, {"day": 100}, {"day": 60}]),
        ("later", [{"day": 100}, {"day": 70}, {"day": 30}]),
        ("any", [{"day": 100}, {"day": 70}, {"day": 30}]),
    ],
)
def test_units_of_the_day_in_the_bank_pay_the_night_where_declared(
    version_of, usage_of, cross_band, bills
):
    usages = [
        month(usage_of, 1, 0, 100),
        month(usage_of, 2, 30, hour=1),
        month(usage_of, 3, 40),
    ]
    totals = bills_of(version_of(BANDS | {"cross_band": cross_band}), usages)
    assert [bank for _, bank in totals] == bills
    assert totals[1][0] == ("7.50" if cross_band == "none" else "0.00")  # 30 × 0.25


@pytest.mark.parametrize(
    ("cross_band", "total"), [("none", "16.00"), ("later", "16.00"), ("any", "0.00")]
)
def test_units_of_the_night_pay_the_day_only_where_any_may(version_of, usage_of, cross_band, total):
    usages = [month(usage_of, 1, 0, 100, hour=1), month(usage_of, 2, 40)]
    assert bills_of(version_of(BANDS | {"cross_band": cross_band}), usages)[1][0] == total


def test_a_band_takes_its_own_units_before_those_of_others(version_of, usage_of):
    """Night's own 10 go first, though day's 50 are older; then 20 of day's."""
    lots = (
        Lot("day", Decimal(50), date(2024, 11, 1), None),
        Lot("night", Decimal(10), date(2024, 12, 1), None),
    )
    version = version_of(BANDS | {"cross_band": "later"})
    usages = [month(usage_of, 1, 30, hour=1)]
    assert bills_of(version, usages, {"net": Bank(lots)}) == [("0.00", {"day": 30})]


def test_units_of_a_band_that_is_no_more_stay_and_are_paid_at_the_true_up(version_of, usage_of):
    state = {"net": Bank((Lot("dawn", Decimal(8), date(2024, 12, 1), None),))}
    surplus = BANK | {"true_up_month": 3, "true_up_rate": "0.50"}
    version = version_of(BANDS | {"surplus": surplus, "cross_band": "later"})
    assert bills_of(version, [month(usage_of, n, 10) for n in (1, 2)], state) == [
        ("4.00", {"dawn": 8}),
        ("0.00", {}),  # 10 × 0.40 - 8 × 0.50
    ]


def test_a_bank_without_expiry_does_not_grow_with_its_years(version_of, usage_of):
    version, state = version_of(BANDS), {}
    for _ in range(30):
        (bill,) = rate(version, [month(usage_of, 1, 0, 1)], states=[state])
        state = bill.state
    assert state == {"net": Bank((Lot("day", Decimal("30.000"), date(2025, 2, 1), None),))}


def test_a_finer_unit_than_the_meters_stays_in_the_bank(version_of, usage_of):
    state = {"net": Bank((Lot(None, Decimal("0.000000001"), date(2024, 12, 1), None),))}
    bill = rate(version_of(CHARGE), [month(usage_of, 1, 1)], states=[state])[0]
    assert [format(line.quantity, "f") for line in bill.lines] == ["1.000", "-0.000000001"]


def test_both_versions_of_a_period_use_the_same_bank(version_of, usage_of):
    """10 kWh over until the 11th pay for what is taken from then on."""
    usage = month(usage_of, 1, 0, 10)
    usage.series["import"][-12] = 25_000
    days = [
        Period(date(2025, 1, 1), date(2025, 1, 11)),
        Period(date(2025, 1, 11), date(2025, 2, 1)),
    ]
    parts = [Part(part, version_of(CHARGE, version_id=UUID(int=n))) for n, part in enumerate(days)]
    assert str(rate(parts, [usage])[0].total) == "4.50"  # 15 × 0.30


def test_meters_of_a_batch_keep_their_banks_apart(version_of, usage_of):
    states = [{"net": Bank((Lot(None, Decimal(n), date(2024, 12, 1), None),))} for n in range(90)]
    bills = rate(version_of(CHARGE), [month(usage_of, 1, 45)] * 90, states=states)
    assert [bill.total for bill in bills] == [Decimal("0.30") * max(45 - n, 0) for n in range(90)]
    assert [balance(bill.state) for bill in bills] == [
        {None: n - 45} if n > 45 else {} for n in range(90)
    ]


def test_a_state_of_another_kind_is_refused(version_of, usage_of):
    with pytest.raises(Rejected, match="left a state of kind 'credit' where 'bank' is needed"):
        rate(version_of(CHARGE), [month(usage_of, 1)], states=[{"net": Credit(Decimal(1))}])


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        ({"kind": "credit", "amount": "-1"}, "/net: -1 cannot be carried forward"),
        (
            {
                "kind": "bank",
                "lots": [
                    {"band": None, "kwh": "-1", "earned_on": "2025-01-01", "expires_on": None}
                ],
            },
            "/net/lots/0: -1 cannot be carried forward",
        ),
        (
            {
                "kind": "progress",
                "since_on": "2025-01-01",
                "used": [{"band": None, "kwh": "-0.001"}],
            },
            "/net/used/0: -0.001 cannot be carried forward",
        ),
        (
            {"kind": "peaks", "peaks": [FEBRUARY_PEAK | {"kw": "-1"}]},
            "/net/peaks/0: -1 cannot be carried forward",
        ),
        ({"kind": "credit", "amount": "NaN"}, "/net/amount: "),
        ({"kind": "bank", "lots": [None] * 20_001}, "/net/lots: holds 20001 entries, at most"),
    ],
)
def test_what_no_bill_can_leave_is_refused(state, detail):
    with pytest.raises(Rejected, match=detail):
        read_state({"net": state})


@pytest.mark.parametrize(
    "document",
    [
        {"net": {"kind": "bank", "lots": [None] * 5000}},
        {"net": {"kind": "credit", "amount": "1"} | {f"field-{n}": n for n in range(5000)}},
        {f"net-{n}": None for n in range(5000)},
    ],
)
def test_no_more_than_a_hundred_faults_are_named(document):
    with pytest.raises(Rejected) as refused:
        read_state(document)
    assert len(refused.value.faults) == 100


@pytest.mark.parametrize(
    ("start_on", "end_on", "detail"),
    [
        ("2025-02-01", "2025-02-01", "is no part of one month"),
        ("2025-03-01", "2025-02-01", "must lie between"),
        ("2025-02-28", "2025-03-02", "is no part of one month"),
        ("9999-12-01", "9999-12-31", "must lie between"),
        ("0001-01-01", "0001-02-01", "must lie between"),
    ],
)
def test_a_peak_is_of_one_month_that_can_be_billed(start_on, end_on, detail):
    peak = FEBRUARY_PEAK | {"start_on": start_on, "end_on": end_on}
    with pytest.raises(Rejected, match=f"/demand/peaks/0: {start_on} to {end_on} {detail}"):
        read_state({"demand": {"kind": "peaks", "peaks": [peak]}})


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-12-01", 1, "2026-01-01"),
        ("2025-03-15", 24, "2027-03-15"),
        ("2025-08-31", 120, "2035-08-31"),
    ],
)
def test_months_after_a_day(day, months, later):
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("start", "end", "month", "whether"),
    [
        ("2025-03-01", "2025-04-01", 4, True),
        ("2025-04-01", "2025-05-01", 4, False),  # the day is the bill's first: the last one's end
        ("2025-03-15", "2025-04-15", 4, True),
        ("2025-12-15", "2026-01-15", 1, True),
        ("2025-03-15", "2025-03-31", 4, False),
        ("2024-01-01", "2026-01-01", 7, True),
    ],
)
def test_the_bill_that_reaches_a_months_first_day(start, end, month, whether):
    assert reaches(Period(date.fromisoformat(start), date.fromisoformat(end)), month) is whether
