"""Quotes: a meter's periods in turn, as one document, and tariffs side by side."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import plain
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.engine.lines import KINDS
from gridtally.rating.quote import compare, peak_kw, quote, rate_in_sequence
from gridtally.rating.usage import MISSING, Usage

ZONE = "Europe/Berlin"
JANUARY = Period(date(2025, 1, 1), date(2025, 2, 1))
FEBRUARY = Period(date(2025, 2, 1), date(2025, 3, 1))


def flat(rate_per_kwh, currency="EUR", decimals=2, **more):
    return tariff_version(
        UUID(int=1),
        {
            "currency": currency,
            "zone": ZONE,
            "rounding": {"decimals": decimals},
            "components": [{"kind": "energy", "id": "energy", "rate": rate_per_kwh} | more],
        },
    )


def usage(period=JANUARY, wh=1000, minutes=60, **more):
    slots = period.slots(ZONE, minutes)
    return Usage(ZONE, period, minutes, {"import": np.full(slots, wh)}, **more)


def test_a_quote_is_the_bills_of_the_periods_in_turn():
    usages = [usage(JANUARY), usage(FEBRUARY, 2000)]
    tariff = flat("0.3")
    document = quote(tariff, usages)
    assert document["currency"] == "EUR"
    bills = [rate(tariff, [usage_])[0] for usage_ in usages]
    for period, bill in zip(document["periods"], bills, strict=True):
        assert period["start"] == bill.period.start_on.isoformat()
        assert period["end"] == bill.period.end_on.isoformat()
        assert period["totals"]["total"] == plain(bill.total)
        assert list(period["totals"]) == list(period["totals_exact"]) == [*KINDS, "total"]
        assert period["state"] == {}
    # 744 h × 1 kW × 0.30 and 672 h × 2 kW × 0.30
    assert [period["totals"]["energy"] for period in document["periods"]] == ["223.20", "403.20"]
    assert [period["peak_kw"] for period in document["periods"]] == ["1.000", "2.000"]


def test_each_period_begins_with_the_state_that_the_last_one_left():
    tariff = flat("0", kind="demand", ratchet_months=1, rate="10", minutes=60)
    usages = [usage(JANUARY, 5000), usage(FEBRUARY, 2000)]
    document = quote(tariff, usages)
    # 5 kW in January, which February is billed for too; alone it would be 2 kW
    assert [period["totals"]["demand"] for period in document["periods"]] == ["50.00", "50.00"]
    assert rate_in_sequence(tariff, usages[1:])[0].total == 20
    january = rate_in_sequence(tariff, usages[:1])[0]
    assert rate_in_sequence(tariff, usages[1:], state=january.state)[0].total == 50
    (peak,) = document["periods"][0]["state"]["energy"]["peaks"]
    assert (peak["start_on"], Decimal(peak["kw"]) / peak["parts"]) == ("2025-01-01", 5)


@pytest.mark.parametrize(
    ("given", "kw"),
    [
        (usage(wh=250, minutes=15), "1.000"),
        (usage(wh=1, minutes=5), "0.012"),
        (usage(wh=25, minutes=15, kwh_decimals=4), "0.0100"),
        (usage(wh=0), "0.000"),
        (usage(wh=MISSING), "0.000"),
    ],
)
def test_the_peak_is_the_highest_mean_of_an_interval(given, kw):
    assert plain(peak_kw(given)) == kw


def test_no_import_has_no_peak():
    export = Usage(ZONE, JANUARY, 60, {"export": np.zeros(744, np.int64)})
    assert peak_kw(export) is None
    document = quote(flat("0.1", flow="export"), [export])
    assert document["periods"][0]["peak_kw"] is None


def test_zero_is_never_minus_zero():
    document = quote(flat("-0.3"), [usage(wh=0)])
    period = document["periods"][0]
    totals = [*period["totals"].values(), *period["totals_exact"].values()]
    assert not [text for text in totals if text.startswith("-")]


@pytest.mark.parametrize(("decimals", "zero"), [(2, "0.00"), (0, "0"), (4, "0.0000")])
def test_zero_has_the_decimals_of_money(decimals, zero):
    document = quote(flat("0.5", decimals=decimals), [usage(wh=0)])
    (period,) = document["periods"]
    assert set(period["totals"].values()) == {zero}
    compared = compare({"one": flat("0.3", decimals=decimals)}, [usage(wh=0)])
    assert set(compared["tariffs"][0]["totals"].values()) == {zero}
    assert compared["tariffs"][0]["difference"] == zero


def test_tariffs_are_compared_cheapest_first():
    document = compare(
        {"dear": flat("0.4"), "cheap": flat("0.2"), "also-cheap": flat("0.2")},
        [usage(JANUARY), usage(FEBRUARY)],
    )
    assert (document["currency"], document["start"], document["end"]) == (
        "EUR",
        "2025-01-01",
        "2025-03-01",
    )
    # 1416 hours of one kW
    assert [
        (row["name"], row["totals"]["total"], row["difference"]) for row in document["tariffs"]
    ] == [
        ("also-cheap", "283.20", "0.00"),
        ("cheap", "283.20", "0.00"),
        ("dear", "566.40", "283.20"),
    ]
    assert document["tariffs"][2]["totals_exact"]["energy"] == "566.4000"


@pytest.mark.parametrize(
    ("quoting", "code", "detail"),
    [
        (lambda: rate_in_sequence(flat("1"), []), "quote_empty", "no usage"),
        (
            lambda: rate_in_sequence(flat("1"), [usage(FEBRUARY), usage(JANUARY)]),
            "quote_order",
            "2025-01-01",
        ),
        (
            lambda: rate_in_sequence(flat("1"), [usage(), usage()]),
            "quote_order",
            "to 2025-02-01 ends",
        ),
        (lambda: compare({}, [usage()]), "compare_empty", "no tariff"),
        (
            lambda: compare({"a": flat("1"), "b": flat("1", "USD")}, [usage()]),
            "compare_currencies",
            "EUR, USD",
        ),
        (
            lambda: compare({"a": flat("1"), "b": flat("1", flow="export")}, [usage()]),
            "flow_missing",
            "b: the usage has no export series",
        ),
    ],
)
def test_what_cannot_be_quoted_is_refused(quoting, code, detail):
    with pytest.raises(Rejected, match=detail) as refused:
        quoting()
    assert refused.value.code == code
