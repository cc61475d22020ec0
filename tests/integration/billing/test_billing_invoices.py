"""Closed periods become invoices: once, after they were held, and again when they are corrected."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from gridtally.billing.domain.reference_data import read_version
from gridtally.billing.events.periods import unpack_usage
from gridtally.billing.handlers import periods, reference_data
from gridtally.billing.store.invoices import fetch_invoices
from gridtally.billing.tables import METADATA
from gridtally.contracts.commerce import CreditNoteIssued, InvoiceIssued, InvoiceVoided
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.kernel.errors import Transient
from gridtally.kernel.periods import month_of
from gridtally.rating.engine.bill import rate
from gridtally.rating.recorded import energy_of
from gridtally.rating.usage import Usage
from integration.locks import somebody_waits

APRIL = month_of(date(2025, 4, 1))
EVENTS = """
SELECT topic, correlation_id, value FROM outbox
 WHERE key LIKE $1 || ':%' AND topic <> 'agreement.changed.v1' ORDER BY seq
"""


async def emitted(world):
    rows = await world.rows(EVENTS, world.tenant, tenant=ALL_TENANTS)
    return [(row["topic"], json.loads(row["value"]), row["correlation_id"]) for row in rows]


async def held(world):
    return await world.rows("SELECT * FROM held_period ORDER BY agreement_id, start_on")


async def test_a_closed_period_becomes_an_invoice_with_lines_evidence_and_event(world, make):
    home = await world.home()
    event = make.closed(home, wh=100)
    await world.close(event)

    (invoice,) = await world.invoices()
    assert invoice["number"] == "INV-2025-000001"
    assert (invoice["net"], invoice["tax"]) == (Decimal("101.66"), Decimal("19.32"))
    lines = await world.rows("SELECT * FROM invoice_line ORDER BY position")
    assert [line["component_id"] for line in lines] == ["base", "energy", "vat"]
    assert sum(line["amount"] for line in lines) == invoice["total"]
    (evidence,) = await world.rows("SELECT * FROM invoice_evidence")
    assert unpack_usage(evidence["usage"]) == event.series
    assert (evidence["digest"], evidence["connected_kw"]) == (event.digest, Decimal(15))
    ((topic, value, correlation_id),) = await emitted(world)
    assert (topic, correlation_id) == (InvoiceIssued.TOPIC, "c-1")
    issued = InvoiceIssued.model_validate(value)
    assert (issued.invoice_id, issued.total) == (invoice["id"], invoice["total"])


async def test_flows_of_unlike_intervals_are_billed_together_and_stored_as_they_came(world, make):
    document = make.FLAT | {"components": [*make.FLAT["components"], make.FEED_IN]}
    home = await world.home(document=document)
    await world.register(make.registered(home.meter_id, flows=["import", "export"], version=2))
    quarters = make.closed(home, wh=100).series
    hours = make.closed(home, wh=200, minutes=60, flows=["export"]).series
    await world.close(make.closed(home, series=[*quarters, *hours]))
    (invoice,) = await world.invoices()
    assert invoice["net"] == Decimal("101.66") - Decimal("11.89")  # 743 hours of 200 Wh at 0.08
    (evidence,) = await world.rows("SELECT * FROM invoice_evidence")
    assert unpack_usage(evidence["usage"]) == [*quarters, *hours]


async def test_reactive_energy_is_billed_once_its_channel_is_there(world, make):
    """743 hours of 200 varh, 80 of them beyond 30 % of 400 Wh, at 0.05; until then it is held."""
    charge = {"kind": "reactive_energy", "id": "kvarh", "rate": "0.05", "free_share": "0.3"}
    home = await world.home(document=make.FLAT | {"components": [*make.FLAT["components"], charge]})
    quarters = make.closed(home, wh=100).series
    await world.close(make.closed(home, series=quarters))
    (held,) = await world.rows("SELECT reason FROM held_period")
    assert held["reason"] == "flow_missing"
    flows = ["import", "reactive_import"]
    await world.register(make.registered(home.meter_id, flows=flows, version=2))
    hours = make.closed(home, wh=200, minutes=60, flows=["reactive_import"]).series
    await world.close(make.closed(home, series=[*quarters, *hours], revision=2))
    (invoice,) = await world.invoices()
    assert invoice["net"] == Decimal("101.66") + Decimal("2.97")  # 743 × 0.08 × 0.05
    (evidence,) = await world.rows("SELECT * FROM invoice_evidence")
    assert unpack_usage(evidence["usage"]) == [*quarters, *hours]


async def test_what_comes_again_or_too_late_changes_nothing(world, make):
    home = await world.home()
    first, second = make.closed(home), make.closed(home, revision=2, wh=90)
    await world.close(first, first)
    await world.close(second)
    before = await world.invoices(), await emitted(world)
    for again in (first, second, first):
        await world.close(again)
    assert (await world.invoices(), await emitted(world)) == before


@pytest.mark.parametrize("batches", [[[1, 2]], [[1], [2]], [[1, 1], [1, 2, 2], [1]]])
async def test_a_new_revision_credits_the_old_invoice_and_issues_a_new_one(world, make, batches):
    home = await world.home()
    usage = {1: 100, 2: 90}
    for batch in batches:
        await world.close(*(make.closed(home, revision=n, wh=usage[n]) for n in batch))

    old, new = await world.invoices()
    assert (old["revision"], old["credited_by"]) == (1, "CN-2025-000001")
    assert (new["revision"], new["credited_by"]) == (2, None)
    note, voided, *_ = [value for _, value, _ in await emitted(world)][1:]
    first, credit, void, second = [topic for topic, _, _ in await emitted(world)]
    assert (first, second) == (InvoiceIssued.TOPIC, InvoiceIssued.TOPIC)
    assert (credit, void) == (CreditNoteIssued.TOPIC, InvoiceVoided.TOPIC)
    credited = CreditNoteIssued.model_validate(note)
    assert (credited.invoice_number, credited.total) == (old["number"], old["total"])
    assert InvoiceIssued.model_validate((await emitted(world))[0][1]).lines == credited.lines
    assert InvoiceVoided.model_validate(voided).invoice_id == old["id"]


async def test_a_period_without_its_tariff_waits_for_it(world, make):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(make.registered(home.meter_id))
    await world.close(make.closed(home))
    (waiting,) = await held(world)
    assert waiting["reason"] == "tariff_missing"
    assert await world.retry() == 0  # nothing is due yet

    await world.publish(make.published(tariff_id, since=date(2025, 3, 16)))
    assert await world.retry() == 1
    (waiting,) = await held(world)
    assert "from 2025-03-01 to 2025-03-16" in waiting["detail"]

    await world.publish(make.published(tariff_id, until=date(2025, 3, 16)))
    assert await world.retry() == 1
    assert await held(world) == []
    lines = await world.rows("SELECT * FROM invoice_line ORDER BY position")
    parts = {(line["start_on"].day, line["end_on"].day) for line in lines}
    assert parts == {(1, 16), (16, 1)}
    assert len({line["tariff_version_id"] for line in lines}) == 2
    ((_, _, correlation_id),) = await emitted(world)
    assert correlation_id == "c-1"


async def test_a_period_without_its_meter_waits_for_it(world, make):
    tariff_id = uuid4()
    await world.publish(make.published(tariff_id))
    home = await world.agree(tariff_id=tariff_id)
    await world.close(make.closed(home))
    (waiting,) = await held(world)
    assert waiting["reason"] == "meter_missing"
    await world.register(make.registered(home.meter_id))
    assert await world.retry() == 1
    assert len(await world.invoices()) == 1


async def test_a_period_without_its_agreement_waits_for_it(world, make):
    tariff_id, meter_id = uuid4(), uuid4()
    await world.publish(make.published(tariff_id))
    await world.register(make.registered(meter_id))
    unknown = make.agreement(tariff_id=tariff_id, meter_id=meter_id)
    await world.close(make.closed(unknown))
    (waiting,) = await held(world)
    assert waiting["reason"] == "agreement_missing"
    await world.agree_on(unknown)
    await world.apply_agreements(unknown)
    assert await world.retry() == 1
    assert len(await world.invoices()) == 1


async def test_a_withdrawn_version_is_no_longer_in_force(world, make):
    tariff_id = uuid4()
    version = make.published(tariff_id)
    home = await world.agree(tariff_id=tariff_id)
    await world.register(make.registered(home.meter_id))
    await world.publish(version, version.model_copy(update={"status": "withdrawn"}))
    await world.close(make.closed(home))
    (waiting,) = await held(world)
    assert waiting["reason"] == "tariff_missing"


async def test_a_newer_revision_takes_the_place_of_a_held_one(world, make):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(make.registered(home.meter_id))
    await world.close(make.closed(home), make.closed(home, revision=2, wh=90))
    (waiting,) = await held(world)
    assert waiting["revision"] == 2
    await world.publish(make.published(tariff_id))
    assert await world.retry() == 1
    (invoice,) = await world.invoices()
    assert invoice["revision"] == 2


async def test_a_held_revision_leaves_the_invoice_of_the_one_before_alone(world, make):
    tariff_id = uuid4()
    version = make.published(tariff_id)
    home = await world.agree(tariff_id=tariff_id)
    await world.register(make.registered(home.meter_id))
    await world.publish(version)
    await world.close(make.closed(home))
    await world.publish(version.model_copy(update={"status": "withdrawn"}))
    await world.close(make.closed(home, revision=2, wh=90))
    assert [invoice["credited_by"] for invoice in await world.invoices()] == [None]
    await world.publish(make.published(tariff_id, number=2))
    assert await world.retry() == 1
    credited_by = [invoice["credited_by"] for invoice in await world.invoices()]
    assert credited_by == ["CN-2025-000001", None]


async def test_one_bad_period_of_a_batch_holds_up_no_other(world, make):
    document = make.FLAT | {
        "components": [*make.FLAT["components"], make.CAPACITY, make.FEED_IN],
    }
    tariff_id = uuid4()
    await world.publish(make.published(tariff_id, document))
    homes = {}
    for name, flows, kw in (
        ("fine", ["import"], "15"),
        ("no kw", ["import"], None),
        ("no export", ["import", "export"], "15"),
        ("missing", ["import"], "15"),
    ):
        homes[name] = await world.agree(tariff_id=tariff_id)
        await world.register(make.registered(homes[name].meter_id, flows=flows, connected_kw=kw))
    slots = make.MARCH.slots(make.BERLIN, 15)
    await world.close(
        *(make.closed(homes[name]) for name in ("fine", "no kw", "no export")),
        make.closed(homes["missing"], values=[None] + [100] * (slots - 1)),
    )
    reasons = {row["agreement_id"]: row["reason"] for row in await held(world)}
    assert reasons == {
        homes["no kw"].id: "connected_kw_missing",
        homes["no export"].id: "flow_missing",
        homes["missing"].id: "values_missing",
    }
    (invoice,) = await world.invoices()
    assert invoice["agreement_id"] == homes["fine"].id


async def test_what_was_closed_with_gaps_is_billed_as_it_is(world, make):
    home = await world.home()
    slots = make.MARCH.slots(make.BERLIN, 15)
    values = [None] * 1000 + [100] * (slots - 1000)
    await world.close(make.closed(home, values=values, closed_by="grace"))
    lines = await world.rows("SELECT * FROM invoice_line WHERE component_id = 'energy'")
    assert lines[0]["quantity"] == Decimal(slots - 1000) / 10


async def test_numbers_have_no_gaps_when_workers_race_and_fail(world, make):
    homes = [await world.home() for _ in range(12)]

    async def bill(some, *, fail):
        async with transaction(world.database, tenant=ALL_TENANTS) as tx:
            messages = [make.received(make.closed(home), world.tenant) for home in some]
            await periods.bill_closed_periods(tx, messages, make.NOW)
            if fail:
                raise ConnectionResetError

    attempts = [bill(homes[n : n + 3], fail=n % 2 == 0) for n in range(9)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in results] == [Transient, type(None)] * 4 + [Transient]
    await world.close(*map(make.closed, homes))
    numbers = [invoice["number"] for invoice in await world.invoices()]
    assert numbers == [f"INV-2025-{n:06d}" for n in range(1, 13)]


async def test_each_year_and_tenant_has_its_own_numbers(world, make):
    home = await world.home()
    other = replace(world, tenant=f"t-{uuid4().hex[:8]}")
    await world.close(make.closed(home), now=datetime(2025, 12, 31, 23, tzinfo=UTC))
    await world.close(make.closed(home, period=APRIL), now=datetime(2026, 1, 1, tzinfo=UTC))
    await other.close(make.closed(await other.home()))
    assert [invoice["number"] for invoice in await world.invoices()] == [
        "INV-2025-000001",
        "INV-2026-000001",
    ]
    assert [invoice["number"] for invoice in await other.invoices()] == ["INV-2025-000001"]


async def test_a_tenant_sees_and_changes_nothing_of_another(world, make):
    home = await world.home()
    await world.close(make.closed(home), make.closed(home, revision=2))
    thief = replace(world, tenant="thief")
    for table in METADATA.tables:
        hostile = f"SELECT * FROM {table} WHERE true OR tenant_id <> ''"  # noqa: S608 - a constant
        assert await thief.rows(hostile) == []
    async with transaction(world.database, tenant="thief") as tx:
        assert await tx.raw.execute("UPDATE agreement SET grace_hours = 1") == "UPDATE 0"
        assert await tx.raw.execute("DELETE FROM billed_period") == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(world.database, tenant="thief") as tx:
            await tx.raw.execute(
                "INSERT INTO number_series VALUES ($1, 'INV-2025', 99)", world.tenant
            )
    async with world.database.engine.connect() as nobody:
        raw = (await nobody.get_raw_connection()).driver_connection
        assert await raw.fetch("SELECT * FROM invoice") == []


@pytest.mark.parametrize("table", ["invoice", "invoice_line", "invoice_evidence", "credit_note"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET tenant_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
)
async def test_what_was_issued_is_never_changed(world, make, table, change):
    home = await world.home()
    await world.close(make.closed(home), make.closed(home, revision=2))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(world.database, tenant=world.tenant) as tx:
            await tx.raw.execute(change.format(table))
    with pytest.raises(asyncpg.RestrictViolationError):  # for whoever grants the privilege again
        async with transaction(world.database, tenant=world.tenant) as tx:
            await tx.raw.execute(f"GRANT ALL ON {table} TO CURRENT_USER")
            await tx.raw.execute(change.format(table))


async def test_an_invoice_is_recomputed_from_what_billing_holds(world, make):
    home = await world.home()
    await world.close(make.closed(home, values=list(range(make.MARCH.slots(make.BERLIN, 15)))))
    (invoice,) = await world.invoices()
    (evidence,) = await world.rows("SELECT * FROM invoice_evidence")
    (line, *_) = await world.rows("SELECT * FROM invoice_line")
    document = await world.value(
        "SELECT document::text FROM tariff_version WHERE id = $1", line["tariff_version_id"]
    )
    packed = unpack_usage(evidence["usage"])
    series = {flow_series.flow: energy_of(flow_series.values) for flow_series in packed}
    usage = Usage(evidence["zone"], make.MARCH, 15, series, evidence["connected_kw"])
    (bill,) = rate(read_version(line["tariff_version_id"], document), [usage])
    async with snapshot(world.database, tenant=world.tenant) as read:
        stored = await fetch_invoices(read, [(world.tenant, invoice["id"])])
    assert list(bill.lines) == stored[world.tenant, invoice["id"]].lines
    assert bill.total == invoice["total"]


async def test_a_tariff_that_is_stored_while_its_period_is_held_is_not_missed(world, make):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(make.registered(home.meter_id))
    async with transaction(world.database, tenant=ALL_TENANTS) as tx:
        message = make.received(make.closed(home), world.tenant)
        await periods.bill_closed_periods(tx, [message], make.NOW)
        publishing = asyncio.create_task(world.publish(make.published(tariff_id)))
        await somebody_waits(world.value)
        assert not publishing.done()
    await publishing
    assert await world.retry() == 1
    assert len(await world.invoices()) == 1


async def test_a_period_that_comes_while_its_tariff_is_stored_finds_it(world, make):
    tariff_id = uuid4()
    home = await world.agree(tariff_id=tariff_id)
    await world.register(make.registered(home.meter_id))
    async with transaction(world.database, tenant=ALL_TENANTS) as tx:
        message = make.received(make.published(tariff_id), world.tenant)
        await reference_data.apply_tariffs(tx, [message])
        closing = asyncio.create_task(world.close(make.closed(home)))
        await somebody_waits(world.value)
        assert not closing.done()
    await closing
    assert len(await world.invoices()) == 1


async def test_many_late_periods_are_billed_a_bounded_number_at_a_time(world, make):
    tariff_id = uuid4()
    homes = [await world.agree(tariff_id=tariff_id) for _ in range(5)]
    await world.register(*(make.registered(home.meter_id) for home in homes))
    await world.close(*map(make.closed, homes))
    await world.publish(make.published(tariff_id))
    assert [await world.retry(periods_max=2) for _ in range(4)] == [2, 2, 1, 0]
    assert len(await world.invoices()) == 5
