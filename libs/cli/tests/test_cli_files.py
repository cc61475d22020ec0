"""`gridtally rate` and `import-urdb` with every kind of file: URDB, holidays, prices, clocks."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app

URDB = Path(__file__).parents[2] / "urdb" / "tests" / "records"
FLAT = {
    "currency": "USD",
    "zone": "America/Denver",
    "components": [{"kind": "energy", "id": "energy", "rate": "0.1"}],
}
WORKDAYS = FLAT | {
    "calendar": {
        "day_types": [
            {
                "name": "workday",
                "weekdays": ["mon", "tue", "wed", "thu", "fri"],
                "holidays": "excluded",
            }
        ]
    },
    "components": [
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "work", "rate": "1"}, {"name": "rest", "rate": "0"}],
            "windows": [
                {
                    "band": "work",
                    "from_time": "00:00",
                    "to_time": "24:00",
                    "day_types": ["workday"],
                }
            ],
            "default_band": "rest",
        }
    ],
}
SPOT = FLAT | {"components": [{"kind": "spot", "id": "spot", "series": "day-ahead"}]}


def rows(start, count, minutes=60, value="1", columns="start_local,minutes,import_kwh"):
    start = datetime.fromisoformat(start)
    step = timedelta(minutes=minutes)
    values = [f"{start + n * step:%Y-%m-%d %H:%M},{minutes},{value}" for n in range(count)]
    return "\n".join([columns, *values])


DAY = rows("2025-07-04", 24)  # a Friday
HEADER = "start_local,minutes,import_kwh"
AUTUMN_DAY = [f"2025-11-02 {hour:02}:00,60,1" for hour in (0, 1, 1, *range(2, 24))]
PRICES = rows("2025-07-04", 24, value="50", columns="start_local,minutes,price_per_mwh")


@pytest.fixture
def run(tmp_path):
    """Writes files by name and runs a command in which their names stand for them."""

    def invoke(files, *arguments):
        for name, content in files.items():
            if isinstance(content, bytes):
                (tmp_path / name).write_bytes(content)
            else:
                text = content if isinstance(content, str) else json.dumps(content)
                (tmp_path / name).write_text(text)
        placed = [
            "=".join(
                str(tmp_path / part) if part in files else part for part in argument.split("=")
            )
            for argument in arguments
        ]
        return CliRunner().invoke(app, placed)

    return invoke


def totals(result):
    assert result.exit_code == 0, result.output
    return [period["totals"]["total"] for period in json.loads(result.stdout)["periods"]]


# --- what files may look like ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holidays", "total"),
    [
        ((), "24.00"),
        (("--holidays", "US"), "0.00"),
        (("--holidays", "US-CO"), "0.00"),
        (("--holidays", "DE"), "24.00"),
        (("--holidays", "days.txt"), "0.00"),
    ],
)
def test_holidays_are_of_a_country_or_a_file(run, holidays, total):
    files = {"t.json": WORKDAYS, "u.csv": DAY, "days.txt": "# own\n\n2025-07-04 # a Friday\n"}
    assert totals(run(files, "rate", "t.json", "u.csv", "--json", *holidays)) == [total]


@pytest.mark.parametrize("named", ["p.csv", "day-ahead=p.csv"])
def test_prices_come_from_a_file(run, named):
    files = {"t.json": SPOT, "u.csv": DAY, "p.csv": PRICES}
    # 24 kWh at 50 per MWh
    assert totals(run(files, "rate", "t.json", "u.csv", "--json", "--prices", named)) == ["1.20"]


def test_the_repeated_hour_is_read_in_the_order_of_the_file(run):
    hours = [0, 1, 1, *range(2, 24)]
    text = "\n".join(f"2025-11-02 {hour:02}:00,60,{n}" for n, hour in enumerate(hours))
    usage = f"start_local,minutes,import_kwh\n{text}"
    prices = "\n".join(f"2025-11-02T{6 + n:02}:00,60,{n}" for n in range(18))
    prices += "\n" + "\n".join(f"2025-11-03T{n:02}:00,60,{18 + n}" for n in range(7))
    files = {
        "t.json": SPOT,
        "u.csv": usage,
        "p.csv": f"start_utc,minutes,price_per_kwh\n{prices}",
    }
    result = run(files, "rate", "t.json", "u.csv", "--json", "--prices", "p.csv")
    # the nth hour has n kWh at a price of n: the sum of the squares up to 24
    assert totals(result) == ["4900.00"]


def test_an_offset_says_which_of_the_repeated_hours_it_is(run):
    starts = [
        *("2025-11-02T00:00-06:00", "2025-11-02T01:00-07:00", "2025-11-02T01:00-06:00"),
        *(f"2025-11-02T{hour:02}:00-07:00" for hour in range(2, 24)),
    ]
    usage = "\n".join(["start_local,minutes,import_kwh", *(f"{at},60,1" for at in starts)])
    assert totals(run({"t.json": FLAT, "u.csv": usage}, "rate", "t.json", "u.csv", "--json")) == [
        "2.50"
    ]


def test_rows_may_be_in_any_order_where_nothing_is_ambiguous(run):
    header, *intervals = DAY.split("\n")
    usage = "\n".join([header, *reversed(intervals)])
    assert totals(run({"t.json": FLAT, "u.csv": usage}, "rate", "t.json", "u.csv", "--json")) == [
        "2.40"
    ]


def test_a_urdb_record_is_imported_on_the_way(run):
    record = (URDB / "florida_residential_tiers.json").read_text()
    usage = rows("2025-01-01", 744, value="2")
    files = {"t.json": record, "u.csv": usage}
    result = run(files, "rate", "t.json", "u.csv", "--json", "--zone", "America/New_York")
    # 7.57 + 1000 kWh at 0.08721 + 488 kWh at 0.10803
    assert totals(result) == ["147.50"]


def test_a_record_without_energy_rates_makes_a_bill_only_where_that_is_asked_for(run):
    record = {"items": [{"fixedmonthlycharge": 3, "energy_rates": [{"rate": 0.1}]}]}
    files = {"t.json": record, "u.csv": rows("2025-01-01", 744, value="2")}
    command = ("rate", "t.json", "u.csv", "--json", "--zone", "America/New_York")
    refused = run(files, *command)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "what energy costs is not in the record" in refused.stderr
    rated = run(files, *command, "--incomplete")
    assert totals(rated) == ["3.00"]
    assert "warning: energy_rates: is no known field: rate: 0.1\n" in rated.stderr


def test_state_goes_from_month_to_month_and_is_shown(run):
    record = (URDB / "colorado_residential_time_of_use.json").read_text()
    usage = rows(
        "2025-01-01", 59 * 24, value="0,1", columns="start_local,minutes,import_kwh,export_kwh"
    )
    files = {"t.json": record, "u.csv": usage}
    result = run(files, "rate", "t.json", "u.csv", "--json", "--zone", "America/Denver")
    first, second = (period["state"] for period in json.loads(result.stdout)["periods"])
    kwh = [sum(Decimal(lot["kwh"]) for lot in state["energy"]["lots"]) for state in (first, second)]
    assert kwh == [744, 744 + 672]
    result = run(files, "rate", "t.json", "u.csv", "--zone", "America/Denver")
    assert "1416.000 kWh in the bank" in " ".join(result.stdout.split())


def test_people_are_shown_totals_by_kind_and_of_all_periods(run):
    usage = rows("2025-01-31", 48, value="10")
    result = run({"t.json": FLAT, "u.csv": usage}, "rate", "t.json", "u.csv")
    for expected in ("peak: 10.000 kW", "2025-01-31 to 2025-02-02, all periods", "48.00"):
        assert expected in result.stdout


# --- what is wrong is one line --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        ({"u.csv": b"\xff\xfes\x00"}, (), "u.csv: is text in UTF-16 or UTF-32: save"),
        ({"u.csv": bytes(range(256))}, (), "u.csv: row 2: is not in UTF-8 (the byte 80)"),
        ({"u.csv": DAY.replace("import_kwh", "import_kwh,import_kwh")}, (), "is there twice"),
        ({"u.csv": DAY.replace("04:00", "04:00:30")}, (), "row 6: start '2025-07-04 04:00:30'"),
        ({"u.csv": DAY.replace("2025-07-04 00", "0001-07-04 00")}, (), "between 1970 and 2200"),
        ({"u.csv": DAY.replace(",60,1", ",60,1e400")}, (), "'1e400', not a number"),
        ({"u.csv": DAY.replace(",60,1", ",60,1000000")}, (), "below 1000000"),
        (
            {"u.csv": DAY.replace("start_local", "start_local,start_utc")},
            (),
            "row 2: has 3 fields, and row 1 names 4 columns: is the row cut off?",
        ),
        ({"u.csv": DAY + "\n" + "x" * 200_000}, (), "u.csv: row 26: field larger"),
        (
            {
                "u.csv": "start_local,minutes,import_kwh\n"
                + "\n".join(f"2025-11-02 01:{m},30,1" for m in ("00", "00", "30", "30"))
            },
            (),
            "use start_utc, or an offset",
        ),
        (  # backwards: the two hours would change places
            {"u.csv": "\n".join([HEADER, *reversed(AUTUMN_DAY)])},
            (),
            "row 24: 2025-11-02 01:00: the clock of America/Denver repeats an hour of this day",
        ),
        (
            {"u.csv": "\n".join([HEADER, *AUTUMN_DAY[1:], AUTUMN_DAY[0]])},
            (),
            "row 26: 2025-11-02 00:00: the clock",
        ),
        ({}, ("--prices", "p.csv"), "--prices: the tariff asks for no series"),
        ({}, ("--label", "x"), "t.json is no file of URDB records"),
        ({"u.csv": ""}, (), "u.csv: is empty: it has no row"),
        ({"u.csv": "\n\n"}, (), "u.csv: is empty: it has no row"),
        ({"u.csv": DAY.replace(",", ";")}, (), "separated by ';', and must be by ','"),
        ({"u.csv": DAY.replace(",", "\t")}, (), "separated by tabs, and must be by ','"),
        (
            {"u.csv": DAY.replace(",60,1", ',60,"1,0"')},
            (),
            "import_kwh is '1,0', which has a decimal comma: write 1.5",
        ),
        (
            {"u.csv": DAY.replace(",60,1", ",60," + "9" * 5_000)},
            (),
            f"is '{'9' * 40}', not a number",
        ),
        (
            {"u.csv": DAY.replace(",60,1", "," + "6" * 5_000 + ",1")},
            (),
            "none of 5, 10, 15, 30, 60",
        ),
        ({"u.csv": rows("2025-03-09 02:00", 1)}, (), "does not exist in America/Denver"),
        ({"t.json": "[" * 50_000}, (), "t.json: no tariff: lists and objects are nested too deep"),
        ({"t.json": "9" * 5_000}, (), "t.json: no tariff"),
        ({"t.json": "3"}, (), "t.json: is neither a tariff nor a URDB record"),
        ({"t.json": FLAT | {"components": [{"kind": "magic"}]}}, (), "'magic' is none of"),
        (
            {"t.json": FLAT | {"components": [{"kind": "energy", "id": "e", "rate": 0.3}]}},
            (),
            "/components/0/rate: 0.3 must be a string",
        ),
        ({"t.json": {"items": []}}, (), "names no time zone: give --zone"),
        ({"t.json": {"items": []}}, ("--zone", "America/Denver"), "t.json: /items: holds 0 rates"),
        ({"t.json": WORKDAYS}, ("--holidays", "XX"), "no public holidays are known for 'XX'"),
        ({"t.json": WORKDAYS}, ("--holidays", "days.txt"), "row 1: 'soon' is no date"),
        ({"t.json": WORKDAYS}, ("--holidays", "none.txt"), "none.txt: No such file"),
        (
            {"t.json": FLAT | {"calendar": {"holidays": {"country": "US"}}}},
            ("--holidays", "US"),
            "has holidays of its own",
        ),
        ({"t.json": SPOT}, (), "no price series 'day-ahead' is given: give them by --prices FILE"),
        ({"t.json": SPOT}, ("--prices", "p.csv", "--prices", "p.csv"), "need a name each"),
        ({"t.json": SPOT}, ("--prices", "other=p.csv"), "asks for no such series"),
        (
            {"t.json": SPOT, "p.csv": PRICES.replace("price_per_mwh", "price")},
            ("--prices", "p.csv"),
            "p.csv: row 1: the column 'price' is not known: is price_per_kwh meant?",
        ),
        (
            {"t.json": SPOT, "p.csv": PRICES.replace(",60,50", ",60,dear")},
            ("--prices", "p.csv"),
            "p.csv: row 2: price_per_mwh is 'dear', not a number",
        ),
        (
            {"t.json": SPOT, "p.csv": PRICES.replace("12:00,60,50", "12:00,60,")},
            ("--prices", "p.csv"),
            "lacks 1 prices, in the hours 2025-07-04 12:00 MDT",
        ),
        (
            {
                "t.json": SPOT,
                "p.csv": PRICES.replace(",60,50", ",60,50,EUR").replace("_mwh", "_mwh,currency"),
            },
            ("--prices", "p.csv"),
            "are in EUR, not USD",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_one_clear_line(run, changed, options, message):
    files = {"t.json": FLAT, "u.csv": DAY, "p.csv": PRICES, "days.txt": "soon"} | changed
    result = run(files, "rate", "t.json", "u.csv", *options)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


# --- import-urdb ----------------------------------------------------------------------------------


def test_an_imported_record_is_a_tariff_that_can_be_rated(run, tmp_path):
    record = (URDB / "sacramento_five_periods.json").read_text()
    out = str(tmp_path / "native.json")
    zone = ("--zone", "America/Los_Angeles")
    result = run({"r.json": record}, "import-urdb", "r.json", *zone, "--output", out)
    assert result.exit_code == 0, result.output
    assert "warning: dgrules: Net Metering" in result.stderr
    assert "note: demandwindow: absent" in result.stderr
    native = Path(out).read_text()
    files = {"r.json": record, "n.json": native, "u.csv": rows("2025-07-01", 744, value="800")}
    there = totals(run(files, "rate", "n.json", "u.csv", "--json"))
    assert there == totals(run(files, "rate", "r.json", "u.csv", "--json", *zone))


def test_without_a_file_to_write_the_tariff_goes_to_standard_output(run):
    record = (URDB / "florida_residential_tiers.json").read_text()
    result = run({"r.json": record}, "import-urdb", "r.json", "--zone", "America/New_York")
    kinds = [component["kind"] for component in json.loads(result.stdout)["components"]]
    assert kinds == ["fixed", "tiered"]


PRICED = {"energyratestructure": [[{"rate": 0.1, "unit": "kWh"}]]}


@pytest.mark.parametrize(
    ("record", "zone", "message"),
    [
        (FLAT, "America/Denver", "is no URDB record"),
        ({"items": [{"label": "x"}]}, "America/Denver", "charges nothing"),
        ({"items": [PRICED]}, "Mars", "is not an IANA time zone"),
        (
            {"items": [PRICED | {"fixedmonthlycharge": 10**10}]},
            "America/Denver",
            "must be below 1000000000",
        ),
        (
            {"items": [{"fixedmonthlycharge": 3, "energy_rates": [{"rate": 0.1}]}]},
            "America/Denver",
            "what energy costs is not in the record; --incomplete leaves that out",
        ),
    ],
)
def test_what_cannot_be_imported_is_one_clear_line(run, record, zone, message):
    result = run({"r.json": record}, "import-urdb", "r.json", "--zone", zone)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
