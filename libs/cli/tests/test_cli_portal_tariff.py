"""`gridtally import-tariff`: a portal tariff in, a native one out, which `rate` bills."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridtally.cli.app import app

BUSINESS = (
    Path(__file__).parents[2] / "portal_tariffs" / "tests" / "documents"
) / "business_time_of_use.json"
FLAT = {"components": [{"id": "energy", "unit": "c/kWh", "rate_schedule": [{"value": 31.5}]}]}
NAMED = ("--zone", "Europe/Berlin", "--currency", "EUR")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Writes a file and runs the command there."""
    monkeypatch.chdir(tmp_path)

    def run_in_folder(document, *words):
        text = document if isinstance(document, str) else json.dumps(document)
        Path("p.json").write_text(text)
        return CliRunner().invoke(app, ["import-tariff", "p.json", *words])

    return run_in_folder


def test_an_imported_tariff_makes_the_bill_that_the_portal_says(run):
    """June 2025 at 1 kWh an hour: 21 weekdays × 16 h × 0.30 = 100.80; 21 × 8 h × 0.18 = 30.24;
    9 days × 24 h × 0.18 = 38.88; 720 × 0.0005 = 0.36; 9.30. Together 179.58."""
    result = run(BUSINESS.read_text(), "--output", "native.json")
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert result.stderr.splitlines()[-1] == "note: these fields charge nothing: /id, /name"
    rows = [f"2025-06-{day:02}T{hour:02}:00,60,1" for day in range(1, 31) for hour in range(24)]
    Path("u.csv").write_text("\n".join(["start_local,minutes,import_kwh", *rows]))
    rated = CliRunner().invoke(app, ["rate", "native.json", "u.csv", "--json"])
    (period,) = json.loads(rated.stdout)["periods"]
    assert period["totals"]["total"] == "179.58"


def test_without_a_file_to_write_the_tariff_goes_to_standard_output(run):
    result = run(FLAT | {"vat": 0.19}, *NAMED)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "currency": "EUR",
        "zone": "Europe/Berlin",
        "components": [{"id": "energy", "kind": "energy", "rate": "0.315"}],
    }
    assert result.stderr == "warning: /vat: is no known field: 0.19\n"


TWO = FLAT["components"] + [{"id": "kw", "unit": "c/kW", "rate_schedule": [{"value": 1}]}]


@pytest.mark.parametrize(
    ("document", "words", "message"),
    [
        ("{", NAMED, "error: p.json: no JSON"),
        ('{"a": 1, "a": 2}', NAMED, "error: p.json: no tariff: 'a' is there twice"),
        (FLAT, (), "error: p.json: /zone: is not in the document: name it (--zone)"),
        (FLAT, ("--zone", "Mars", "--currency", "EUR"), "is not an IANA time zone"),
        (FLAT | {"currency": "CHF"}, NAMED, "/currency: the document is for 'CHF', not EUR"),
        ({"components": TWO}, NAMED, "'c/kW' is no unit that is imported"),
        (FLAT, (*NAMED, "--output", "no/n.json"), "error: no/n.json: No such file"),
    ],
)
def test_what_cannot_be_imported_is_one_clear_line(run, document, words, message):
    result = run(document, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_charges_are_given_up_where_the_option_says_so(run):
    refused = run({"components": TWO}, *NAMED)
    assert refused.stderr.endswith("; --incomplete leaves that out\n")
    result = run({"components": TWO}, *NAMED, "--incomplete")
    assert result.exit_code == 0
    assert [part["id"] for part in json.loads(result.stdout)["components"]] == ["energy"]
    assert result.stderr.startswith("warning: /components/1/unit: 'c/kW' is no unit")
