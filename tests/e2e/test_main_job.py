"""The whole main job on real processes: from a gateway's readings to a balanced ledger."""

from collections import Counter, defaultdict
from decimal import Decimal

import numpy as np

from e2e.main_job import CORRECTED_EVERY, HOMES
from gridtally.kernel.ids import new_id
from gridtally.local_stack.demo.portfolio import PERIOD, month_of_readings
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.usage import Usage

CORRECTION_WH = 250
REISSUED = HOMES // CORRECTED_EVERY


def bill(site, *, corrected=False):
    """The home's bill, by the rating engine alone, on what its meter has measured."""
    series = {flow: np.concatenate(days) for flow, days in month_of_readings(site.home).items()}
    series = {"export": np.zeros_like(series["import"])} | series
    if corrected:
        series["import"][0] += CORRECTION_WH
    zone, kw = site.home.plan.location.zone, Decimal(site.home.connected_kw)
    version = tariff_version(new_id(), site.home.plan.document)
    return rate(version, [Usage(zone, PERIOD, 15, series, kw)])[0]


def amounts(lines):
    """What the lines of a bill or an invoice charge."""
    return [(line.quantity, line.rate, line.amount) for line in lines]


def live(main_job):
    """The invoices that no credit note cancels, by agreement."""
    credited = {note.invoice_id for note in main_job.credit_notes}
    live_invoices = defaultdict(list)
    for invoice in main_job.invoices:
        if invoice.invoice_id not in credited:
            live_invoices[invoice.agreement_id].append(invoice)
    return live_invoices


def test_every_bill_is_exactly_what_the_rating_engine_says(main_job):
    first = {
        invoice.agreement_id: invoice for invoice in main_job.invoices if invoice.revision == 1
    }
    for site in main_job.sites:
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


def test_all_three_tariffs_and_both_zones_were_billed(main_job):
    assert Counter(site.home.plan.code for site in main_job.sites).keys() == {
        "city-flat",
        "city-time-of-use",
        "homeflex",
    }
    assert {invoice.currency for invoice in main_job.invoices} == {"EUR", "ZAR"}


def test_there_is_one_live_invoice_per_agreement(main_job):
    live_invoices = live(main_job)
    assert {agreement: len(invoices) for agreement, invoices in live_invoices.items()} == {
        site.home.agreement_id: 1 for site in main_job.sites
    }


def test_a_correction_after_the_close_credits_the_invoice_and_issues_it_again(main_job):
    assert len(main_job.credit_notes) == len(main_job.corrected) == REISSUED
    first = {invoice.invoice_id: invoice for invoice in main_job.invoices if invoice.revision == 1}
    live_invoices = live(main_job)
    for note in main_job.credit_notes:
        invoice = first[note.invoice_id]
        assert (note.invoice_number, note.total) == (invoice.number, invoice.total)
        assert amounts(note.lines) == amounts(invoice.lines)
    for site in main_job.corrected:
        [reissued] = live_invoices[site.home.agreement_id]
        assert reissued.revision == 2
        assert reissued.total == bill(site, corrected=True).total


def test_the_house_bill_of_a_simulation_is_the_invoice_of_that_period(main_job):
    """By the tariff that a home has, over its stored readings, corrections among them: the same
    lines and the same total; by another one something else."""
    live_invoices = live(main_job)
    for site in main_job.sites:
        [invoice] = live_invoices[site.home.agreement_id]
        house_id = site.home.property_id
        simulated = main_job.simulated[site.home.plan.code][house_id]
        assert Decimal(simulated["calculated_bill_amount"]) == invoice.total
        assert simulated["currency"] == invoice.currency
        assert [
            (Decimal(line["quantity"]), Decimal(line["rate"]), Decimal(line["amount"]))
            for line in simulated["bill_details"]["lines"]
        ] == amounts(invoice.lines)
    by_plan = [
        sum(Decimal(bill["calculated_bill_amount"]) for bill in bills.values())
        for bills in main_job.simulated.values()
    ]
    assert len(set(by_plan)) == len(by_plan) == 3


def test_numbers_have_no_gaps(main_job):
    invoices = sorted(int(invoice.number.rpartition("-")[2]) for invoice in main_job.invoices)
    notes = sorted(int(note.number.rpartition("-")[2]) for note in main_job.credit_notes)
    assert invoices == [*range(1, HOMES + REISSUED + 1)]
    assert notes == [*range(1, REISSUED + 1)]


def test_a_subscriber_saw_exactly_the_invoices_that_were_issued(main_job):
    assert Counter(str(invoice.invoice_id) for invoice in main_job.invoices) == Counter(
        invoice["id"] for invoice in main_job.issued
    )
    assert len(main_job.invoices) == HOMES + REISSUED


def test_the_books_balance(main_job):
    currencies = {
        totals["currency"]: totals["difference"] for totals in main_job.trial_balance["currencies"]
    }
    assert currencies == {"EUR": "0.00", "ZAR": "0.00"}


def test_the_reconciliation_finds_no_breach(main_job):
    assert main_job.findings
    assert [finding for finding in main_job.findings if not finding.holds] == []


def test_the_reading_that_completed_a_period_is_named_in_the_ledger(main_job):
    posted = {entry["document_id"]: entry["correlation_id"] for entry in main_job.transactions}
    assert len(posted) == HOMES + 2 * REISSUED
    for invoice in main_job.invoices:
        if invoice.revision == 1:
            cause = main_job.completing[invoice.agreement_id]
            assert posted[str(invoice.invoice_id)] == str(cause)


def test_messages_twice_and_late_change_nothing(main_job, garbled_job):
    for table, rows in main_job.tables.items():
        garbled = garbled_job.tables[table]
        assert rows
        assert [*(Counter(rows) - Counter(garbled))][:3] == [], table
        assert [*(Counter(garbled) - Counter(rows))][:3] == [], table


def test_the_garbled_job_agrees_with_itself_too(garbled_job):
    assert [finding for finding in garbled_job.findings if not finding.holds] == []
    assert len({invoice.invoice_id for invoice in garbled_job.invoices}) == HOMES + REISSUED
    assert len(garbled_job.invoices) >= 2 * (HOMES + REISSUED)
