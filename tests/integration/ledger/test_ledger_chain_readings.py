"""The entries of the reading ledger in the sealed chain: what the API enters, corrects, withdraws
and exchanges is sealed once each, proven, and held against whoever changes it."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

import pytest

from gridtally.cli.ledger_proofs import check_file, check_proof
from gridtally.database import ALL_TENANTS, snapshot
from gridtally.kernel.chain import Tampered, verify_export, verify_proof
from gridtally.ledger.accounts.handlers.postings import post_invoices
from gridtally.ledger.audit.domain.entries import OPTIONAL_FIELDS, READING_FIELDS
from gridtally.ledger.audit.handlers import seals
from gridtally.ledger.loops import loops
from gridtally.messaging import Progress
from gridtally.service import polling
from integration.ledger.accounts import invoice, posted
from integration.ledger.processes import process_of
from integration.ledger.seals import checkpoint, exported, lines_within, seal

MARCH, APRIL, MAY = "2025-03-01T06:00:00Z", "2025-04-01T06:00:00Z", "2025-05-01T06:00:00Z"
ENTRIES = 11
"""That the fixture `readings` makes: 5 entered, a correction, a withdrawal, an exchange of two,
whose withdrawal is two more."""
SEALED = ENTRIES + 6
"""With an invoice, and the property and its four meters."""


async def done(awaited, status):
    answer = await awaited
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def readings(acme, ledger):
    """The ids of readings by what became of them; an invoice is posted among them."""
    home = await done(
        acme.post("/v1/properties", json={"name": "Oak Lane 1", "zone": "Europe/Berlin"}), 201
    )
    meter = {made["meter_type"]: made["id"] for made in home["meters"]}
    total = f"/v1/meters/{meter['total']}/readings"
    items = [
        {"meter_id": meter[type_], "value": value, "read_at": MARCH}
        for type_, value in (("gg", "10.5"), ("sg", "20"), ("total", "100"))
    ]
    made = await done(
        acme.post(f"/v1/properties/{home['id']}/readings", json={"items": items}), 201
    )
    await posted(ledger, post_invoices, invoice(1))
    corrected = await done(acme.post(total, json={"value": "180", "read_at": APRIL}), 201)
    body = {"value": "108.25", "read_at": APRIL, "note": "misread"}
    path = f"/v1/readings/{corrected['id']}"
    await done(acme.put(path, json=body, headers={"If-Match": '"1"'}), 200)
    withdrawn = await done(acme.post(total, json={"value": "999", "read_at": MAY}), 201)
    await done(acme.delete(f"/v1/readings/{withdrawn['id']}"), 204)
    body = {"final_value": "15", "initial_value": "0", "read_at": APRIL}
    exchanged = await done(acme.post(f"/v1/meters/{meter['gg']}/exchanges", json=body), 201)
    await done(acme.delete(f"/v1/readings/{exchanged['final']['id']}"), 204)
    # What is refused, and what is there already, leaves no entry.
    await done(acme.post(total, json={"value": "1", "read_at": APRIL}), 409)
    await done(acme.post(total, json={"value": "100", "read_at": MARCH}), 200)
    return {
        "entered": [item["reading"]["id"] for item in made["items"]], "corrected": corrected["id"],
        "withdrawn": withdrawn["id"], "closed": exchanged["final"]["id"],
        "opened": exchanged["initial"]["id"],
    }  # fmt: skip


@pytest.fixture
async def sealed(ledger, readings):
    """The same once nothing waits for its seal."""
    assert await seal(ledger) == SEALED
    return readings


@pytest.mark.usefixtures("readings")
async def test_the_sealer_tells_how_many_entries_wait(ledger, acme, monkeypatch):
    monkeypatch.setattr(polling, "LAG_EVERY_S", 0.0)
    monkeypatch.setattr(seals, "SEAL_ENTRIES_MAX", 5)
    stop, lags = asyncio.Event(), []

    class Watched(Progress):
        def observe_lag(self, lag, *, now_s):
            super().observe_lag(lag, now_s=now_s)
            lags.append(lag)
            if lag == 0:
                stop.set()

    sealer, *_ = loops(process_of(ledger))
    progress = Watched(sealer.name)
    await sealer.run(progress, stop)
    assert (lags, progress.handled) == ([SEALED - 5, SEALED - 10, SEALED - 15, 0], SEALED)
    assert verify_export(await exported(acme)).size == SEALED


async def sealed_entries(client):
    """What the chain holds of readings, in its order."""
    records = [json.loads(line) for line in (await exported(client))[1:-1]]
    return [record["entry"] for record in records if record["kind"] == "reading"]


async def test_each_entry_of_a_reading_stands_once_in_the_chain_in_its_order(acme, sealed):
    assert verify_export(await exported(acme)) == await checkpoint(acme)
    assert (await acme.get("/v1/ledger/status")).json() == {
        "whole": True, "in_time": True, "transactions": 1, "readings": ENTRIES, "definitions": 0,
        "meter_ends": 0, "void_notes": 0, "properties": 1, "property_ends": 0, "meters": 4,
        "erasures": 0, "sealed": SEALED, "unsealed": 0, "unsealed_since": None,
    }  # fmt: skip
    entries = await sealed_entries(acme)
    assert len({entry["id"] for entry in entries}) == len(entries) == ENTRIES
    assert Counter(entry["kind"] for entry in entries) == {
        "reading": 6, "withdrawn": 3, "exchange_final": 1, "exchange_initial": 1,
    }  # fmt: skip
    ids = [*sealed["entered"], *(sealed[name] for name in sealed if name != "entered")]
    for reading_id in ids:
        history = (await acme.get(f"/v1/readings/{reading_id}/history")).json()
        chained = [entry for entry in entries if entry["reading_id"] == reading_id]
        assert [
            (entry["id"], entry["version"], entry["value"], entry["supersedes_id"])
            for entry in chained
        ] == [
            (known["entry_id"], known["version"], known["value"], known["supersedes_id"])
            for known in history
        ]


async def test_nothing_of_a_stored_entry_is_left_out_of_its_seal(ledger):
    async with snapshot(ledger, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'reading_entry'"
        )
    # The tenant is in the record around the entry; the commitment of salt and texts is sealed.
    sealed = {*READING_FIELDS, *OPTIONAL_FIELDS["reading"]}
    assert {row["column_name"] for row in rows} == {*sealed, "tenant_id", "salt", "commitment"}


@pytest.mark.usefixtures("sealed")
async def test_the_offline_verifier_accepts_the_export_and_the_proofs(acme, tmp_path):
    earlier = await checkpoint(acme, size=5)
    export = tmp_path / "export.ndjson"
    export.write_bytes(b"".join(await exported(acme)))
    finding, reached = check_file(export, earlier)
    assert (finding.holds, reached) == (True, await checkpoint(acme))
    for entry in await sealed_entries(acme):
        seal_ = await done(acme.get(f"/v1/ledger/seals/{entry['id']}"), 200)
        assert seal_["kind"] == "reading"
        proof = await done(acme.get(f"/v1/ledger/entries/{seal_['seq']}/proof"), 200)
        assert verify_proof(proof, reached)["entry"] == entry
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    assert check_proof(file, reached).holds
    proof["record"]["entry"]["value"] = "1"
    file.write_text(json.dumps(proof))
    assert not check_proof(file, reached).holds


@pytest.mark.usefixtures("sealed")
async def test_an_export_with_another_reading_is_refused(acme):
    lines = await exported(acme)
    at = next(n for n, line in enumerate(lines) if b'"108.25"' in line)
    changed = {
        "another value": [*lines[:at], lines[at].replace(b"108.25", b"108.26"), *lines[at + 1 :]],
        "left out": [*lines[:at], *lines[at + 1 :]],
        "swapped": [*lines[: at - 1], lines[at], lines[at - 1], *lines[at + 1 :]],
        "twice": [*lines[: at + 1], *lines[at:]],
        "cut off": lines[: at + 1],
    }
    for deed, tampered in changed.items():
        with pytest.raises(Tampered):
            verify_export(tampered)
            pytest.fail(deed)


TAMPER = {
    "another value": "UPDATE reading_entry SET value = value + 1 WHERE version = 2",
    "another spelling of the value": "UPDATE reading_entry SET value = 108.250 WHERE version = 2 "
    "AND value = 108.25",
    "another moment": "UPDATE reading_entry SET read_at = read_at + interval '1 microsecond' "
    "WHERE value = 100",
    "recorded earlier": "UPDATE reading_entry SET created_at = created_at - interval '1 day' "
    "WHERE value = 100",
    "another meter": "UPDATE reading_entry SET meter_id = (SELECT meter_id FROM reading_entry "
    "WHERE value = 20) WHERE value = 100",
    "another multiplier": "UPDATE reading_entry SET multiplier = 2 WHERE value = 100",
    "another quality": "UPDATE reading_entry SET quality = 'estimated' WHERE value = 100",
    "another note": "UPDATE reading_entry SET note = '' WHERE note = 'misread'",
    "a withdrawal undone": "UPDATE reading_entry SET kind = 'reading' WHERE kind = 'withdrawn' "
    "AND value = 999",
    "a withdrawal gone": "DELETE FROM reading_entry WHERE kind = 'withdrawn' AND value = 999",
    "a correction gone": "DELETE FROM reading_entry WHERE value = 108.25",
    "a reading gone": "DELETE FROM reading_entry WHERE value = 100",
    "a reading and its correction swapped": "UPDATE reading_entry e SET value = o.value, "
    "note = o.note FROM reading_entry o WHERE o.reading_id = e.reading_id "
    "AND e.version + o.version = 3 AND e.value IN (180, 108.25)",
    "two readings swapped": "UPDATE reading_entry e SET meter_id = o.meter_id, value = o.value "
    "FROM reading_entry o WHERE (e.value, o.value) IN ((100, 20), (20, 100))",
}


@pytest.mark.usefixtures("sealed")
async def test_every_change_of_a_stored_entry_is_found(acme, superuser):
    reached = await checkpoint(acme)
    for deed, statement in TAMPER.items():
        undo = superuser.transaction()
        await undo.start()
        assert verify_export(await lines_within(superuser)) == reached
        assert not (await superuser.execute(statement)).endswith(" 0"), deed
        with pytest.raises(Tampered):
            verify_export(await lines_within(superuser))
            pytest.fail(deed)
        await undo.rollback()
    await superuser.execute(TAMPER["another value"])
    with pytest.raises(Tampered):
        verify_export(await exported(acme), reached)


@pytest.mark.usefixtures("sealed")
async def test_an_entry_that_came_in_past_the_queue_is_seen(acme, superuser):
    await superuser.execute(
        "INSERT INTO reading_entry SELECT (jsonb_populate_record(e, jsonb_build_object("
        "'id', $1::text, 'reading_id', $1::text))).* FROM reading_entry e WHERE value = 100",
        str(uuid4()),
    )
    assert verify_export(await exported(acme)) == await checkpoint(acme)
    assert (await acme.get("/v1/ledger/status")).json()["whole"] is False
