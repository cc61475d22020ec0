"""Time of use: which band an hour of 1 kWh lies in, on days of every kind."""

import numpy as np
import pytest

from gridtally.kernel.errors import Rejected
from gridtally.rating.engine.bill import rate

CALENDAR = {
    "seasons": [{"name": "winter", "start": "10-16"}, {"name": "summer", "start": "04-01"}],
    "day_types": [
        {
            "name": "workday",
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "holidays": "excluded",
        },
        {"name": "restday", "weekdays": ["sat", "sun"], "holidays": "included"},
        {"name": "monday", "weekdays": ["mon"]},
    ],
    "holidays": {"country": "DE", "subdivision": "BE", "dates": ["2025-12-24"]},
}
PEAK = {"band": "peak", "from_time": "17:00", "to_time": "20:00"}
NIGHT = {"band": "night", "from_time": "22:00", "to_time": "06:00"}
WORKDAY = {"day_types": ["workday"]}


def tou(*windows, default_band="day", **fields):
    used = {window["band"] for window in windows} | ({default_band} - {None})
    bands = [{"name": name, "rate": "1"} for name in ("peak", "night", "day") if name in used]
    charge = {"kind": "time_of_use", "id": "tou", "bands": bands, "windows": windows}
    return charge | {"default_band": default_band} | fields


def kwh_by_band(version, usage):
    return {line.item.band: float(line.quantity) for line in rate(version, [usage])[0].lines}


@pytest.mark.parametrize(
    ("windows", "start_on", "end_on", "kwh"),
    [
        ([PEAK], "2025-03-03", "2025-03-04", {"peak": 3, "day": 21}),
        ([PEAK | WORKDAY], "2025-03-03", "2025-03-10", {"peak": 15, "day": 153}),
        ([PEAK | {"day_types": ["restday"]}], "2025-03-03", "2025-03-10", {"peak": 6, "day": 162}),
        # 8 March is a holiday in Berlin; Christmas Eve is the tariff's own
        ([PEAK | WORKDAY], "2026-03-08", "2026-03-09", {"day": 24}),
        ([PEAK | WORKDAY], "2025-12-24", "2025-12-25", {"day": 24}),
        ([PEAK | WORKDAY], "2025-05-01", "2025-05-02", {"day": 24}),
        ([PEAK | {"day_types": ["restday"]}], "2025-05-01", "2025-05-02", {"peak": 3, "day": 21}),
        # Easter Monday stays a Monday for a type that goes by weekday
        ([PEAK | {"day_types": ["monday"]}], "2025-04-21", "2025-04-22", {"peak": 3, "day": 21}),
        ([PEAK | {"seasons": ["summer"]}], "2025-03-31", "2025-04-02", {"peak": 3, "day": 45}),
        ([PEAK | {"seasons": ["winter"]}], "2025-10-15", "2025-10-17", {"peak": 3, "day": 45}),
        ([PEAK | {"seasons": ["winter"]}], "2025-01-01", "2025-01-02", {"peak": 3, "day": 21}),
        ([NIGHT], "2025-03-03", "2025-03-04", {"night": 8, "day": 16}),
        # Friday's window ends at midnight, since its early hours lie on a Saturday
        ([NIGHT | WORKDAY], "2025-03-07", "2025-03-09", {"night": 8, "day": 40}),
        ([PEAK | WORKDAY, NIGHT], "2025-03-03", "2025-03-04", {"peak": 3, "night": 8, "day": 13}),
        ([PEAK | {"to_time": "24:00"}], "2025-03-03", "2025-03-04", {"peak": 7, "day": 17}),
        ([PEAK | {"to_time": "00:00"}], "2025-03-03", "2025-03-04", {"peak": 7, "day": 17}),
        # the clock skips 02:00 to 03:00 in March and repeats it in October
        ([NIGHT], "2025-03-30", "2025-03-31", {"night": 7, "day": 16}),
        ([NIGHT], "2025-10-26", "2025-10-27", {"night": 9, "day": 16}),
    ],
)
def test_bands(version_of, usage_of, windows, start_on, end_on, kwh):
    version = version_of(tou(*windows), calendar=CALENDAR)
    assert kwh_by_band(version, usage_of(start_on, end_on, import_=1000)) == kwh


def test_a_window_may_be_the_whole_day_and_needs_no_default(version_of, usage_of):
    whole = {"band": "peak", "from_time": "00:00", "to_time": "24:00"}
    version = version_of(tou(whole, default_band=None))
    assert kwh_by_band(version, usage_of("2025-03-03", "2025-03-04", import_=1000)) == {"peak": 24}


def test_windows_are_read_on_the_tariffs_clock_not_the_meters(version_of, usage_of):
    """17:00 to 20:00 in Berlin is 16:00 to 19:00 in London, on the meter's own day."""
    meter = usage_of("2025-03-03", "2025-03-04", zone="Europe/London", import_=0)
    meter.series["import"][16:19] = 1000
    assert kwh_by_band(version_of(tou(PEAK)), meter) == {"peak": 3, "day": 0}


def test_the_tariffs_clock_may_change_inside_the_meters_day(version_of, usage_of):
    """Kolkata's hours begin at half past in Berlin, whose clock jumps inside one of them."""
    early = {"band": "night", "from_time": "00:30", "to_time": "05:30"}
    meter = usage_of("2025-03-30", "2025-03-31", zone="Asia/Kolkata", import_=1000)
    assert kwh_by_band(version_of(tou(early)), meter) == {"night": 4, "day": 20}


def test_a_band_that_the_clock_change_cuts_is_refused(version_of, usage_of):
    """On 30 March one of Kolkata's hours is 01:30 to 02:00 and 03:00 to 03:30 in Berlin."""
    late = {"band": "night", "from_time": "02:30", "to_time": "05:30"}
    version = version_of(tou(late))
    kolkata = {"zone": "Asia/Kolkata", "import_": 1000}
    ordinary = usage_of("2025-03-28", "2025-03-29", **kolkata)
    assert kwh_by_band(version, ordinary) == {"night": 3, "day": 21}
    with pytest.raises(Rejected, match=r"changes at 2025-03-30 03:00, inside .* starts at 01:30"):
        rate(version, [usage_of("2025-03-30", "2025-03-31", **kolkata)])


@pytest.mark.parametrize(
    ("minutes", "edge", "refused"),
    [(15, "17:10", True), (10, "17:10", False), (5, "17:10", False), (15, "17:15", False)],
)
def test_an_edge_inside_an_interval_is_refused(version_of, usage_of, minutes, edge, refused):
    version = version_of(tou(PEAK | {"from_time": edge}))
    usage = usage_of("2025-03-03", "2025-03-04", minutes=minutes, import_=1000)
    if refused:
        detail = (
            r"tou: the band changes at 2025-03-03 17:10, inside the 15-minute interval .* 17:00"
        )
        with pytest.raises(Rejected, match=detail) as refusal:
            rate(version, [usage])
        assert refusal.value.code == "edge_inside_interval"
    else:
        assert kwh_by_band(version, usage)["peak"] > 0


def test_an_hour_of_lord_howe_that_loses_half_of_itself_still_fits_half_hours(version_of, usage_of):
    version = version_of(tou(NIGHT), zone="Australia/Lord_Howe")
    lord_howe = {"zone": "Australia/Lord_Howe", "minutes": 30, "import_": 1000}
    spring = usage_of("2025-10-05", "2025-10-06", **lord_howe)
    autumn = usage_of("2025-04-06", "2025-04-07", **lord_howe)
    assert kwh_by_band(version, spring) == {"night": 15, "day": 32}
    assert kwh_by_band(version, autumn) == {"night": 17, "day": 32}


@pytest.mark.parametrize(
    ("charge", "fault"),
    [
        (tou(PEAK, PEAK | {"from_time": "19:59"}), "windows 0 and 1 overlap mon of season"),
        (tou(PEAK | WORKDAY, PEAK | {"day_types": ["monday"]}), "overlap mon of season"),
        (tou(NIGHT, PEAK | {"from_time": "05:00"}), "at 05:00"),
        (tou(PEAK, default_band=None), "no window covers mon of season winter at 00:00"),
        (tou(PEAK | {"seasons": ["fall"]}), "window 0: the calendar has no season 'fall'"),
        (tou(PEAK | {"day_types": ["feast"]}), "the calendar has no day type 'feast'"),
        (tou(PEAK | {"to_time": "17:00"}), "a day that begins at 17:00, .* day_begins is 00:00"),
        (tou(PEAK | {"to_time": "17:00:30"}), "whole local minutes"),
        (tou(PEAK, bands=[{"name": "peak", "rate": "1"}]), "band 'day' has no rate"),
        (tou(bands=[{"name": n, "rate": "1"} for n in ("day", "idle")]), "'idle' is in no window"),
        (tou(bands=[{"name": "day", "rate": "1"}] * 2), "two bands have the same name"),
    ],
)
def test_windows_that_contradict_are_refused(version_of, charge, fault):
    with pytest.raises(Rejected, match=fault):
        version_of(charge, calendar=CALENDAR)


def test_day_types_that_share_no_day_may_share_hours(version_of, usage_of):
    version = version_of(
        tou(PEAK | WORKDAY, PEAK | {"day_types": ["restday"], "band": "night"}), calendar=CALENDAR
    )
    usage = usage_of("2025-03-03", "2025-03-10", import_=1000)
    assert kwh_by_band(version, usage) == {"peak": 15, "night": 6, "day": 147}


def test_every_interval_is_in_exactly_one_band(version_of, usage_of):
    version = version_of(tou(PEAK | WORKDAY, NIGHT), calendar=CALENDAR)
    usage = usage_of("2025-01-01", "2026-01-01", minutes=15, import_=0)
    usage.series["import"][:] = np.arange(len(usage.series["import"]))
    lines = rate(version, [usage])[0].lines
    assert sum(line.quantity for line in lines) * 1000 == int(usage.series["import"].sum())


def red_day(day_begins, **window):
    """A tariff with one red day, 15 January; R03b of the complaints."""
    calendar = {
        "day_begins": day_begins,
        "day_types": [{"name": "red", "dates": ["2025-01-15"]}],
    }
    times = {"from_time": "06:00", "to_time": "06:00"} | window
    charge = {
        "kind": "time_of_use", "id": "energy", "default_band": "blue",
        "bands": [{"name": "blue", "rate": "0.10"}, {"name": "red", "rate": "0.70"}],
        "windows": [{"band": "red", "day_types": ["red"]} | times],
    }  # fmt: skip
    return charge, calendar


@pytest.mark.parametrize(
    ("window", "red", "blue"),
    [
        ({}, 24, 48),
        ({"from_time": "00:00", "to_time": "24:00"}, 24, 48),
        ({"from_time": "22:00"}, 8, 64),  # its night, which ends on the 16th at six
        ({"from_time": "00:00"}, 6, 66),  # its last six hours
    ],
)
def test_a_day_that_begins_at_six_lasts_until_six(version_of, usage_of, window, red, blue):
    """JC144/EDF_Simulateur_Prix#10; 1 kWh an hour from the 15th to the 17th, in Berlin."""
    charge, calendar = red_day("06:00", **window)
    usage = usage_of("2025-01-15", "2025-01-18", import_=1000)
    assert kwh_by_band(version_of(charge, calendar=calendar), usage) == {"blue": blue, "red": red}


def test_the_day_on_which_the_clock_changes_still_begins_at_six(version_of, usage_of):
    """29 March from six lasts 23 hours: the clock skips one of the night that belongs to it."""
    charge, calendar = red_day("06:00")
    calendar["day_types"][0]["dates"] = ["2025-03-29"]
    usage = usage_of("2025-03-29", "2025-03-31", import_=1000)
    assert kwh_by_band(version_of(charge, calendar=calendar), usage) == {"blue": 24, "red": 23}


def test_a_colour_without_any_day_yet_is_in_no_bill(version_of, usage_of):
    """Tempo in September, before the first red day: its dates are an empty list."""
    charge, calendar = red_day("06:00")
    calendar["day_types"][0]["dates"] = []
    usage = usage_of("2025-01-15", "2025-01-18", import_=1000)
    assert kwh_by_band(version_of(charge, calendar=calendar), usage) == {"blue": 72}


def test_three_colours_each_from_six_to_six(version_of, usage_of):
    """grimmlink/tempo-comparatif#5, delphiki/hass-tarif-edf#3 and #52, AmyJeanes/TeslaMateAgile#90
    (R03 of the complaints): 2 kWh an hour from 14 to 16 January in Paris. White lasts from the 14th
    to the 15th at six, red to the 16th at six: 16 hours by day and 8 at night of each; blue are the
    6 hours before and the 18 after, 8 of which are of the night."""
    colours = {"white": ["2025-01-14"], "red": ["2025-01-15"]}
    names = [*colours, "blue"]
    weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    day_types = [{"name": name, "dates": dates} for name, dates in colours.items()]
    calendar = {
        "day_begins": "06:00",
        "day_types": [*day_types, {"name": "blue", "weekdays": weekdays}],
    }
    nights = [
        {"band": f"{name}-night", "from_time": "22:00", "to_time": "06:00", "day_types": [name]}
        for name in names
    ]
    days = [
        {"band": f"{name}-day", "from_time": "06:00", "to_time": "22:00", "day_types": [name]}
        for name in names
    ]
    bands = [{"name": window["band"], "rate": "1"} for window in (*days, *nights)]
    charge = {"kind": "time_of_use", "id": "energy", "bands": bands, "windows": [*days, *nights]}
    version = version_of(charge, calendar=calendar, zone="Europe/Paris")
    usage = usage_of("2025-01-14", "2025-01-17", zone="Europe/Paris", minutes=30, import_=1000)
    assert kwh_by_band(version, usage) == {
        "white-day": 32, "red-day": 32, "blue-day": 32,
        "white-night": 16, "red-night": 16, "blue-night": 16,
    }  # fmt: skip


COLOURS = {
    "day_begins": "06:00",
    "other_dates": "refused",
    "day_types": [
        {"name": "red", "dates": ["2025-01-15"]},
        {"name": "blue", "dates": ["2025-01-14", "2025-01-16"]},
    ],
}
COLOURED = {
    "kind": "time_of_use",
    "id": "tempo",
    "bands": [{"name": "red", "rate": "0.7"}, {"name": "blue", "rate": "0.1"}],
    "windows": [
        {"band": colour, "from_time": "06:00", "to_time": "06:00", "day_types": [colour]}
        for colour in ("red", "blue")
    ],
}


def test_a_day_without_a_colour_is_no_day_of_another(version_of, usage_of):
    """The 15th and 16th: 6 hours of the 14th and 18 of the 16th are blue, 24 are red. The 17th has
    no colour yet."""
    version = version_of(COLOURED, calendar=COLOURS)
    usage = usage_of("2025-01-15", "2025-01-17", import_=1000)
    assert kwh_by_band(version, usage) == {"blue": 24, "red": 24}
    with pytest.raises(Rejected, match="names 2025-01-17 in no day type") as refused:
        rate(version, [usage_of("2025-01-15", "2025-01-18", import_=1000)])
    assert refused.value.code == "day_unknown"


@pytest.mark.parametrize(
    ("calendar", "detail"),
    [
        ({"day_types": [{"name": "red"}]}, "holds no day: if its dates are not known yet"),
        (
            {"other_dates": "refused", "day_types": [{"name": "a", "weekdays": ["mon"]}]},
            "refused where no day type is by dates",
        ),
    ],
)
def test_a_calendar_that_says_nothing_of_its_days_is_refused(version_of, calendar, detail):
    with pytest.raises(Rejected, match=detail):
        version_of(COLOURED, calendar=calendar)
