"""Charges of records that need more than a record says: the system's peaks, free kvar, meters.

The working stands beside each figure.
"""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage, slots_in
from gridtally.urdb import Supplements, import_record

ZONE = "America/New_York"
FREE = {"energyratestructure": [[{"rate": 0, "unit": "kWh"}]], "demandwindow": 60}
AFTERNOON = [[0] * 24] * 5 + [[0] * 13 + [1] * 6 + [0] * 5] * 4 + [[0] * 24] * 3
"""From June to September period 1 is in force from 13:00 to 19:00."""
COINCIDENT = FREE | {
    "coincidentratestructure": [[{"rate": 0}], [{"rate": 8, "adj": Decimal("0.5")}]],
    "coincidentschedule": AFTERNOON,
    "coincidentrateunit": "kW",
}
PEAKS = (datetime.fromisoformat("2025-07-08T17:00-04:00"),)
REACTIVE = FREE | {"demandreactivepowercharge": Decimal("0.25")}


def imported(record, **supplements):
    return import_record(record, zone=ZONE, supplements=Supplements(**supplements))


def usage(month, **wh_at):
    """An hourly month with some Wh at (day, hour), by flow."""
    period = Period(date(2025, month, 1), date(2025, month + 1, 1))
    series = {}
    for flow, at in wh_at.items():
        values = np.zeros(slots_in(ZONE, period, 60), np.int64)
        for (day, hour), wh in at.items():
            values[(day - 1) * 24 + hour] = wh
        series[flow.rstrip("_")] = values
    return Usage(ZONE, period, 60, series)


def lines(result, used):
    (bill,) = rate(tariff_version(UUID(int=1), result.document), [used])
    return [
        (line.item.component_id, line.item.band, format(line.quantity.normalize(), "f"),
         line.item.unit, format(line.amount, "f"))
        for line in bill.lines
        if line.item.component_id != "energy"
    ]  # fmt: skip


def warnings(result):
    return [warning.detail for warning in result.warnings]


def test_the_power_at_a_peak_is_charged_at_the_rate_of_its_month_and_hour():
    """12 kW from 17:00 on 8 July, when the system had its peak, × (8 + 0.5); 40 kW at noon do not
    count."""
    result = imported(COINCIDENT, system_peaks=PEAKS)
    used = usage(7, import_={(8, 17): 12_000, (8, 12): 40_000})
    assert lines(result, used) == [("coincident-demand", "2025-07", "12", "kW", "102.00")]
    assert warnings(result) == []


def test_the_mean_of_a_months_peaks_is_charged():
    """(12 + 6) / 2 = 9 kW × 8.50."""
    peaks = (*PEAKS, datetime.fromisoformat("2025-07-22T14:00-04:00"))
    used = usage(7, import_={(8, 17): 12_000, (22, 14): 6_000})
    assert lines(imported(COINCIDENT, system_peaks=peaks), used) == [
        ("coincident-demand", "2025-07", "9", "kW", "76.50")
    ]


def test_periods_with_rates_of_their_own_are_charges_of_their_own():
    """2 kW in January at 3, 12 kW in July at 8."""
    record = COINCIDENT | {"coincidentratestructure": [[{"rate": 3}], [{"rate": 8}]]}
    peaks = (datetime.fromisoformat("2025-01-21T08:00-05:00"), *PEAKS)
    result = imported(record, system_peaks=peaks)
    january, july = usage(1, import_={(21, 8): 2_000}), usage(7, import_={(8, 17): 12_000})
    assert lines(result, january) == [("coincident-demand-0", "2025-01", "2", "kW", "6.00")]
    assert lines(result, july) == [("coincident-demand-1", "2025-07", "12", "kW", "96.00")]


def test_power_in_kw_daily_is_charged_on_each_day():
    """12 kW on 31 days at 8.50: 3162."""
    result = imported(COINCIDENT | {"coincidentrateunit": "kW daily"}, system_peaks=PEAKS)
    used = usage(7, import_={(8, 17): 12_000})
    assert lines(result, used) == [("coincident-demand", "2025-07", "372", "kW day", "3162.00")]


def test_a_schedule_of_twelve_months_is_read_too():
    record = COINCIDENT | {"coincidentschedule": [0] * 6 + [1] + [0] * 5}
    used = usage(7, import_={(8, 17): 12_000})
    assert lines(imported(record, system_peaks=PEAKS), used)[0][-1] == "102.00"


def test_months_without_a_peak_and_peaks_without_a_rate_are_warned_of():
    peaks = (*PEAKS, datetime.fromisoformat("2025-09-03T09:00-04:00"))
    result = imported(COINCIDENT, system_peaks=peaks)
    assert warnings(result) == [
        "no rate is in force at the peaks of 2025-09-03T09:00-0400",
        "no peak of 2025-08 is given: it cannot be billed",
    ]
    # in September the peak was when nothing is charged
    assert lines(result, usage(9, import_={(3, 9): 12_000})) == []
    for month in (6, 8):  # from June to September afternoons cost something
        with pytest.raises(Rejected, match=f"charged from 2025-0{month}-01") as refused:
            lines(result, usage(month, import_={}))
        assert refused.value.code == "peak_set_missing"
    for month in (1, 5, 10, 11):  # no hour of these costs anything
        assert lines(result, usage(month, import_={})) == []


def test_a_period_of_the_schedule_without_a_peak_is_free_in_months_that_have_one():
    """July's peak is of an hour at 3, so that those at 8 cost nothing; January's is not known."""
    record = COINCIDENT | {"coincidentratestructure": [[{"rate": 3}], [{"rate": 8}]]}
    at_noon = datetime.fromisoformat("2025-07-08T12:00-04:00")
    result = imported(record, system_peaks=(at_noon,))
    used = usage(7, import_={(8, 12): 2_000})
    assert lines(result, used) == [("coincident-demand-0", "2025-07", "2", "kW", "6.00")]
    with pytest.raises(Rejected, match="charged from 2025-01-01 to 2025-02-01"):
        lines(result, usage(1, import_={}))


def test_the_power_at_a_peak_fills_tiers():
    """12 kW: 5 × 8.50 and 7 × 10."""
    tiers = [{"max": 5, "rate": 8, "adj": Decimal("0.5")}, {"rate": 10}]
    record = COINCIDENT | {"coincidentratestructure": [[{"rate": 0}], tiers]}
    used = usage(7, import_={(8, 17): 12_000})
    assert lines(imported(record, system_peaks=PEAKS), used) == [
        ("coincident-demand", "2025-07:tier-1", "5", "kW", "42.50"),
        ("coincident-demand", "2025-07:tier-2", "7", "kW", "70.00"),
    ]


@pytest.mark.parametrize(
    ("fields", "supplements", "detail"),
    [
        ({}, {}, r"whose times a record does not name: give them \(--system-peaks FILE"),
        ({"coincidentrateunit": "hp"}, {"system_peaks": PEAKS}, "charges power in hp"),
        (
            {"coincidentratestructure": [[{"rate": 0}], [{"rate": 1}, {"rate": 2}]]},
            {"system_peaks": PEAKS},
            "/coincidentratestructure/1/0/max: is needed: another tier follows",
        ),
        ({"coincidentschedule": None}, {"system_peaks": PEAKS}, "is needed: 2 periods"),
        ({"coincidentschedule": [0] * 11}, {"system_peaks": PEAKS}, "must be 12 months"),
        ({"coincidentschedule": [2] * 12}, {"system_peaks": PEAKS}, "2 is none of the 2 periods"),
    ],
)
def test_what_is_lacking_is_refused_in_words(fields, supplements, detail):
    with pytest.raises(Rejected, match=detail):
        imported(COINCIDENT | fields, **supplements)


@pytest.mark.parametrize(
    ("share", "kvar", "amount"),
    [
        ("0.5", "2", "0.50"),  # 7 − 0.5 × 10
        ("0", "7", "1.75"),
        ("0.9", "0", "0.00"),  # 9 are free
    ],
)
def test_reactive_power_beyond_a_share_of_the_demand_is_charged(share, kvar, amount):
    """At most 10 kW and, at another hour, 7 kvar: 0.25 for each that is not free."""
    result = imported(REACTIVE, reactive_free_share=Decimal(share))
    used = usage(4, import_={(2, 9): 10_000}, reactive_import={(3, 7): 7_000})
    assert lines(result, used) == [("reactive-power", None, kvar, "kvar", amount)]
    assert warnings(result) == []


def test_a_meter_without_kvarh_is_not_billed_as_if_it_had_none():
    result = imported(REACTIVE, reactive_free_share=Decimal(0))
    with pytest.raises(Rejected, match="no reactive_import series"):
        lines(result, usage(4, import_={(2, 9): 10_000}))


def test_reactive_power_needs_to_know_how_many_kvar_are_free():
    with pytest.raises(Rejected, match="give how many kvar are free for each kW of demand"):
        imported(REACTIVE)


@pytest.mark.parametrize(
    ("supplements", "detail"),
    [
        ({"meters": 0}, "0 meters: there is at least one"),
        ({"system_peaks": (datetime(2025, 7, 8, 17),)}, "has no offset"),  # noqa: DTZ001
        ({"system_peaks": PEAKS * 2}, "is there twice"),
        ({"system_peaks": PEAKS * 101}, "at most 100"),
        ({"reactive_free_share": Decimal(-1)}, "must be 0 or more"),
    ],
)
def test_supplements_that_make_no_sense_are_refused(supplements, detail):
    with pytest.raises(ValueError, match=detail):
        Supplements(**supplements)


def test_net_metering_in_tiers_nets_the_month_before_the_tiers():
    """April: 600 kWh in, 100 out: 500 net, of which 300 at 0.10 and 200 at 0.20 = 70.00."""
    tiers = [{"max": 300, "rate": Decimal("0.1"), "unit": "kWh"}, {"rate": Decimal("0.2")}]
    record = {"energyratestructure": [tiers], "dgrules": "Net Metering"}
    result = import_record(record, zone=ZONE, export="as_declared")
    assert warnings(result) == []
    used = usage(4, import_={(2, 9): 600_000}, export={(3, 12): 100_000})
    (bill,) = rate(tariff_version(UUID(int=1), result.document), [used])
    assert [format(line.amount, "f") for line in bill.lines] == ["30.00", "40.00"]


@pytest.mark.parametrize(
    ("rule", "amounts"),
    [
        # the month's 600 - 100 kWh, of which 20 × 15 kW = 300 at 0.10 and 200 at 0.20
        ("Net Metering", ["30.00", "40.00"]),
        # hour by hour 600 kWh are taken: 300 and 300; 100 are sold, of which 20 × 5 kW at 0.05
        ("Net Billing Instantaneous", ["30.00", "60.00", "-5.00"]),
    ],
)
def test_tiers_per_kw_are_of_the_highest_power(rule, amounts):
    """April: 40 hours of 15 kW in, 20 of 5 kW out."""
    unit = {"unit": "kWh/kW"}
    tiers = [
        {"max": 20, "rate": Decimal("0.1"), "sell": Decimal("0.05"), **unit},
        {"rate": Decimal("0.2"), "sell": Decimal("0.07"), **unit},
    ]
    record = {"energyratestructure": [tiers], "dgrules": rule}
    result = import_record(record, zone=ZONE, export="as_declared")
    assert warnings(result) == []
    taken = {(1 + hour // 10, 8 + hour % 10): 15_000 for hour in range(40)}
    given = {(11 + hour // 10, 8 + hour % 10): 5_000 for hour in range(20)}
    (bill,) = rate(
        tariff_version(UUID(int=1), result.document), [usage(4, import_=taken, export=given)]
    )
    assert [format(line.amount, "f") for line in bill.lines] == amounts
