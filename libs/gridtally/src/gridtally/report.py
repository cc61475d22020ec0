"""How results look on a terminal: the reconciliation, a bill, the trial balance."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from contracts.commerce import InvoiceIssued
from gridtally.api import Json
from gridtally.reconciliation import Finding


def findings_table(findings: Sequence[Finding]) -> Table:
    """What must hold, the figures on both sides, and whether it does."""
    table = Table("what must hold", title_justify="left")
    table.add_column("left", justify="right")
    table.add_column("right", justify="right")
    table.add_column("")
    for finding in findings:
        verdict = "[green]holds[/]" if finding.holds else "[bold red]BREACH[/]"
        table.add_row(escape(finding.what), escape(finding.left), escape(finding.right), verdict)
    return table


def bill_table(invoice: InvoiceIssued) -> Table:
    """An invoice line by line: quantity times rate, before and after rounding."""
    table = Table("component", title=f"invoice {invoice.number} in {invoice.currency}")
    for heading in ("quantity", "rate", "exact", "amount"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in invoice.lines:
        table.add_row(
            " · ".join(filter(None, (line.component_id, line.band))),
            f"{line.quantity.normalize():f} {line.unit}",
            f"{line.rate:f}",
            f"{line.amount_exact.normalize():f}",
            f"{line.amount:f}",
        )
    table.add_section()
    for what, amount in (("net", invoice.net), ("tax", invoice.tax), ("total", invoice.total)):
        table.add_row(what, "", "", "", f"{amount:f}")
    return table


def trial_balance_table(balance: Json) -> Table:
    """Every account's debits and credits; each currency's difference is zero."""
    table = Table("account", title="trial balance")
    for heading in ("debits", "credits", "balance"):
        table.add_column(heading, justify="right")
    for books in balance["currencies"]:
        for row in books["rows"]:
            amounts = (row["debits"], row["credits"], row["balance"])
            table.add_row(f"{books['currency']} {row['account']}", *amounts)
        sums = (books["debits"], books["credits"], books["difference"])
        table.add_row(f"[bold]{books['currency']} together[/]", *sums, end_section=True)
    return table
