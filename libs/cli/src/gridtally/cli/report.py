"""How results are shown: as a table for people, or as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gridtally.cli.reconciliation import Finding
from gridtally.cli.simulation import SimulationOutcome
from gridtally.kernel.money import shown_currency


def print_json(document: Any) -> None:
    """Print one JSON document; what JSON has no form for (decimals, ids, instants) as text."""
    typer.echo(json.dumps(document, indent=2, default=str))


def print_json_line(document: Any) -> None:
    """Print one JSON document on a line of its own, for a program that reads as they come."""
    typer.echo(json.dumps(document, default=str))


def print_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print what must hold and whether it does; exit status 1 where there is a breach."""
    ok = not any(finding.is_breach for finding in findings)
    if as_json:
        print_json({"ok": ok, "findings": [asdict(item) for item in findings]})
    else:
        Console(highlight=False).print(findings_table(findings))
    if not ok:
        raise typer.Exit(1)


def findings_table(findings: Sequence[Finding]) -> Table:
    """What must hold, the figures on both sides, and whether it does."""
    table = Table("what must hold", title_justify="left")
    table.add_column("left", justify="right")
    table.add_column("right", justify="right")
    table.add_column("")
    for finding in findings:
        refused = "[bold red]BREACH[/]" if finding.is_breach else "[yellow]notice[/]"
        verdict = "[green]holds[/]" if finding.holds else refused
        table.add_row(escape(finding.what), escape(finding.left), escape(finding.right), verdict)
    return table


def simulation_tables(outcome: SimulationOutcome) -> list[Table]:
    """What a simulated month comes to, and the highest and lowest bills of it."""
    totals, currency = outcome.totals, shown_currency(outcome.totals["currency"])
    summary = Table(escape(outcome.run["name"]), title_justify="left")
    summary.add_column(f"{totals['houses']} houses in {outcome.took_s:.1f} s", justify="right")
    for what, name, unit in (
        ("imported", "total_energy_imported_kwh", "kWh"),
        ("exported", "total_energy_exported_kwh", "kWh"),
        ("net", "net_energy_balance_kwh", "kWh"),
        ("all bills", "total_amount", currency),
    ):
        summary.add_row(what, f"{totals[name]} {unit}".rstrip())
    extremes = Table("house")
    for heading in ("imported kWh", "exported kWh", f"bill in {currency}" if currency else "bill"):
        extremes.add_column(heading, justify="right")
    for bills in (outcome.highest, outcome.lowest):
        for bill in bills:
            extremes.add_row(
                escape(bill["house_name"]),
                bill["total_energy_imported_kwh"],
                bill["total_energy_exported_kwh"],
                bill["calculated_bill_amount"],
            )
        extremes.add_section()
    return [summary, extremes]


def cost_tables(cost: dict[str, Any]) -> list[Table]:
    """What a customer's fleet costs: in all by currency, and by device."""
    totals = Table(f"{cost['from']} to {cost['to']}", title_justify="left")
    devices = Table("device", "municipality")
    for table in (totals, devices):
        for heading in ("kWh", "base cost", "VAT", "total"):
            table.add_column(heading, justify="right")
    for total in cost["totals"]:
        names = ("total_kwh", "total_base_cost", "total_vat_amount", "total_cost")
        totals.add_row(total["currency"], *(total[name] for name in names))
    for device in cost["per_device"]:
        names = ("kwh", "base_cost", "vat_amount", "total_cost")
        devices.add_row(
            escape(device["device_name"]),
            escape(device["municipality_name"] or "-"),
            *(device[name] for name in names),
        )
    if cost["buckets_without_tariff"]:
        hours = f"{cost['buckets_without_tariff']} of {cost['buckets']} hours have no tariff"
        totals.caption = f"{hours}; fixed charges are not included"
    else:
        totals.caption = "fixed charges are not included"
    return [totals, devices]


def preview_table(preview: dict[str, Any]) -> Table:
    """A preview, line by line: what it is so far, and what is expected of it."""
    forecast, so_far = preview["forecast"], preview["so_far"]
    table = Table(f"{preview['start_on']} to {preview['end_on']}", title_justify="left")
    table.title = "Preview, no invoice"
    for heading in ("so far", "expected"):
        table.add_column(f"{heading}, {preview['currency']}", justify="right")
    rows: dict[tuple[str, str, str], list[str]] = {}
    for column, bill in enumerate((so_far, forecast)):
        for line in bill["lines"]:
            key = (line["component_id"], line["band"] or "", line["start_on"])
            rows.setdefault(key, ["", ""])[column] = line["amount"]
    for (component_id, band, _), amounts in rows.items():
        table.add_row(escape(f"{component_id} {band}".strip()), *amounts)
    table.add_section()
    table.add_row("total", so_far["total"], forecast["total"])
    spread = forecast["spread"]
    table.caption = f"between {spread['low']} and {spread['high']}, by {spread['weeks']} weeks"
    return table


def invoices_table(invoices: Sequence[dict[str, Any]]) -> Table:
    """Invoices, a row each."""
    table = Table("invoice", "period", "customer", "state", title_justify="left")
    for heading in ("net", "tax", "total"):
        table.add_column(heading, justify="right")
    table.add_column("currency")
    for item in invoices:
        table.add_row(
            escape(item["number"]),
            f"{item['start_on']} to {item['end_on']}",
            item["customer_id"],
            item["state"],
            item["net"],
            item["tax"],
            item["total"],
            shown_currency(item["currency"]),
        )
    if not invoices:
        table.caption = "no invoice is of this kind"
    return table


def invoice_table(invoice: dict[str, Any]) -> Table:
    """An invoice line by line, and what it asks for."""
    table = Table(
        "line", "from", "to", title=f"Invoice {escape(invoice['number'])}", title_justify="left"
    )
    currency = shown_currency(invoice["currency"])
    for heading in ("quantity", "rate", f"amount in {currency}" if currency else "amount"):
        table.add_column(heading, justify="right")
    for line in invoice["lines"]:
        table.add_row(
            escape(f"{line['component_id']} {line['band'] or ''}".strip()),
            line["start_on"],
            line["end_on"],
            f"{line['quantity']} {line['unit']}",
            line["rate"],
            line["amount"],
        )
    table.add_section()
    for what in ("net", "tax", "total", "amount_due"):
        table.add_row(what.replace("_", " "), "", "", "", "", invoice[what])
    revision = f", revision {invoice['revision']}" if invoice["revision"] > 1 else ""
    days = f"{invoice['start_on']} to {invoice['end_on']}, the last day not included"
    table.caption = f"{invoice['state']}{revision}; {days}"
    return table
