"""`gridtally cost` and `gridtally preview`: what they ask, and what they show of the answer."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from gridtally.cli import questions
from gridtally.cli.app import app

ID = str(uuid4())
MONEY = {"base_cost": "140.00", "vat_amount": "21.00", "total_cost": "161.00"}
COST = {
    "from": "2025-03-12T00:00:00Z", "to": "2025-03-13T00:00:00Z", "currency": "ZAR",
    "totals": [{"currency": "ZAR", "total_kwh": "56.000", "total_base_cost": "140.00",
                "total_vat_amount": "21.00", "total_cost": "161.00"}],
    "buckets": 2, "buckets_without_tariff": 0,
    "per_device": [
        {"device_name": "Pump [1]", "municipality_name": None, "kwh": "56.000", **MONEY}
    ],
}  # fmt: skip


def line(component_id, amount, band=None):
    return {
        "component_id": component_id,
        "band": band,
        "start_on": "2025-03-01",
        "amount": amount,
    }


PREVIEW = {
    "start_on": "2025-03-01", "end_on": "2025-04-01", "currency": "EUR",
    "so_far": {"lines": [line("base", "9.90"), line("energy", "20.00", "day")], "total": "29.90"},
    "forecast": {
        "lines": [line("base", "9.90"), line("energy", "41.00", "day"),
                  line("energy", "3.00", "night")],
        "total": "53.90", "spread": {"low": "50.10", "high": "57.70", "weeks": 6},
    },
}  # fmt: skip


class Billing:
    """An installation whose billing answers one thing, and keeps what it was asked."""

    def __init__(self, answer):
        self._answer, self.asked = answer, []

    def as_tenant(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def get(self, service, path, **params):
        self.asked.append((service, path, params))
        return self._answer


@pytest.fixture
def run(monkeypatch):
    def of(answer, *words):
        billing = Billing(answer)
        monkeypatch.setattr(questions, "find_installation", lambda *_: billing)
        return CliRunner().invoke(app, words, env={"COLUMNS": "120"}), billing.asked

    return of


def test_the_cost_of_a_customer_by_device(run):
    ran, asked = run(COST, "cost", ID, "--from", "2025-03-12", "--to", "2025-03-13")
    window = {"from": "2025-03-12T00:00:00Z", "to": "2025-03-13T00:00:00Z"}
    assert asked == [("billing", f"/v1/fleet/customers/{ID}/cost", window)]
    assert ran.exit_code == 0
    assert "Pump [1]" in ran.output
    assert ran.output.count("161.00") == 2
    assert "fixed charges are not included" in ran.output


def test_hours_without_a_tariff_are_counted(run):
    ran, _ = run(COST | {"buckets_without_tariff": 1}, "cost", ID)
    assert "1 of 2 hours have no tariff" in " ".join(ran.output.split())


def test_without_days_it_is_the_last_thirty(run):
    _, [(_, _, window)] = run(COST, "cost", ID)
    first, end = (datetime.fromisoformat(window[name]) for name in ("from", "to"))
    assert (end - first).days == 31
    assert first < end - timedelta(days=1) <= datetime.now(UTC) + timedelta(days=1)


def test_a_preview_line_by_line(run):
    ran, asked = run(PREVIEW, "preview", ID)
    assert asked == [("billing", f"/v1/agreements/{ID}/preview", {})]
    text = " ".join(ran.output.split())
    for shown in ("energy day", "20.00", "41.00", "energy night", "29.90", "53.90", "no invoice"):
        assert shown in text
    assert "between 50.10 and 57.70, by 6 weeks" in text


def test_as_json_it_is_the_answer(run):
    ran, asked = run(PREVIEW, "preview", ID, "--on", "2025-03-07", "--json")
    assert json.loads(ran.stdout) == PREVIEW
    assert asked[0][2] == {"on": "2025-03-07"}


@pytest.mark.parametrize("command", ["cost", "preview"])
def test_what_is_no_id_is_refused_before_anything_is_asked(run, command):
    ran, asked = run({}, command, "../customers")
    assert ran.exit_code == 1
    assert str(ran.exception) == "'../customers' is no id"
    assert asked == []
