"""`gridtally debits`: what it asks of the ledger, which files it writes, and what it shows."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from gridtally.cli import questions
from gridtally.cli.app import app

PATH = "/v1/direct-debits"
TODAY = datetime.now(UTC).date()
BATCH = {
    "due_through": f"{TODAY}", "collection_on": "2026-03-04", "state": "open", "count": 2,
    "total": "80.00", "currency": "EUR", "collected": 0, "debits": [{}, {}], "more": False,
}  # fmt: skip


def id_of(number):
    return f"0190d9c0-0000-7000-8000-00000000000{number}"


class Ledger:
    """An installation in which so many batches are due."""

    def __init__(self):
        self.due, self.made, self.asked = 2, 0, []

    def as_tenant(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def post(self, _service, path, body):
        self.asked.append((path, body))
        if body["dry_run"]:
            return BATCH | {"id": None, "state": None, "more": self.due > 1}
        if not self.due:
            return BATCH | {"id": None, "state": None, "count": 0, "debits": []}
        self.made, self.due = self.made + 1, self.due - 1
        return BATCH | {"id": id_of(self.made), "more": self.due > 0}

    async def get(self, _service, path):
        assert path == "/v1/direct-debit-settings"
        return {"lead_days": 3}

    async def stream(self, _service, path):
        self.asked.append((path, None))
        yield b"<Document>"
        yield b"</Document>"

    async def items(self, _service, path):
        assert path == PATH
        for number in range(1, self.made + 1):
            yield BATCH | {"id": id_of(number), "collected": 1}


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def run(monkeypatch, ledger, tmp_path):
    monkeypatch.setattr(questions, "find_installation", lambda *_: ledger)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["debits", *words], env={"COLUMNS": "200"})


def test_all_that_is_due_is_collected_each_batch_with_its_file(run, ledger, tmp_path):
    ran = run("collect", "--on", "2026-03-04", "--json")
    wanted = {
        "due_through": f"{TODAY}", "collection_on": "2026-03-04", "returned_too": False,
        "dry_run": False,
    }  # fmt: skip
    files = [(f"{PATH}/{id_of(number)}/file", None) for number in (1, 2)]
    assert ledger.asked == [(PATH, wanted), files[0], (PATH, wanted), files[1]]
    batches = json.loads(ran.stdout)["batches"]
    assert [batch["id"] for batch in batches] == [id_of(1), id_of(2)]
    for batch in batches:
        assert (tmp_path / batch["file"]).read_bytes() == b"<Document></Document>"
    again = run("collect", "--returned-too")
    assert (again.exit_code, "nothing is due" in again.output) == (0, True)
    assert ledger.asked[-1][1]["returned_too"] is True
    assert ledger.asked[-1][1]["collection_on"] == f"{TODAY + timedelta(days=3)}"


def test_a_dry_run_makes_nothing(run, ledger, tmp_path):
    ran = run("collect", "--dry-run")
    for shown in ("not made", "80.00 EUR", "dry run, nothing is collected"):
        assert shown in ran.output
    assert (ledger.made, list(tmp_path.iterdir())) == (0, [])


def test_batches_are_listed_and_their_files_written_once_more(run, ledger, tmp_path):
    assert "no batch was made" in run("list").output
    ledger.made = 2
    assert run("list").output.count("80.00 EUR") == 2
    assert len(json.loads(run("list", "--json").stdout)["items"]) == 2
    ran = run("file", id_of(1))
    assert (ran.exit_code, ran.stdout) == (0, f"direct-debits-{id_of(1)}.xml\n")
    assert (tmp_path / ran.stdout.strip()).read_bytes() == b"<Document></Document>"
    refused = run("file", "tomorrow")
    assert refused.exit_code != 0
    lost = run("file", id_of(1), "--output", "nowhere/file.xml")
    assert "cannot write nowhere/file.xml" in str(lost.exception)
