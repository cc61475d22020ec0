"""NEM12 and Green Button: files as markets and utilities write them, remade with worked figures."""

from datetime import UTC, datetime

import pytest

from gridtally.meter_files.channels import ABSENT, FileError, runs
from gridtally.meter_files.green_button import GreenButtonLayout
from gridtally.meter_files.local_clock import instant
from gridtally.meter_files.nem import Nem12Layout
from gridtally.meter_files.reader import guess_layout, read_file


def day(date, values, flag="A", changed="20250302000000"):
    return f"300,{date},{','.join(map(str, values))},{flag},,,{changed},"


def nem(*records, unit="kWh", minutes=30, suffix="E1", end=True):
    head = [
        "100,NEM12,202503010000,MDP,RETAILER",
        f"200,6102000001,E1B1,1,{suffix},N1,07,{unit},{minutes},",
    ]
    return "\n".join([*head, *records, *(["900"] if end else [])]).encode()


def read(content):
    return read_file(content, guess_layout(content, "Australia/Sydney").layout)


def test_a_nem12_day_is_read_on_the_markets_clock():
    """48 half hours of 0.1 kWh: 4.8 kWh from midnight on UTC+10, which is 14:00 UTC before."""
    file = read(nem(day("20250301", [0.1] * 48)))
    [channel] = file.channels
    assert (channel.name, channel.flow, channel.minutes) == ("6102000001 E1", "import", 30)
    assert instant(int(channel.starts[0])) == datetime(2025, 2, 28, 14, tzinfo=UTC)
    assert (len(channel.values), channel.energy_wh) == (48, 4_800)
    assert file.notes == ()


@pytest.mark.parametrize(
    ("suffix", "unit", "flow", "total"),
    [
        ("B1", "kWh", "export", 12_000),
        ("Q1", "kVArh", "reactive_import", 12_000),  # 48 × 0.25 kvarh
        ("K1", "VArh", "reactive_export", 12),
        ("Q1", "kvar", "reactive_import", 6_000),  # of half an hour each
        ("X9", "kWh", None, 12_000),
    ],
)
def test_the_suffix_says_the_flow(suffix, unit, flow, total):
    file = read(nem(day("20250301", [0.25] * 48), suffix=suffix, unit=unit))
    [channel] = file.channels
    assert (channel.flow, channel.energy_wh) == (flow, total)
    assert channel.is_reactive == (unit in ("kVArh", "VArh", "kvar"))


@pytest.mark.parametrize(("suffix", "unit"), [("E1", "kvarh"), ("Q1", "kWh"), ("B1", "var")])
def test_a_suffix_and_a_unit_that_differ_say_no_flow(suffix, unit):
    """Read as kWh, the kvarh of a channel would be billed as energy."""
    file = read(nem(day("20250301", [4] * 48), suffix=suffix, unit=unit))
    assert file.channels[0].flow is None
    assert f"and {unit} for its unit: map it to what it is, or leave it out" in file.notes[0]


def test_a_header_that_lies_about_the_length_is_noted():
    """Record 200 says 30 minutes, the day has 288 values: five minutes each."""
    file = read(nem(day("20250301", [1] * 288), unit="Wh"))
    assert file.channels[0].minutes == 5
    assert "record 200 says 30 minutes, and days have 288 values" in file.notes[0]


def test_qualities_of_intervals():
    """A day of quality V says by record 400 what each interval is: 1 to 46 actual, two others."""
    records = [
        day("20250301", range(1, 49), "V"), "400,1,46,A,,", "400,47,47,S14,,", "400,48,48,N,,",
        day("20250302", [1] * 48, "F52"), day("20250303", [1] * 48, "N"),
    ]  # fmt: skip
    [channel] = read(nem(*records, unit="Wh")).channels
    assert bytes(channel.quality[:48].tolist()) == b"A" * 46 + b"SA"
    assert channel.values[46:48].tolist() == [47, ABSENT]
    assert bytes(channel.quality[48:96].tolist()) == b"S" * 48
    assert channel.present == 47 + 48
    assert [(len(run.values), chr(run.quality)) for run in runs(channel, 40)] == [
        (40, "A"), (6, "A"), (1, "S"), (40, "S"), (8, "S"),
    ]  # fmt: skip


def test_of_two_versions_of_a_day_the_later_counts():
    later, earlier = (day("20250301", [n] * 48, changed=f"2025030{n}000000") for n in (2, 1))
    for records in ((earlier, later), (later, earlier)):
        file = read(nem(*records, unit="Wh"))
        assert file.channels[0].energy_wh == 96
        assert file.notes == ("a day is there twice: the values that were changed later count",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nem(day("20250301", [1] * 47)), "row 3: has 47 values; a day has 48 of 30 minutes"),
        (nem("300,20250301," + ",".join(["1"] * 48)), "has no quality flag behind its values"),
        (nem(day("20250230", [1] * 48)), "20250230 is no date"),
        (nem(day("20250301", ["x"] * 48)), "row 3: a value is 'x'"),
        (nem("400,1,2,A,,"), "a record 400 before any 300"),
        (nem("400,1,2,A,,", day("20250301", [1] * 48)), "before any 300"),
        (nem(day("20250301", [1] * 48), "400,40,49,A,,"), "40 to 49 of a day that has 48"),
        (nem(unit="therm"), "the unit is 'therm'"),
        (nem(minutes=7), "NEM12 has 5, 15 or 30"),
        (nem("777,1"), "is no record of NEM12"),
        (nem(), "no record 300"),
        (b"100,NEM13,202503010000,A,B\n250,1\n900\n", "NEM13: it has register readings"),
        (nem(day("20250301", [1] * 48), day("20250301", [2] * 48)), "which are they"),
    ],
)  # fmt: skip
def test_a_nem12_refusal_names_the_row(content, reason):
    with pytest.raises(FileError, match=reason):
        read(content)


def test_a_file_without_its_last_record_is_noted():
    assert "may be cut off" in read(nem(day("20250301", [1] * 48), end=False)).notes[0]


def entry(kind, body, path, related=()):
    links = [
        f'<link rel="self" href="{path}"/>',
        f'<link rel="up" href="{path.rpartition("/")[0]}"/>',
    ]
    links += [f'<link rel="related" href="{href}"/>' for href in related]
    content = f"<content><e:{kind}>{body}</e:{kind}></content>"
    return f"<entry>{''.join(links)}<title>t</title>{content}</entry>"


def reading(start, value, duration=900, quality=""):
    quality = quality and f"<e:ReadingQuality><e:quality>{quality}</e:quality></e:ReadingQuality>"
    return (
        f"<e:IntervalReading>{quality}<e:timePeriod><e:duration>{duration}</e:duration>"
        f"<e:start>{start}</e:start></e:timePeriod><e:value>{value}</e:value></e:IntervalReading>"
    )


def kind(number, *, flow=1, uom=72, ten=0, more=""):
    body = (
        f"<e:flowDirection>{flow}</e:flowDirection><e:powerOfTenMultiplier>{ten}"
        f"</e:powerOfTenMultiplier><e:uom>{uom}</e:uom><e:unknown>7</e:unknown>{more}"
    )
    return entry("ReadingType", body, f"/ReadingType/{number}")


POINT = "/RetailCustomer/1/UsagePoint/42/MeterReading"
NEW_YEAR = 1_735_689_600


def meter_reading(number):
    return entry("MeterReading", "", f"{POINT}/{number}", [f"/ReadingType/{number}"])


def block(number, *readings):
    return entry("IntervalBlock", "".join(readings), f"{POINT}/{number}/IntervalBlock/1")


def feed(*entries):
    return (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        f'xmlns:e="http://naesb.org/espi">{"".join(entries)}</feed>'
    ).encode()


def test_green_button_multipliers_and_directions():
    """Import in units of 10 Wh (10^1): 12 and 13 are 120 and 130 Wh. Export in mWh (10^-3): 1500
    and 2500 mWh are 1.5 and 2.5 Wh, of which a day's sum, 4 Wh, stays: 2 and 2."""
    content = feed(
        meter_reading(1), kind(1, ten=1),
        block(1, reading(NEW_YEAR, 12), reading(NEW_YEAR + 900, 13)),
        meter_reading(2), kind(2, ten=-3, flow=19),
        block(2, reading(NEW_YEAR, 1500, quality=8), reading(NEW_YEAR + 900, 2500, quality=17)),
    )  # fmt: skip
    file = read(content)
    used, given = file.channels
    assert (used.name, used.flow, used.values.tolist()) == ("42 import", "import", [120, 130])
    assert (given.name, given.flow, given.values.tolist()) == ("42 export", "export", [2, 2])
    assert bytes(given.quality.tolist()) == b"EA"
    assert instant(int(used.starts[0])) == datetime(2025, 1, 1, tzinfo=UTC)


def test_green_button_power_other_units_and_totals():
    """1 kW over a quarter of an hour is 250 Wh; gas, totals and daily sums are passed over."""
    total = "<e:accumulationBehaviour>3</e:accumulationBehaviour>"
    file = read(
        feed(
            meter_reading(1), kind(1, uom=38), meter_reading(2), kind(2, uom=119),
            meter_reading(3), kind(3, more=total),
            block(1, reading(NEW_YEAR, 1000), reading(NEW_YEAR, 9, 86_400)),
            block(2, reading(NEW_YEAR, 5)), block(3, reading(NEW_YEAR, 5)),
        )
    )  # fmt: skip
    [channel] = file.channels
    assert channel.values.tolist() == [250]
    assert len(file.notes) == 3


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><feed xmlns="http://naesb.org/espi">&a;</feed>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB, "declares a document type"),
        (feed()[:-5], "is no XML"),
        (feed(), "no interval of electric energy"),
        (feed(block(1, reading(NEW_YEAR, 1))), "links to no ReadingType"),
        (feed(kind(1), block(1, reading("x", 1))), "start 'x': no whole number"),
        (
            feed(kind(1), block(1, reading(NEW_YEAR, 1), reading(NEW_YEAR, 2))),
            "two values, 1 and 2",
        ),
        (feed(kind(1), block(1, reading(NEW_YEAR + 1, 1))), "no whole minute"),
        (b"<a>" * 100, "deep within one another"),
    ],
)
def test_a_green_button_refusal_says_why(content, reason):
    with pytest.raises(FileError, match=reason):
        read_file(content, GreenButtonLayout())


def test_a_workbook_is_no_nem12():
    with pytest.raises(FileError, match="workbook"):
        read_file(b"PK\x03\x04xl/workbook", Nem12Layout())
