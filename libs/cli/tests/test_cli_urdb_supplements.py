"""`--system-peaks`, `--reactive-free-share` and `--meters` beside a URDB record."""

import json
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app

RECORD = {
    "energyratestructure": [[{"rate": 0.1, "unit": "kWh"}]],
    "demandwindow": 60,
    "coincidentratestructure": [[{"rate": 8}]],
    "coincidentschedule": [[0] * 24] * 12,
    "demandreactivepowercharge": 0.25,
    "fixedmonthlycharge": 7,
    "fixedchargeeaaddl": 2,
}
NATIVE = {
    "currency": "USD",
    "zone": "America/New_York",
    "components": [{"kind": "energy", "id": "energy", "rate": "0.1"}],
}


@pytest.fixture
def run(tmp_path):
    def rated(*arguments, record=RECORD, peaks="2025-11-04T17:00  # from the operator's notice\n"):
        tariff, usage, file = (tmp_path / name for name in ("t.json", "u.csv", "peaks.txt"))
        tariff.write_text(json.dumps(record))
        file.write_text(peaks)
        at, rows = datetime(2025, 11, 4), []  # noqa: DTZ001 - local
        for hour in range(24):
            kwh = 5 if hour == 17 else 1
            rows.append(f"{at + timedelta(hours=hour):%Y-%m-%dT%H:%M},60,{kwh},2")
        usage.write_text("\n".join(["start_local,minutes,import_kwh,import_kvarh", *rows]) + "\n")
        given = [str(file) if argument == "PEAKS" else argument for argument in arguments]
        return CliRunner().invoke(
            app, ["rate", str(tariff), str(usage), "--zone", "America/New_York", "--json", *given]
        )

    return rated


def test_a_record_is_rated_with_what_is_known_besides(run):
    """One day of November: 28 kWh × 0.10 = 2.80; 5 kW at the peak × 8 / 30 = 1.33; 2 kvar less
    0.2 × 5 kW = 1 × 0.25 / 30 = 0.01; 7 / 30 = 0.23 and two further meters 4 / 30 = 0.13."""
    result = run(
        "--system-peaks", "PEAKS", "--reactive-free-share", "0.2", "--meters", "3"
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    (period,) = json.loads(result.stdout)["periods"]
    assert {line["component_id"]: line["amount"] for line in period["lines"]} == {
        "fixed": "0.23",
        "further-meters": "0.13",
        "energy": "2.80",
        "coincident-demand": "1.33",
        "reactive-power": "0.01",
    }


@pytest.mark.parametrize(
    ("peaks", "detail"),
    [
        ("04.11.2025 17:00\n", "row 1: '04.11.2025 17:00' may mean the month or the day"),
        ("\n2025-03-09T02:30\n", "row 2: 2025-03-09T02:30 is skipped by the clock of America/New"),
        ("2025-11-02T01:30\n", "row 1: 2025-11-02T01:30 is twice on the clock of America/New_York"),
        ("2025-11-04T17:00\n2025-11-04T22:00Z\n", "a system peak is there twice"),
        ("", "give them (--system-peaks FILE"),
    ],
)
def test_peaks_that_cannot_be_read_are_refused_with_their_row(run, peaks, detail):
    result = run("--system-peaks", "PEAKS", "--reactive-free-share", "0", peaks=peaks)
    assert result.exit_code == 1
    assert detail in result.stderr


@pytest.mark.parametrize(
    ("arguments", "record", "detail"),
    [
        ((), RECORD, "give them (--system-peaks FILE"),
        (("--system-peaks", "PEAKS"), RECORD, "(--reactive-free-share 0.5; 0 for none)"),
        (("--reactive-free-share", "half"), RECORD, "--reactive-free-share: "),
        (("--meters", "2"), NATIVE, "--meters is for URDB records: a native tariff has its own"),
        (("--system-peaks", "PEAKS"), NATIVE, "--system-peaks is for URDB records"),
    ],
)
def test_what_is_needed_or_not_is_said(run, arguments, record, detail):
    result = run(*arguments, record=record)
    assert result.exit_code == 1
    assert detail in result.stderr


def test_an_offset_says_the_instant(run):
    result = run(
        "--system-peaks", "PEAKS", "--reactive-free-share", "0", peaks="2025-11-04T17:00-05:00\n"
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
