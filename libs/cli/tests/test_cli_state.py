"""`gridtally rate --state`: month after month is what all months at once are."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from gridtally.cli.app import app

RATCHET = {
    "kind": "demand", "id": "capacity", "bands": [{"name": "all", "rate": "3.3333"}],
    "default_band": "all", "minutes": 60, "mean_of_months": 12, "minimum_kw": "2.5",
}  # fmt: skip
COUNT = {
    "kind": "tiered", "id": "steps",
    "tiers": [{"limit": "900", "rate": "0.20"}, {"rate": "0.30"}],
    "limits": {"per": "period", "reset_months": 3},
}  # fmt: skip
BANK = {
    "kind": "net_metering", "id": "solar", "bands": [{"name": "all", "rate": "0.20"}],
    "default_band": "all", "surplus": {"kind": "carry_forward", "expires_after_months": 12},
}  # fmt: skip
TARIFF = {"currency": "EUR", "zone": "UTC", "components": [RATCHET, COUNT, BANK]}
MONTHS = [date(2025, month, 1) for month in range(1, 7)]


def usage_file(path, import_kwh, export_kwh):
    """Six months of hours; a month has its own kWh of each hour."""
    rows = ["start_utc,minutes,import_kwh,export_kwh"]
    at = datetime(2025, 1, 1, tzinfo=UTC)
    while at.month < 7:
        month = at.month - 1
        rows.append(f"{at:%Y-%m-%dT%H:%M}Z,60,{import_kwh[month]},{export_kwh[month]}")
        at += timedelta(hours=1)
    path.write_text("\n".join(rows))


@pytest.fixture
def rate(tmp_path):
    def run(*options, tariff=TARIFF):
        (tmp_path / "t.json").write_text(json.dumps(tariff))
        files = (str(tmp_path / "t.json"), str(tmp_path / "u.csv"))
        return CliRunner().invoke(app, ["rate", *files, "--json", *map(str, options)])

    return run


def periods_of(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["periods"]


def month(number):
    end_on = date(2025, number + 2, 1)
    return f"2025-{number + 1:02}-01:{end_on}"


kwh = st.lists(st.sampled_from(["0", "0.5", "1", "2", "4"]), min_size=6, max_size=6)


@settings(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kwh, kwh)
def test_month_by_month_is_all_at_once(rate, tmp_path, import_kwh, export_kwh):
    usage_file(tmp_path / "u.csv", import_kwh, export_kwh)
    state = tmp_path / "state.json"
    state.unlink(missing_ok=True)
    at_once = periods_of(rate())
    in_turn = [
        period
        for number in range(6)
        for period in periods_of(rate("--state", state, "--period", month(number)))
    ]
    assert in_turn == at_once
    assert json.loads(state.read_text())["next_start"] == "2025-07-01"


@pytest.fixture
def january(rate, tmp_path):
    """The state after January."""
    usage_file(tmp_path / "u.csv", ["1"] * 6, ["0"] * 6)
    state = tmp_path / "state.json"
    periods_of(rate("--state", state, "--period", month(0)))
    return state


def test_a_component_that_is_new_to_the_file_is_named(rate, january):
    credit = {
        "kind": "export_credit", "id": "sold", "rate": "0.05",
        "surplus": {"kind": "offset", "unused": "carry_forward"},
    }  # fmt: skip
    more = TARIFF | {"components": [*TARIFF["components"], credit]}
    result = rate("--state", january, "--period", month(1), tariff=more)
    assert result.stderr == (
        f"warning: sold: is new to {january}, and begins with nothing carried forward\n"
    )
    result = rate("--state", january, "--period", month(2), tariff=more)
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_file_that_does_not_say_what_carries_is_still_read(rate, january):
    document = json.loads(january.read_text())
    del document["carrying"]
    january.write_text(json.dumps(document))
    result = rate("--state", january, "--period", month(1))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("carrying", 7, "is no state file: carrying is a list of components"),
        ("next_start", "yesterday", "next_start 'yesterday' is no date (2025-02-01)"),
        ("more", 1, "has the field 'more', which no state file has"),
    ],
)
def test_a_file_that_somebody_changed_is_refused_in_words(rate, january, field, value, message):
    january.write_text(json.dumps(json.loads(january.read_text()) | {field: value}))
    result = rate("--state", january, "--period", month(1))
    assert result.exit_code == 1
    assert message in result.stderr


@pytest.mark.parametrize(
    ("options", "tariff", "message"),
    [
        (("--period", month(0)), TARIFF, "has the bills before 2025-02-01 in it"),
        (("--period", month(2)), TARIFF, "continues on 2025-02-01, and the usage begins on"),
        (
            ("--period", month(1)),
            TARIFF | {"components": [COUNT, BANK]},
            "nothing is carried forward by a component 'capacity' here",
        ),
        (("--period", month(1)), TARIFF | {"currency": "USD"}, "is of a tariff in EUR, not in USD"),
        (
            ("--period", month(1)),
            TARIFF | {"components": [COUNT | {"id": "capacity"}, BANK, RATCHET | {"id": "steps"}]},
            "steps: its state is 'progress', not 'peaks'",
        ),
    ],
)
def test_a_state_that_does_not_go_with_the_rest_is_refused_and_left(
    rate, january, options, tariff, message
):
    before = january.read_bytes()
    result = rate("--state", january, *options, tariff=tariff)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert message in result.stderr
    assert january.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no JSON from row 1 on"),
        (b"{}\n{}", "is no JSON from row 2 on (Extra data): give the file as --state wrote it"),
        (b"component,kwh\nsteps,1\n", "is a table (CSV): JSON is needed here"),
        (b"PK\x03\x04xl/workbook.xml", "is an Excel workbook (.xlsx): JSON is needed here"),
        (b"\xff\xfe", "is text in UTF-16 or UTF-32: save it as text in UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "is no state file"),
        (b'{"next_start": "2025-02-01", "currency": "EUR"}', "is no state file"),
        (b'{"next_start": "soon", "currency": "EUR", "components": {}}', "soon"),
        (
            b'{"next_start":"2025-02-01","currency":"EUR","components":{},"more":1}',
            "has the field 'more'",
        ),
        (
            b'{"next_start":"2025-02-01","currency":"EUR","components":{"steps":{"kind":"x"}}}',
            "/steps",
        ),
    ],
)
def test_a_garbled_state_is_one_line_and_left(rate, january, content, message):
    january.write_bytes(content)
    result = rate("--state", january, "--period", month(1))
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert message in result.stderr
    assert january.read_bytes() == content


def test_a_state_that_cannot_be_written_prints_no_bill(rate, january):
    result = rate("--state", january.parent / "none" / "state.json", "--period", month(0))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No such file or directory" in result.stderr
    assert [path.name for path in january.parent.iterdir()].count("state.json") == 1
