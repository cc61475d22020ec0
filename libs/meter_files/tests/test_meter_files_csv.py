"""CSV files of real layouts, each with its energy worked by hand; what they seem to be is shown."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gridtally.meter_files.channels import ABSENT, FileError
from gridtally.meter_files.csv_layout import CsvLayout, ValueColumn
from gridtally.meter_files.local_clock import instant
from gridtally.meter_files.reader import guess_layout, read_file

BERLIN, SYDNEY, NEW_YORK = "Europe/Berlin", "Australia/Sydney", "America/New_York"


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(text, zone, **change):
    """The channels of a file by the layout that it seems to have."""
    content = text if isinstance(text, bytes) else text.encode()
    return read_file(content, replace(guess_layout(content, zone).layout, **change)).channels


PLAIN = """\
start_local,import_kwh
2025-03-01T00:00,0.25
2025-03-01T00:15,0.5
2025-03-01T00:30,
2025-03-01T00:45,1
"""
GERMAN = """\
Zählpunkt;DE0001
Erstellt am;02.03.2025

Von;Bis;Verbrauch (kWh);Status
01.03.2025 00:00;01.03.2025 00:15;0,25;W
01.03.2025 00:15;01.03.2025 00:30;1,5;W
01.03.2025 00:30;01.03.2025 00:45;2,000;E
Summe;;3,75;
"""
AMERICAN = """\
"ESIID","USAGE_DATE","USAGE_START_TIME","USAGE_END_TIME","USAGE_KWH","ESTIMATED_ACTUAL"
"1044","03/13/2025"," 00:00"," 00:15",".073","A"
"1044","03/13/2025"," 00:15"," 00:30",".1","E"
"1044","03/13/2025"," 00:30"," 00:45",".004","A"
"""
ENDING = """\
Date,Hour Ending,kW
1/3/2025,01:00,1.5
1/3/2025,02:00,2
1/3/2025,24:00,4
"""
POWER = """\
timestamp (UTC);average kW
2025-01-01 00:00:00;1
2025-01-01 00:05:00;1
2025-01-01 00:10:00;1
2025-01-01 00:15:00;1
"""
WIDE_METERS = """\
Time,Flat 1 (Wh),Flat 2 (Wh)
2025-01-01 00:00,100,7
2025-01-01 01:00,200,8
"""
EPOCHS = "time,kwh\n1735689600,1\n1735693200,2\n"
OFFSETS = "start,kwh\n2025-01-01T00:00:00+01:00,1\n2025-01-01T01:00:00+01:00,2\n"
NUMBERED = "Meter point,4711\n\n" + OFFSETS
"""As wide as the table below it, and with a figure."""


@pytest.mark.parametrize(
    ("text", "zone", "first", "values"),
    [
        # A quarter of a kWh is 250 Wh; an empty cell is missing, not zero.
        (PLAIN, BERLIN, "2025-02-28T23:00", [250, 500, None, 1000]),
        # Decimal commas, rows above the header, a total below: 250, 1500 and 2000 Wh.
        (GERMAN, BERLIN, "2025-02-28T23:00", [250, 1500, 2000]),
        # Texas, three quarters of an hour in Central Daylight Time (UTC-5).
        (AMERICAN, "America/Chicago", "2025-03-13T05:00", [73, 100, 4]),
        # Hour-ending: the hour that ends at 01:00 starts at midnight, and 24:00 ends the day. The
        # first of three hours of 1.5, 2 and 4 kW; day first, since 24:00 is no American clock.
        (POWER, BERLIN, "2025-01-01T00:00", [83, 84, 83, 83]),  # 4/12 kWh are 333.3 Wh
        (EPOCHS, BERLIN, "2025-01-01T00:00", [1000, 2000]),
        (OFFSETS, BERLIN, "2024-12-31T23:00", [1000, 2000]),
        (NUMBERED, BERLIN, "2024-12-31T23:00", [1000, 2000]),
        (GERMAN.encode("utf-16"), BERLIN, "2025-02-28T23:00", [250, 1500, 2000]),
        (GERMAN.encode("cp1252"), BERLIN, "2025-02-28T23:00", [250, 1500, 2000]),
        (b"\xef\xbb\xbf" + PLAIN.encode(), "UTC", "2025-03-01T00:00", [250, 500, None, 1000]),
    ],
)
def test_a_layout_is_recognized(text, zone, first, values):
    [channel] = read(text, zone)
    assert instant(int(channel.starts[0])) == utc(first)
    assert [None if v == ABSENT else v for v in channel.values.tolist()] == values


def test_hour_ending_stamps_are_recognized_by_24_00():
    [channel] = read(ENDING, NEW_YORK)
    assert [instant(at).hour for at in channel.starts.tolist()] == [5, 6, 4]
    assert channel.values.tolist() == [1500, 2000, 4000]


def test_what_is_guessed_is_said():
    guess = guess_layout(GERMAN.encode(), BERLIN)
    assert guess.layout == CsvLayout(
        separator=";", decimal_mark=",", header_row=4, footer_rows=1, stamp_columns=("Von",),
        stamp_form="DD.MM.YYYY HH:mm", clock=BERLIN, minutes=15, quality_column="Status",
        values=(ValueColumn(column="Verbrauch (kWh)", unit="kWh", flow="import"),),
    )  # fmt: skip
    assert guess.notes == (
        "the times are taken to be on the clock of Europe/Berlin, with its changes",
    )
    notes = guess_layout(b"time,x\n01/02/2025 00:00,1\n01/02/2025 00:15,2\n", "UTC").notes
    assert any("might be MM/DD/YYYY HH:mm" in note for note in notes)
    assert any("names no unit" in note for note in notes)


def test_quality_is_read():
    [channel] = read(AMERICAN, "America/Chicago")
    assert bytes(channel.quality.tolist()) == b"AEA"
    assert (channel.name, channel.flow) == ("1044", "import")


def test_a_column_for_each_meter():
    first, second = read(WIDE_METERS, "UTC")
    assert (first.name, first.values.tolist()) == ("Flat 1 (Wh)", [100, 200])
    assert (second.name, second.values.tolist()) == ("Flat 2 (Wh)", [7, 8])


def test_a_column_for_each_hour():
    header = ",".join(["NMI", "Date", "Flow", *(f"{hour:02}:00" for hour in range(24))])
    rows = [
        ",".join(["610", "2025-01-01", flow, *(str(hour * 0.5) for hour in range(24))])
        for flow in ("Consumption", "Generation")
    ]
    used, made = read("\n".join([header, *rows]), "UTC")
    assert (used.name, used.flow, made.flow) == ("610 Consumption", "import", "generation")
    assert used.minutes == 60
    assert used.values.tolist() == [hour * 500 for hour in range(24)]


def hours(zone_day, labels, values=None):
    values = values or range(1, len(labels) + 1)
    rows = (f"{zone_day} {label},{value}" for label, value in zip(labels, values, strict=True))
    return "\n".join(["start,kwh", *rows])


LONG_DAY = [f"{hour:02}:00" for hour in (0, 1, 2, 2, *range(3, 24))]
SHORT_DAY = [f"{hour:02}:00" for hour in (0, 1, *range(3, 24))]


def test_the_repeated_hour_is_two_hours():
    """26 October 2025 has 25 hours in Berlin: 02:00 is there twice."""
    [channel] = read(hours("2025-10-26", LONG_DAY), BERLIN)
    assert len(channel.values) == 25
    assert set((channel.starts[1:] - channel.starts[:-1]).tolist()) == {60}


@pytest.mark.parametrize("value", ["0", "", "0.000"])
def test_a_skipped_hour_without_energy_is_passed_over(value):
    labels = [f"{hour:02}:00" for hour in range(24)]
    values = [value if hour == 2 else 1 for hour in range(24)]
    text = hours("2025-03-30", labels, values)
    layout = guess_layout(text.encode(), BERLIN).layout
    file = read_file(text.encode(), layout)
    assert len(file.channels[0].values) == 23
    assert any("clock skips" in note for note in file.notes)


def test_energy_in_a_skipped_hour_shows_a_clock_that_never_changes():
    labels = [f"{hour:02}:00" for hour in range(24)]
    guess = guess_layout(hours("2025-03-30", labels).encode(), BERLIN)
    assert guess.layout.clock == "+01:00"
    assert any("2025-03-30 02:00" in note for note in guess.notes)
    [channel] = read(hours("2025-03-30", labels), BERLIN)
    assert len(channel.values) == 24


@pytest.mark.parametrize(
    ("day", "labels"),
    [
        # The label of the start, an hour later.
        ("2025-10-26", ["01:00", "02:00", "03:00", "03:00", *(f"{h:02}:00" for h in range(4, 25))]),
        # What the clock shows then.
        ("2025-10-26", ["01:00", "02:00", "02:00", *(f"{h:02}:00" for h in range(3, 25))]),
        ("2025-03-30", ["01:00", "03:00", *(f"{h:02}:00" for h in range(4, 25))]),
        ("2025-03-30", ["01:00", "02:00", *(f"{h:02}:00" for h in range(4, 25))]),
    ],
)
def test_ends_on_days_of_clock_changes_by_either_custom(day, labels):
    [channel] = read(hours(day, labels).replace("start", "interval end"), BERLIN)
    assert len(channel.values) == (25 if day == "2025-10-26" else 23)
    assert set((channel.starts[1:] - channel.starts[:-1]).tolist()) == {60}


LAYOUT = CsvLayout(
    stamp_columns=("start",), stamp_form="YYYY-MM-DD HH:mm", clock="UTC", minutes=60,
    values=(ValueColumn(column="kwh"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["2025-01-01 00:00,1,5"], "row 2: has 3 fields where 2 columns are named"),
        (["2025-01-01 00:00,0."], "row 2: kwh is '0.', not a number"),  # a row that is cut off
        (["2025-01-01 00:00,x"], "row 2: kwh is 'x', not a number"),
        (['2025-01-01 00:00,"1,5"'], "row 2: kwh is '1,5', which has a decimal comma"),
        (["01.01.2025 00:00,1"], "row 2: '01.01.2025 00:00' is not written as YYYY-MM-DD HH:mm"),
        (["2025-02-30 00:00,1"], "row 2: '2025-02-30 00:00' is no date that exists"),
        (["2025-01-01 00:00,1", "2025-01-01 00:00,2"], "with two values, 1 and 2: keep one"),
        (["2025-01-01 00:00,1", "2025-01-01 00:30,2"], "before the one of 60 minutes before it"),
        (["2025-01-01 00:00,1e13"], "larger than any meter counts"),
        ([], "no interval below its header"),
    ],
)
def test_a_refusal_names_the_row_and_what_to_do(rows, reason):
    with pytest.raises(FileError, match=reason.replace("(", r"\(")):
        read_file("\n".join(["start,kwh", *rows]).encode(), LAYOUT)


def test_equal_rows_count_once():
    file = read_file(b"start,kwh\n2025-01-01 00:00,1\n2025-01-01 00:00,1.0\n", LAYOUT)
    assert file.channels[0].values.tolist() == [1000]
    assert file.notes == ("an interval is there again, with the same value",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"separator": ",", "decimal_mark": ","}, "decimal comma need another"),
        ({"stamp_form": "HH:mm"}, "does not say how dates are written"),
        ({"clock": "Mars/Olympus"}, "not an IANA time zone"),
        ({"clock": "+25:00"}, "no offset"),
        ({"values": ()}, "at least one column"),
        ({"stamp_columns": ("kwh",)}, "named for two things"),
        ({"shape": "days"}, "are no day: name 24"),
        ({"stamp_columns": ()}, "name one column"),
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason.replace("+", r"\+")):
        replace(LAYOUT, **change)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04xl/workbook", "workbook"),
        (b"%PDF-1.7", "PDF"),
        (b"a,b\nx,y\n1,2\n", "no column of dates and times"),
        (b"time,kwh\n2025-01-01 00:00,1\n", "one time only"),
        (b"time,note\n2025-01-01 00:00,a\n2025-01-01 00:15,b\n", "no column of values"),
        (b"time,kwh\n2025-01-01 00:00,1\n2025-01-01 06:00,1\n", "360 minutes apart"),
    ],
)
def test_a_file_that_is_not_recognized_is_refused_in_words(content, reason):
    with pytest.raises(FileError, match=reason):
        guess_layout(content, "UTC")
