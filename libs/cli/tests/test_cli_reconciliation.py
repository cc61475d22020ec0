"""The reconciliation across services: what is under way is no breach, what stays is one."""

import json

import pytest
import typer

from gridtally.cli import reconciliation
from gridtally.cli.reconciliation import Finding, reconcile, reconcile_until_stable
from gridtally.cli.report import print_findings

LONG_S = 60.0
INGEST = {
    "counted": {
        "received": 6,
        "stored": 3,
        "duplicates": 1,
        "quarantined": 1,
        "pending": 1,
        "dropped": 0,
    },
    "found": {
        "received": 6,
        "stored": 3,
        "duplicates": 1,
        "quarantined": 1,
        "pending": 1,
        "dropped": 0,
    },
    "values": {"new": 9},
    "values_found": 9,
    "energy": [{"closed_wh": 70}, {"closed_wh": 30}],
    "closed_periods": 2,
}
EUR = {"currency": "EUR", "invoices": 2, "credit_notes": 0}
GRID = {"currency": "EUR", "payee": "Grid", "owed": "2.00"}
BILLING = {
    "periods": 2,
    "energy_wh": 100,
    "invoiced": 2,
    "held": 0,
    "breaches": [],
    "ok": True,
    "currencies": [EUR | {"live_total": "7.00"}],
    "payees": [GRID],
}
LEDGER = {"currencies": [EUR | {"receivable": "7.00"}], "payees": [GRID], "ok": True}
AGREED = {"ingest": INGEST, "billing": BILLING, "ledger": LEDGER}


class Services:
    """Answers as the services would, one round after the other; the last one stays."""

    def __init__(self, *rounds, letters=()):
        self._rounds = list(rounds)
        self._letters = list(letters)
        self.asked = 0

    async def get(self, service, path):
        if path == "/v1/dead-letters/counts":
            return {"items": self._letters if service == "ledger" else []}
        assert path == "/v1/reconciliation"
        self.asked += service == "ingest"
        return self._rounds[min(self.asked, len(self._rounds)) - 1][service]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(reconciliation, "POLL_S", 0)


BREACHES = [
    ("ingest", {"found": INGEST["found"] | {"received": 5}}, "blocks received = found"),
    ("ingest", {"counted": INGEST["counted"] | {"stored": 2}}, "received = stored + duplicates"),
    ("ingest", {"values_found": 8}, "new values = values stored"),
    ("ingest", {"closed_periods": 3}, "periods closed = periods billed or held"),
    ("billing", {"energy_wh": 99}, "energy closed = energy billed or held"),
    ("billing", {"ok": False, "breaches": ["a number is missing"]}, "billing agrees with itself"),
    ("ledger", {"currencies": []}, "EUR: invoices issued = posted"),
    ("ledger", {"currencies": [EUR | {"receivable": "6.99"}]}, "EUR: live invoices = receivable"),
    ("ledger", {"ok": False}, "debits = credits"),
    ("ledger", {"payees": []}, "EUR: Grid is owed"),
    ("billing", {"payees": []}, "EUR: Grid is owed"),
    ("ledger", {"payees": [GRID | {"owed": "2.01"}]}, "EUR: Grid is owed"),
    ("billing", {"payees": [GRID, GRID | {"payee": None}]}, "EUR: taxes that name no payee"),
]


async def test_what_agrees_holds():
    assert all(finding.holds for finding in await reconcile(Services(AGREED)))


@pytest.mark.parametrize(("service", "change", "what"), BREACHES)
async def test_a_difference_that_stays_is_a_breach(service, change, what):
    differing = AGREED | {service: AGREED[service] | change}
    findings = await reconcile_until_stable(Services(differing), patience_s=0)
    assert any(not finding.holds and finding.what.startswith(what) for finding in findings)


@pytest.mark.parametrize(("service", "change", "what"), BREACHES)
async def test_a_difference_that_goes_was_under_way(service, change, what):
    differing = AGREED | {service: AGREED[service] | change}
    services = Services(differing, differing, AGREED)
    assert all(
        finding.holds for finding in await reconcile_until_stable(services, patience_s=LONG_S)
    )
    assert services.asked == 3, what


async def test_under_constant_work_each_finding_needs_a_moment_of_its_own():
    billed_late = AGREED | {"billing": BILLING | {"periods": 1, "invoiced": 1}}
    booked_late = AGREED | {"ledger": LEDGER | {"currencies": []}}
    services = Services(billed_late, booked_late)
    assert all(
        finding.holds for finding in await reconcile_until_stable(services, patience_s=LONG_S)
    )
    assert services.asked == 2


@pytest.mark.parametrize(("on_account", "holds"), [("-40.00", True), ("-39.00", False)])
async def test_opening_balances_are_set_against_their_account(on_account, holds):
    opened = {"opening_balances": "40.00", "opening_account": on_account}
    books = LEDGER | {"currencies": [EUR | {"receivable": "7.00"} | opened]}
    findings = await reconcile(Services(AGREED | {"ledger": books}))
    assert [
        finding.holds
        for finding in findings
        if finding.what == "EUR: opening balances = their account"
    ] == [holds]


async def test_what_payees_are_owed_may_be_finer_than_the_books():
    finer = BILLING | {"payees": [GRID | {"owed": "1.99999999"}]}
    assert all(finding.holds for finding in await reconcile(Services(AGREED | {"billing": finer})))


@pytest.mark.parametrize("service", ["billing", "ledger"])
async def test_a_service_from_before_payees_had_accounts_says_nothing_of_them(service):
    older = {name: said for name, said in AGREED[service].items() if name != "payees"}
    findings = await reconcile(Services(AGREED | {service: older}))
    assert not [finding.what for finding in findings if "owed" in finding.what]
    assert all(finding.holds for finding in findings)


async def test_documents_from_before_payees_had_accounts_are_a_notice():
    books = LEDGER | {
        "currencies": [EUR | {"receivable": "7.00", "booked_by_kind": 1}],
        "payees": [GRID | {"owed": "1.00"}],
    }
    findings = await reconcile_until_stable(Services(AGREED | {"ledger": books}), patience_s=0)
    assert [(f.what, f.notice) for f in findings if not f.holds] == [
        ("EUR: Grid is owed, by lines = in the books", True)
    ]


HELD = AGREED | {"billing": BILLING | {"invoiced": 1, "held": 1}}


async def test_a_held_period_is_a_notice_and_no_breach():
    findings = await reconcile_until_stable(Services(HELD), patience_s=0)
    assert [finding.is_breach for finding in findings if not finding.holds] == [False]
    assert [(f.left, f.right) for f in findings if f.notice] == [
        ("1 held", "1 of 2 have an invoice")
    ]


async def test_what_is_held_for_a_moment_is_waited_for():
    findings = await reconcile_until_stable(Services(HELD, HELD, AGREED), patience_s=LONG_S)
    assert all(finding.holds for finding in findings)


@pytest.mark.parametrize("said", [HELD, AGREED])
async def test_a_notice_shows_and_does_not_fail(said, capsys):
    findings = await reconcile_until_stable(Services(said), patience_s=0)
    print_findings(findings, as_json=False)
    shown = capsys.readouterr().out
    assert ("notice" in shown, "BREACH" in shown) == (said is HELD, False)
    print_findings(findings, as_json=True)
    assert json.loads(capsys.readouterr().out)["ok"] is True
    with pytest.raises(typer.Exit):
        print_findings([*findings, Finding("a", "1", "2", holds=False)], as_json=False)


async def test_patience_ends():
    differing = AGREED | {"ledger": LEDGER | {"ok": False}}
    services = Services(differing)
    findings = await reconcile_until_stable(services, patience_s=0.05)
    assert [finding.what for finding in findings if not finding.holds] == [
        "debits = credits, in every currency"
    ]
    assert services.asked > 1


async def test_dead_letters_are_shown_and_are_no_breach():
    counts = {"topic": "payment.received.v1", "open": 2, "dropped": 1, "expired": 0}
    findings = await reconcile(Services(AGREED, letters=[counts]))
    shown = {finding.what: finding for finding in findings if "dead letters" in finding.what}
    assert [(finding.left, finding.right, finding.holds) for finding in shown.values()] == [
        ("2", "payment.received.v1: 2", True),
        ("1", "payment.received.v1: 1", True),
    ]


async def test_a_document_that_the_ledger_could_not_post_is_a_breach():
    counts = {"topic": "invoice.issued.v1", "open": 3, "dropped": 0, "expired": 0}
    findings = await reconcile(Services(AGREED, letters=[counts]))
    assert [(finding.what, finding.left) for finding in findings if not finding.holds] == [
        ("documents of billing's that nobody could post", "3")
    ]
