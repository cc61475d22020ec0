"""A restored billing says what it had said: the same numbers, times and versions."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from doubles.billing.events import APRIL, FEBRUARY, FLAT, MARCH, TIERED
from doubles.billing.worlds import StoredWorld
from faults.polling import until
from gridtally.billing.domain.credit_notes import Credit
from gridtally.billing.domain.prepayments import Terms
from gridtally.billing.handlers import agreements, customers, erasures, prepayments
from gridtally.billing.handlers.credit_notes import credit_invoice
from gridtally.billing.handlers.merges import MergeOrder, merge_customer
from gridtally.billing.handlers.seller import replace_seller
from gridtally.billing.store.reconciliation import fetch_periods, fetch_series
from gridtally.billing.store.seller import fetch_seller
from gridtally.contracts.commerce import (
    AgreementChanged,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
)
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.contracts.sellers import SellerChanged
from gridtally.database import snapshot, transaction
from gridtally.documents.facts import Seller, Texts
from gridtally.kernel.resources import Cause
from gridtally.messaging import ensure_topics
from restores import Restorable, rows_of, said, until_drained, until_rows

LATER = datetime(2026, 5, 2, 10, tzinfo=UTC)
TERMS = {"billing_starts_on": MARCH.start_on, "back_billing_months": 12}
SAID = (
    SellerChanged,
    CustomerChanged,
    AgreementChanged,
    InvoiceIssued,
    InvoiceVoided,
    CreditNoteIssued,
    PrepaymentChanged,
)
STORED = {
    "seller": (),
    "published_seller": (),
    "customer": ("created_at", "updated_at"),
    "agreement": ("created_at", "updated_at"),
    "invoice": (),
    "invoice_line": (),
    "invoice_evidence": (),
    "credit_note": (),
    "credit_note_line": (),
    "number_series": (),
    "issued_total": (),
    "billed_period": (),
    "held_period": ("held_at",),
    "adopted_invoice": (),
    "invoice_draft": (),
    "invoice_section": (),
    "prepayment": ("look_at", "alert_balance"),
    "collective_member": ("waits_since", "grace_ends_at", "due_at"),
}
"""What must be the same after a restore, without what no event carries."""


@pytest.fixture
async def billing(migrated_url, postgres_admin_url, kafka_bootstrap, stack_servers, tmp_path):
    await ensure_topics(kafka_bootstrap)
    settings = {"KAFKA_IDEMPOTENCE": str(stack_servers.idempotence)}
    restorable = Restorable(
        "billing", migrated_url, postgres_admin_url, kafka_bootstrap, tmp_path, settings
    )
    yield restorable
    await restorable.drop_copy()


@pytest.fixture
async def publisher(publishing):
    async with publishing() as opened:
        yield opened


async def stored(world):
    return {
        table: await rows_of(world.database, table, world.tenant, without=without)
        for table, without in STORED.items()
    }


@asynccontextmanager
async def running(billing, tenant):
    """Billing's process, and the tenant in its database."""
    async with billing.running() as database:
        world = StoredWorld(database, tenant)
        yield world
        await until_drained(database, tenant)


async def change(world, agreement, **changes):
    async with transaction(world.database, tenant=world.tenant) as tx:
        known = await agreements.lock_agreement(tx, world.tenant, agreement.id)
        cause = Cause(world.tenant, "test", "c-change")
        return await agreements.change_agreement(tx, cause, known, changes, LATER)


async def delete(world, agreement, *, with_customer=False):
    async with transaction(world.database, tenant=world.tenant) as tx:
        cause = Cause(world.tenant, "test", "c-delete")
        known = await agreements.lock_with_reference_data(tx, world.tenant, agreement.id)
        await agreements.delete_agreement(tx, cause, known, LATER)
        if with_customer:
            await customers.delete_customer(tx, cause, agreement.customer_id, LATER)


async def change_customer(world, customer_id, **changes):
    async with transaction(world.database, tenant=world.tenant) as tx:
        known = await customers.lock_customer(tx, world.tenant, customer_id)
        await customers.change_customer(tx, world.tenant, known, changes, LATER)


async def pass_on_number(world, from_id, to_id):
    """A customer gets a name and a number, which is another's then."""
    await change_customer(world, from_id, name="Bea", number="K-1")
    await change_customer(world, from_id, number=None)
    await change_customer(world, to_id, number="K-1")


async def erase(world, customer_id):
    async with transaction(world.database, tenant=world.tenant) as tx:
        known = await customers.lock_customer(tx, world.tenant, customer_id)
        cause = Cause(world.tenant, "test", "c-erase")
        await erasures.erase_customer(tx, cause, known, "asked for", LATER)


async def erase_and_merge(world, erased_id, twice, home):
    """One customer is erased; another, who was there twice, is the customer of a home."""
    await erase(world, erased_id)
    async with transaction(world.database, tenant=world.tenant) as tx:
        cause = Cause(world.tenant, "test", "c-merge")
        order = MergeOrder(twice.customer_id, home.customer_id, "the same person")
        await merge_customer(tx, cause, order, LATER)


async def name_seller(world, seller):
    """Change the letterhead, and wait until it is published."""
    async with transaction(world.database, tenant=world.tenant) as tx:
        current = await fetch_seller(tx, world.tenant)
        changed = await replace_seller(tx, world.tenant, current, seller, LATER)

    async def is_published():
        rows = await rows_of(world.database, "published_seller", world.tenant)
        return any(f"'version': {changed.version}" in row for row in rows)

    await until("the letterhead is published", is_published)


async def prepay(world, customer_id):
    """Put a customer on prepayment who has paid nothing, and wait until somebody is alerted."""
    async with transaction(world.database, tenant=world.tenant) as tx:
        cause = Cause(world.tenant, "test", "c-prepay")
        await prepayments.change_terms(tx, cause, Terms(customer_id, alert_days=3), LATER)

    async def is_alerted():
        rows = await rows_of(world.database, "prepayment", world.tenant)
        return any("prepayment_empty" in row for row in rows)

    await until("somebody is alerted", is_alerted)


async def credit(world, homes, amount):
    """A part of the live invoice of each of two homes is credited by hand."""
    ids = {home.id for home in homes[:2]}
    asked = Credit("a broken display", amount=Decimal(amount))
    for invoice in await world.invoices():
        if invoice["agreement_id"] in ids and invoice["credited_by"] is None:
            async with transaction(world.database, tenant=world.tenant) as tx:
                cause = Cause(world.tenant, "test", "c-credit")
                await credit_invoice(tx, cause, invoice["id"], asked, LATER)


async def test_a_restored_billing_says_what_it_had_said(billing, publisher, make, kafka_bootstrap):
    tenant = f"t-{uuid4().hex[:8]}"

    async def send(*events):
        await publisher.publish([make.outgoing(event, tenant) for event in events])

    async def home(world, document=FLAT, **changes):
        tariff_id, meter_id = uuid4(), uuid4()
        await send(make.published(tariff_id, document), make.registered(meter_id))
        return await world.agree(tariff_id=tariff_id, meter_id=meter_id, **changes)

    async with running(billing, tenant) as world:
        homes = [await home(world) for _ in range(3)]
        carrying = await home(world, TIERED, start_on=FEBRUARY.start_on)
        ending, mistaken = await home(world), await home(world)
        await send(*(make.closed(home) for home in homes), make.closed(carrying, period=FEBRUARY))
        await until_rows(world.database, "invoice", tenant, 4)
    await billing.copy()

    async with running(billing, tenant) as world:
        added = [await home(world), await home(world, **TERMS)]
        await pass_on_number(world, homes[0].customer_id, homes[1].customer_id)
        ended = await change(world, ending, end_on=date(2025, 2, 1))
        following = await world.agree_on(
            replace(
                make.agreement(tariff_id=ending.tariff_id),
                meter_id=ending.meter_id,
                start_on=ended.end_on,
            )
        )
        await change(world, homes[2], end_on=MARCH.end_on, back_billing_months=6)
        await prepay(world, homes[1].customer_id)
        await delete(world, mistaken)
        await delete(world, await home(world), with_customer=True)
        await erase_and_merge(world, homes[2].customer_id, carrying, homes[1])
        await send(
            *map(make.closed, [*added, following]),
            make.closed(homes[0], revision=2, wh=90),
            make.closed(carrying, period=MARCH),
        )
        await until_rows(world.database, "invoice", tenant, 9)
        await credit(world, homes, "7.50")
        await send(
            make.closed(carrying, period=FEBRUARY, revision=2, wh=300),
            make.closed(carrying, period=APRIL),
            make.closed(homes[0], revision=3, wh=95),
        )
        await until_rows(world.database, "invoice", tenant, 13)
        await until_drained(world.database, tenant, "held_period", "due_day")
        before = await stored(world)
    heard = await said(kafka_bootstrap, tenant, *SAID)
    await billing.restore()

    async with running(billing, tenant) as world:
        await until_rows(world.database, "invoice_evidence", tenant, 13)
        await until_drained(world.database, tenant, "held_period", "adopted_invoice")
        after = await stored(world)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        assert await said(kafka_bootstrap, tenant, *SAID) == heard
        await send(make.closed(new := await home(world)))
        await until_rows(world.database, "invoice", tenant, 14)
        (issued,) = [i for i in await world.invoices() if i["agreement_id"] == new.id]
    assert issued["number"].endswith("-000014")
    assert all(len(words) == 1 for words in heard.values())
    assert billing.logged("not adopted", tenant) == []


async def test_a_restored_billing_has_every_version_of_its_letterhead(billing):
    tenant = f"t-{uuid4().hex[:8]}"
    async with running(billing, tenant) as world:
        await name_seller(world, Seller("Before", component_names={"energy": {"de": "Arbeit"}}))
    await billing.copy()
    async with running(billing, tenant) as world:
        texts = {"de": Texts(questions="Fragen?")}
        await name_seller(world, Seller("Seller", logo=b"\x89PNG", texts=texts))
        before = await stored(world)
    await billing.restore()
    async with running(billing, tenant) as world:
        assert await stored(world) == before
    assert len(before["seller"]) == 2


async def test_a_restored_billing_has_its_collective_invoices(billing, publisher, make):
    tenant = f"t-{uuid4().hex[:8]}"

    async def send(*events):
        await publisher.publish([make.outgoing(event, tenant) for event in events])

    async with running(billing, tenant) as world:
        homes = []
        for _ in range(2):
            tariff_id, meter_id = uuid4(), uuid4()
            await send(make.published(tariff_id, FLAT), make.registered(meter_id))
            home = make.agreement(tariff_id=tariff_id, meter_id=meter_id)
            home = replace(home, customer_id=homes[0].customer_id) if homes else home
            homes.append(await world.agree_on(home, invoicing="collective"))
        await send(*(make.closed(home, period=FEBRUARY) for home in homes))
        await until_rows(world.database, "invoice", tenant, 3)
    await billing.copy()

    async with running(billing, tenant) as world:
        # Twice, so that the section that stays is issued three times.
        for revision, rows in ((2, 6), (3, 9)):
            await send(make.closed(homes[1], period=FEBRUARY, revision=revision, wh=90 + revision))
            await until_rows(world.database, "invoice", tenant, rows)
        await send(*map(make.closed, homes))
        await until_rows(world.database, "invoice", tenant, 12)
        await send(make.closed(homes[0], period=APRIL))
        await until_rows(world.database, "collective_member", tenant, 1)
        before = await stored(world)
        assert await reconciled(world)
    await billing.restore()

    async with running(billing, tenant) as world:
        await until_rows(world.database, "invoice_evidence", tenant, 8)
        await until_drained(world.database, tenant, "adopted_invoice")
        await until_rows(world.database, "collective_member", tenant, 1)
        after = await stored(world)
        for table, rows in before.items():
            assert set(after[table]) ^ set(rows) == set(), table
        assert await reconciled(world)
        # And it goes on from there: the section that stayed is corrected.
        await send(make.closed(homes[0], period=FEBRUARY, revision=2, wh=50))
        await until_rows(world.database, "invoice", tenant, 15)
        await send(make.closed(homes[1], period=APRIL))
        await until_rows(world.database, "invoice", tenant, 18)
        assert await reconciled(world)
    assert billing.logged("not adopted", tenant) == []


async def reconciled(world):
    """Whether periods, sections and collective invoices agree."""
    async with snapshot(world.database, tenant=world.tenant) as read:
        periods = await fetch_periods(read, world.tenant)
        series = await fetch_series(read, world.tenant)
    in_order = all(row["issued"] == row["documents"] == row["in_order"] for row in series)
    return periods["live"] == periods["invoiced"] and not periods["unlike_sections"] and in_order
