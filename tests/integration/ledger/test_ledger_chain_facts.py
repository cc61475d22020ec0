"""All that the books and a consumption rest on stands in the chain: besides transactions and
readings the definitions of sums, the ends of meters, notes on invoices and what is due when.
Whatever is changed, swapped or taken away of it is found, in the stored tables and in an export."""

import json
import random
from collections import Counter
from decimal import Decimal

import asyncpg
import pytest

from gridtally.cli.ledger_proofs import check_file, check_proof
from gridtally.kernel.chain import Tampered, verify_export, verify_proof
from gridtally.ledger.accounts.handlers.payments import post_payments
from gridtally.ledger.accounts.handlers.postings import (
    post_credit_notes,
    post_invoices,
    record_voided_invoices,
)
from gridtally.ledger.audit.domain.entries import (
    ALLOCATION_COPIES,
    ALLOCATION_FIELDS,
    COLUMNS,
    ITEM_COPIES,
    ITEM_FIELDS,
    OPTIONAL_FIELDS,
    POSTING_COPIES,
    ROW_FIELDS,
    TRANSACTION_FIELDS,
    TRANSACTION_OPTIONAL_FIELDS,
)
from integration.ledger.accounts import credit_note, invoice, payment, posted, voided
from integration.ledger.properties import meter_of, property_of, read
from integration.ledger.seals import checkpoint, exported, lines_within, seal

KINDS = {
    "booking": 6, "reading": 5, "definition": 3, "meter_end": 6, "void_note": 2, "property": 3,
    "property_end": 1, "meter": 16, "erasure": 1,
}  # fmt: skip
SIZE = sum(KINDS.values())
TAMPERINGS = 150


async def done(awaited, status):
    answer = await awaited
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def facts(acme, home, ledger):
    """Some of every kind, sealed: the ids of the definitions' entries and the voided invoices."""
    total = {"meter_id": home["total"]}
    definitions = []
    for from_on, terms in (
        ("2025-03-01", [total, {"meter_id": home["gg"], "sign": -1, "flow": "import"}]),
        ("2025-04-01", [total]),
    ):
        path = f"/v1/meters/{home['unmetered']}/definitions"
        made = await done(acme.post(path, json={"from_on": from_on, "terms": terms}), 201)
        definitions.append(made["entry_id"])
    both = await meter_of(acme, home, "derived")
    body = {"from_on": "2025-03-01", "terms": [{"meter_id": home["sg"]}]}
    made = await done(acme.post(f"/v1/meters/{both}/definitions", json=body), 201)
    definitions.append(made["entry_id"])
    for type_ in ("device", "sub"):
        meter = await meter_of(acme, home, type_)
        await read(acme, meter, ("1", "2025-03-01T06:00:00Z"), ("2", "2025-04-01T06:00:00Z"))
        await done(acme.delete(f"/v1/meters/{meter}"), 204)
    await read(acme, home["total"], ("100", "2025-03-01T06:00:00Z"))
    path = f"/v1/properties/{home['id']}"
    seen = {"If-Match": '"1"'}
    await done(acme.patch(path, json={"connected_kw": "11"}, headers=seen), 200)
    gone = await property_of(acme, name="Gone")
    await done(acme.delete(f"/v1/properties/{gone['id']}"), 204)
    first, second, third = (invoice(n, days=n) for n in range(3))
    await posted(ledger, post_invoices, first, second, third)
    await posted(ledger, post_payments, payment(third.customer_id, "50"))
    notes = [credit_note(first), credit_note(second)]
    await posted(ledger, post_credit_notes, *notes)
    await posted(ledger, record_voided_invoices, *map(voided, notes))
    assert await seal(ledger) == SIZE - 1
    at = await done(acme.get(f"/v1/ledger/seals/{definitions[0]}"), 200)
    refused = await done(acme.post(f"/v1/ledger/entries/{at['seq']}/erase"), 409)
    assert refused["code"] == "entry_without_texts"
    removed = next(record for record in await records(acme) if record["kind"] == "property_end")
    await done(acme.post(f"/v1/ledger/entries/{removed['seq']}/erase"), 200)
    assert await seal(ledger) == 1
    return {"definitions": definitions, "voided": [str(first.invoice_id), str(second.invoice_id)]}


async def records(client):
    return [json.loads(line) for line in (await exported(client))[1:-1]]


async def test_every_kind_is_sealed_exported_and_proven(acme, facts, tmp_path):
    status = await done(acme.get("/v1/ledger/status"), 200)
    assert status == {
        "whole": True, "in_time": True, "transactions": 6, "readings": 5, "definitions": 3,
        "meter_ends": 6, "void_notes": 2, "properties": 3, "property_ends": 1,
        "meters": KINDS["meter"], "erasures": 1, "sealed": SIZE, "unsealed": 0,
        "unsealed_since": None,
    }  # fmt: skip
    exported_records = await records(acme)
    assert Counter(record["kind"] for record in exported_records) == KINDS
    earlier = await checkpoint(acme, size=3)
    file = tmp_path / "export"
    file.write_bytes(b"".join(await exported(acme)))
    finding, reached = check_file(file, earlier)
    assert (finding.holds, reached) == (True, await checkpoint(acme))
    for record in exported_records:
        proof = await done(acme.get(f"/v1/ledger/entries/{record['seq']}/proof"), 200)
        assert verify_proof(proof, reached)["entry"] == record["entry"]
    for kind, ids in (("definition", facts["definitions"]), ("void_note", facts["voided"])):
        for id_ in ids:
            sealed = await done(acme.get(f"/v1/ledger/seals/{id_}"), 200)
            assert sealed["kind"] == exported_records[sealed["seq"] - 1]["kind"] == kind
    proof = await done(acme.get(f"/v1/ledger/entries/{sealed['seq']}/proof"), 200)
    file = tmp_path / "proof"
    file.write_text(json.dumps(proof))
    assert check_proof(file, reached).holds
    proof["record"]["entry"]["reason"] = "another"
    file.write_text(json.dumps(proof))
    assert not check_proof(file, reached).holds


async def test_what_is_sealed_is_what_was_entered(acme, home, facts):
    by_kind = {}
    for record in await records(acme):
        by_kind.setdefault(record["kind"], []).append(record["entry"])
    first, second, _ = by_kind["definition"]
    assert [first["id"], second["id"]] == facts["definitions"][:2]
    assert (first["version"], first["from_on"], second["version"]) == (1, "2025-03-01", 2)
    assert first["meter_ids"] == [home["total"], home["gg"]]
    assert (first["flows"], first["signs"]) == ([None, "import"], [1, -1])
    ends = by_kind["meter_end"]
    assert [end["type"] for end in ends[:2]] == ["device", "sub"]
    assert {end["property_id"] for end in ends[:2]} == {home["id"]}
    versions = [entry for entry in by_kind["property"] if entry["property_id"] == home["id"]]
    assert [(entry["version"], entry["connected_kw"]) for entry in versions] == [
        (1, None),
        (2, "11"),
    ]
    assert {entry["zone"] for entry in by_kind["property"]} == {"Europe/Berlin"}
    assert {end["property_id"] for end in ends[2:]} == {
        end["property_id"] for end in by_kind["property_end"]
    }
    [total, again] = [entry for entry in by_kind["meter"] if entry["meter_id"] == home["total"]]
    assert (total["channels"], total["channel_minutes"], total["channel_wh_max"]) == (
        ["import"], [15], [100_000],
    )  # fmt: skip
    registers = ("registers", "register_digits", "register_decimals", "register_multipliers")
    assert [total[name] for name in registers] == [["import"], [9], [3], ["1"]]
    assert (total["version"], again["version"], total["property_id"]) == (1, 2, home["id"])
    assert {note["invoice_id"] for note in by_kind["void_note"]} == set(facts["voided"])
    opened = {entry["kind"]: entry["opens"] for entry in by_kind["booking"]}
    assert [kind for kind, item in opened.items() if item] == ["invoice"]
    assert opened["invoice"].keys() == set(ITEM_FIELDS)
    for entry in by_kind["booking"]:
        assert sum(Decimal(line["amount"]) for line in entry["postings"]) == 0
        assert len(entry["postings"]) == (3 if entry["kind"] != "payment" else 2)
        if entry["opens"]:
            assert entry["opens"]["id"] == entry["document_id"]
            assert entry["opens"]["total"] == entry["total"]


def columns_of_kind(kind):
    """The columns that the sealed fields of a kind of entry are read from."""
    names = (*ROW_FIELDS[kind], *OPTIONAL_FIELDS.get(kind, ()))
    return {COLUMNS.get(name, name) for name in names}


BESIDE = {"salt", "commitment"}
SEALED = {
    "transaction": {*TRANSACTION_FIELDS, *TRANSACTION_OPTIONAL_FIELDS, *BESIDE},
    "posting": {"transaction_id", "account_id", "line", "amount", *POSTING_COPIES},
    "allocation": {"transaction_id", *ALLOCATION_FIELDS, *ALLOCATION_COPIES},
    "open_item": {*ITEM_FIELDS, *ITEM_COPIES},
    "account": {"id", "currency", "code", "class", "customer_id"},
    "reading_entry": columns_of_kind("reading") | BESIDE,
    "definition": {*ROW_FIELDS["definition"]},
    "removed_meter": columns_of_kind("meter_end") | BESIDE,
    "invoice_note": {*ROW_FIELDS["void_note"], *BESIDE},
    "removed_property": {*ROW_FIELDS["property_end"], *BESIDE},
    "property_version": columns_of_kind("property") | BESIDE,
    "property": columns_of_kind("property") - {"property_id"},
    "meter_version": columns_of_kind("meter") | BESIDE,
    "erased_entry": columns_of_kind("erasure"),
    "meter": {"id", "property_id", "meter_type", "name", "version", "created_at", "updated_at"},
    "channel": {"meter_id", "flow", "minutes", "interval_wh_max", "start_at", "end_at"},
    "register": {"meter_id", "flow", "digits", "decimals", "multiplier", "rollover_kwh"},
}
"""The columns that must stay as they were, besides the tenant."""
DERIVED = {
    "transaction": {"postings"},  # how many there are
    # Allocations; a credit note; a memory; whom a merge has taken it from.
    "open_item": {"allocated", "voided", "overdue_reported", "opened_for"},
    "account": {"debits", "credits", "invoiced", "created_at"},  # its postings; the first of them
}
"""Columns that follow from those, and what from."""


async def columns_of(connection, table):
    rows = await connection.fetch(
        "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = $1", table
    )
    return {row["column_name"]: row["udt_name"] for row in rows}


@pytest.mark.parametrize("table", SEALED)
async def test_nothing_of_a_stored_row_is_left_out(superuser, table):
    there = (await columns_of(superuser, table)).keys()
    assert there == SEALED[table] | DERIVED.get(table, set()) | {"tenant_id"}


PAST_THE_QUEUE = {
    "definition": "id = gen_random_uuid(), version = version + 10",
    "removed_meter": "id = gen_random_uuid(), removed_at = now()",
    "invoice_note": "invoice_id = gen_random_uuid()",
    "removed_property": "id = gen_random_uuid(), removed_at = now()",
    "erased_entry": "id = gen_random_uuid(), entry_id = gen_random_uuid()",
    "property_version": "id = gen_random_uuid(), version = version + 10",
    "meter_version": "id = gen_random_uuid(), version = version + 10",
    "property": "id = gen_random_uuid()",
    "meter": "id = gen_random_uuid(), meter_type = 'sub'",
}
FORGE = """
CREATE TEMP TABLE forged AS SELECT * FROM {table} LIMIT 1;
UPDATE forged SET {another};
INSERT INTO {table} SELECT * FROM forged"""
"""By whom no trigger holds back."""


@pytest.mark.usefixtures("facts")
@pytest.mark.parametrize("table", PAST_THE_QUEUE)
async def test_a_fact_that_came_in_past_the_queue_is_seen(acme, superuser, table):
    await superuser.execute(FORGE.format(table=table, another=PAST_THE_QUEUE[table]))
    assert (await done(acme.get("/v1/ledger/status"), 200))["whole"] is False
    assert verify_export(await exported(acme)).size == SIZE


ANOTHER = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({0}, '') || 'x'",
    "numeric": "coalesce({0}, 0) + 1",
    "int2": "{0} + 1",
    "int4": "{0} + 1",
    "int8": "coalesce({0}, 0) + 1",
    "timestamptz": "coalesce({0}, now()) + interval '1 microsecond'",
    "date": "{0} + 1",
    "bytea": "sha256(coalesce({0}, ''))",
    "_uuid": "array_append({0}, gen_random_uuid())",
    "_text": "array_append({0}, 'import')",
    "_int2": "array_append({0}, 1::smallint)",
    "_int4": "array_append({0}, 1)",
    "_numeric": "array_append({0}, 1)",
    "_timestamptz": "array_append({0}, now())",
}
CHANGE = """
UPDATE {table} SET {column} = {another}
 WHERE ctid = (SELECT ctid FROM {table} WHERE {held} ORDER BY random() LIMIT 1)"""
SWAP = """
WITH pair AS MATERIALIZED (
    SELECT a.ctid AS one, b.ctid AS other FROM {table} a JOIN {table} b
        ON a.{column} IS DISTINCT FROM b.{column} ORDER BY random() LIMIT 1)
UPDATE {table} t SET {column} = o.{column} FROM pair, {table} o
 WHERE (t.ctid, o.ctid) IN ((one, other), (other, one))"""
DELETE = "DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} ORDER BY random() LIMIT 1)"
INTERCHANGEABLE = {"register": {"meter_id"}, "channel": {"meter_id"}}
"""Two meters whose registers are equal may exchange them: that changes nothing."""
HELD = {"account": "id IN (SELECT account_id FROM posting)"}
"""An account that nothing was posted to says nothing."""
CONSTRAINTS = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname)
  FROM pg_constraint WHERE contype IN ('c', 'u', 'p', 'f') AND conrelid::regclass::text = ANY($1)"""


@pytest.fixture
async def lawless(facts, superuser):
    """An attacker whom no constraint holds back either."""
    assert facts
    await superuser.execute("DROP INDEX meter_one_of_each_type")
    for row in await superuser.fetch(CONSTRAINTS, list(SEALED)):
        try:
            await superuser.execute(row[0])
        except asyncpg.UndefinedObjectError:
            continue  # it went with another
    assert verify_export(await lines_within(superuser)).size == SIZE
    return superuser


async def found_out(connection, deed):
    """Whether the export shows a deed, which is undone; None where it changed nothing."""
    undo = connection.transaction()
    await undo.start()
    try:
        if (await connection.execute(deed)).endswith(" 0"):
            return None
        verify_export(await lines_within(connection))
    except Tampered:
        return True
    finally:
        await undo.rollback()
    return False


async def test_another_value_in_any_column_is_found(lawless):
    for table, sealed in SEALED.items():
        types = await columns_of(lawless, table)
        for column in sorted(sealed | {"tenant_id"}):
            another = ANOTHER[types[column]].format(f'"{column}"')
            deed = CHANGE.format(
                table=table, column=f'"{column}"', another=another, held=HELD.get(table, "true")
            )
            assert await found_out(lawless, deed) is True, (table, column)


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_swapped_deleted_or_emptied_is_found(lawless, seed):
    dice = random.Random(seed)
    deeds = Counter()
    while deeds.total() < TAMPERINGS // 3:
        table = dice.choice(sorted(SEALED))
        column = dice.choice(sorted(SEALED[table] - INTERCHANGEABLE.get(table, set())))
        deed = dice.choice([SWAP, SWAP, SWAP, DELETE, "TRUNCATE {table} CASCADE"])
        shown = await found_out(lawless, deed.format(table=table, column=f'"{column}"'))
        assert shown is not False, (deed, table, column)
        deeds[deed] += bool(shown)


@pytest.mark.usefixtures("facts")
async def test_every_bit_of_an_exported_fact_counts(acme):
    lines = await exported(acme)
    seen = set()
    for at, line in enumerate(lines[1:-1], start=1):
        kind = json.loads(line)["kind"]
        if kind in seen:
            continue
        seen.add(kind)
        for position in range(len(line)):
            flipped = bytearray(line)
            flipped[position] ^= 1 << position % 8
            refused([*lines[:at], bytes(flipped), *lines[at + 1 :]])
        refused([*lines[:at], *lines[at + 1 :]])
        refused([*lines[: at + 1], *lines[at:]])
        refused([*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]])
        refused([*lines[:at], line[: len(line) // 2]])
    assert seen == set(KINDS)


def refused(lines):
    with pytest.raises(Tampered):
        verify_export(lines)
        pytest.fail("it was not found")
