"""How the demo shows what happened: a bill line by line, and the trial balance."""

from rich.table import Table

from gridtally.cli.api import Json
from gridtally.contracts.commerce import InvoiceIssued


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
    for currency in balance["currencies"]:
        for row in currency["rows"]:
            amounts = (row["debits"], row["credits"], row["balance"])
            table.add_row(f"{currency['currency']} {row['account']}", *amounts)
        sums = (currency["debits"], currency["credits"], currency["difference"])
        table.add_row(f"[bold]{currency['currency']} together[/]", *sums, end_section=True)
    return table
