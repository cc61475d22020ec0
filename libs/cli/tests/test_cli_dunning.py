"""`gridtally dunning`: what it asks of the ledger, how long it waits, and what it shows."""

import json

import pytest
from typer.testing import CliRunner

from gridtally.cli import questions
from gridtally.cli.app import app
from gridtally.cli.commands import dunning

ID, CUSTOMER = (f"0190d9c0-0000-7000-8000-00000000000{n}" for n in (1, 2))
NOTICE = {
    "customer_id": CUSTOMER, "level": 2, "name": "Final [notice]", "items": [{}, {}],
    "pay_by": "2025-05-30", "fee": "5.00", "total": "124.00", "currency": "EUR",
}  # fmt: skip
RUNS, LISTING = "/v1/dunning-runs", "/v1/dunning-notices"


class Ledger:
    """An installation whose runs are finished when they are asked for the third time."""

    def __init__(self):
        self.rows, self.asked, self.totals = 1, [], []

    def as_tenant(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def post(self, _service, path, body):
        self.asked.append((path, body))
        return self._run("running")

    async def get(self, _service, path):
        self.asked.append((path, None))
        return self._run("finished" if len(self.asked) > 2 else "running")

    def _run(self, state):
        return {"id": ID, "state": state, "totals": self.totals}

    async def items(self, _service, path, **query):
        self.asked.append((path, query))
        for _ in range(self.rows):
            yield NOTICE if path.startswith(RUNS) else NOTICE | {"state": "issued"}


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def run(monkeypatch, ledger):
    monkeypatch.setattr(questions, "find_installation", lambda *_: ledger)
    monkeypatch.setattr(dunning, "POLL_S", 0)
    return lambda *words: CliRunner().invoke(app, ["dunning", *words], env={"COLUMNS": "160"})


def test_a_run_is_waited_for(run, ledger):
    ledger.totals = [{"currency": "EUR", "notices": 3, "fees": "10.00"}]
    ran = run("run", "--on", "2025-05-20")
    assert (ran.exit_code, ran.stdout) == (0, "3 notices, 10.00 EUR of fees\n")
    shown = (f"{RUNS}/{ID}", None)
    assert ledger.asked == [(RUNS, {"on": "2025-05-20"}), shown, shown]
    ledger.totals = []
    assert "no notices" in run("run").output
    assert json.loads(run("run", "--json").stdout)["state"] == "finished"


def test_a_dry_run_issues_nothing(run, ledger):
    ran = run("run", "--dry-run")
    assert ledger.asked == [(f"{RUNS}/preview", {})]
    for shown in ("dry run", "2 Final [notice]", "not issued", "124.00"):
        assert shown in ran.output


def test_notices_are_listed_and_there_being_more_is_said(run, ledger):
    ledger.rows = 3
    ran = run("list", "--customer", CUSTOMER, "--state", "issued", "--rows", "2")
    assert ledger.asked == [(LISTING, {"customer_id": CUSTOMER, "state": "issued"})]
    assert ran.output.count(CUSTOMER) == 2
    assert "there are more" in ran.output
    assert len(json.loads(run("list", "--json").stdout)["items"]) == 3
    ledger.rows = 0
    assert "nobody was dunned" in run("list").output
