"""`gridtally statements`: which document it asks of the ledger, and the file that it writes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from gridtally.cli import questions
from gridtally.cli.app import app

CUSTOMER = "0190d9c0-0000-7000-8000-000000000002"
PATH = f"/v1/customers/{CUSTOMER}"
MARCH = ["--from", "2025-03-01", "--to", "2025-04-01"]
BOUNDS = {"from": "2025-03-01T00:00:00Z", "to": "2025-04-01T00:00:00Z"}


class Installation:
    """It knows a customer who pays in kronor, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def as_tenant(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def get(self, service, path, **query):
        self.asked.append((service, path, query))
        return {"currency": "SEK"}

    async def stream(self, service, path, **query):
        self.asked.append((service, path, query))
        yield b"%PDF"
        yield b"-1.7"


@pytest.fixture
def installation():
    return Installation()


@pytest.fixture
def run(monkeypatch, installation, tmp_path):
    monkeypatch.setattr(questions, "find_installation", lambda *_: installation)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["statements", *words], env={"COLUMNS": "160"})


@pytest.mark.parametrize(
    ("words", "query", "name"),
    [
        (
            [],
            {"currency": "SEK", "format": "pdf"},
            f"statement-{CUSTOMER}-SEK-2025-03-01-2025-04-01.pdf",
        ),
        (
            ["--currency", "EUR", "--format", "csv"],
            {"currency": "EUR", "format": "csv"},
            f"statement-{CUSTOMER}-EUR-2025-03-01-2025-04-01.csv",
        ),
        (
            ["--output", "account.html", "--format", "html"],
            {"currency": "SEK", "format": "html"},
            "account.html",
        ),
    ],
)
def test_the_statement_is_written_into_a_file(run, installation, tmp_path, words, query, name):
    ran = run("pdf", CUSTOMER, *MARCH, *words)
    assert (ran.exit_code, ran.stdout) == (0, f"{name}\n")
    assert (tmp_path / name).read_bytes() == b"%PDF-1.7"
    *before, last = installation.asked
    assert last == ("ledger", f"{PATH}/statement", query | BOUNDS)
    assert before == ([] if "--currency" in words else [("billing", PATH, {})])
    written = json.loads(run("pdf", CUSTOMER, *MARCH, *words, "--json").stdout)
    assert written == {"file": name, "bytes": 8}


def test_it_is_of_the_last_30_days_unless_days_are_named(run, installation):
    assert run("pdf", CUSTOMER).exit_code == 0
    query = installation.asked[-1][2]
    first, end = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
    assert end - first == timedelta(days=31)
    assert first < datetime.now(UTC) - timedelta(days=29)


def test_what_cannot_be_done_is_one_sentence(run):
    for words, sentence in (
        (["pdf", "../x"], "'../x' is no id"),
        (["pdf", CUSTOMER, "--output", "nowhere/x.pdf"], "cannot write nowhere/x.pdf: No such"),
    ):
        ran = run(*words)
        assert ran.exit_code == 1
        assert sentence in str(ran.exception)
