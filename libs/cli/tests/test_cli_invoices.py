"""`gridtally invoices`: what it asks of billing, what it shows, and the files that it writes."""

import json

import pytest
from typer.testing import CliRunner

from gridtally.cli import questions
from gridtally.cli.app import app

ID, CUSTOMER = (f"0190d9c0-0000-7000-8000-00000000000{n}" for n in (1, 2))
ROW = {
    "id": ID, "number": "INV-2025-000123/2", "state": "issued", "customer_id": CUSTOMER,
    "start_on": "2025-03-01", "end_on": "2025-04-01", "revision": 2, "currency": "EUR",
    "net": "100.00", "tax": "20.00", "total": "120.00", "amount_due": "90.00",
}  # fmt: skip
LINE = {
    "component_id": "energy", "band": "[day]", "start_on": "2025-03-01", "end_on": "2025-04-01",
    "quantity": "400.000", "unit": "kWh", "rate": "0.25", "amount": "100.00",
}  # fmt: skip
LISTING = "/v1/invoices"


class Billing:
    """An installation whose billing has one invoice, and keeps what it was asked."""

    def __init__(self, rows=1):
        self.rows, self.asked = rows, []

    def as_tenant(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def get(self, _service, path, **query):
        self.asked.append((path, query))
        if path == LISTING:
            return {"items": [ROW] if query["number"] == ROW["number"] else []}
        return ROW | {"lines": [LINE]}

    async def items(self, _service, path, **query):
        self.asked.append((path, query))
        for _ in range(self.rows):
            yield ROW

    async def stream(self, _service, path, **query):
        self.asked.append((path, query))
        yield b"%PDF"
        yield b"-1.7"


@pytest.fixture
def billing():
    return Billing()


@pytest.fixture
def run(monkeypatch, billing, tmp_path):
    monkeypatch.setattr(questions, "find_installation", lambda *_: billing)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["invoices", *words], env={"COLUMNS": "160"})


def test_the_newest_invoices_of_a_customer(run, billing):
    ran = run("list", "--customer", CUSTOMER, "--from", "2025-01-01", "--state", "issued")
    assert ran.exit_code == 0
    query = {"customer_id": CUSTOMER, "from": "2025-01-01", "state": "issued"}
    assert billing.asked == [(LISTING, query)]
    for shown in (ROW["number"], "2025-03-01 to 2025-04-01", "120.00", "EUR"):
        assert shown in ran.output


def test_there_being_more_is_said(run, billing):
    billing.rows = 3
    ran = run("list", "--rows", "2")
    assert ran.output.count(ROW["number"]) == 2
    assert "there are more" in ran.output
    document = json.loads(run("list", "--rows", "2", "--json").stdout)
    assert (len(document["items"]), document["has_more"]) == (2, True)
    billing.rows = 0
    assert "no invoice is of this kind" in run("list").output


@pytest.mark.parametrize("named", [ID, ROW["number"]])
def test_an_invoice_line_by_line(run, named):
    ran = run("show", named)
    assert ran.exit_code == 0, ran.exception
    text = " ".join(ran.output.split())
    for shown in ("energy [day]", "400.000 kWh", "0.25", "amount due", "90.00", "revision 2"):
        assert shown in text
    assert json.loads(run("show", named, "--json").stdout)["lines"] == [LINE]


@pytest.mark.parametrize(
    ("words", "format_", "name"),
    [
        ([], "pdf", "INV-2025-000123-2.pdf"),
        (["--format", "cii"], "cii", "INV-2025-000123-2.cii.xml"),
        (["--output", "bill.html", "--format", "html"], "html", "bill.html"),
    ],
)
def test_the_document_is_written_into_a_file(run, billing, tmp_path, words, format_, name):
    ran = run("pdf", ROW["number"], *words)
    assert (ran.exit_code, ran.stdout) == (0, f"{name}\n")
    assert (tmp_path / name).read_bytes() == b"%PDF-1.7"
    assert billing.asked[-1] == (f"{LISTING}/{ID}/document", {"format": format_})
    written = json.loads(run("pdf", ROW["number"], *words, "--json").stdout)
    assert written == {"file": name, "bytes": 8}


def test_what_cannot_be_done_is_one_sentence(run):
    for words, sentence in (
        (["show", "INV-0"], "no invoice has the number 'INV-0'"),
        (["list", "--customer", "../x"], "'../x' is no id"),
        (["pdf", ID, "--output", "nowhere/x.pdf"], "cannot write nowhere/x.pdf: No such file"),
    ):
        ran = run(*words)
        assert ran.exit_code == 1
        assert sentence in str(ran.exception)
