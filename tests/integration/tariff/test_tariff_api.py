"""The catalogue by its API: drafts, publishing for good, and which version is in force."""

import asyncio
import json
from uuid import uuid4

import asyncpg
import pytest

import messaging.tables
import serving.keys
import tariff.tables
from contracts.commerce import TariffPublished
from contracts.envelope import read_envelope
from database import ALL_TENANTS, snapshot, transaction
from database.migrations import drift
from messaging import Progress, Publisher, ensure_topics, run_relay

DOCUMENT = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "energy", "id": "energy", "rate": "0.30"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]},
    ],
}
TARIFF = {"code": "home", "name": "Home", "currency": "EUR", "zone": "Europe/Berlin"}
WRONG = {"reason": "a wrong levy"}
REGION = {"code": "DE-BE", "name": "Berlin", "zone": "Europe/Berlin"}


async def created(client, path, body):
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def drafted(client, tariff, effective_from="2025-01-01", **terms):
    path = f"/v1/tariffs/{tariff['id']}/versions"
    body = {"effective_from": effective_from, "document": DOCUMENT} | terms
    return await created(client, path, body)


async def published(client, tariff, *args, **terms):
    version = await drafted(client, tariff, *args, **terms)
    answer = await client.post(path_of(version, "publish"))
    assert answer.status_code == 200, answer.text
    return answer.json()


def path_of(version, step=""):
    path = f"/v1/tariffs/{version['tariff_id']}/versions/{version['number']}"
    return f"{path}/{step}" if step else path


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


async def events(catalogue):
    async with snapshot(catalogue, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch("SELECT key, value FROM outbox ORDER BY seq")
    return [(row["key"], json.loads(row["value"])) for row in rows]


async def test_models_and_migrations_agree(catalogue_url):
    models = [tariff.tables.METADATA, messaging.tables.METADATA, serving.keys.METADATA]
    assert await asyncio.to_thread(drift, catalogue_url, models, package="tariff") == []


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
    assert gone.json()["withdrawn"]["key_id"] == "keyacme0000"
    assert (await acme.post(path_of(draft, "withdraw"), json=WRONG)).json() == gone.json()
    assert problem(await acme.post(path_of(draft, "publish"))) == (409, "version_withdrawn")
    told = await events(catalogue)
    assert [(key, value["status"]) for key, value in told] == [
        (f"acme:{draft['id']}", "published"),
        (f"acme:{draft['id']}", "withdrawn"),
    ]
    why = {"withdrawn_from": "2025-02-01", "withdrawal_reason": WRONG["reason"]}
    assert told[0][1] | {"status": "withdrawn"} | why == told[1][1]
    event = TariffPublished.model_validate(told[0][1])
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
        one = await created(acme, path, body)
        again = await acme.post(path, json=body)
        assert (again.status_code, again.json()) == (200, one)
        assert problem(await acme.post(path, json=body | other)) == (409, code)
    for path, body in (("/v1/tariffs", TARIFF), ("/v1/regions", REGION)):
        assert problem(await acme.post(path, json=body)) == (409, "code_taken")
    nowhere = TARIFF | {"code": "b", "region_id": str(uuid4())}
    assert problem(await acme.post("/v1/tariffs", json=nowhere)) == (422, "unknown_region")


async def test_a_wrong_document_is_told_by_the_paths_of_its_faults(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    wrong = DOCUMENT | {"components": [{"kind": "energy", "id": "a", "rate": "x", "per": "day"}]}
    answer = await acme.post(
        f"/v1/tariffs/{home['id']}/versions",
        json={"effective_from": "2025-01-01", "document": wrong},
    )
    assert problem(answer) == (422, "invalid_tariff")
    assert {fault["path"] for fault in answer.json()["faults"]} == {
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


async def test_lists_come_in_pages_with_filters(clients):
    acme, other = await clients("acme"), await clients("other")
    region = await created(acme, "/v1/regions", REGION)
    tariffs = [
        await created(acme, "/v1/tariffs", TARIFF | {"code": f"t{n}", "region_id": region["id"]})
        for n in range(5)
    ]
    for n in range(5):
        await drafted(acme, tariffs[0], f"2025-0{n + 1}-01")
    await acme.post(f"/v1/tariffs/{tariffs[0]['id']}/versions/2/publish")
    versions = f"/v1/tariffs/{tariffs[0]['id']}/versions"
    for path, key in (("/v1/tariffs", "code"), (versions, "number")):
        seen, cursor = [], None
        while cursor is not None or not seen:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await acme.get(path, params=params)).json()
            seen += [item[key] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == ([f"t{n}" for n in range(5)] if key == "code" else [1, 2, 3, 4, 5])
    found = await acme.get(versions, params={"status": "published"})
    assert [item["number"] for item in found.json()["items"]] == [2]
    found = await acme.get("/v1/tariffs", params={"code": "t3", "region_id": region["id"]})
    assert [item["id"] for item in found.json()["items"]] == [tariffs[3]["id"]]
    forged = await acme.get(versions, params={"cursor": "WyI5OTk5OTk5OTk5OTkiXQ=="})
    assert problem(forged) == (422, "invalid_cursor")
    assert (await other.get("/v1/tariffs")).json()["items"] == []
    assert (await other.get("/v1/regions")).json()["items"] == []
    assert problem(await other.get(versions)) == (404, "tariff_unknown")
    assert problem(await other.get(f"{versions}/2")) == (404, "version_unknown")
    assert problem(await other.post(f"{versions}/1/publish")) == (404, "tariff_unknown")
    own = await created(other, "/v1/tariffs", TARIFF | {"code": "t0"})
    assert own["code"] == "t0"


async def test_changes_name_the_revision_they_were_made_from(clients):
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
        assert now.headers["ETag"] == '"2"'
        assert change.items() <= now.json().items()
    fixed = await acme.patch(
        f"/v1/tariffs/{home['id']}", json={"currency": "USD"}, headers={"If-Match": '"2"'}
    )
    assert problem(fixed) == (422, "invalid_request")
    assert fixed.json()["faults"][0]["path"] == "/currency"


async def test_concurrent_drafts_get_consecutive_numbers(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    drafts = await asyncio.gather(*(drafted(acme, home) for _ in range(12)))
    assert sorted(draft["number"] for draft in drafts) == list(range(1, 13))


async def test_publishing_twice_at_once_tells_once(clients, catalogue):
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
    assert {row["relname"] for row in rows} == set(tariff.tables.METADATA.tables)
    reader = await clients("reader", "tariff:read")
    assert problem(await reader.post("/v1/regions", json=REGION)) == (403, "forbidden")
    assert (await reader.get("/v1/regions")).status_code == 200


async def test_the_relay_publishes_what_was_published(clients, catalogue, kafka_bootstrap):
    from aiokafka import AIOKafkaConsumer

    await ensure_topics(kafka_bootstrap)
    tenant = f"t-{uuid4().hex[:8]}"
    client = await clients(tenant)
    version = await published(client, await created(client, "/v1/tariffs", TARIFF))
    stop = asyncio.Event()
    consumer = AIOKafkaConsumer(
        TariffPublished.TOPIC, bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )
    async with Publisher(kafka_bootstrap, client_id="test") as publisher:
        relay = asyncio.create_task(run_relay(catalogue, publisher, Progress("relay"), stop))
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                async for record in consumer:
                    if record.key == f"{tenant}:{version['id']}".encode():
                        break
        finally:
            await consumer.stop()
            stop.set()
            await relay
    assert read_envelope(record.headers).tenant_id == tenant
    assert TariffPublished.model_validate_json(record.value).document == DOCUMENT
