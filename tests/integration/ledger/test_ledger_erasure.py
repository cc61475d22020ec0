"""Erasing what the books say of people: it is nowhere any more, and the chain verifies on."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from gridtally.cli.ledger_proofs import check_file
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.database.migrations import upgrade
from gridtally.kernel.chain import Tampered, verify_export
from gridtally.ledger.accounts.handlers.customers import apply_customers
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.audit.handlers.erasures import erase_customers
from gridtally.ledger.audit.store import erasures
from integration.ledger.accounts import customer, invoice, payment, posted
from integration.ledger.properties import property_of
from integration.ledger.seals import checkpoint, exported, lines_within, seal

NAME = "Zyxwvut Qponmlk"
NOW = datetime(2025, 5, 1, tzinfo=UTC)
TABLES = """
SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname = 'public'
"""


SEQS_OF_VERSIONS = """
SELECT s.seq FROM seal s JOIN property_version v ON v.id = s.entry_id ORDER BY v.version
"""


async def tables_that_name(connection):
    """The tables with a row that names the person; what the relay sends is out of reach."""
    named = set()
    for (table,) in await connection.fetch(TABLES):
        rows = await connection.fetch(f"SELECT t::text AS row FROM {table} AS t")  # noqa: S608 - names of the catalogue
        if any(NAME in row["row"] or NAME.encode().hex() in row["row"] for row in rows):
            named.add(table)
    return named - {"outbox"}


async def erase_all(ledger, now=NOW):
    total = 0
    while True:
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            count = await erase_customers(tx, now)
        if not count:
            return total
        total += count


async def erased_in_billing(ledger, who, version=2):
    event = customer(who, version=version, name="erased", erased_at=NOW)
    await posted(ledger, apply_customers, event)


async def done(awaited, status=201):
    answer = await awaited
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def person(acme, ledger):
    """A customer whom everything names that takes a text."""
    who = uuid4()
    bill = invoice(1, customer=who)
    address = {"street": f"{NAME} Str. 1", "city": "Ulm", "country": "DE"}
    named = customer(who, name=NAME, billing_address=address)
    await posted(ledger, apply_customers, named)
    await posted(ledger, post_invoices, bill)
    transfer = payment(who, "400", reference=f"from {NAME}", method=NAME)
    await posted(ledger, post_payments, transfer)
    mine = {"customer_id": str(who), "currency": "EUR"}
    said = {"reason": NAME, "reference": NAME}
    refund = await done(acme.post("/v1/refunds", json={**mine, **said, "amount": "5"}))
    charge = {**mine, **said, "amount": "7"}
    await done(acme.post("/v1/adjustments", json={**charge, "due_on": "2025-06-01"}))
    path = f"/v1/transactions/{refund['id']}/reversal"
    await done(acme.post(path, json={"reason": NAME}))
    home = await property_of(acme, name=NAME, address=f"{NAME} Str. 1", customer_id=str(who))
    changed = {"name": "House", "address": "", "customer_id": None}
    path = f"/v1/properties/{home['id']}"
    await done(acme.patch(path, json=changed, headers={"If-Match": '"1"'}), 200)
    return {"id": who, "payment": transfer, "bill": bill, "home": home["id"]}


async def test_an_erased_customer_is_named_nowhere_and_the_chain_is_whole(
    acme, ledger, person, superuser, tmp_path
):
    await seal(ledger)
    earlier = await checkpoint(acme)
    before = await exported(acme)
    assert await tables_that_name(superuser) == {
        "addressee", "open_item", "property_version", "transaction",
    }  # fmt: skip
    assert NAME.encode() not in b"".join(before)
    balance = await done(acme.get(f"/v1/customers/{person['id']}/balance"), 200)
    await erased_in_billing(ledger, person["id"])
    assert await erase_all(ledger) >= 5
    assert await erase_all(ledger) == 0
    assert await tables_that_name(superuser) == set()
    erasures_sealed = await seal(ledger)
    file = tmp_path / "export"
    file.write_bytes(b"".join(await exported(acme)))
    finding, reached = check_file(file, earlier)
    assert finding.holds, finding
    assert reached.size == earlier.size + erasures_sealed
    assert (await exported(acme))[1 : len(before) - 1] == before[1:-1]
    status = await done(acme.get("/v1/ledger/status"), 200)
    assert (status["whole"], status["erasures"]) == (True, erasures_sealed)
    assert await done(acme.get(f"/v1/customers/{person['id']}/balance"), 200) == balance
    assert (await done(acme.get("/v1/reconciliation"), 200))["ok"]


async def test_what_comes_after_an_erasure_is_erased_too(acme, ledger, person, superuser):
    await erased_in_billing(ledger, person["id"])
    await erase_all(ledger)
    await posted(ledger, post_payments, person["payment"])  # the same message once more
    late = payment(person["id"], "1", reference=NAME)
    await posted(ledger, post_payments, late)
    assert await tables_that_name(superuser) == {"transaction"}
    assert await erase_all(ledger) == 1
    assert await tables_that_name(superuser) == set()
    again = {
        "id": str(late.payment_id), "customer_id": str(person["id"]), "currency": "EUR",
        "amount": "1", "reference": "anything", "occurred_at": late.received_at.isoformat(),
    }  # fmt: skip
    await done(acme.post("/v1/payments", json=again))
    assert (await done(acme.get("/v1/transactions", params={"kind": "payment"}), 200))["items"]
    home = f"/v1/properties/{person['home']}"
    theirs = {"address": NAME, "customer_id": str(person["id"])}
    await done(acme.patch(home, json=theirs, headers={"If-Match": '"2"'}), 200)
    assert await erase_all(ledger, NOW + erasures.CHECK_EVERY * 2) == 0  # it is called so now
    freed = {"address": "", "customer_id": None}
    await done(acme.patch(home, json=freed, headers={"If-Match": '"3"'}), 200)
    assert await erase_all(ledger, NOW + erasures.CHECK_EVERY * 4) == 1
    assert await tables_that_name(superuser) == set()


async def test_a_text_is_erased_by_hand(acme, clients, home, ledger, superuser):
    path = f"/v1/properties/{home['id']}"
    named = await done(acme.patch(path, json={"name": NAME}, headers={"If-Match": '"1"'}), 200)
    await seal(ledger)
    seqs = await superuser.fetch(SEQS_OF_VERSIONS)
    seq = seqs[1]["seq"]
    erase = f"/v1/ledger/entries/{seq}/erase"
    refused = await done(acme.post(erase), 409)
    assert refused["code"] == "entry_current"
    match = {"If-Match": f'"{named["version"]}"'}
    await done(acme.patch(path, json={"name": "House"}, headers=match), 200)
    assert await tables_that_name(superuser) == {"property_version"}
    first = await done(acme.post(erase), 200)
    assert await done(acme.post(erase), 200) == first
    assert (first["seq"], first["kind"], first["erased_by"]) == (seq, "property", "keyacme0000")
    assert await tables_that_name(superuser) == set()
    await seal(ledger)
    assert verify_export(await exported(acme)).size
    unknown = await done(acme.post("/v1/ledger/entries/9999/erase"), 404)
    assert unknown["code"] == "entry_unknown"
    assert (await acme.post("/v1/ledger/entries/0/erase")).status_code == 422
    other = await clients("other")
    assert (await other.post(erase)).status_code == 404
    reader = await clients("acme", "ledger:read")
    assert (await reader.post(erase)).status_code == 403


async def test_a_changed_text_is_found_and_an_erasure_does_not_hide_it(
    acme, ledger, person, superuser
):
    await seal(ledger)
    changed = "UPDATE transaction SET memo = 'Jane Roe' WHERE kind = 'refund'"
    await superuser.execute(changed)
    with pytest.raises(Tampered, match="not what was sealed"):
        verify_export(await exported(acme))
    await erased_in_billing(ledger, person["id"])
    await erase_all(ledger)
    await seal(ledger)
    with pytest.raises(Tampered, match="not what was sealed"):
        verify_export(await exported(acme))
    assert await superuser.fetchval("SELECT memo FROM transaction WHERE kind = 'refund'")
    seq = await superuser.fetchval(
        "SELECT seq FROM seal s JOIN transaction t ON t.id = s.entry_id WHERE t.kind = 'refund'"
    )
    refused = await done(acme.post(f"/v1/ledger/entries/{seq}/erase"), 409)
    assert refused["code"] == "chain_broken"


UNLIKE_AN_ERASURE = [
    "memo = 'x'",
    "memo = ''",
    "salt = NULL",
    "salt = NULL, commitment = sha256(''), memo = 'x'",
    "salt = sha256('')",
    "commitment = sha256('')",
]


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize("change", UNLIKE_AN_ERASURE)
async def test_texts_are_only_ever_erased(ledger, change):
    with pytest.raises(asyncpg.RestrictViolationError, match="transaction is append-only"):
        async with transaction(ledger, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(f"UPDATE transaction SET {change} WHERE kind = 'payment'")  # noqa: S608 - constants


DEBIT, CREDIT, WHO = UUID(int=1), UUID(int=2), UUID(int=3)
BEFORE = f"""
INSERT INTO account (tenant_id, id, currency, code, class, debits, credits)
    VALUES ('acme', '{DEBIT}', 'EUR', 'revenue:a', 'revenue', 0, 0),
           ('acme', '{CREDIT}', 'EUR', 'revenue:b', 'revenue', 0, 0);
WITH booked AS (
    INSERT INTO transaction (tenant_id, id, kind, document_id, reference, memo, customer_id,
                             currency, total, occurred_at, correlation_id, digest, postings)
    VALUES ('acme', '{WHO}', 'payment', '{WHO}', '{NAME}', '{NAME}', '{WHO}', 'EUR', 5,
            '2025-04-01Z', 'c', sha256('{NAME}'), 2)
)
INSERT INTO posting (tenant_id, transaction_id, line, account_id, currency, amount, occurred_at)
SELECT 'acme', '{WHO}', line, account_id::uuid, 'EUR', amount, '2025-04-01Z'
  FROM (VALUES (1, '{DEBIT}', 5), (2, '{CREDIT}', -5)) AS line (line, account_id, amount)
"""  # noqa: S608 - constants


async def test_what_was_sealed_by_the_version_before_is_erased_too(at_revision):
    url, connection = await at_revision("0020")
    await connection.execute(BEFORE)
    # What the seals of now read as well, and the version before did not have.
    later = {"open_item": "opened_for", "customer": "merged_into"}
    for table, column in later.items():
        await connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} uuid")
    async with await Database.connect(url, application="test") as ledger:
        assert await seal(ledger) == 1
    earlier = verify_export(await lines_within(connection))
    for table, column in later.items():
        await connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    await asyncio.to_thread(upgrade, url, package="gridtally.ledger")
    await connection.reload_schema_state()
    async with await Database.connect(url, application="test") as ledger:
        assert verify_export(await lines_within(connection), earlier) == earlier
        await erased_in_billing(ledger, WHO)
        assert await erase_all(ledger, NOW + timedelta(days=1)) == 1
        assert await tables_that_name(connection) == set()
        with pytest.raises(Tampered, match="line 2: entry 1 is not what was sealed"):
            verify_export(await lines_within(connection))
        assert await seal(ledger) == 1
        assert verify_export(await lines_within(connection), earlier).size == 2
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE transaction SET total = 6")
        with pytest.raises(Tampered, match="entry 1 is not what was sealed"):
            verify_export(await lines_within(connection))
