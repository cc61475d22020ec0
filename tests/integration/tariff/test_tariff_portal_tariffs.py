"""Portal tariffs by the API: drafted with a report, published, and quoted as the portal says."""

import json
from pathlib import Path
from uuid import uuid4

from integration.tariff.steps import TARIFF, created, path_of, paths, problem

LIB = Path(__file__).parents[3] / "libs" / "portal_tariffs"
BUSINESS = json.loads((LIB / "tests" / "documents" / "business_time_of_use.json").read_text())
MARCH = {"start": "2025-03-01T00:00", "minutes": 60, "values": {"import": ["1"] * 743}}
FLAT = {"components": [{"id": "energy", "unit": "c/kWh", "rate_schedule": [{"value": 31.5}]}]}


async def importing(client, tariff, portal_tariff, **terms):
    body = {"effective_from": "2025-01-01", "portal_tariff": portal_tariff} | terms
    return await client.post(
        f"/v1/tariffs/{tariff['id']}/versions/import",
        content=json.dumps(body),  # in ASCII, so that half a letter arrives
        headers={"Content-Type": "application/json"},
    )


async def test_a_portal_tariff_is_drafted_published_and_billed(clients):
    """183.73 is worked by hand in the tests of the import."""
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    answer = await importing(acme, home, BUSINESS, note="from the portal")
    assert answer.status_code == 201, answer.text
    draft, notes = answer.json()["draft"], answer.json()["notes"]
    assert (draft["status"], draft["number"], draft["note"]) == ("draft", 1, "from the portal")
    at_location = await acme.get(answer.headers["Location"])
    assert (at_location.json(), at_location.headers["ETag"]) == (draft, answer.headers["ETag"])
    assert {note["kind"] for note in notes} == {"convention", "descriptive"}
    assert (await acme.post(path_of(draft, "publish"))).status_code == 200
    quoted = (await acme.post(path_of(draft, "quote"), json={"usage": MARCH})).json()
    (period,) = quoted["periods"]
    assert period["totals"]["total"] == "183.73"
    ids = ["energy-peak", "energy-off-peak", "market-operator", "standing"]
    assert list(dict.fromkeys(line["component_id"] for line in period["lines"])) == ids
    payees = [part.get("payee") for part in draft["document"]["components"]]
    assert payees == [None, None, "Grid Operator", None]


async def test_what_is_not_understood_is_in_the_report(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    answer = await importing(acme, home, FLAT | {"vat": 19, "half": "\ud800"})
    assert answer.json()["notes"] == [
        {"kind": "not_understood", "path": "/vat", "detail": "is no known field: 19"},
        {"kind": "not_understood", "path": "/half", "detail": "is no known field: '?'"},
    ]


async def test_the_same_import_again_drafts_nothing_more(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    id_ = str(uuid4())
    first = await importing(acme, home, FLAT, id=id_)
    again = await importing(acme, home, FLAT, id=id_)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    other = await importing(acme, home, BUSINESS, id=id_)
    assert problem(other) == (409, "version_exists")
    listed = (await acme.get(f"/v1/tariffs/{home['id']}/versions")).json()["items"]
    assert [version["id"] for version in listed] == [id_]


async def test_what_is_refused_names_its_part_and_stores_nothing(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    for portal_tariff, code, path in (
        ({}, "invalid_portal_tariff", "/portal_tariff/components"),
        (
            {"components": [FLAT["components"][0] | {"payee": "a\0b"}], "x": "\ud800"},
            "invalid_portal_tariff",
            "/portal_tariff/components/0/payee",
        ),
        (FLAT | {"currency": "CHF"}, "invalid_portal_tariff", "/portal_tariff/currency"),
        (FLAT | {"zone": "Europe/Paris"}, "invalid_portal_tariff", "/portal_tariff/zone"),
        (
            {"components": [FLAT["components"][0] | {"unit": "c/kW"}, *FLAT["components"]]},
            "incomplete_portal_tariff",
            "/portal_tariff/components/0/unit",
        ),
    ):
        answer = await importing(acme, home, portal_tariff)
        assert problem(answer) == (422, code)
        assert path in paths(answer)
    assert problem(await importing(acme, home, FLAT, effective_to="2024-01-01")) == (
        422, "empty_period",
    )  # fmt: skip
    other = await clients("other")
    assert problem(await importing(other, home, FLAT)) == (404, "tariff_unknown")
    assert (await acme.get(f"/v1/tariffs/{home['id']}/versions")).json()["items"] == []


async def test_charges_are_given_up_where_the_caller_says_so(clients):
    acme = await clients("acme")
    home = await created(acme, "/v1/tariffs", TARIFF)
    demand = {"id": "demand", "unit": "c/kW", "rate_schedule": [{"value": 900}]}
    answer = await importing(
        acme, home, {"components": [*FLAT["components"], demand]}, incomplete=True
    )
    assert answer.status_code == 201, answer.text
    components = answer.json()["draft"]["document"]["components"]
    assert [component["id"] for component in components] == ["energy"]
    assert components[0]["rate"] == "0.315"
    [note] = answer.json()["notes"]
    assert (note["kind"], note["path"]) == ("not_imported", "/components/1/unit")
