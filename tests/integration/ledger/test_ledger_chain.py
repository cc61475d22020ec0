"""The sealed chain on the real database: every entry once, whoever commits when, and no tampering
with the stored tables that an export does not show."""

import asyncio
import random
from uuid import uuid4

import pytest

from gridtally.database import ALL_TENANTS, transaction
from gridtally.kernel.chain import Checkpoint, Tampered, verify_export, verify_proof
from gridtally.kernel.errors import Conflict
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.audit.domain.checkpoints import CHUNK_ENTRIES
from integration.ledger.accounts import invoice, payment, posted, received
from integration.ledger.seals import checkpoint, exported, lines_within, seal

TAMPERINGS = 40


async def test_entries_are_sealed_once_however_many_seal_and_book(ledger, clients):
    acme = await clients("acme")
    customer = uuid4()
    batches = [[invoice(f"{n}-{i}") for i in range(20)] for n in range(10)]

    async def seal_on(times):
        for _ in range(times):
            await seal(ledger)

    async with asyncio.TaskGroup() as group:
        for batch in batches:
            group.create_task(posted(ledger, post_invoices, *batch))
            group.create_task(seal_on(3))
            group.create_task(posted(ledger, post_payments, payment(customer, "1.5")))
        group.create_task(posted(ledger, post_invoices, invoice("elsewhere"), tenant="other"))
    await seal(ledger)
    reached = verify_export(await exported(acme))
    assert reached == await checkpoint(acme)
    status = (await acme.get("/v1/ledger/status")).json()
    assert status == {
        "whole": True, "in_time": True, "transactions": 210, "readings": 0, "definitions": 0,
        "meter_ends": 0, "void_notes": 0, "properties": 0, "property_ends": 0, "meters": 0,
        "erasures": 0, "sealed": 210, "unsealed": 0, "unsealed_since": None,
    }  # fmt: skip
    other = await clients("other")
    assert verify_export(await exported(other)).size == 1
    assert (await other.get("/v1/ledger/entries/2/proof")).status_code == 404


async def test_an_entry_committed_late_is_sealed_all_the_same(ledger, clients):
    """An entry that began before another and commits after that has been sealed."""
    acme = await clients("acme")
    await posted(ledger, post_invoices, invoice("first"))
    async with transaction(ledger, tenant=ALL_TENANTS) as slow:
        await post_invoices(slow, [received(invoice("slow"), "acme")])
        await posted(ledger, post_invoices, invoice("quick", currency="USD"))
        assert await seal(ledger) == 2
    assert await seal(ledger) == 1
    assert verify_export(await exported(acme)).size == 3


async def test_the_root_of_an_invoices_proof_is_sealed_with_its_booking(ledger, clients):
    acme = await clients("acme")
    plain, proven = invoice("plain"), invoice("proven").model_copy(update={"proof_root": "5f" * 32})
    await posted(ledger, post_invoices, plain, proven)
    await seal(ledger)
    for event, root in ((plain, None), (proven, proven.proof_root)):
        found = await acme.get("/v1/transactions", params={"document_id": str(event.invoice_id)})
        (booked,) = found.json()["items"]
        assert booked["proof_root"] == root
        seq = (await acme.get(f"/v1/ledger/seals/{booked['id']}")).json()["seq"]
        proof = (await acme.get(f"/v1/ledger/entries/{seq}/proof")).json()
        record = verify_proof(proof, await checkpoint(acme))
        assert record["entry"].get("proof_root") == root
        assert ("proof_root" in record["entry"]) == (root is not None), "sealed as ever before"
        other = proof | {"record": record | {"entry": record["entry"] | {"proof_root": "0" * 64}}}
        with pytest.raises(Tampered):
            verify_proof(other, await checkpoint(acme))


@pytest.fixture
async def grown(ledger):
    """A chain of more than two chunks, of invoices and a payment; the invoices' ids."""
    events = [invoice(n, energy="1", tax="0") for n in range(2 * CHUNK_ENTRIES + 40)]
    for start in range(0, len(events), 500):
        await posted(ledger, post_invoices, *events[start : start + 500])
    await posted(ledger, post_payments, payment(events[0].customer_id, "3"))
    await seal(ledger)
    return [event.invoice_id for event in events]


async def test_exports_checkpoints_and_proofs_fit_together(clients, grown):
    acme = await clients("acme")
    size = len(grown) + 1
    whole = await exported(acme)
    last = verify_export(whole)
    page = (await acme.get("/v1/ledger/checkpoints")).json()["items"]
    assert [passed["size"] for passed in page] == [CHUNK_ENTRIES, 2 * CHUNK_ENTRIES]
    for passed in page:
        assert verify_export(whole, Checkpoint.from_json(passed)) == last
    for upto in (1, 700, CHUNK_ENTRIES, CHUNK_ENTRIES + 1, 2 * CHUNK_ENTRIES, size):
        earlier = await checkpoint(acme, size=upto)
        assert verify_export(whole, earlier) == last
        assert verify_export(await exported(acme, after=upto), earlier) == last
        for seq in {1, upto // 2 + 1, upto}:
            proof = (
                await acme.get(f"/v1/ledger/entries/{seq}/proof", params={"size": upto})
            ).json()
            record = verify_proof(proof, earlier)
            assert (record["seq"], Checkpoint.from_json(proof["checkpoint"])) == (seq, earlier)
    sealed = await acme.get(f"/v1/ledger/seals/{transaction_id('acme', grown[7])}")
    proof = (await acme.get(f"/v1/ledger/entries/{sealed.json()['seq']}/proof")).json()
    assert proof["record"]["entry"]["document_id"] == str(grown[7])
    for path, status in (
        (f"entries/{size + 1}/proof", 404), ("entries/0/proof", 404),
        (f"entries/1/proof?size={size + 1}", 404), (f"checkpoint?size={size + 1}", 404),
        (f"export?after={size + 1}", 422), (f"seals/{uuid4()}", 404),
        (f"export?after={10**30}", 422), ("export?after=-1", 422),
    ):  # fmt: skip
        assert (await acme.get(f"/v1/ledger/{path}")).status_code == status, path


TAMPER = {
    "another amount": "UPDATE posting SET amount = amount + 1 WHERE (transaction_id, line) IN "
    "(SELECT transaction_id, line FROM posting ORDER BY random() LIMIT 1)",
    "another customer": "UPDATE transaction SET customer_id = gen_random_uuid() WHERE id IN "
    "(SELECT id FROM transaction ORDER BY random() LIMIT 1)",
    "another day": "UPDATE transaction SET occurred_at = occurred_at + interval '1 microsecond' "
    "WHERE id IN (SELECT id FROM transaction ORDER BY random() LIMIT 1)",
    "another account": "UPDATE posting SET account_id = (SELECT id FROM account WHERE id <> "
    "posting.account_id LIMIT 1) WHERE (transaction_id, line) IN "
    "(SELECT transaction_id, line FROM posting ORDER BY random() LIMIT 1)",
    "an account renamed": "UPDATE account SET code = 'revenue:gift' WHERE code = 'revenue:energy'",
    "an entry gone": "DELETE FROM transaction WHERE id IN "
    "(SELECT id FROM transaction ORDER BY random() LIMIT 1)",
    "its postings gone": "DELETE FROM posting WHERE transaction_id IN "
    "(SELECT id FROM transaction ORDER BY random() LIMIT 1)",
    "an allocation gone": "DELETE FROM allocation",
    "another seal": "UPDATE seal SET leaf = sha256(leaf) WHERE seq = 17",
    "a seal gone": "DELETE FROM seal WHERE seq = 17",
    "two seals swapped": "UPDATE seal s SET kind = o.kind, entry_id = o.entry_id, leaf = o.leaf "
    "FROM seal o WHERE (s.seq, o.seq) IN ((17, 18), (18, 17))",
    "the end cut off": "WITH cut AS (DELETE FROM seal WHERE seq > 2000) "
    "UPDATE chain_head SET size = 2000",
}


async def test_every_tampering_with_the_stored_tables_is_found(clients, grown, superuser):
    acme = await clients("acme")
    earlier = await checkpoint(acme, size=len(grown))
    assert verify_export(await exported(acme), earlier).size == len(grown) + 1
    dice = random.Random(5)
    deeds = [*TAMPER, *dice.choices(list(TAMPER), k=TAMPERINGS - len(TAMPER))]
    await superuser.execute("ALTER TABLE seal DROP CONSTRAINT seal_one_per_entry")
    for deed in deeds:
        undo = superuser.transaction()
        await undo.start()
        assert await superuser.execute(TAMPER[deed]) != "UPDATE 0"
        with pytest.raises((Tampered, Conflict)):
            verify_export(await lines_within(superuser), earlier)
            pytest.fail(deed)
        await undo.rollback()
    assert verify_export(await exported(acme), earlier).size == len(grown) + 1


async def test_where_seals_are_missing_nothing_is_proven(ledger, clients, superuser):
    acme = await clients("acme")
    await posted(ledger, post_invoices, *(invoice(n) for n in range(5)))
    await seal(ledger)
    start = await checkpoint(acme, size=0)
    assert start == Checkpoint.start("acme")
    assert verify_export(await exported(acme), start).size == 5
    await superuser.execute("DELETE FROM seal WHERE seq > 3")
    for path in ("checkpoint?size=4", "entries/2/proof", "entries/4/proof"):
        answer = await acme.get(f"/v1/ledger/{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "chain_broken"), path
    lines = await exported(acme)
    assert len(lines) == 3 + 2
    with pytest.raises(Tampered, match="do not lead"):
        verify_export(lines)
    await superuser.execute("UPDATE chain_head SET peaks = '' WHERE tenant_id = 'acme'")
    broken = await acme.get("/v1/ledger/checkpoint")
    assert (broken.status_code, broken.json()["code"]) == (409, "chain_broken")


async def test_an_entry_that_came_in_past_the_queue_is_seen(ledger, clients, superuser):
    acme = await clients("acme")
    await posted(ledger, post_invoices, invoice(1))
    await seal(ledger)
    await superuser.execute(
        "INSERT INTO transaction SELECT tenant_id, gen_random_uuid(), kind, gen_random_uuid(), "
        "reference, NULL, customer_id, currency, total, occurred_at, recorded_at, correlation_id, "
        "digest, postings FROM transaction"
    )
    assert (await acme.get("/v1/ledger/status")).json()["whole"] is False
