"""Limits on what is carried forward, in kWh and in money, and what becomes of the excess."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import Bank, Lot, read_state, state_document

BANK = {"kind": "carry_forward"}
CREDIT = {"kind": "offset", "unused": "carry_forward"}
NET = {"kind": "net_metering", "id": "net", "rate": "0.25"}
TIME_OF_USE = {
    "kind": "net_metering",
    "id": "net",
    "bands": [{"name": "day", "rate": "0.40"}, {"name": "night", "rate": "0.25"}],
    "windows": [{"band": "day", "from_time": "06:00", "to_time": "22:00"}],
    "default_band": "night",
}


def usage(usage_of, days, imported=0, exported=0, exported_at_night=0):
    """All the kWh at noon of the first day, some of the export at three in the morning."""
    usage = usage_of(*days, import_=0, export=0)
    usage.series["import"][12], usage.series["export"][12] = imported * 1000, exported * 1000
    usage.series["export"][3] = exported_at_night * 1000
    return usage


def month(number):
    return f"2025-{number:02}-01", f"2025-{number + 1:02}-01"


def bills_of(version, usages, state=()):
    """The total of each bill, and what it carries forward: kWh by band, or money."""
    bills, state = [], dict(state)
    for of_bill in usages:
        (bill,) = rate(version, [of_bill], states=[state])
        state = read_state(state_document(bill.state))
        bills.append((str(bill.total), carried(state)))
    return bills


def carried(state):
    left = state.get("net")
    if isinstance(left, Bank):
        kwh = {}
        for lot in left.lots:
            kwh[lot.band] = kwh.get(lot.band, 0) + lot.kwh
        return " ".join(f"{band or 'all'} {units.normalize():f}" for band, units in kwh.items())
    return "" if left is None else f"{left.amount.normalize():f}"


@pytest.mark.parametrize(
    ("surplus", "usages", "bills"),
    [
        # NatLabRockies/SAM#2059, Puerto Rico: of 744 kWh over 300 are carried, the rest is lost;
        # February's 400 kWh less 300 cost 100 × 0.25
        (
            {"max_kwh": "300"},
            [(month(1), 0, 744), (month(2), 400)],
            [("0.00", "all 300"), ("25.00", "")],
        ),
        # the same, and 444 kWh are paid at 0.10
        (
            {"max_kwh": "300", "excess_rate": "0.10"},
            [(month(1), 0, 744), (month(2), 400)],
            [("-44.40", "all 300"), ("25.00", "")],
        ),
        # what the bank holds counts: 200 and 150 are 350, of which the last 50 are lost
        (
            {"max_kwh": "300"},
            [(month(1), 0, 200), (month(2), 0, 150), (month(3), 10)],
            [("0.00", "all 200"), ("0.00", "all 300"), ("0.00", "all 290")],
        ),
        # no more than the limit is none of it
        ({"max_kwh": "300"}, [(month(1), 0, 300)], [("0.00", "all 300")]),
        # of each month: 300 of 744, then 300 of 500 more, and 10 kWh of them at 0.10 beyond
        (
            {"max_kwh_per_month": "300", "excess_rate": "0.10"},
            [(month(1), 0, 744), (month(2), 0, 500), (month(3), 50), (month(4), 0, 310)],
            [
                ("-44.40", "all 300"),
                ("-20.00", "all 600"),
                ("0.00", "all 550"),
                ("-1.00", "all 850"),
            ],
        ),
        # both: 300 of each month, and 450 in all
        (
            {"max_kwh_per_month": "300", "max_kwh": "450"},
            [(month(1), 0, 744), (month(2), 0, 500)],
            [("0.00", "all 300"), ("0.00", "all 450")],
        ),
        # a bill of two months may add twice as much, one of half of February half of it
        (
            {"max_kwh_per_month": "300"},
            [(("2025-01-01", "2025-03-01"), 0, 744)],
            [("0.00", "all 600")],
        ),
        (
            {"max_kwh_per_month": "300"},
            [(("2025-02-01", "2025-02-15"), 0, 744)],
            [("0.00", "all 150")],
        ),
        # 300 × 10/31 = 96.7741935…, to the Wh below
        (
            {"max_kwh_per_month": "300"},
            [(("2025-01-01", "2025-01-11"), 0, 744)],
            [("0.00", "all 96.774")],
        ),
        # the true-up pays for what is carried, 600 × 0.075, and the excess of its own month
        (
            {
                "max_kwh_per_month": "300",
                "excess_rate": "0.01",
                "true_up_month": 3,
                "true_up_rate": "0.075",
            },
            [(month(1), 0, 300), (month(2), 0, 400)],
            [("0.00", "all 300"), ("-46.00", "")],
        ),
        # all that is in the bank, though it is more than may be carried to a further bill
        (
            {"max_kwh": "300", "true_up_month": 3, "true_up_rate": "0.10"},
            [(month(1), 0, 300), (month(2), 0, 100)],
            [("0.00", "all 300"), ("-40.00", "")],
        ),
    ],
)
def test_a_bank_holds_and_takes_no_more_than_its_limits(
    version_of, usage_of, surplus, usages, bills
):
    version = version_of(NET | {"surplus": BANK | surplus})
    assert bills_of(version, [usage(usage_of, *fields) for fields in usages]) == bills


@pytest.mark.parametrize(
    ("surplus", "usages", "bills"),
    [
        # NatLabRockies/SAM#2059, Minnesota: of 400 kWh × 0.25 = 100 money 60 are carried;
        # February's 300 kWh cost 75 less 60
        (
            {"max_amount": "60"},
            [(month(1), 0, 400), (month(2), 300)],
            [("0.00", "60"), ("15.00", "")],
        ),
        (
            {"max_amount": "60", "excess": "payout"},
            [(month(1), 0, 400), (month(2), 300)],
            [("-40.00", "60"), ("15.00", "")],
        ),
        # of what was carried before and 25 more, 60 are
        (
            {"max_amount": "60"},
            [(month(1), 0, 200), (month(2), 0, 100)],
            [("0.00", "50"), ("0.00", "60")],
        ),
        # each month adds 60 at most
        (
            {"max_amount_per_month": "60", "excess": "payout"},
            [(month(1), 0, 400), (month(2), 0, 400), (month(3), 0, 40)],
            [("-40.00", "60"), ("-40.00", "120"), ("0.00", "130")],
        ),
        # 60 × 10/31 = 19.35483870967741935484, and the rest of 100 is paid
        (
            {"max_amount_per_month": "60", "excess": "payout"},
            [(("2025-01-01", "2025-01-11"), 0, 400)],
            [("-80.65", "19.35483870967741935484")],
        ),
        # a credit that pays from the next bill on: 60 of January's 100 pay February's 75
        (
            {"max_amount": "60", "from_bill": "next"},
            [(month(1), 0, 400), (month(2), 300)],
            [("0.00", "60"), ("15.00", "")],
        ),
        # what the true-up settles is lost or paid as it says, the month's excess as `excess` does
        (
            {"max_amount_per_month": "60", "true_up_month": 3, "true_up": "payout"},
            [(month(1), 0, 400), (month(2), 0, 400)],
            [("0.00", "60"), ("-120.00", "")],
        ),
        (
            {"max_amount_per_month": "60", "excess": "payout", "true_up_month": 2},
            [(month(1), 0, 400)],
            [("-40.00", "")],
        ),
    ],
)
def test_a_credit_is_carried_up_to_its_limits(version_of, usage_of, surplus, usages, bills):
    version = version_of(NET | {"surplus": CREDIT | surplus})
    assert bills_of(version, [usage(usage_of, *fields) for fields in usages]) == bills


def test_the_excess_is_a_line_of_its_own(version_of, usage_of):
    version = version_of(NET | {"surplus": BANK | {"max_kwh": "300", "excess_rate": "0.10"}})
    (bill,) = rate(version, [usage(usage_of, month(1), 0, 744)])
    assert [
        (line.item.kind, line.item.band, str(line.quantity), str(line.item.rate), str(line.amount))
        for line in bill.lines
    ] == [
        ("energy", None, "0.000", "0.25", "0.00"),
        ("credit", "excess", "444.000", "-0.10", "-44.40"),
    ]


def test_a_true_up_pays_each_band_its_price(version_of, usage_of):
    """NatLabRockies/SAM#2117, PECO: the price to compare of each band.

    100 kWh by day × 0.08 + 60 by night × 0.03 = 9.80.
    """
    prices = [{"band": "night", "rate": "0.03"}, {"band": "day", "rate": "0.08"}]
    version = version_of(
        TIME_OF_USE | {"surplus": BANK | {"true_up_month": 3, "true_up_rates": prices}}
    )
    usages = [usage(usage_of, month(1), 0, 90, 60), usage(usage_of, month(2), 0, 10)]
    assert bills_of(version, usages) == [("0.00", "day 90 night 60"), ("-9.80", "")]
    foreign = {"net": Bank((Lot("dawn", Decimal(8), date(2024, 12, 1), None),))}
    with pytest.raises(Rejected, match="units of the band 'dawn', for which true_up_rates"):
        rate(version, usages[1:], states=[foreign])
    assert bills_of(version, usages[:1], foreign) == [("0.00", "dawn 8 day 90 night 60")]


def test_of_the_bands_the_first_keep_their_units(version_of, usage_of):
    version = version_of(TIME_OF_USE | {"surplus": BANK | {"max_kwh": "100"}})
    usages = [usage(usage_of, month(1), 0, 90, 60)]
    assert bills_of(version, usages) == [("0.00", "day 90 night 10")]


WORTH = {"true_up_month": 3, "true_up_rates": [{"band": "day", "rate": "0.1"}]}


@pytest.mark.parametrize(
    ("component", "surplus", "detail"),
    [
        (NET, BANK | {"max_kwh": "0"}, "a max_kwh of 0 must lie above nothing"),
        (NET, BANK | {"max_kwh_per_month": "-1"}, "max_kwh_per_month"),
        (NET, BANK | {"excess_rate": "0.1"}, "an excess_rate needs a max_kwh or a max_kwh_per"),
        (NET, BANK | {"max_amount": "5"}, "/surplus/max_amount: is not a field here"),
        (NET, BANK | WORTH, "true_up_rates are for the component's bands, all of them: it has no"),
        (TIME_OF_USE, BANK | WORTH, "the component's bands, all of them: day, night"),
        (TIME_OF_USE, BANK | WORTH | {"true_up_month": None}, "need their true_up_month"),
        (TIME_OF_USE, BANK | WORTH | {"true_up_rate": "1"}, "either a true_up_rate or true_up_r"),
        (
            TIME_OF_USE,
            BANK | WORTH | {"true_up_rates": WORTH["true_up_rates"] * 2},
            "name each band once",
        ),
        (NET, CREDIT | {"max_amount": "0"}, "a max_amount of 0 must lie above nothing"),
        (NET, CREDIT | {"excess": "payout"}, "excess needs a max_amount or a max_amount_per_mon"),
        (NET, CREDIT | {"unused": "lost", "max_amount": "5"}, "for a credit that is carried forw"),
        (NET, CREDIT | {"max_kwh": "5"}, "/surplus/max_kwh: is not a field here"),
    ],
)
def test_limits_that_make_no_sense_are_refused(version_of, component, surplus, detail):
    with pytest.raises(Rejected, match=detail) as refused:
        version_of(component | {"surplus": surplus})
    assert refused.value.faults[0].path.startswith("/components/0")


kwh = st.integers(0, 400)
limits = st.one_of(st.none(), st.integers(1, 300).map(str))


@examples(60)
@given(st.lists(st.tuples(kwh, kwh, kwh), min_size=2, max_size=6), limits, limits)
def test_a_bank_pays_out_what_went_in_and_no_more(version_of, usage_of, months, most, monthly):
    """Units over = units taken, paid as excess or at the true-up, and left in the bank."""
    excess = {"excess_rate": "0.1"} if most or monthly else {}
    prices = [{"band": "day", "rate": "0.08"}, {"band": "night", "rate": "0.03"}]
    surplus = BANK | excess | {"max_kwh": most, "max_kwh_per_month": monthly}
    surplus |= {"true_up_month": 5, "true_up_rates": prices}
    version = version_of(TIME_OF_USE | {"cross_band": "any", "surplus": surplus})
    state, earned, paid = {}, Decimal(0), Decimal(0)
    for number, (imported, exported, at_night) in enumerate(months, 1):
        (bill,) = rate(
            version,
            [usage(usage_of, month(number), imported, exported, at_night)],
            states=[state],
        )
        state = bill.state
        earned += max(exported - imported, 0) + at_night
        paid += sum(
            abs(line.quantity)
            for line in bill.lines
            if line.item.kind == "credit" or line.item.flow == "export"
        )
        held = sum(lot.kwh for lot in state["net"].lots) if state else 0
        assert earned == paid + held
        assert most is None or held <= Decimal(most)
