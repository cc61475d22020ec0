"""Programs of others: the quickstart, and every listing as both clients read it."""

import asyncio
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.installation import empty_gridtally
from gridtally.cli.installation import SERVICES, settings_of
from gridtally.client import AsyncClient, Client, Conflict, NotAllowed, NotFound
from gridtally.client.generated.billing_models import CustomerChange

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "docs" / "quickstart.md"
TYPESCRIPT = ROOT / ".tools" / "client_typescript" / "examples" / "first_invoice.mjs"
"""In the copy that `make` has built."""
READING = re.compile(r"(list|get|count|reconcile)(_|$)(?!keys)")
"""But for the keys, which only the operator lists."""
LIMIT_S = 300.0


@pytest.fixture(scope="module")
async def settings(stack_servers):
    """The environment of programs that call an empty Gridtally."""
    async with empty_gridtally(stack_servers) as running:
        yield settings_of(running.installation)


def run(settings, *command, program=sys.executable):
    environment = {"PATH": os.environ["PATH"]} | settings
    return subprocess.run(
        [program, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


async def test_the_program_of_the_quickstart_prints_its_invoice(settings):
    page = QUICKSTART.read_text()
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    ran = await asyncio.to_thread(run, settings, "-c", program)
    assert ran.returncode == 0, ran.stderr
    [promised] = re.findall(r"It prints `INV-…(-\d+ [\d.]+ EUR)`", page)
    assert re.fullmatch(rf"INV-\d{{4}}{re.escape(promised)}\n", ran.stdout)


async def test_the_command_makes_a_first_invoice_in_eight_calls(settings):
    ran = await asyncio.to_thread(run, settings, "-m", "gridtally.cli", "quickstart", "--json")
    assert ran.returncode == 0, ran.stderr
    steps = json.loads(ran.stdout)
    assert len(steps) == 8
    assert re.fullmatch(r"invoice INV-\d{4}-\d{6} of 112.19 EUR", steps[-1]["outcome"])


async def test_the_typescript_client_makes_a_first_invoice_too(settings):
    ran = await asyncio.to_thread(run, settings, TYPESCRIPT, program="node")
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"INV-\d{4}-\d{6} 112.19 EUR\n", ran.stdout)


def readable(client):
    """What can be read of each service without naming anything."""
    for service in SERVICES:
        operations = getattr(client, service)
        for name, method in inspect.getmembers(operations, callable):
            if READING.match(name) and not name.endswith("_as"):
                given = inspect.signature(method).parameters.values()
                if all(parameter.default is not parameter.empty for parameter in given):
                    yield f"{service}.{name}", method


async def test_every_answer_that_needs_no_argument_is_understood_by_both_clients(settings):
    def read_all():
        with Client.from_environment(settings) as client:
            return {
                name: list(answer) if inspect.isgenerator(answer := method()) else answer
                for name, method in readable(client)
                if name != "billing.get_seller"
            }

    waited = await asyncio.to_thread(read_all)
    assert len(waited) > 40
    assert [c.name for c in waited["billing.list_customers"]] == ["Ada"] * 3
    async with AsyncClient.from_environment(settings) as client:
        for name, method in readable(client):
            if name == "billing.get_seller":
                with pytest.raises(NotFound):
                    await method()
                continue
            answer = method()
            if inspect.isasyncgen(answer):
                assert [item async for item in answer] == waited[name], name
            else:
                assert type(await answer) is type(waited[name]), name


async def test_what_services_refuse_is_an_exception_that_says_why(settings):
    async with AsyncClient.from_environment(settings) as client:
        ada = await anext(client.billing.list_customers())
        changed = await client.billing.change_customer(
            ada.id, CustomerChange(email="ada@example.org"), if_match=ada.version
        )
        assert (changed.email, changed.version) == ("ada@example.org", ada.version + 1)
        with pytest.raises(Conflict) as raised:
            await client.billing.change_customer(
                ada.id, CustomerChange(email="b@example.org"), if_match=ada.version
            )
        assert (raised.value.status, bool(raised.value.correlation_id)) == (412, True)
        async with client.ledger.export() as chain:
            lines = [json.loads(line) async for line in chain.lines()]
        assert lines
    async with AsyncClient.from_environment(settings | {"GRIDTALLY_API_KEY": "gt_x_y"}) as nobody:
        with pytest.raises(NotAllowed):
            await anext(nobody.billing.list_customers())
