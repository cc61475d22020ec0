"""`gridtally import payments`: what a person is shown of a booked statement."""

import httpx
import pytest
from typer.testing import CliRunner

from gridtally.cli import app as cli
from gridtally.cli.api import Api
from gridtally.cli.installation import Installation

PAYMENT = {
    "state": "unmatched", "booked_on": "2025-05-04", "amount": "30.00", "currency": "EUR",
    "payer": "Bob", "reference": "rent", "invoices": [{"number": "INV-7"}],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    """The requests that the command makes; the ledger answers one unmatched payment."""
    requests = []

    def ledger(request):
        requests.append((request.url.path, dict(request.url.params), request.content))
        counts = {"matched": 2, "unmatched": 25, "present": 1, "passed_over": 3}
        return httpx.Response(200, json=counts | {"payments": [PAYMENT] * 25})

    def as_tenant(_):
        return Api({"ledger": "http://ledger"}, "key", transport=httpx.MockTransport(ledger))

    monkeypatch.setattr(Installation, "as_tenant", as_tenant)
    for service in ("INGEST", "TARIFF", "BILLING", "LEDGER", "SIMULATION"):
        monkeypatch.setenv(f"{service}_URL", "http://service")
    return requests


def test_a_statement_is_sent_as_it_is_and_what_waits_is_shown(asked, tmp_path):
    file = tmp_path / "statement.xml"
    file.write_bytes(b"<Document/>")
    shown = CliRunner().invoke(cli.app, ["import", "payments", str(file), "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert asked == [("/v1/payment-files", {"dry_run": "true"}, b"<Document/>")]
    lines = shown.stdout.splitlines()
    assert lines[0] == (
        "dry run, nothing was booked: 25 payments: 2 matched, 25 unmatched, 1 there already; "
        "3 other entries"
    )
    assert lines[1] == "unmatched: 2025-05-04 30.00 EUR Bob: 'rent'; perhaps INV-7"
    assert (len(lines), lines[-1]) == (22, "and 5 more: GET /v1/unmatched-payments")
