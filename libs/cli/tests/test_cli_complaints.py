"""Usage files as people complained of them: each is refused in words that say what to do.

24 hours of 1.5 kWh at 1.00 are 36.00; a file that says so otherwise gives that or nothing.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from examples import examples
from gridtally.cli.app import app
from gridtally.cli.price_file import read_series
from gridtally.cli.usage_file import read_intervals
from gridtally.files.formats import decode
from gridtally.meter_files.local_clock import minute_of

TARIFF = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "energy", "id": "taken", "rate": "1"},
        {"kind": "energy", "id": "given", "rate": "-1", "flow": "export"},
    ],
}
IMPORT_ONLY = TARIFF | {"components": TARIFF["components"][:1]}
HEADER = "start_local,minutes,import_kwh"


def table(header, row, starts="2025-03-01T00:00", count=24, minutes=60):
    """A header and rows in which `{at}` is the start."""
    first = datetime.fromisoformat(starts)
    stamps = [first + n * timedelta(minutes=minutes) for n in range(count)]
    return "\n".join([header, *(row.format(at=f"{at:%Y-%m-%dT%H:%M}") for at in stamps)])


PLAIN = table(HEADER, "{at},60,1.5")
ENDS = table(HEADER, "{at},60,1.5", "2025-03-01T01:00")
QUARTER_ENDS = table(HEADER, "{at},15,1.5", "2025-03-01T00:15", 96, 15)
YEAR_OF_ENDS = table(HEADER, "{at},60,1.5", "2025-01-01T01:00", 24 * 28)
UTC_ENDS = table(HEADER.replace("local", "utc"), "{at},60,1.5", "2025-03-01T01:00", 48)


@pytest.fixture
def rate(tmp_path):
    def run(usage, *options, tariff=IMPORT_ONLY):
        (tmp_path / "t.json").write_text(json.dumps(tariff))
        content = usage if isinstance(usage, bytes) else usage.encode()
        (tmp_path / "u.csv").write_bytes(content)
        files = (str(tmp_path / "t.json"), str(tmp_path / "u.csv"))
        return CliRunner().invoke(app, ["rate", *files, "--json", *options])

    return run


def total(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["periods"][0]["totals"]["total"]


@pytest.mark.parametrize(
    ("usage", "messages"),
    [
        # actualbudget/actual#1769 and LinzAG awattar-backtesting#51: decimal commas
        (
            table(HEADER.replace(",", ";"), "{at};60;1,5"),
            ["decimal comma ('1,5' in row 2)", "first replace every ',' by '.'", "only then"],
        ),
        (table(HEADER, '{at},60,"1,5"'), ["row 2: import_kwh is '1,5', which has a decimal comma"]),
        (table(HEADER, "{at},60,1,5"), ["row 2: has 4 fields, and row 1 names 3 columns", "1,5"]),
        (
            table(f"{HEADER},export_kwh", "{at},60,1,5,0,0"),
            ["row 2: has 6 fields, and row 1 names 4 columns: is there a decimal comma"],
        ),
        # OpenEnergyDashboard/OED#263: 24:00, and stamps where intervals end
        (
            ENDS.replace("2025-03-02T00:00", "2025-03-01T24:00"),
            ["row 25: start '2025-03-01T24:00' is where a day ends", "where intervals end"],
        ),
        (ENDS, ["stamps seem to be where intervals end, from 2025-03-01T01:00", "60 minutes"]),
        (QUARTER_ENDS, ["stamps seem to be where intervals end", "15 minutes earlier"]),
        (YEAR_OF_ENDS, ["stamps seem to be where intervals end"]),
        (UTC_ENDS, ["stamps seem to be where intervals end"]),
        # names of columns in capitals and with blanks
        (PLAIN.replace(HEADER, "Start_Local, Minutes ,Import_kWh"), ["is start_local meant?"]),
        # a spreadsheet, an archive and Australian meter data by the name of u.csv
        (b"PK\x03\x04\xff\xd8", ["u.csv: is a ZIP archive, as Excel workbooks (.xlsx) are too"]),
        ("100,NEM12,202501010000,X,Y\n200,1,E1,1,E1,N1,1,kWh,30,\n", ["u.csv: is a NEM12"]),
        # of a row that is cut off, or a second table below the first, nothing is passed over
        (PLAIN + "\n2025-03-02T00:0", ["row 26: has 1 field"]),
        (f"{PLAIN}\n\n{PLAIN}", ["row 27: minutes is 'minutes'"]),
        (PLAIN + "\nTotal,,36", ["row 26: minutes is ''", "the row begins with 'Total'"]),
        (table(f"{HEADER},Export_kWh", "{at},60,1.5,1.5"), ["is export_kwh meant?"]),
        (table(f"{HEADER},kVA", "{at},60,1.5,2"), ["'kVA' is not known", "--ignore-column"]),
        (PLAIN.replace(",1.5", ",-1.5"), ["is -1.5: must be 0 or more", "belongs in export_kwh"]),
        (PLAIN.replace("2025-03-01T", "03/01/2025 "), ["may mean the month or the day"]),
        (PLAIN.replace(":00,", ":00 AM,"), ["on a clock with AM and PM"]),
    ],
)
@pytest.mark.parametrize("options", [(), ("--period", "2025-03-01:2025-03-02")])
def test_it_is_refused_in_words_that_help(rate, usage, messages, options):
    result = rate(usage, *options)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    for message in messages:
        assert message in result.stderr


def test_what_the_refusal_of_decimal_commas_advises_is_read_right(rate):
    """Points for the commas first, then commas for the semicolons."""
    german = table(f"{HEADER},export_kwh".replace(",", ";"), "{at};60;1,5;0,0")
    assert total(rate(german.replace(",", ".").replace(";", ","), tariff=TARIFF)) == "36.00"


def test_a_column_may_be_named_to_be_passed_over(rate):
    usage = table(f"note,{HEADER},kVA", '"a, b",{at},60,1.5,2')
    assert total(rate(usage, "--ignore-column", "note", "--ignore-column", "kVA")) == "36.00"
    assert "'kVA' is not known" in rate(usage, "--ignore-column", "note").stderr


@pytest.mark.parametrize(
    ("starts", "count"),
    [
        ("2025-03-01T00:00", 24),
        ("2025-03-01T01:00", 23),  # a day that lacks its first hour is a gap, not ends
        ("2025-03-01T01:00", 1),
    ],
)
def test_stamps_of_starts_are_not_taken_for_ends(rate, starts, count):
    result = rate(table(HEADER, "{at},60,1.5", starts, count))
    assert "where intervals end" not in result.stderr


def test_a_tariff_that_says_two_things_of_one_name_is_refused(rate, tmp_path):
    for text, message in (
        ('{"currency": "EUR", "currency": "USD"}', "'currency' is there twice in one object"),
        ('{"currency": "EUR", "components": [NaN]}', "NaN is no number of JSON"),
        (PLAIN, "t.json: is a table (CSV): JSON is needed here"),
        ("<!doctype html>", "t.json: is a web page (HTML)"),
    ):
        rate(PLAIN)
        (tmp_path / "t.json").write_text(text)
        files = (str(tmp_path / "t.json"), str(tmp_path / "u.csv"))
        result = CliRunner().invoke(app, ["rate", *files])
        assert (result.exit_code, message in result.stderr) == (1, True), result.stderr


# --- a file that differs from what was written is refused or read equal ---------------------------

WH = [1500, 0, 12, 345_678, 7]
"""What was measured, in Wh: with and without decimals, and more than a thousand kWh."""


def decimal_point(wh):
    return f"{wh / 1000:.3f}"


WRITTEN = {
    "plain": decimal_point,
    "decimal comma": lambda wh: decimal_point(wh).replace(".", ","),
    "thousands by commas": lambda wh: f"{wh:,}.0",
    "thousands by points": lambda wh: f"{wh:,}".replace(",", ".") + ",0",
    "thousands by blanks": lambda wh: f"{wh:,}".replace(",", " "),
    "exponent": lambda wh: f"{wh}e-3",
    "unit": lambda wh: f"{wh} Wh",
    "signed": lambda wh: f"+{decimal_point(wh)}",
    "shorter": lambda wh: f"{wh / 1000}",
}
STAMPS = {
    "plain": "%Y-%m-%dT%H:%M", "blank": "%Y-%m-%d %H:%M:%S", "US": "%m/%d/%Y %H:%M",
    "12 hours": "%m/%d/%Y %I:%M %p", "German": "%d.%m.%Y %H:%M", "offset": "%Y-%m-%dT%H:%M+01:00",
    "compact": "%Y%m%d%H%M", "zoned": "%Y-%m-%d %H:%M CET", "epoch": "%s",
}  # fmt: skip
ABOVE = ["", "\n", "Report of March\n", "Name,A\nAddress,B\n", "sep=;\n", "#"]
BELOW = ["", "\n", "\n\n", "\n,,\n", "\nTotal", "\nTotal,,9", "\n,,9", "\n# end", "\n\x1a", ","]
NAMES = [HEADER, HEADER.upper(), HEADER.replace("kwh", "wh"), HEADER.replace("start", "end"),
         HEADER.replace(",", " , ")]  # fmt: skip
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]


def dressed(header, dress, late, plain):
    """A file of five hours as other programs write it; `plain` are the things that are ours."""
    number, stamp, above, below, names, separator, quoted, encoding, ends = (
        ours if index in plain else theirs
        for index, (ours, theirs) in enumerate(
            zip((decimal_point, STAMPS["plain"], "", "", header, ",", False, "utf-8", "\n"), dress,
                strict=True)
        )
    )  # fmt: skip
    first = datetime(2025, 3, 1, 1 if late else 0)  # noqa: DTZ001 - the local clock's
    rows = [names.replace(",", separator)]
    for hour, wh in enumerate(WH):
        text = number(wh)
        at = (first + timedelta(hours=hour)).strftime(stamp)
        rows.append(separator.join([at, "60", f'"{text}"' if quoted else text]))
    return (above + ends.join(rows) + below).encode(encoding)


@given(
    number=st.sampled_from([*WRITTEN.values()]), stamp=st.sampled_from([*STAMPS.values()]),
    above=st.sampled_from(ABOVE), below=st.sampled_from(BELOW), names=st.sampled_from(NAMES),
    separator=st.sampled_from([",", ";", "\t"]), quoted=st.booleans(), encoding=st.sampled_from(
        ENCODINGS), ends=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), late=st.booleans(),
    plain=st.sets(st.integers(0, 8), min_size=6),
)  # fmt: skip
@examples(400)
def test_what_another_program_wrote_is_read_equal_or_refused(
    number, stamp, above, below, names, separator, quoted, encoding, ends, late, plain
):
    """A table of five hours in the dress of other programs: all is as we write it but at most
    three things, so that none hides behind another."""
    dress = (number, stamp, above, below, names, separator, quoted, encoding, ends)
    content = dressed(HEADER, dress, late, plain)
    try:
        read = read_intervals(decode(content, "csv"), "Europe/Berlin")
    except ValueError:
        return
    written = [wh * 1000 for wh in WH]
    shown = [int(value) * 10 ** (6 - read.kwh_decimals) for value in read.energy["import"]]
    assert shown == written, content
    assert read.starts[0] == read.starts[-1] - 4 * 60
    assert int(read.starts[0]) % (24 * 60) == (0 if late else 23 * 60)  # an hour earlier in UTC


PRICES_HEADER = "start_local,minutes,price_per_kwh"
PRICES_NAMES = [
    PRICES_HEADER, PRICES_HEADER.upper(), PRICES_HEADER.replace("price", "ct"),
    PRICES_HEADER.replace("kwh", "mwh"), PRICES_HEADER.replace("start", "end"),
    f"{PRICES_HEADER},currency",
]  # fmt: skip


@given(
    dress=st.tuples(
        st.sampled_from([*WRITTEN.values()]), st.sampled_from([*STAMPS.values()]),
        st.sampled_from(ABOVE), st.sampled_from(BELOW), st.sampled_from(PRICES_NAMES),
        st.sampled_from([",", ";", "\t"]), st.booleans(), st.sampled_from(ENCODINGS),
        st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    ),
    late=st.booleans(), plain=st.sets(st.integers(0, 8), min_size=6),
)  # fmt: skip
@examples(400)
def test_prices_that_another_program_wrote_are_read_equal_or_refused(dress, late, plain):
    """The same five hours and numbers as prices; those per MWh are a thousandth."""
    content = dressed(PRICES_HEADER, dress, late, plain)
    try:
        read = read_series(decode(content, "csv"), "Europe/Berlin", "EUR")
    except ValueError:
        return
    is_per_mwh = b"price_per_mwh" in content
    written = [Decimal(wh).scaleb(-6 if is_per_mwh else -3) for wh in WH]
    midnight = datetime.fromisoformat("2025-02-28T23:00+00:00") + timedelta(hours=late)
    hours = [minute_of(midnight) + 60 * hour for hour in range(len(WH))]
    shown = [Decimal(int(price)).scaleb(-read.decimals) for price in read.at(np.array(hours))]
    assert shown == written, content
    assert read.currency == "EUR"


def test_a_decimal_comma_leaves_no_currency():
    """1.500,0 in columns that commas part would be the price 1.500 in the currency 0."""
    content = f"{PRICES_HEADER},currency\n2025-03-01T00:00,60,1.500,0\n2025-03-01T01:00,60,12,0"
    with pytest.raises(ValueError, match="row 2: currency '0' is no code as EUR"):
        read_series(content, "Europe/Berlin", "EUR")


def series(starts, count, minutes, price, name="price_per_kwh"):
    """A price file of one price, from an instant of UTC on."""
    first = datetime.fromisoformat(starts)
    stamps = [first + n * timedelta(minutes=minutes) for n in range(count)]
    prices = price if isinstance(price, list) else [price] * count
    rows = [
        f"{at:%Y-%m-%dT%H:%MZ},{minutes},{paid}" for at, paid in zip(stamps, prices, strict=True)
    ]
    return "\n".join([f"start_utc,minutes,{name}", *rows])


def spot(zone, currency="AUD"):
    component = {"kind": "spot", "id": "e", "series": "s"}
    return {"currency": currency, "zone": zone, "components": [component]}


@pytest.mark.parametrize(
    ("zone", "first", "period"),
    [
        ("Australia/Adelaide", "2025-05-31T14:30", "2025-06-01:2025-06-03"),
        ("Asia/Kolkata", "2025-05-31T18:30", "2025-06-01:2025-06-03"),
        # the clock goes back by half an hour on 6 April, and the two days have 48.5 hours
        ("Australia/Lord_Howe", "2025-04-04T13:00", "2025-04-05:2025-04-07"),
    ],
)
def test_hours_of_utc_price_the_half_hours_of_any_zone(rate, tmp_path, zone, first, period):
    """home-assistant/core#98431: each half hour lies in one hour of UTC, 96 × 0.10 = 9.60."""
    half_hours = 97 if zone == "Australia/Lord_Howe" else 96
    usage = table("start_utc,minutes,import_kwh", "{at}Z,30,1", first, half_hours, 30)
    begins = f"{first[:14]}00"
    (tmp_path / "p.csv").write_text(series(begins, 50, 60, "0.10"))
    result = rate(usage, "--prices", str(tmp_path / "p.csv"), "--period", period, tariff=spot(zone))
    assert total(result) == f"{half_hours / 10:.2f}"


def test_five_minutes_are_priced_by_five_minutes(rate, tmp_path):
    """opennem/opennem-fe#38: 0.1 kWh on each half hour at 100 per MWh, and once at 15 000:
    47 × 0.1 × 0.10 + 0.1 × 15 = 1.97."""
    first = datetime.fromisoformat("2025-05-31T14:00")
    rows = [
        f"{first + n * timedelta(minutes=5):%Y-%m-%dT%H:%MZ},5,{0.1 if n % 6 == 0 else 0}"
        for n in range(288)
    ]
    usage = "\n".join(["start_utc,minutes,import_kwh", *rows])
    prices = [15_000 if n == 6 else 100 for n in range(288)]
    (tmp_path / "p.csv").write_text(series("2025-05-31T14:00", 288, 5, prices, "price_per_mwh"))
    given = ("--prices", str(tmp_path / "p.csv"), "--period", "2025-06-01:2025-06-02")
    assert total(rate(usage, *given, tariff=spot("Australia/Brisbane"))) == "1.97"


def test_hours_of_utc_as_usage_of_a_zone_of_half_hours_say_what_would_fit(rate):
    """bugjam/hass-isolarcloud#24: refused, never shifted."""
    usage = table("start_utc,minutes,import_kwh", "{at}Z,60,1", "2025-05-31T18:00", 48)
    result = rate(usage, tariff=IMPORT_ONLY | {"zone": "Asia/Kolkata"})
    assert result.exit_code == 1
    for words in (
        "row 2: this start is 2025-05-31 23:30 in Asia/Kolkata",
        "no interval of 60 minutes begins",
        "values of 30 minutes would fit",
    ):
        assert words in result.stderr
