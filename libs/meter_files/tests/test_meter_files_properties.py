"""What is written and read back is the same energy, in any layout, on any day; reading is a
function of the file."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.periods import ONE_DAY, midnight_utc
from gridtally.meter_files.amounts import whole_wh
from gridtally.meter_files.csv_layout import CsvLayout, ValueColumn
from gridtally.meter_files.local_clock import instant, minute_of
from gridtally.meter_files.nem import Nem12Layout
from gridtally.meter_files.reader import guess_layout, read_file

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Sydney", "UTC", "Asia/Kolkata"]
CHANGES = [date(2025, 3, 29), date(2025, 10, 25), date(2025, 3, 8), date(2025, 11, 1),
           date(2025, 4, 5), date(2025, 10, 4), date(2025, 6, 1), date(2024, 2, 28)]  # fmt: skip
FORMS = {
    "YYYY-MM-DD HH:mm": "%Y-%m-%d %H:%M",
    "DD.MM.YYYY HH:mm": "%d.%m.%Y %H:%M",
    "MM/DD/YYYY hh:mm AM": "%m/%d/%Y %I:%M %p",
    "YYYYMMDD HHmm": "%Y%m%d %H%M",
    "YYYY-MM-DDTHH:mm:ssZ": "%Y-%m-%dT%H:%M:00%z",
}
PER_UNIT = {"Wh": (1, 0), "kWh": (1000, 3), "MWh": (1_000_000, 6)}


@st.composite
def files(draw):
    """A layout, the file's text, and the starts and Wh that stand in it: two whole local days."""
    zone, minutes = draw(st.sampled_from(ZONES)), draw(st.sampled_from([15, 30, 60]))
    form = draw(st.sampled_from(list(FORMS)))
    unit = draw(st.sampled_from(list(PER_UNIT)))
    mark = draw(st.sampled_from([".", ","]))
    layout = CsvLayout(
        separator=draw(st.sampled_from([";", "\t"])) if mark == "," else ",",
        decimal_mark=mark, stamp_columns=("time",), stamp_form=form, clock=zone, minutes=minutes,
        stamps=draw(st.sampled_from(["start", "end"])),
        values=(ValueColumn(column=f"import {unit}", unit=unit, flow="import"),),
    )  # fmt: skip
    day = draw(st.sampled_from(CHANGES))
    begin, end = midnight_utc(zone, day), midnight_utc(zone, day + 2 * ONE_DAY)
    starts = list(range(minute_of(begin), minute_of(end), minutes))
    values = draw(st.lists(st.integers(0, 99_999), min_size=len(starts), max_size=len(starts)))
    late = minutes if layout.stamps == "end" else 0
    rows = [
        layout.separator.join([_stamp(at + late, zone, form), _number(value, unit, mark)])
        for at, value in zip(starts, values, strict=True)
    ]
    header = layout.separator.join(["time", f"import {unit}"])
    return layout, "\n".join([header, *rows]), starts, values


def _stamp(minute, zone, form):
    return instant(minute).astimezone(ZoneInfo(zone)).strftime(FORMS[form])


def _number(value, unit, mark):
    per_unit, decimals = PER_UNIT[unit]
    return f"{value // per_unit}{mark}{value % per_unit:0{decimals}}" if decimals else str(value)


@given(files())
@examples(25)
def test_what_is_written_is_read(written):
    layout, text, starts, values = written
    [channel] = read_file(text.encode(), layout).channels
    assert (channel.starts.tolist(), channel.values.tolist()) == (starts, values)


@given(files())
@examples(15)
def test_what_seems_to_be_the_layout_reads_the_same(written):
    """But for whether stamps are ends, which a file need not show: then all are as late."""
    layout, text, starts, values = written
    guessed = guess_layout(text.encode(), layout.clock).layout
    forms = {layout.stamp_form, guessed.stamp_form}
    if len(forms) == 2:
        guessed = replace(guessed, stamp_form=layout.stamp_form)
    guessed = replace(guessed, stamps=layout.stamps, clock=layout.clock)
    [channel] = read_file(text.encode(), guessed).channels
    assert (channel.starts.tolist(), channel.values.tolist()) == (starts, values)


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=200),
    st.integers(0, 9),
    st.sampled_from([Fraction(1000), Fraction(250), Fraction(1000, 12), Fraction(1, 12)]),
    st.integers(1, 50),
)
@examples(100)
def test_fractions_are_carried_within_a_day(digits, decimals, factor, per_day):
    """Each day's sum is the exact one to half a Wh, each value to one Wh, and a day does not
    depend on the days beside it."""
    days = np.arange(len(digits)) // per_day
    numbers = [(number, decimals) for number in digits]
    values, has_fractions = whole_wh(numbers, factor, days)
    exact = [Fraction(number, 10**decimals) * factor for number in digits]
    assert has_fractions == any(value.denominator > 1 for value in exact)
    assert all(abs(a - b) <= 1 for a, b in zip(values.tolist(), exact, strict=True))
    assert (values >= 0).all()
    for day in range(int(days[-1]) + 1):
        part = slice(day * per_day, (day + 1) * per_day)
        assert abs(int(values[part].sum()) - sum(exact[part])) <= Fraction(1, 2)
        alone, _ = whole_wh(numbers[part], factor, days[part])
        assert alone.tolist() == values[part].tolist()


@given(
    st.lists(st.lists(st.integers(0, 9_999), min_size=48, max_size=48), min_size=1, max_size=3),
    st.sampled_from(["E1", "B1"]),
)
@examples(20)
def test_nem12_days_are_read_as_written(days, suffix):
    records = [
        f"300,{date(2025, 3, 1) + timedelta(days=number):%Y%m%d},"
        + ",".join(f"{value // 1000}.{value % 1000:03}" for value in values)
        + ",A,,,20250401000000,"
        for number, values in enumerate(days)
    ]
    head = ["100,NEM12,202504010000,A,B", f"200,6,{suffix},1,{suffix},,1,kWh,30,"]
    content = "\n".join([*head, *records, "900"]).encode()
    [channel] = read_file(content, Nem12Layout()).channels
    assert channel.values.tolist() == [value for day in days for value in day]
    first = instant(int(channel.starts[0])).replace(tzinfo=None)
    assert first == datetime(2025, 2, 28, 14)  # noqa: DTZ001 - compared without its zone
