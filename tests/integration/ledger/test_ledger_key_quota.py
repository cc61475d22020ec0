"""A tenant has so many answers to idempotency keys stored, and no more; others are not touched."""

import asyncio

import pytest

from gridtally.database import transaction
from gridtally.http.key_quota import RECOUNT_S, KeyQuota
from gridtally.http.problems import HttpRefusal
from gridtally.ledger.app import ROUTERS, STATE
from gridtally.ledger.settings import Settings
from integration.apps import app_of
from integration.ledger.properties import problem

HOME = {"name": "home", "zone": "Europe/Berlin"}
LONG = HOME | {"name": "n" * 300, "address": "a" * 300}
BYTES_MAX = 3_000


@pytest.fixture
def api(ledger, ledger_url, clients_of):
    """Clients of an API with a quota: `acme = await api(keys_max=3)("acme")`."""

    def of(**quota):
        settings = Settings(
            database_url=ledger_url,
            kafka_bootstrap_servers="unused:1",
            **{f"idempotency_{name}": most for name, most in quota.items()},
        )
        app = app_of("ledger", ROUTERS, database=ledger, settings=settings, state=STATE)
        return clients_of(app, ledger)

    return of


async def make(client, key, home=HOME):
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post("/v1/properties", json=home, headers=headers)


async def test_beyond_its_quota_a_tenants_new_keys_are_refused(api):
    few = api(keys_max=3)
    acme, other = await few("acme"), await few("other")
    made = [await make(acme, key) for key in ("1", "2", "3")]
    assert [answer.status_code for answer in made] == [201] * 3
    refused = await make(acme, "4")
    assert problem(refused) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) > 0
    assert (await make(acme, "1")).content == made[0].content, "what was stored is answered"
    assert (await make(acme, None)).status_code == 201, "without a key nothing is stored"
    assert (await make(other, "4")).status_code == 201
    homes = (await acme.get("/v1/properties")).json()["items"]
    assert len(homes) == 4, "what was refused was not done"


async def test_long_answers_count_by_their_bytes(api):
    acme = await api(key_bytes_max=BYTES_MAX)("acme")
    answers = [await make(acme, str(number), LONG) for number in range(3)]
    stored = [len(answer.content) for answer in answers if answer.status_code == 201]
    assert len(stored) == 2
    assert sum(stored) >= BYTES_MAX > stored[0], "the second went beyond, the third is refused"
    assert problem(answers[2]) == (429, "too_many_requests")


async def test_at_the_same_time_no_more_than_the_quota_are_stored(api):
    acme = await api(keys_max=3)("acme")
    answers = await asyncio.gather(*(make(acme, str(number)) for number in range(12)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 3
    assert set(statuses) == {201, 429}


async def test_what_expired_leaves_room_to_others(ledger):
    now_s = 0.0
    quota = KeyQuota(2, 1_000, clock_s=lambda: now_s)

    async def insert(key):
        async with transaction(ledger, tenant="acme") as tx:
            await quota.take(tx, "acme")
            await tx.raw.execute(
                "INSERT INTO idempotency_key (tenant_id, key, digest, status, headers, body)"
                " VALUES ('acme', $1, '', 201, '{}', '')",
                key,
            )

    await insert("1")
    await insert("2")
    with pytest.raises(HttpRefusal):
        await insert("3")
    async with transaction(ledger, tenant="acme") as tx:
        await tx.raw.execute("DELETE FROM idempotency_key WHERE key = '1'")
    with pytest.raises(HttpRefusal):
        await insert("3")
    now_s = RECOUNT_S
    await insert("3")
    with pytest.raises(HttpRefusal):
        await insert("4")
