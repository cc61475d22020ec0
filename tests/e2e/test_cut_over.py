"""docs/cut-over.md, followed: its files for many customers, and its commands as they stand there.

`GRIDTALLY_CUT_OVER_CUSTOMERS=1000` takes over a thousand.
"""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from document_words import words_of_pdf
from e2e.installation import empty_gridtally
from faults.polling import until
from gridtally.cli.installation import settings_of
from gridtally.client import AsyncClient
from gridtally.client.generated import billing_models as billing
from gridtally.client.generated import tariff_models as tariff

GUIDE = Path(__file__).parents[2] / "docs" / "cut-over.md"
CUSTOMERS = int(os.environ.get("GRIDTALLY_CUT_OVER_CUSTOMERS", "10"))
FIRST = 1001
"""The number that the guide's customer has; the others count on from it."""
LIMIT_S = 900.0
CHARGES = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [{"kind": "energy", "id": "energy", "rate": "0.30"}],
}
OWED = Decimal("40.00")
"""45.00 that was open less 5.00 paid ahead."""
INVOICED = Decimal("90.00")
"""300 kWh of November at 0.30."""


@pytest.fixture(scope="module")
async def settings(stack_servers):
    """The environment of programs that call an empty Gridtally with the guide's tariff."""
    async with empty_gridtally(stack_servers) as running:
        named = settings_of(running.installation)
        async with AsyncClient.from_environment(named) as client:
            offered = await client.tariff.create_tariff(
                tariff.NewTariff(code="household", name="Household", currency="EUR",
                                 zone="Europe/Berlin")
            )  # fmt: skip
            draft = await client.tariff.draft_tariff_version(
                offered.id,
                tariff.NewTariffVersion.model_validate(
                    {"effective_from": "2024-01-01", "document": CHARGES}
                ),
            )
            await client.tariff.publish_tariff_version(offered.id, draft.number)
        yield named


def write_files(folder):
    """The guide's files, with the rows of its customer for each of many; their rows by name."""
    found = re.findall(r"`([a-z]+\.csv)`:\n\n```csv\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    counts = {}
    for name, table in found:
        header, *rows = table.splitlines()
        assert all(str(FIRST) in row for row in rows), name
        own = [row.replace(str(FIRST), str(FIRST + n)) for n in range(CUSTOMERS) for row in rows]
        (folder / name).write_text("\n".join([header, *own]) + "\n")
        counts[name] = len(own)
    return counts


def commands():
    """The guide's commands in their order, as words."""
    found = re.findall(r"^\$ gridtally (.*)$", GUIDE.read_text(), re.MULTILINE)
    return [shlex.split(command) for command in found]


async def called(settings, folder, words):
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gridtally.cli", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"]} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


async def run(settings, folder, words):
    ran = await called(settings, folder, [*words, "--json"])
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


async def imported(settings, folder, words, rows):
    """Import a file until all of it is in: the guide says to run again what was not known yet."""

    async def is_whole():
        status, answer = await run(settings, folder, words)
        assert {refusal["code"] for refusal in answer["refusals"]} <= {"customer_unknown"}
        return status == 0 and answer.get("new", 0) + answer.get("present", 0) == rows

    await until(" ".join(words), is_whole)


async def check_history(client):
    """Days of the history have costs, and no invoice."""
    assert [invoice async for invoice in client.billing.list_invoices()] == []
    meters = [meter async for meter in client.ledger.list_meters(meter_type="main")]
    assert len(meters) == CUSTOMERS

    async def has_costs():
        days = (
            await client.billing.list_daily_costs(
                meters[-1].id, from_=date(2025, 1, 1), to=date(2025, 11, 1)
            )
        ).items
        energy = sum(day.import_wh for day in days)
        return (len(days), energy) == (304, 2_400_000)

    await until("each day of the history has its cost", has_costs, limit_s=LIMIT_S)


async def check_accounts(client):
    """Each customer owes what was taken over and the first invoice, and the old part is late."""

    async def are_all_booked():
        books = await client.ledger.get_reconciliation()
        return books.ok and [own.invoices for own in books.currencies] == [CUSTOMERS]

    await until("an invoice of each customer in the books", are_all_booked, limit_s=LIMIT_S)
    invoices = [invoice async for invoice in client.billing.list_invoices()]
    assert {(str(i.start_on), str(i.end_on), i.total) for i in invoices} == {
        ("2025-11-01", "2025-12-01", INVOICED)
    }
    [books] = (await client.ledger.get_reconciliation()).currencies
    assert books.opening_balances == OWED * CUSTOMERS
    customers = [customer async for customer in client.billing.list_customers()]
    assert len(customers) == CUSTOMERS
    for customer in customers[:10]:
        [account] = (await client.ledger.get_customer_balance(customer.id)).currencies
        assert account.balance == OWED + INVOICED


async def test_the_guide_is_followed(settings, tmp_path):
    rows = write_files(tmp_path)
    async with AsyncClient.from_environment(settings) as client:
        for words in commands():
            match words:
                case ["import", _, file]:
                    if file == "november.csv":
                        await check_history(client)
                    await imported(settings, tmp_path, words, rows[file])
                case ["import", _, file, "--dry-run"]:
                    status, answer = await run(settings, tmp_path, words)
                    assert (status, answer["new"]) == (0, rows[file])
                case ["verify"]:
                    await check_accounts(client)

                    async def holds():
                        return (await run(settings, tmp_path, ["verify"]))[0] == 0

                    await until("verify finds no breach", holds)
        assert set(rows) == {word for words in commands() for word in words if ".csv" in word}

        words = ["import", "opening-balances", "balances.csv"]
        for state in ("undone", "absent"):
            status, answer = await run(settings, tmp_path, [*words, "--undo"])
            assert (status, answer[state]) == (0, rows["balances.csv"])
        [books] = (await client.ledger.get_reconciliation()).currencies
        assert books.opening_balances == 0
        await imported(settings, tmp_path, words, rows["balances.csv"])
        [books] = (await client.ledger.get_reconciliation()).currencies
        assert books.opening_balances == OWED * CUSTOMERS
        await client.billing.replace_seller(
            billing.NewSeller(
                name="Stadtwerke", tax_id="DE123456789",
                address=billing.SellerAddress(
                    street="Weg 12", postcode="20095", city="Hamburg", country="DE"
                ),
            )
        )  # fmt: skip
    await check_invoices_at_the_terminal(settings, tmp_path)


async def check_invoices_at_the_terminal(settings, folder):
    """Listed, one line by line, and its document as a file; what is no invoice is one line."""
    status, listed = await run(settings, folder, ["invoices", "list", "--rows", "1"])
    assert (status, listed["has_more"]) == (0, CUSTOMERS > 1)
    [first] = listed["items"]
    _, shown = await run(settings, folder, ["invoices", "show", first["number"]])
    assert [(line["component_id"], line["amount"]) for line in shown["lines"]] == [
        ("energy", f"{INVOICED}")
    ]
    for format_, suffix, head in (("pdf", "pdf", b"%PDF-"), ("ubl", "ubl.xml", b"<?xml")):
        words = ["invoices", "pdf", first["id"], "--format", format_]
        status, written = await run(settings, folder, words)
        assert (status, written["file"]) == (0, f"{first['number']}.{suffix}")
        assert (folder / written["file"]).read_bytes().startswith(head)
    ran = await called(settings, folder, ["invoices", "show", "INV-0"])
    assert (ran.returncode, ran.stderr) == (1, "error: no invoice has the number 'INV-0'\n")
    await check_statement_at_the_terminal(settings, folder, first["customer_id"])


async def check_statement_at_the_terminal(settings, folder, customer_id):
    """Who sells is written on it, as soon as the ledger has heard of that."""
    words = ["statements", "pdf", customer_id, "--from", "2024-01-01", "--output", "account.pdf"]

    async def is_written():
        ran = await called(settings, folder, words)
        assert ran.returncode == 0 or "seller" in ran.stderr, ran.stderr
        return ran.returncode == 0

    await until("the ledger knows the letterhead", is_written)
    written = words_of_pdf((folder / "account.pdf").read_bytes())
    assert {"Stadtwerke", "Statement", "Invoice", f"{INVOICED}"} <= set(written)
