"""To whom documents of an account are addressed, and under which letterhead."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from gridtally.contracts.envelope import Envelope
from gridtally.contracts.golden import golden_messages
from gridtally.contracts.sellers import SellerChanged
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.database.migrations import upgrade
from gridtally.documents.facts import Address, Buyer, Seller, Texts
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.sellers import apply_sellers
from gridtally.ledger.accounts.store.addressees import fetch_addressees
from gridtally.ledger.accounts.store.sellers import fetch_seller_at
from gridtally.messaging import ReceivedMessage
from integration.ledger.accounts import ISSUED, customer, posted, received

ADDRESS = {
    "street": "Hafen 7", "addition": "2. Stock", "postal_code": "89073", "city": "Ulm",
    "country": "DE",
}  # fmt: skip
SUPPLY = {"street": "Deich 1", "city": "Husum", "country": "DE"}


async def addressee(ledger, who, tenant="acme"):
    async with snapshot(ledger, tenant=tenant) as read:
        return (await fetch_addressees(read, tenant, [who])).get(who)


def changed(who, version, **more):
    return customer(who, version=version, name="Ada", language="de-AT", **more)


def named(number, address):
    return Buyer("Ada", number, address, language="de-AT")


async def test_a_customer_is_addressed_as_the_newest_version_says(ledger):
    """By number, else by id; where invoices go, else where the energy is used. What is older, or
    says no name yet, changes nothing."""
    who, harbour = uuid4(), Address("Hafen 7, 2. Stock", "89073", "Ulm", "DE")
    newest = changed(who, 3, number="K-1", billing_address=ADDRESS, supply_address=SUPPLY)
    of_supply = replace(harbour, street="Deich 1", postcode=None, city="Husum")
    cases = (
        (customer(who), None),
        (changed(who, 2, supply_address=SUPPLY), named(str(who), of_supply)),
        (newest, named("K-1", harbour)),
        (changed(who, 2), named("K-1", harbour)),
        (customer(who, version=4, name="erased", erased_at=ISSUED), Buyer("erased", str(who))),
    )  # fmt: skip
    for event, expected in cases:
        await posted(ledger, apply_customers, event)
        assert await addressee(ledger, who) == expected
        assert await addressee(ledger, who, "north") is None


async def test_a_deleted_customer_is_forgotten_unless_it_was_made_again(ledger):
    who = uuid4()
    envelope = Envelope(uuid4(), "customer.changed.v1", "test", ISSUED, "acme", "c")
    ended = ReceivedMessage(None, envelope, envelope.event_type, 0, 0, f"acme:{who}", None)
    known = received(changed(who, 1), "acme")
    for messages, is_known in (([known], True), ([ended], False), ([ended, known], True),
                               ([known, ended], False)):  # fmt: skip
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await apply_customers(tx, messages)
        assert (await addressee(ledger, who) is not None) is is_known


def letterhead(version, at, **fields):
    event = SellerChanged(**{"version": version, "name": f"Grid {version}"} | fields)
    message = received(event, "acme")
    return message._replace(envelope=message.envelope._replace(occurred_at=at))


async def seller_at(ledger, at, tenant="acme"):
    async with snapshot(ledger, tenant=tenant) as read:
        return await fetch_seller_at(read, tenant, at)


async def test_the_letterhead_is_that_of_the_day_or_else_the_first(ledger):
    """However often they come: what was said stands."""
    first, second = ISSUED, ISSUED + timedelta(days=10)
    said = [letterhead(2, second), letterhead(1, first), letterhead(1, second, name="Other")]
    for messages in (said, said):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await apply_sellers(tx, messages)
    days = {-1: "Grid 1", 0: "Grid 1", 9: "Grid 1", 10: "Grid 2", 99: "Grid 2"}
    for day, name in days.items():
        assert await seller_at(ledger, first + timedelta(days=day)) == Seller(name)
    assert await seller_at(ledger, first, "north") is None
    with pytest.raises(asyncpg.PostgresError, match=r"append-only|permission"):
        async with transaction(ledger, tenant="acme") as tx:
            await tx.raw.execute("UPDATE seller SET version = version + 1")


async def test_a_letterhead_is_read_as_it_was_published(ledger):
    golden, *_ = (m for m in golden_messages() if m.topic == SellerChanged.TOPIC)
    event = SellerChanged.model_validate(golden.value)
    await posted(ledger, apply_sellers, event)
    seller = await seller_at(ledger, datetime.now(UTC))
    assert (seller.name, seller.iban) == (event.name, event.iban)
    assert seller.address == Address(**golden.value["address"])
    assert seller.logo.startswith(b"\x89PNG")
    assert seller.texts["de"] == Texts("Zahlbar in 14 Tagen.", "Rufen Sie uns an.", "Vielen Dank!")
    named = {(n["component_id"], n["language"]): n["name"] for n in golden.value["component_names"]}
    assert named
    for (component_id, language), name in named.items():
        assert seller.component_names[component_id][language] == name


async def test_after_an_upgrade_customers_are_read_again(at_revision):
    """Those whom the version before had read have no names here."""
    url, connection = await at_revision("0031")
    await connection.execute(
        "INSERT INTO consumed (consumer, topic, partition, next) VALUES"
        " ('ledger', 'customer.changed.v1', 0, 5), ('ledger', 'invoice.issued.v1', 0, 5)"
    )
    await asyncio.to_thread(upgrade, url, package="gridtally.ledger")
    assert await connection.fetchval("SELECT array_agg(topic) FROM consumed") == [
        "invoice.issued.v1"
    ]
