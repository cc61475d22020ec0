"""NEM13: what registers showed, each reading once, and what is refused with its row."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtally.meter_files.channels import FileError
from gridtally.meter_files.nem13 import is_nem13, read_nem13

ROOT = Path(__file__).parents[3]
BEGIN = datetime(2025, 3, 1, 4, 30, tzinfo=UTC)  # half past two in the afternoon there
DAY = timedelta(days=1)


def stamp(at):
    return (at + timedelta(hours=10)).strftime("%Y%m%d%H%M%S")


def record(before, after, *, start=BEGIN, end=BEGIN + 90 * DAY, suffix="11", serial="METER1",
           direction="E", quality="A", unit="kWh", nmi="6102000001"):  # fmt: skip
    return (
        f"250,{nmi},1112,01,{suffix},{suffix},{serial},{direction},{before},{stamp(start)},A,,,"
        f"{after},{stamp(end)},{quality},,,0,{unit},20250901,{stamp(end)},"
    )


def nem13(*records, header="100,NEM13,202506010900,MDP1,RETAIL1", end="900"):
    return "\n".join([header, *records, *([end] if end else [])]) + "\n"


def test_a_record_has_what_the_register_showed_and_shows():
    before, after = read_nem13(nem13(record("000021.2", "000534.5", quality="E64")))
    assert (before.register, before.nmi, before.serial, before.row) == (
        "6102000001 11", "6102000001", "METER1", 2
    )  # fmt: skip
    assert (before.read_at, before.kwh, before.quality) == (BEGIN, Decimal("21.2"), "actual")
    assert (after.read_at, after.kwh, after.quality) == (
        BEGIN + 90 * DAY, Decimal("534.5"), "estimated"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "flow", "kwh"),
    [
        ({}, "import", 2), ({"direction": "I"}, "export", 2), ({"unit": "MWH"}, "import", 2000),
        ({"unit": "Wh"}, "import", "0.002"), ({"unit": "kVArh"}, "reactive_import", 2),
        ({"unit": "varh", "direction": "I"}, "reactive_export", "0.002"),
    ],
)  # fmt: skip
def test_flow_and_energy_follow_from_direction_and_unit(changed, flow, kwh):
    _, after = read_nem13(nem13(record(1, 2, **changed)))
    assert (after.flow, after.kwh) == (flow, Decimal(kwh))


def test_a_record_begins_with_the_reading_that_the_last_one_ended_with():
    later = record(50, 80, start=BEGIN + 90 * DAY, end=BEGIN + 180 * DAY)
    read = read_nem13(nem13(record(20, 50), "550,N,,A,S01009", later, later))
    assert [own.kwh for own in read] == [20, 50, 80]


NEXT = {"start": BEGIN + 90 * DAY, "end": BEGIN + 180 * DAY}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (nem13(record(1, 2)[:80]), "row 2: a record 250 has at least 20 fields, and this one"),
        (nem13(record(1, 2, nmi="")), "row 2: names no NMI"),
        (nem13(record(1, 2, unit="GJ")), "row 2: the unit is 'GJ'"),
        (nem13(record(1, 2, direction="X")), "row 2: the direction is 'X'"),
        (nem13(record("1x", 2)), "row 2: a register shows '1x'"),
        (nem13(record("-1", 2)), "row 2: a register shows '-1'"),
        (nem13(record("", 2)), "row 2: a register shows ''"),
        (nem13(record("\u0661", 2)), "is no number"),
        (nem13(record("1" * 21, 2)), "is no number"),
        (nem13(record(1, 2, quality="N")), "row 2: the quality is 'N'"),
        (nem13(record(1, 2, end=BEGIN)), "row 2: the current reading is not later"),
        (nem13(record(1, 2).replace(stamp(BEGIN), "20250231000000")), "'20250231000000'"),
        (nem13(record(1, 2), record(3, 4, **NEXT)), "row 3: .* shows 3 here and 2 in row 2"),
        (nem13(record(1, 2), record(2, 4, serial="METER2", **NEXT)), "row 3: .*exchanged"),
        (nem13(record(1, 2), "200,1"), "row 3: a record 200 is of NEM12"),
        (nem13(record(1, 2), "777"), "row 3: is no record of NEM13"),
        (nem13(record(1, 2), end=""), "no record 900"),
        (nem13(), "no record 250"),
        (nem13(record(1, 2), header=record(1, 2)), "no record 100"),
        (nem13(record(1, 2), header="100,NEM12"), "row 1: the version is 'NEM12'"),
        (nem13(record(1, 2), header="100"), "row 1: the version is ''"),
    ],
)
def test_a_refusal_names_the_row(text, reason):
    with pytest.raises(FileError, match=reason):
        read_nem13(text)


def test_a_file_is_known_by_its_first_row():
    assert is_nem13(b"\xef\xbb\xbf100,NEM13,2025")
    assert is_nem13(b'"100","nem13"\r\n')
    assert not is_nem13(b"100,NEM12,2025")
    assert not is_nem13(b"")


@given(
    st.lists(st.decimals(0, 99_999, places=3), min_size=2, max_size=20),
    st.lists(st.integers(1, 10_000_000), min_size=19, max_size=19),
    st.sampled_from(["kWh", "Wh", "MWh"]),
)
def test_what_is_written_is_read_back(values, seconds, unit):
    """The readings of a register, in records from each to the next; reading it twice is reading it
    once."""
    moments = [BEGIN]
    for length in seconds[: len(values) - 1]:
        moments.append(moments[-1] + timedelta(seconds=length))
    records = [
        record(before, after, start=start, end=end, unit=unit)
        for before, after, start, end in zip(values, values[1:], moments, moments[1:], strict=False)
    ]
    factor = {"kWh": 1, "Wh": Decimal("0.001"), "MWh": 1000}[unit]
    for text in (nem13(*records), nem13(*records, *records)):
        read = read_nem13(text)
        assert [(own.read_at, own.kwh) for own in read] == [
            (at, value * factor) for at, value in zip(moments, values, strict=True)
        ]


def test_the_sample_of_the_documents_is_read():
    [sample] = re.findall(
        r"```text\n(100,NEM13.*?)```", (ROOT / "docs/formats.md").read_text(), re.DOTALL
    )
    assert [(own.flow, own.kwh) for own in read_nem13(sample)] == [
        ("import", Decimal("21.2")), ("import", Decimal("534.5")), ("import", Decimal("902.7")),
        ("export", Decimal(10)), ("export", Decimal("160.5")),
    ]  # fmt: skip
