"""The whole main job on real processes: from a gateway's readings to a balanced ledger."""

from collections import Counter, defaultdict
from decimal import Decimal

import numpy as np

from e2e.story import CORRECTED_EVERY, HOMES
from gridtally.demo.portfolio import PERIOD, month_of_readings
from kernel.ids import new_id
from rating.bill import rate
from rating.document import tariff_version
from rating.usage import Usage

CORRECTION_WH = 250
REISSUED = HOMES // CORRECTED_EVERY


def bill(site, *, corrected=False):
    """The home's bill, by the rating engine alone, on what its meter has measured."""
    series = {flow: np.concatenate(days) for flow, days in month_of_readings(site.home).items()}
    series = {"export": np.zeros_like(series["import"])} | series
    if corrected:
        series["import"][0] += CORRECTION_WH
    zone, kw = site.home.plan.place.zone, Decimal(site.home.connected_kw)
    version = tariff_version(new_id(), site.home.plan.document)
    return rate(version, [Usage(zone, PERIOD, 15, series, kw)])[0]


def amounts(lines):
    """What the lines of a bill or an invoice charge."""
    return [(line.quantity, line.rate, line.amount) for line in lines]


def live(told):
    """The invoices that no credit note takes back, by agreement."""
    credited = {note.invoice_id for note in told.credit_notes}
    found = defaultdict(list)
    for invoice in told.invoices:
        if invoice.invoice_id not in credited:
            found[invoice.agreement_id].append(invoice)
    return found


def test_every_bill_is_exactly_what_the_rating_engine_says(told):
    first = {one.agreement_id: one for one in told.invoices if one.revision == 1}
    for site in told.sites:
        expected, invoice = bill(site), first[site.home.agreement_id]
        assert amounts(invoice.lines) == [
            (line.quantity, line.item.rate, line.amount) for line in expected.lines
        ]
        assert (invoice.net, invoice.tax, invoice.total, invoice.currency) == (
            expected.net,
            expected.tax,
            expected.total,
            expected.currency,
        )


def test_all_three_tariffs_and_both_zones_were_billed(told):
    assert Counter(site.home.plan.code for site in told.sites).keys() == {
        "city-flat",
        "city-time-of-use",
        "homeflex",
    }
    assert {one.currency for one in told.invoices} == {"EUR", "ZAR"}


def test_there_is_one_live_invoice_per_agreement(told):
    found = live(told)
    assert {agreement: len(invoices) for agreement, invoices in found.items()} == {
        site.home.agreement_id: 1 for site in told.sites
    }


def test_a_correction_after_the_close_credits_the_invoice_and_issues_it_anew(told):
    assert len(told.credit_notes) == len(told.corrected) == REISSUED
    first = {one.invoice_id: one for one in told.invoices if one.revision == 1}
    found = live(told)
    for note in told.credit_notes:
        invoice = first[note.invoice_id]
        assert (note.invoice_number, note.total) == (invoice.number, invoice.total)
        assert amounts(note.lines) == amounts(invoice.lines)
    for site in told.corrected:
        [reissued] = found[site.home.agreement_id]
        assert reissued.revision == 2
        assert reissued.total == bill(site, corrected=True).total


def test_numbers_have_no_gaps(told):
    invoices = sorted(int(one.number.rpartition("-")[2]) for one in told.invoices)
    notes = sorted(int(one.number.rpartition("-")[2]) for one in told.credit_notes)
    assert invoices == [*range(1, HOMES + REISSUED + 1)]
    assert notes == [*range(1, REISSUED + 1)]


def test_a_subscriber_saw_exactly_the_invoices_that_were_issued(told):
    assert Counter(str(one.invoice_id) for one in told.invoices) == Counter(
        one["id"] for one in told.issued
    )
    assert len(told.invoices) == HOMES + REISSUED


def test_the_books_balance(told):
    currencies = {one["currency"]: one["difference"] for one in told.trial_balance["currencies"]}
    assert currencies == {"EUR": "0.00", "ZAR": "0.00"}


def test_the_reconciliation_finds_no_breach(told):
    assert told.findings
    assert [finding for finding in told.findings if not finding.holds] == []


def test_the_reading_that_completed_a_period_is_named_in_the_ledger(told):
    booked = {one["document_id"]: one["correlation_id"] for one in told.transactions}
    assert len(booked) == HOMES + 2 * REISSUED
    for invoice in told.invoices:
        if invoice.revision == 1:
            cause = told.completing[invoice.agreement_id]
            assert booked[str(invoice.invoice_id)] == str(cause)


def test_messages_twice_and_late_change_nothing(told, told_garbled):
    for table, rows in told.tables.items():
        garbled = told_garbled.tables[table]
        assert rows
        assert [*(Counter(rows) - Counter(garbled))][:3] == [], table
        assert [*(Counter(garbled) - Counter(rows))][:3] == [], table


def test_the_garbled_story_agrees_with_itself_too(told_garbled):
    assert [finding for finding in told_garbled.findings if not finding.holds] == []
    assert len({one.invoice_id for one in told_garbled.invoices}) == HOMES + REISSUED
    assert len(told_garbled.invoices) >= 2 * (HOMES + REISSUED)
