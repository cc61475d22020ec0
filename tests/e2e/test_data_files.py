"""A retailer's master data and a year of readings from CSV files, by the command."""

import asyncio
import csv
import json
import os
import subprocess
import sys
from decimal import Decimal

import pytest

from e2e.installation import empty_gridtally
from faults.polling import until
from gridtally.cli.installation import settings_of
from gridtally.client import AsyncClient
from gridtally.client.generated import ledger_models as ledger
from gridtally.client.generated import tariff_models as tariff

LIMIT_S = 300.0
HOMES = 12
CHARGES = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [{"kind": "energy", "id": "energy", "rate": "0.30"}],
}
MONTHS = [f"2025-{month:02}-01T00:00Z" for month in range(1, 13)]


@pytest.fixture(scope="module")
async def settings(stack_servers):
    """The environment of programs that call an empty Gridtally with one tariff."""
    async with empty_gridtally(stack_servers) as running:
        named = settings_of(running.installation)
        async with AsyncClient.from_environment(named) as client:
            offered = await client.tariff.create_tariff(
                tariff.NewTariff(code="plain", name="Plain", currency="EUR", zone="Europe/Berlin")
            )
            draft = await client.tariff.draft_tariff_version(
                offered.id,
                tariff.NewTariffVersion.model_validate(
                    {"effective_from": "2024-01-01", "document": CHARGES}
                ),
            )
            await client.tariff.publish_tariff_version(offered.id, draft.number)
        yield named


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def make_files(folder, mark=""):
    """Files of a retailer whose references begin with a mark."""
    numbers = range(1, HOMES + 1)
    return {
        "customers": write(
            folder / "customers.csv",
            ["reference", "name", "currency", "email", "street", "city", "country"],
            [[f"{mark}C-{n}", f"Customer {n}", "EUR", f"c{n}@example.org", f"Way {n}", "Bonn", "DE"]
             for n in numbers],
        ),
        "properties": write(
            folder / "properties.csv",
            ["reference", "name", "zone", "customer", "parent"],
            [[f"{mark}P-{n}", f"Home {n}", "Europe/Berlin", f"{mark}C-{n}",
              f"{mark}P-1" if n == 2 else ""] for n in numbers],
        ),
        "meters": write(
            folder / "meters.csv",
            ["reference", "property", "meter_type", "flow", "minutes", "interval_kwh_max"],
            [[f"{mark}M-{n}", f"{mark}P-{n}", "main", "import", 15, "25.5"] for n in numbers],
        ),
        "agreements": write(
            folder / "agreements.csv",
            ["reference", "customer", "meter", "tariff", "start_on"],
            [[f"{mark}A-{n}", f"{mark}C-{n}", f"{mark}M-{n}", "plain", "2025-01-01"]
             for n in numbers],
        ),
        "readings": write(
            folder / "readings.csv",
            ["meter", "read_at", "kwh"],
            [[f"{mark}M-{n}", at, f"{1000 + 250 * index}.5"]
             for index, at in enumerate(MONTHS) for n in numbers],
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return make_files(tmp_path_factory.mktemp("files"))


async def command(settings, *words, status=0):
    """Run the command with `--json`; its answer."""
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gridtally.cli", *map(str, words), "--json"],
        env={"PATH": os.environ["PATH"]} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert ran.returncode == status, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def counts(answer):
    return {
        state: answer[state]
        for state in ("new", "present", "undone", "absent", "refused")
        if state in answer
    }


async def test_master_data_and_readings_come_in_once(settings, files, tmp_path):
    unready = await command(
        settings, "import", "agreements", files["agreements"], "--dry-run", status=1
    )
    assert counts(unready) == {"refused": HOMES}
    assert unready["refusals"][0]["reason"] == "there is no customer 'C-1'; there is no meter 'M-1'"

    for name, file in files.items():
        rows = HOMES * (len(MONTHS) if name == "readings" else 1)
        checked = await command(settings, "import", name, file, "--dry-run")
        assert counts(checked) == {"new": rows}, name
        assert counts(await command(settings, "import", name, file)) == {"new": rows}, name
        assert counts(await command(settings, "import", name, file)) == {"present": rows}, name

    async with AsyncClient.from_environment(settings) as client:
        customers = [customer async for customer in client.billing.list_customers()]
        assert {c.number: (c.version, c.billing_address.city) for c in customers} == {
            f"C-{n}": (1, "Bonn") for n in range(1, HOMES + 1)
        }
        agreements = [agreement async for agreement in client.billing.list_agreements()]
        assert len({agreement.meter_id for agreement in agreements}) == HOMES
        readings = [reading async for reading in client.ledger.list_readings()]
        assert len(readings) == HOMES * len(MONTHS)
        assert {str(reading.value) for reading in readings} >= {"1000.5", "3750.5"}

    report = tmp_path / "refused.csv"
    left = await command(
        settings, "import", "customers", files["customers"], "--undo", "--report", report, status=1
    )
    assert counts(left) == {"refused": HOMES}  # they have agreements
    assert [row["code"] for row in csv.DictReader(report.read_text().splitlines())] == [
        "in_use"
    ] * HOMES


async def test_what_a_file_has_made_is_removed(settings, tmp_path):
    files = make_files(tmp_path, mark="undone-")
    for name in ("customers", "properties", "meters", "readings"):
        await command(settings, "import", name, files[name])
    for name, rows in (("readings", HOMES * len(MONTHS)), ("meters", HOMES)):
        undone = await command(settings, "import", name, files[name], "--undo")
        assert counts(undone) == {"undone": rows}, name
    below = await command(
        settings, "import", "properties", files["properties"], "--undo", status=1
    )  # another is below the first one until then
    assert counts(below) == {"undone": HOMES - 1, "refused": 1}
    rest = await command(settings, "import", "properties", files["properties"], "--undo")
    assert counts(rest) == {"undone": 1, "absent": HOMES - 1}
    for expected in ({"undone": HOMES}, {"absent": HOMES}):
        customers = await command(settings, "import", "customers", files["customers"], "--undo")
        assert counts(customers) == expected


async def test_rows_that_are_refused_do_not_hold_up_the_others(settings, tmp_path):
    rows = [[f"R-{n}", f"Name {n}", "EUR", "30"] for n in range(40)]
    rows[7][2] = "euro"
    rows[9][1] = ""
    rows[11][3] = "thirty"
    rows[13] = ["R-13", "Name, 13", "EUR", "30", "more"]
    rows[15][0] = "R-14"
    file = write(
        tmp_path / "customers.csv", ["reference", "name", "currency", "payment_days"], rows
    )
    answer = await command(settings, "import", "customers", file, status=1)
    assert counts(answer) == {"new": 35, "refused": 5}
    refused = {refusal["row"]: refusal["reason"] for refusal in answer["refusals"]}
    assert sorted(refused) == [9, 11, 13, 15, 17]
    assert refused[11] == "name is empty"
    assert refused[13].startswith("payment_days: Input should be a valid integer")
    assert "5 fields" in refused[15]
    undone = await command(settings, "import", "customers", file, "--undo", status=1)
    assert counts(undone)["undone"] == 35


async def test_agreements_are_undone_until_they_are_billed(settings, files, tmp_path):
    unbilled = make_files(tmp_path, mark="unbilled-")
    for name in ("customers", "properties", "meters", "agreements"):
        await command(settings, "import", name, unbilled[name])
    for name in ("agreements", "customers"):
        for expected in ({"undone": HOMES}, {"absent": HOMES}):
            undone = await command(settings, "import", name, unbilled[name], "--undo")
            assert counts(undone) == expected, name

    async with AsyncClient.from_environment(settings) as client:

        async def all_are_billed():
            invoices = [invoice async for invoice in client.billing.list_invoices()]
            return len({invoice.agreement_id for invoice in invoices}) == HOMES

        await until("an invoice of each agreement", all_are_billed)
    billed = await command(
        settings, "import", "agreements", files["agreements"], "--undo", status=1
    )
    assert {refusal["code"] for refusal in billed["refusals"]} == {"agreement_billed"}


def followed(settings, *words):
    """`gridtally follow`, which runs on; its lines are JSON documents."""
    return subprocess.Popen(
        [sys.executable, "-m", "gridtally.cli", "follow", *map(str, words), "--json"],
        env={"PATH": os.environ["PATH"]} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_events_and_readings_are_followed_at_the_terminal(settings):
    past = followed(settings, "events", "invoice.issued.v1", "--from-start", "--rows", HOMES)
    said, complaints = await asyncio.to_thread(past.communicate, timeout=LIMIT_S)
    assert (past.returncode, complaints) == (0, "")
    invoices = [json.loads(line) for line in said.splitlines()]
    assert {event["type"] for event in invoices} == {"invoice.issued.v1"}
    assert all(event["data"]["total"].replace(".", "").isdigit() for event in invoices)

    async with AsyncClient.from_environment(settings) as client:
        agreements = [agreement async for agreement in client.billing.list_agreements()]
        meter_id = agreements[0].meter_id
        to_come = [
            followed(settings, "readings", "--meter", meter_id, "--rows", "2"),
            followed(settings, "events", "reading.recorded.v1", "--rows", "2"),
        ]
        kwh = Decimal(5_000)
        while any(process.poll() is None for process in to_come):
            kwh += 1
            await client.ledger.record_reading(meter_id, ledger.NewReading(value=kwh))
            await asyncio.sleep(0.5)
    readings, events = (process.communicate(timeout=LIMIT_S) for process in to_come)
    assert [process.returncode for process in to_come] == [0, 0], (readings, events)
    values = [json.loads(line)["data"] for line in readings[0].splitlines()]
    assert {value["meter_id"] for value in values} == {str(meter_id)}
    assert [event["data"]["meter_id"] for event in map(json.loads, events[0].splitlines())] == [
        str(meter_id)
    ] * 2
