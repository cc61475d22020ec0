"""Dead letters over HTTP: who sees them, replaying, discarding, their quota and their age."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord

from gridtally.contracts.commerce import CustomerChanged
from gridtally.contracts.envelope import Envelope
from gridtally.database import ALL_TENANTS, Database, snapshot, transaction
from gridtally.http.keys import sha256_hex
from gridtally.ledger.app import SERVICE
from gridtally.messaging import Publisher
from gridtally.messaging.dead_letters import LetterQuota, store_dead_letter
from gridtally.messaging.letter_store import delete_expired
from gridtally.service.service import Process
from integration.apps import app_of

TOPIC = CustomerChanged.TOPIC
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TOKEN = "o" * 32
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def database(service_url):
    async with await Database.connect(await service_url("ledger"), application="test") as opened:
        yield opened


@pytest.fixture
def clients(database, clients_of):
    """The ledger's API, which consumes customers; the operator has a token."""
    settings = SERVICE.settings_class(
        database_url="postgresql://x/x",
        kafka_bootstrap_servers="nowhere:1",
        operator_token_sha256=sha256_hex(TOKEN),
    )
    publisher = Publisher("nowhere:1", client_id="letters", idempotent=True)  # never started
    process = Process("ledger", settings, database, publisher, lambda: NOW, None)
    parts = SERVICE.build(process)
    app = app_of(
        "ledger",
        parts.routers,
        database=database,
        settings=settings,
        clock=lambda: NOW,
        state=parts.state,
    )
    return clients_of(app, database)


def record(offset, value=b"{}", tenant="acme", key=None):
    """A message of customers; of no tenant it has no envelope at all."""
    headers = []
    if tenant is not None:
        envelope = Envelope(uuid4(), TOPIC, "test", NOW, tenant, "c-1")
        headers = envelope.headers()
    return ConsumerRecord(
        topic=TOPIC, partition=0, offset=offset, timestamp=0, timestamp_type=0, key=key,
        value=value, checksum=None, serialized_key_size=0, serialized_value_size=len(value),
        headers=tuple(headers),
    )  # fmt: skip


async def give_up(database, *records, reason="the value is not a customer", quota=None):
    """Make them dead letters, as the ledger's consumer does; whether each was stored."""
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        return [
            await store_dead_letter(
                tx, "ledger", f"ledger.{TOPIC}", message, reason, quota or LetterQuota()
            )
            for message in records
        ]


async def shown(client, path="", **params):
    answer = await client.get(f"/v1/dead-letters{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def offsets(client, **params):
    return [letter["offset"] for letter in (await shown(client, **params))["items"]]


async def test_a_key_sees_its_tenants_letters_and_the_operator_all(database, clients):
    await give_up(database, record(1), record(2, tenant="bolt"), record(3, b"\xff\0", tenant=None))
    acme, bolt = await clients("acme"), await clients("bolt")
    assert await offsets(acme) == [1]
    assert await offsets(bolt) == [2]
    acme.headers.update(OPERATOR)
    assert sorted(await offsets(acme)) == [1, 2, 3]
    (unknown,) = [item for item in (await shown(acme))["items"] if item["offset"] == 3]
    assert unknown["tenant_id"] is None
    whole = await shown(acme, f"/{unknown['id']}")
    assert (whole["value"], whole["value_base64"], whole["headers"]) == ("�\0", "/wA=", [])
    for path in (f"/{unknown['id']}", f"/{uuid4()}"):
        answer = await bolt.get(f"/v1/dead-letters{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "dead_letter_unknown")
    counts = (await shown(acme, "/counts"))["items"]
    assert [(item["tenant_id"], item["open"], item["bytes"]) for item in counts] == [
        ("-", 1, 2), ("acme", 1, 2), ("bolt", 1, 2),
    ]  # fmt: skip
    assert [item["tenant_id"] for item in (await shown(bolt, "/counts"))["items"]] == ["bolt"]


async def test_letters_are_paged_and_filtered(database, clients):
    acme = await clients("acme")
    for offset in range(5):
        await give_up(database, record(offset), reason=f"Reason 100% {offset}")
    first = await shown(acme, limit=2)
    assert [letter["offset"] for letter in first["items"]] == [4, 3]
    assert await offsets(acme, limit=9, cursor=first["next_cursor"]) == [2, 1, 0]
    assert await offsets(acme, reason="reason 100% 3") == [3]
    assert await offsets(acme, reason="100_ 3") == []
    assert await offsets(acme, topic="another.v1") == []
    assert await offsets(acme, status="discarded") == []
    died_at = first["items"][0]["dead_at"]
    assert await offsets(acme, **{"from": died_at}) == [4]
    assert await offsets(acme, to=died_at) == [3, 2, 1, 0]
    assert 4 in await offsets(acme, **{"from": died_at[:10]})
    assert 4 not in await offsets(acme, to=died_at[:10])


async def test_a_replay_is_handled_as_the_consumer_would(database, clients):
    """What could not be stored then can be by now: a defect that was mended."""
    acme, customer_id = await clients("acme"), uuid4()
    event = CustomerChanged(customer_id=customer_id, currency="EUR", version=1)
    message = record(7, event.model_dump_json().encode(), key=f"acme:{customer_id}".encode())
    await give_up(database, message, record(8, b'{"customer_id": 1}'))
    broken, good = (item["id"] for item in (await shown(acme))["items"])

    answer = await acme.post(f"/v1/dead-letters/{good}/replay")
    assert answer.status_code == 200, answer.text
    resolved = answer.json()
    assert (resolved["status"], resolved["replays"], resolved["value"]) == ("replayed", 1, None)
    assert resolved["resolved_by"] == "keyacme0000"
    async with snapshot(database, tenant="acme") as read:
        assert await read.raw.fetchval("SELECT id FROM customer") == customer_id
    again = await acme.post(f"/v1/dead-letters/{good}/replay")
    assert (again.status_code, again.json()["code"]) == (409, "dead_letter_resolved")

    refused = await acme.post(f"/v1/dead-letters/{broken}/replay")
    assert (refused.status_code, refused.json()["code"]) == (409, "still_refused")
    assert "currency" in refused.json()["detail"]
    letter = await shown(acme, f"/{broken}")
    assert (letter["status"], letter["replays"]) == ("open", 1)
    assert "currency" in letter["refused_because"]
    foreign = await (await clients("bolt")).post(f"/v1/dead-letters/{broken}/replay")
    assert foreign.status_code == 404


async def test_a_letter_is_discarded_with_a_reason(database, clients):
    acme = await clients("acme")
    await give_up(database, record(1))
    (letter,) = (await shown(acme))["items"]
    path = f"/v1/dead-letters/{letter['id']}/discard"
    assert (await acme.post(path, json={})).status_code == 422
    foreign = await (await clients("bolt")).post(path, json={"reason": "mine"})
    assert foreign.status_code == 404
    answer = await acme.post(path, json={"reason": "sent by a test"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["discarded_because"] == "sent by a test"
    assert answer.json()["value"] is None
    assert (await acme.post(path, json={"reason": "twice"})).status_code == 409
    replay = await acme.post(path.replace("discard", "replay"))
    assert replay.json()["code"] == "dead_letter_resolved"
    assert await offsets(acme, status="open") == []
    assert (await shown(acme, "/counts"))["items"] == []


@pytest.mark.parametrize("quota", [LetterQuota(letters_max=2), LetterQuota(bytes_max=5)])
async def test_beyond_its_quota_a_tenants_letters_are_counted(database, clients, quota):
    """Of two bytes each, two letters fit. What is resolved makes room again."""
    acme, bolt = await clients("acme"), await clients("bolt")
    stored = await give_up(database, *(record(offset) for offset in range(4)), quota=quota)
    assert stored == [True, True, False, False]
    assert await give_up(
        database, record(9, tenant="bolt"), record(10, tenant=None), quota=quota
    ) == [True, True]
    (counted,) = (await shown(acme, "/counts"))["items"]
    assert (counted["open"], counted["dropped"]) == (2, 2)
    assert (await shown(bolt, "/counts"))["items"][0]["dropped"] == 0
    (newest, _) = (await shown(acme))["items"]
    await acme.post(f"/v1/dead-letters/{newest['id']}/discard", json={"reason": "seen"})
    assert await give_up(database, record(5), quota=quota) == [True]


async def test_old_letters_are_deleted_in_batches_and_counted(database, clients, monkeypatch):
    monkeypatch.setattr("gridtally.messaging.letter_store.EXPIRED_LETTERS_MAX", 2)
    acme = await clients("acme")
    await give_up(database, *(record(offset) for offset in range(3)), record(3, tenant=None))
    (newest, *_) = (await shown(acme))["items"]
    await acme.post(f"/v1/dead-letters/{newest['id']}/discard", json={"reason": "seen"})

    async def sweep(before):
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            return await delete_expired(tx, before)

    assert await sweep(datetime.now(UTC) - timedelta(days=1)) == 0
    later = datetime.now(UTC) + timedelta(days=1)
    assert [await sweep(later) for _ in range(3)] == [2, 2, 0]
    (counted,) = (await shown(acme, "/counts"))["items"]
    assert (counted["open"], counted["expired"]) == (0, 2), "the discarded one was resolved"


async def test_nothing_is_shown_without_a_key(clients):
    acme = await clients("acme", "ledger:read")
    answer = await acme.get("/v1/dead-letters", headers={"Authorization": "Bearer nothing"})
    assert answer.status_code == 401
    refused = await acme.post(f"/v1/dead-letters/{uuid4()}/discard", json={"reason": "x"})
    assert refused.status_code == 403
