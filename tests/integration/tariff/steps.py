"""The steps that the tests of the catalogue share, and the bodies of their requests."""

import json

import problems
from gridtally.database import ALL_TENANTS, snapshot

DOCUMENT = {
    "currency": "EUR",
    "zone": "Europe/Berlin",
    "components": [
        {"kind": "energy", "id": "energy", "rate": "0.30"},
        {"kind": "tax", "id": "vat", "rate": "0.19", "component_ids": ["energy"]},
    ],
}
TARIFF = {"code": "home", "name": "Home", "currency": "EUR", "zone": "Europe/Berlin"}
REGION = {"code": "DE-BE", "name": "Berlin", "zone": "Europe/Berlin"}
CALENDAR = {"code": "berlin", "name": "Berlin"}
SERIES = {
    "code": "spot", "name": "Day ahead", "currency": "EUR", "zone": "Europe/Berlin", "minutes": 60,
}  # fmt: skip
WRONG = {"reason": "a wrong levy"}


async def created(client, path, body):
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    at_location = await client.get(answer.headers["Location"])
    assert at_location.json() == answer.json(), "Location says where the new resource is"
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


async def published_calendar(client, calendar, document):
    versions = f"/v1/calendars/{calendar['id']}/versions"
    draft = await created(client, versions, {"document": document})
    answer = await client.post(f"{versions}/{draft['number']}/publish")
    assert answer.status_code == 200, answer.text
    return answer.json()


def key_of(client):
    """The id of the API key that a client calls with."""
    return client.headers["Authorization"].split("_")[1]


def problem(answer):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def paths(answer):
    return problems.paths(answer.json())


async def walk(client, path, key, limit=2, **params):
    """The field `key` of every item of a list, page after page."""
    seen, cursor = [], ""
    while cursor is not None:
        query = params | {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        seen += [item[key] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
    return seen


async def events(catalogue):
    """The key and value of every event in the outbox, in order."""
    async with snapshot(catalogue, tenant=ALL_TENANTS) as read:
        rows = await read.raw.fetch("SELECT key, value FROM outbox ORDER BY seq")
    return [(row["key"], json.loads(row["value"])) for row in rows]
