"""`gridtally rate`: files in, bills out, and one clear line where a file is wrong."""

import json
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app

TARIFF = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "capacity", "id": "capacity", "rate": "2"},
        {
            "kind": "time_of_use",
            "id": "energy",
            "bands": [{"name": "night", "rate": "0.2"}, {"name": "day", "rate": "0.3"}],
            "windows": [{"band": "night", "from_time": "00:00", "to_time": "06:00"}],
            "default_band": "day",
        },
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]},
    ],
}
ENERGY_ONLY = TARIFF | {"components": [{"kind": "energy", "id": "energy", "rate": "0.3"}]}
CREDIT = {
    "kind": "export_credit",
    "id": "feed-in",
    "rate": "0.08",
    "surplus": {"kind": "payout"},
}
ONE_DAY = {
    "currency": "EUR",
    "periods": [
        {
            "start": "2025-03-03",
            "end": "2025-03-04",
            "lines": [
                {
                    "component_id": "capacity",
                    "kind": "fixed",
                    "band": None,
                    "start": "2025-03-03",
                    "end": "2025-03-04",
                    "quantity": "0.5",
                    "unit": "kW",
                    "quantity_rounding": None,
                    "rate": "2",
                    "payee": None,
                    "amount_exact": "1.0",
                    "amount": "1.00",
                },
                {
                    "component_id": "energy",
                    "kind": "energy",
                    "band": "night",
                    "start": "2025-03-03",
                    "end": "2025-03-04",
                    "quantity": "9.000",
                    "unit": "kWh",
                    "quantity_rounding": None,
                    "rate": "0.2",
                    "payee": None,
                    "amount_exact": "1.8000",
                    "amount": "1.80",
                },
                {
                    "component_id": "energy",
                    "kind": "energy",
                    "band": "day",
                    "start": "2025-03-03",
                    "end": "2025-03-04",
                    "quantity": "27.000",
                    "unit": "kWh",
                    "quantity_rounding": None,
                    "rate": "0.3",
                    "payee": None,
                    "amount_exact": "8.1000",
                    "amount": "8.10",
                },
                {
                    "component_id": "vat",
                    "kind": "tax",
                    "band": None,
                    "start": "2025-03-03",
                    "end": "2025-03-04",
                    "quantity": "9.9000",
                    "unit": "EUR",
                    "quantity_rounding": None,
                    "rate": "0.19",
                    "payee": None,
                    "amount_exact": "1.881000",
                    "amount": "1.88",
                },
            ],
            "totals_exact": {
                "fixed": "1.00",
                "energy": "9.9000",
                "demand": "0.00",
                "adjustment": "0.00",
                "credit": "0.00",
                "tax": "1.881000",
                "minimum_top_up": "0.00",
                "total": "12.781000",
            },
            "totals": {
                "fixed": "1.00",
                "energy": "9.90",
                "demand": "0.00",
                "adjustment": "0.00",
                "credit": "0.00",
                "tax": "1.88",
                "minimum_top_up": "0.00",
                "total": "12.78",
            },
            "payees": {},
            "peak_kw": "1.500",
            "state": {},
        }
    ],
}


def hours(start, count, kwh="1", column="start_local", columns="import_kwh"):
    start = datetime.fromisoformat(start)
    rows = [f"{start + timedelta(hours=n):%Y-%m-%d %H:%M},60,{kwh}" for n in range(count)]
    return "\n".join([f"{column},minutes,{columns}", *rows])


@pytest.fixture
def run(tmp_path):
    def invoke(tariff, usage, *options):
        (tmp_path / "tariff.json").write_text(
            tariff if isinstance(tariff, str) else json.dumps(tariff)
        )
        (tmp_path / "usage.csv").write_text(usage)
        files = [str(tmp_path / name) for name in ("tariff.json", "usage.csv")]
        return CliRunner().invoke(app, ["rate", *files, *options])

    return invoke


def test_the_json_holds_every_line_and_total_as_decimal_texts(run):
    result = run(TARIFF, hours("2025-03-03", 24, "1.5"), "--json", "--connected-kw", "15.5")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == ONE_DAY


def test_people_get_a_table_per_month(run):
    result = run(ENERGY_ONLY, hours("2025-01-31", 48, "10"))
    assert result.exit_code == 0, result.output
    for expected in ("2025-01-31 to 2025-02-01", "2025-02-01 to 2025-02-02", "240.000", "72.00"):
        assert expected in result.stdout


def test_a_table_shows_each_kind_and_the_sums_once(run):
    result = run(TARIFF, hours("2025-03-03", 24, "1.5"), "--connected-kw", "15.5")
    rows = [line.split() for line in result.stdout.splitlines() if len(line.split()) == 2]
    assert rows == [
        ["fixed", "1.00"], ["energy", "9.90"],
        ["net", "10.90"], ["tax", "1.88"], ["total", "12.78"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("usage", "options", "kwh"),
    [
        (hours("2025-03-03", 48), ("--period", "2025-03-03:2025-03-04"), "24.000"),
        # 23 hours in spring, 25 in autumn; the repeated hour is there twice, in order
        (hours("2025-03-29 23:00", 23, column="start_utc"), (), "23.000"),
        (hours("2025-10-25 22:00", 25, column="start_utc"), (), "25.000"),
        (hours("2025-03-02T18:30", 24, column="start_utc"), ("--zone", "Asia/Kolkata"), "24.000"),
        (hours("2025-03-03", 24, "3,1", columns="load_kwh,gen_kwh"), (), "48.000"),
        (hours("2025-03-03", 24, "1,3", columns="load_kwh,gen_kwh"), (), "0.000"),
        (hours("2025-03-03", 24, "1,0.5", columns="import_kwh,import_kvarh"), (), "24.000"),
        (hours("2025-03-03", 24, "0.00025"), (), "0.00600"),
        (hours("2025-03-03", 24, "2.5e-04"), (), "0.00600"),
        (hours("2025-03-03", 24, " .5"), (), "12.000"),
        ("\ufeff" + hours("2025-03-03", 24), (), "24.000"),
    ],
)
def test_what_a_usage_file_may_look_like(run, usage, options, kwh):
    result = run(ENERGY_ONLY, usage, "--json", *options)
    assert result.exit_code == 0, result.output
    (period,) = json.loads(result.stdout)["periods"]
    assert period["lines"][0]["quantity"] == kwh


KVA_AND_KVARH = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {
            "kind": "demand", "id": "kva", "rate": "2", "minutes": 60, "unit": "kVA",
            "proration": "none",
        },
        {"kind": "reactive_energy", "id": "kvarh", "rate": "0.05", "free_share": "0.5"},
        {
            "kind": "power_factor", "id": "factor", "component_ids": ["kva"],
            "table": [{"at_least": "0.90", "rate": "0"}, {"at_least": "0", "rate": "0.1"}],
        },
    ],
}  # fmt: skip


def test_a_usage_file_with_reactive_energy_is_rated(run):
    """Case X1: a day of 3 kW and 4 kvar is 5 kVA at 2, 96 − 36 kvarh at 0.05, and a factor of 0.6.

    10.00 + 3.00 + 10 % of 10.00. Without the kvarh nobody knows the kVA.
    """
    usage = hours("2025-03-03", 24, "3,4", columns="import_kwh,import_kvarh")
    (period,) = json.loads(run(KVA_AND_KVARH, usage, "--json").stdout)["periods"]
    assert [(line["quantity"], line["unit"], line["amount"]) for line in period["lines"]] == [
        ("5.000", "kVA", "10.00"), ("60.0000", "kvarh", "3.00"), ("10.000", "EUR", "1.00"),
    ]  # fmt: skip
    assert period["totals"]["total"] == "14.00"
    without = run(KVA_AND_KVARH, hours("2025-03-03", 24, "3"))
    assert without.exit_code == 1
    assert "has no reactive_import series" in without.output


def test_local_starts_say_the_repeated_hour_twice(run):
    rows = hours("2025-10-26", 24).split("\n")
    repeated = "\n".join([*rows[:4], rows[3].replace(",60,1", ",60,9"), *rows[4:]])
    result = run(TARIFF, repeated, "--json", "--connected-kw", "0")
    (period,) = json.loads(result.stdout)["periods"]
    night = next(line for line in period["lines"] if line["band"] == "night")
    assert night["quantity"] == "15.000"  # seven hours, one of them with 9 kWh


def with_both_starts(first_utc, first_local, rows):
    """Hours with both starts: UTC ones in order, and what is said of the local clock."""
    at = datetime.fromisoformat(first_utc)
    lines = [
        f"{at + timedelta(hours=hour):%Y-%m-%dT%H:%M},{local},60,1"
        for hour, local in enumerate(first_local[:rows])
    ]
    return "\n".join(["start_utc,start_local,minutes,import_kwh", *lines])


AUTUMN = [f"2025-10-26T{hour:02}:00" for hour in (0, 1, 2, 2, *range(3, 24))]


def test_both_starts_are_taken_where_they_agree(run):
    """The 25-hour day: the local column repeats an hour, the other says which is which."""
    usage = with_both_starts("2025-10-25T22:00", AUTUMN, 25)
    result = run(ENERGY_ONLY, usage, "--json")
    (period,) = json.loads(result.stdout)["periods"]
    assert (period["start"], period["lines"][0]["quantity"]) == ("2025-10-26", "25.000")


def test_both_starts_that_differ_name_the_row(run):
    shifted = [*AUTUMN[:3], "2025-10-26T03:00", *AUTUMN[4:]]
    result = run(ENERGY_ONLY, with_both_starts("2025-10-25T22:00", shifted, 25))
    assert result.exit_code == 1
    assert "row 5: start_local is 2025-10-26T03:00, but the clock of Europe/Berlin" in result.stderr
    assert "shows 2025-10-26T02:00 at start_utc 2025-10-26T01:00" in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("tariff", "usage", "options", "message"),
    [
        ("{", hours("2025-03-03", 24), (), "no JSON"),
        ({"currency": "EUR"}, hours("2025-03-03", 24), (), "/components: is required"),
        (ENERGY_ONLY, "minutes", (), "row 1: needs one of the columns start_local, start_utc"),
        (ENERGY_ONLY, "start_utc,import_kwh", (), "row 1: needs the column minutes"),
        (ENERGY_ONLY, "start_utc,minutes,cost", (), "row 1: needs one of the columns import_kwh"),
        (
            ENERGY_ONLY,
            hours("2025-03-03", 24, "1,1", columns="import_kwh,load_kwh"),
            (),
            "load_kwh already says",
        ),
        (ENERGY_ONLY, "start_utc,minutes,import_kwh", (), "holds no interval"),
        (ENERGY_ONLY, hours("2025-03-03", 3, "x"), (), "row 2: import_kwh is 'x', not a number"),
        (
            ENERGY_ONLY,
            hours("2025-03-03", 3, ""),
            (),
            "row 2: import_kwh is empty: a value that is missing",
        ),
        (ENERGY_ONLY, hours("2025-03-03", 3, "-1"), (), "out belongs in export_kwh"),
        (ENERGY_ONLY, hours("2025-03-03", 3, "NaN"), (), "row 2: import_kwh is 'NaN'"),
        (ENERGY_ONLY, hours("2025-03-03", 3, "1e-10"), (), "at most 9 decimals"),
        (ENERGY_ONLY, hours("2025-03-03 00:07", 3), (), "row 2: this start is 2025-03-03 00:07"),
        (ENERGY_ONLY, hours("2025-03-30 02:00", 1), (), "does not exist in Europe/Berlin"),
        (
            ENERGY_ONLY,
            hours("2025-03-03", 3) + "\n2025-03-03 01:00,60,1",
            (),
            "row 5: 2025-03-03 01:00 is there twice",
        ),
        (
            ENERGY_ONLY,
            hours("2025-03-03", 3) + "\n2025-03-03 03:00,15,1",
            (),
            "row 5: minutes is 15 where earlier rows have 60",
        ),
        (ENERGY_ONLY, hours("2025-03-03", 3) + "\nsoon,60,1", (), "row 5: start 'soon' is no"),
        (ENERGY_ONLY, hours("2025-03-03", 3) + "\nsoon,7,1", (), "row 5: minutes is '7'"),
        (ENERGY_ONLY, hours("2025-03-03", 3) + "\n2025", (), "row 5: has 1 field, and row 1"),
        (
            ENERGY_ONLY,
            hours("2025-03-03", 23),
            (),
            "to 2025-03-04, the first of them at 2025-03-03 23:00 CET",
        ),
        (ENERGY_ONLY, hours("2025-03-03", 24), ("--period", "week"), "--period 'week' is not"),
        (
            ENERGY_ONLY,
            hours("2025-03-03", 24),
            ("--period", "0001-01-01:0001-01-02"),
            "0001-01-01 to 0001-01-02 must lie between 1900-01-01 and",
        ),
        (
            TARIFF | {"components": [CREDIT]},
            hours("2025-03-03", 24),
            (),
            (
                "error: the usage has no export series, which the tariff charges for: the columns "
                "for it are import_kwh, export_kwh or load_kwh, gen_kwh, and import_kvarh, "
                "export_kvarh\n"
            ),
        ),
        (ENERGY_ONLY, hours("2025-03-03", 24), ("--zone", "Mars"), "not an IANA time zone"),
        (TARIFF, hours("2025-03-03", 24), (), "connected kW is not known: give it by --conn"),
        (TARIFF, hours("2025-03-03", 24), ("--connected-kw", "-3"), "connected load -3 kW"),
        (
            TARIFF,
            hours("2025-03-03", 24),
            ("--connected-kw", "x"),
            "--connected-kw: 'x' is not a decimal",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_line(run, tariff, usage, options, message):
    result = run(tariff, usage, *options)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_numbers_beyond_what_people_need_are_shown_too(run):
    fixed = {"kind": "fixed", "id": "fixed", "rate": "999999999", "per": "period"}
    shares = [{"kind": "percent", "id": f"share-{n}", "rate": "9"} for n in range(30)]
    result = run(TARIFF | {"components": [fixed, *shares]}, hours("2025-03-03", 24))
    assert result.exit_code == 0
    # each share is nine times all before it, so that all together are ten times as much
    folded = "".join(result.stdout.split("tax")[-1].split())
    assert folded.replace("total", "").startswith("0.00" + "999999999" + "0" * 30 + ".00")


def test_long_names_cut_off_no_figure(run):
    named = {"kind": "energy", "id": "e" * 64, "rate": "0.12345678"}
    banded = TARIFF["components"][1] | {"id": "t" * 64}
    result = run(TARIFF | {"components": [named, banded]}, hours("2025-03-03", 24, "1234.567"))
    for figure in ("0.12345678", "29629.608", "7407.402", "22222.206", "3657.98", "11806.12"):
        assert figure in result.stdout
    assert "…" not in result.stdout


def test_a_peak_that_is_the_mean_of_days_is_shown_as_their_mean(run):
    demand = {"kind": "demand", "id": "demand", "rate": "1", "minutes": 60, "ratchet_months": 1}
    usage = hours("2025-03-03", 72)
    result = run(TARIFF | {"components": [demand | {"mean_of_highest_days": 3}]}, usage)
    assert "demand: 1 earlier peaks, up to 1.000 kW" in " ".join(result.stdout.split())


def test_a_file_that_is_not_there_is_named(tmp_path):
    result = CliRunner().invoke(app, ["rate", str(tmp_path / "none.json"), "usage.csv"])
    assert result.exit_code == 1
    assert "none.json: No such file" in result.stderr


def test_who_receives_money_is_on_lines_and_in_totals(run):
    """36 kWh at 0.30, 0.05 and 0.01: two components are for the market operator."""
    components = [
        {"kind": "energy", "id": "energy", "rate": "0.3"},
        {"kind": "energy", "id": "market", "rate": "0.05", "payee": "Operator [MO]"},
        {"kind": "energy", "id": "grid", "rate": "0.01", "payee": "Operator [MO]"},
    ]
    arguments = (TARIFF | {"components": components}, hours("2025-03-03", 24, "1.5"))
    [period] = json.loads(run(*arguments, "--json").stdout)["periods"]
    assert [line["payee"] for line in period["lines"]] == [None, "Operator [MO]", "Operator [MO]"]
    assert period["payees"] == {"Operator [MO]": "2.16"}
    rows = [line.split() for line in run(*arguments).stdout.splitlines()]
    assert ["of", "it", "for", "Operator", "[MO]", "2.16"] in rows
