"""The catalogue by its API: drafts, publishing for good, and which version is in force."""

import asyncio
import json
from uuid import uuid4

import asyncpg
import pytest

import gridtally.http.keys
import gridtally.messaging.tables
import gridtally.tariff.tables
from gridtally.contracts.catalogue import CalendarPublished, PricesPublished
from gridtally.contracts.commerce import TariffPublished
from gridtally.contracts.envelope import read_envelope
from gridtally.database import ALL_TENANTS, snapshot, transaction
from gridtally.database.migrations import drift
from gridtally.messaging import Progress, ensure_topics, run_relay
from integration.tariff.steps import (
    CALENDAR,
    DOCUMENT,
    REGION,
    SERIES,
    TARIFF,
    WRONG,
    created,
    drafted,
    events,
    key_of,
    path_of,
    problem,
    published,
    published_calendar,
)
from problems import paths


async def test_models_and_migrations_agree(catalogue_url):
    models = [
        gridtally.tariff.tables.METADATA,
        gridtally.messaging.tables.METADATA,
        gridtally.http.keys.METADATA,
    ]
    assert await asyncio.to_thread(drift, catalogue_url, models, package="gridtally.tariff") == []


async def test_from_draft_to_published_to_withdrawn(clients, catalogue):
    acme = await clients("acme")
    region = await created(acme, "/v1/regions", REGION)
    home = await created(acme, "/v1/tariffs", TARIFF | {"region_id": region["id"]})
    draft = await drafted(acme, home)
    assert (draft["number"], draft["status"]) == (1, "draft")
    assert await events(catalogue) == []
    cheaper = json.loads(json.dumps(DOCUMENT).replace("0.30", "0.25"))
    terms = {"effective_from": "2025-02-01", "document": cheaper}
    assert problem(await acme.put(path_of(draft), json=terms))[0] == 428
    changed = await acme.put(path_of(draft), json=terms, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["document"]) == (200, cheaper), changed.text
    stale = await acme.post(path_of(draft, "publish"), headers={"If-Match": '"1"'})
    assert problem(stale) == (412, "version_moved")
    first = await acme.post(path_of(draft, "publish"), headers={"If-Match": '"2"'})
    assert (first.json()["status"], first.headers["ETag"]) == ("published", '"3"')
    assert (await acme.post(path_of(draft, "publish"))).json() == first.json()
    late = await acme.put(path_of(draft), json=terms, headers={"If-Match": "*"})
    assert problem(late) == (409, "version_immutable")
    assert problem(await acme.post(path_of(draft, "withdraw"), json={}))[0] == 422
    gone = await acme.post(path_of(draft, "withdraw"), json=WRONG)
    assert gone.json()["status"] == "withdrawn"
    assert gone.json()["withdrawal"] == WRONG | {"from_on": "2025-02-01"}
    assert gone.json()["withdrawn"]["key_id"] == key_of(acme)
    assert (await acme.post(path_of(draft, "withdraw"), json=WRONG)).json() == gone.json()
    assert problem(await acme.post(path_of(draft, "publish"))) == (409, "version_withdrawn")
    emitted = await events(catalogue)
    assert [(key, value["status"]) for key, value in emitted] == [
        (f"acme:{draft['id']}", "published"),
        (f"acme:{draft['id']}", "withdrawn"),
    ]
    withdrawal = {"withdrawn_from": "2025-02-01", "withdrawal_reason": WRONG["reason"]}
    assert emitted[0][1] | {"status": "withdrawn"} | withdrawal == emitted[1][1]
    event = TariffPublished.model_validate(emitted[0][1])
    assert (str(event.tariff_id), event.code, str(event.region_id), event.document) == (
        home["id"], "home", region["id"], cheaper,
    )  # fmt: skip


async def test_creating_is_idempotent_by_the_callers_id(clients):
    acme = await clients("acme")
    ids = [str(uuid4()) for _ in range(3)]
    home = TARIFF | {"id": ids[0]}
    versions = f"/v1/tariffs/{ids[0]}/versions"
    draft = {"id": ids[1], "effective_from": "2025-01-01", "document": DOCUMENT}
    cases = [
        ("/v1/tariffs", home, {"name": "Other"}, "tariff_exists"),
        (versions, draft, {"effective_from": "2025-01-02"}, "version_exists"),
        ("/v1/regions", REGION | {"id": ids[2]}, {"name": "Other"}, "region_exists"),
    ]
    for path, body, other, code in cases:
        first = await created(acme, path, body)
        again = await acme.post(path, json=body)
        assert (again.status_code, again.json()) == (200, first)
        assert problem(await acme.post(path, json=body | other)) == (409, code)
    for path, body in (("/v1/tariffs", TARIFF), ("/v1/regions", REGION)):
        assert problem(await acme.post(path, json=body)) == (409, "code_taken")
    nowhere = TARIFF | {"code": "b", "region_id": str(uuid4())}
    assert problem(await acme.post("/v1/tariffs", json=nowhere)) == (422, "unknown_region")


async def test_a_wrong_document_is_reported_by_the_paths_of_its_faults(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    wrong = DOCUMENT | {"components": [{"kind": "energy", "id": "a", "rate": "x", "per": "day"}]}
    answer = await acme.post(
        f"/v1/tariffs/{home['id']}/versions",
        json={"effective_from": "2025-01-01", "document": wrong},
    )
    assert problem(answer) == (422, "invalid_tariff")
    assert set(paths(answer.json())) == {
        "/document/components/0/rate", "/document/components/0/per",
    }  # fmt: skip
    hidden = json.loads(json.dumps(DOCUMENT))
    hidden["components"][0]["payee"] = "a\x00b"
    answer = await acme.post(
        f"/v1/tariffs/{home['id']}/versions",
        json={"effective_from": "2025-01-01", "document": hidden},
    )
    assert answer.status_code == 422, answer.text


# on -> number of the version in force; see `test_which_version_is_in_force`
IN_FORCE = {
    "2024-12-31": None,
    "2025-01-01": 1,
    "2025-02-28": 1,
    "2025-03-01": 3,  # began later than 1; 2 is withdrawn
    "2025-03-31": 3,
    "2025-04-01": 1,  # 3 has ended, 1 has no end
    "2025-05-01": 5,  # began on the same date as 4; the higher number
    "2026-01-01": 6,
    "2027-01-01": 5,
}


async def test_which_version_is_in_force(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    await published(acme, home, "2025-01-01")
    withdrawn = await published(acme, home, "2025-03-01")
    await published(acme, home, "2025-03-01", effective_to="2025-04-01")
    await published(acme, home, "2025-05-01")
    await published(acme, home, "2025-05-01")
    await published(acme, home, "2026-01-01", effective_to="2026-06-01")
    await drafted(acme, home, "2025-02-01")
    await acme.post(path_of(withdrawn, "withdraw"), json=WRONG)
    for on, number in IN_FORCE.items():
        answer = await acme.get(f"/v1/tariffs/{home['id']}/versions/in-force", params={"on": on})
        assert answer.json().get("number") == number, on
        assert answer.status_code == (200 if number else 404)


async def test_changes_name_the_version_they_were_made_from(clients):
    acme = await clients("acme")
    region = await created(acme, "/v1/regions", REGION)
    home = await created(acme, "/v1/tariffs", TARIFF)
    for path, change in (
        (f"/v1/regions/{region['id']}", {"zone": "Europe/Vienna"}),
        (f"/v1/tariffs/{home['id']}", {"region_id": region["id"]}),
    ):
        assert problem(await acme.patch(path, json=change)) == (428, "version_required")
        answers = await asyncio.gather(
            *(acme.patch(path, json=change | {"name": f"{n}"}, headers={"If-Match": '"1"'})
              for n in range(4))
        )  # fmt: skip
        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        now = await acme.get(path)
        assert (now.headers["ETag"], now.json()["version"]) == ('"2"', 2)
        assert change.items() <= now.json().items()
    fixed = await acme.patch(
        f"/v1/tariffs/{home['id']}", json={"currency": "USD"}, headers={"If-Match": '"2"'}
    )
    assert problem(fixed) == (422, "invalid_request")
    assert paths(fixed.json())[0] == "/currency"


async def test_concurrent_drafts_get_consecutive_numbers(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    drafts = await asyncio.gather(*(drafted(acme, home) for _ in range(12)))
    assert sorted(draft["number"] for draft in drafts) == list(range(1, 13))


async def test_publishing_twice_at_once_emits_once(clients, catalogue):
    acme = await clients("acme")
    draft = await drafted(acme, await created(acme, "/v1/tariffs", TARIFF))
    answers = await asyncio.gather(*(acme.post(path_of(draft, "publish")) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await events(catalogue)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tariff_version SET document = '{}' WHERE status = 'published'",
        "UPDATE tariff_version SET effective_to = '2030-01-01' WHERE status = 'published'",
        "UPDATE tariff_version SET status = 'draft' WHERE status = 'published'",
        "UPDATE tariff_version SET status = 'published' WHERE status = 'withdrawn'",
        "UPDATE tariff_version SET status = 'withdrawn' WHERE status = 'draft'",
        "UPDATE tariff_version SET number = 9 WHERE status = 'draft'",
        "UPDATE tariff_version SET published_by = 'me' WHERE status = 'published'",
        "UPDATE tariff_version SET withdrawn_from = '2031-01-01' WHERE status = 'withdrawn'",
        "DELETE FROM tariff_version WHERE status = 'published'",
        "TRUNCATE tariff_version",
    ],
)
async def test_the_database_keeps_versions_as_they_are(clients, catalogue, statement):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    await drafted(acme, home)
    await published(acme, home)
    await acme.post(path_of(await published(acme, home), "withdraw"), json=WRONG)
    with pytest.raises(asyncpg.RestrictViolationError, match="kept as it is"):
        async with transaction(catalogue, tenant=ALL_TENANTS) as tx:
            await tx.raw.execute(statement)


async def test_every_table_isolates_tenants_and_scopes_are_asked_for(clients, catalogue):
    async with snapshot(catalogue, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
        )
    assert {row["relname"] for row in rows} == {
        *gridtally.tariff.tables.METADATA.tables,
        *("dead_letter", "dead_letter_count"),
    }
    reader = await clients("reader", "tariff:read")
    assert problem(await reader.post("/v1/regions", json=REGION)) == (403, "forbidden")
    assert (await reader.get("/v1/regions")).status_code == 200


async def test_the_relay_publishes_what_was_published(
    clients, catalogue, kafka_bootstrap, publishing
):
    from aiokafka import AIOKafkaConsumer

    await ensure_topics(kafka_bootstrap)
    tenant = f"t-{uuid4().hex[:8]}"
    client = await clients(tenant)
    calendar = await created(client, "/v1/calendars", CALENDAR)
    await published_calendar(client, calendar, {})
    named = DOCUMENT | {"calendar_id": calendar["id"]}
    home = await created(client, "/v1/tariffs", TARIFF)
    version = await published(client, home, document=named)
    series = await created(client, "/v1/price-series", SERIES)
    prices = {"items": [{"start": "2025-01-01T00:00", "price": "-0.01"}]}
    await client.post(f"/v1/price-series/{series['id']}/prices", json=prices)
    awaited = {
        f"{tenant}:{version['id']}": TariffPublished,
        f"{tenant}:{calendar['id']}": CalendarPublished,
        f"{tenant}:{series['id']}:2025-01-01": PricesPublished,
    }
    stop = asyncio.Event()
    consumer = AIOKafkaConsumer(
        *(event.TOPIC for event in awaited.values()),
        bootstrap_servers=kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    seen = {}
    async with publishing() as publisher:
        relay = asyncio.create_task(run_relay(catalogue, publisher, Progress("relay"), stop))
        await consumer.start()
        try:
            async with asyncio.timeout(120):
                while set(seen) != set(awaited):
                    record = await consumer.getone()
                    if record.key.decode() in awaited:
                        seen[record.key.decode()] = record
        finally:
            await consumer.stop()
            stop.set()
            await relay
    for key, event in awaited.items():
        envelope = read_envelope(seen[key].headers)
        assert (envelope.tenant_id, envelope.source) == (tenant, "gridtally/tariff")
        assert seen[key].topic == event.TOPIC
        event.model_validate_json(seen[key].value)
    event = TariffPublished.model_validate_json(seen[f"{tenant}:{version['id']}"].value)
    assert event.document == DOCUMENT | {"calendar": {}}
