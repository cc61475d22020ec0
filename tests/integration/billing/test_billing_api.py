"""Billing over HTTP: customers, agreements, and reading what was issued."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from gridtally.kernel.periods import month_of
from problems import paths


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant)


async def customer(api, **changes):
    answer = await api.post("/v1/customers", json={"name": "Ada", "currency": "EUR"} | changes)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/customers/{answer.json()['id']}"
    return answer.json()


def agreement(customer_id, **changes):
    return {
        "customer_id": customer_id,
        "meter_id": str(uuid4()),
        "tariff_id": str(uuid4()),
        "start_on": "2025-01-01",
    } | changes


async def test_customers_are_made_once_and_listed_by_name(api, clients):
    made = await customer(api, name="Bob", email="bob@example.org")
    await customer(api, name="Ada")
    sent = {name: made[name] for name in ("id", "name", "currency", "email")}
    again = await api.post("/v1/customers", json=sent)
    assert (again.status_code, again.json()) == (200, made)
    other = await api.post("/v1/customers", json=sent | {"name": "Eve"})
    assert (other.status_code, other.json()["code"]) == (409, "customer_exists")
    first = (await api.get("/v1/customers", params={"limit": 1})).json()
    assert [item["name"] for item in first["items"]] == ["Ada"]
    second = await api.get("/v1/customers", params={"cursor": first["next_cursor"]})
    assert [item["name"] for item in second.json()["items"]] == ["Bob"]
    assert (await api.get(f"/v1/customers/{made['id']}")).json() == made
    another = await clients("another")
    assert (await another.get(f"/v1/customers/{made['id']}")).status_code == 404
    assert (await another.get("/v1/customers")).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"currency": "euro"}, "/currency"),
        ({"name": ""}, "/name"),
        ({"email": "nobody"}, "/email"),
        ({"colour": "red"}, "/colour"),
        ({"language": "german"}, "/language"),
        ({"payment_days": -1}, "/payment_days"),
        ({"billing_address": {"city": "Bonn", "country": "DE"}}, "/billing_address/street"),
        ({"contacts": [{"name": "Bo", "age": 7}]}, "/contacts/0/age"),
    ],
)
async def test_a_customer_must_be_well_formed(api, change, path):
    answer = await api.post("/v1/customers", json={"name": "Ada", "currency": "EUR"} | change)
    assert answer.status_code == 422
    assert paths(answer.json()) == [path]


async def test_batches_are_made_whole_or_not_at_all(api):
    items = [{"id": str(uuid4()), "name": f"c{n}", "currency": "EUR"} for n in range(1000)]
    made = await api.post("/v1/customers/batch", json={"items": items})
    assert (made.status_code, len(made.json()["items"])) == (201, 1000)
    assert (await api.post("/v1/customers/batch", json={"items": items})).status_code == 200
    fresh = {"id": str(uuid4()), "name": "x", "currency": "EUR"}
    clash = await api.post("/v1/customers/batch", json={"items": [fresh, items[0] | {"name": "y"}]})
    assert clash.status_code == 409
    assert paths(clash.json()) == ["/items/1/id"]
    assert (await api.get(f"/v1/customers/{fresh['id']}")).status_code == 404

    agreements = [agreement(item["id"]) for item in items]
    answer = await api.post("/v1/agreements/batch", json={"items": agreements})
    assert (answer.status_code, len(answer.json()["items"])) == (201, 1000)
    overlap = [agreement(items[0]["id"]), agreements[0]]
    answer = await api.post("/v1/agreements/batch", json={"items": overlap})
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement_overlap")
    unknown = [agreement(items[0]["id"]), agreement(str(uuid4()))]
    answer = await api.post("/v1/agreements/batch", json={"items": unknown})
    assert answer.json()["code"] == "customer_missing"
    assert paths(answer.json()) == ["/items/1/customer_id"]
    answer = await api.post("/v1/agreements", json=unknown[1])
    assert paths(answer.json()) == ["/customer_id"]


async def test_each_version_of_an_agreement_is_published(api, world):
    payer = await customer(api)
    made = await api.post("/v1/agreements", json=agreement(payer["id"], closing="bill_present"))
    assert made.headers["Location"] == f"/v1/agreements/{made.json()['id']}"
    path = f"/v1/agreements/{made.json()['id']}"
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert (await api.patch(path, json={"end_on": "2025-06-01"})).status_code == 428
    ended = await api.patch(path, json={"end_on": "2025-06-01"}, headers={"If-Match": '"1"'})
    assert (ended.status_code, ended.headers["etag"]) == (200, '"2"')
    assert ended.json() == made.json() | {"end_on": "2025-06-01", "version": 2}
    stale = await api.patch(path, json={"grace_hours": 1}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    same = await api.patch(path, json={"end_on": "2025-06-01"}, headers={"If-Match": '"2"'})
    assert same.headers["etag"] == '"2"'
    opened = await api.patch(path, json={"end_on": None}, headers={"If-Match": '"2"'})
    assert opened.json()["end_on"] is None
    early = await api.patch(path, json={"end_on": "2024-06-01"}, headers={"If-Match": '"3"'})
    assert early.json()["code"] == "invalid_agreement"
    versions = await world.rows(
        "SELECT convert_from(value, 'utf8')::json ->> 'version' AS version FROM outbox "
        "WHERE topic = 'agreement.changed.v1' AND tenant_id = $1 ORDER BY seq",
        world.tenant,
        tenant="*",
    )
    assert [row["version"] for row in versions] == ["1", "2", "3"]


OVERLAPS = [
    # the first agreement's days, the second's, whether both can be
    (("2025-01-01", None), ("2025-06-01", None), False),
    (("2025-01-01", None), ("2024-01-01", "2025-01-01"), True),
    (("2025-01-01", "2025-06-01"), ("2025-06-01", None), True),
    (("2025-01-01", "2025-06-01"), ("2025-05-31", "2025-06-02"), False),
    (("2025-01-01", "2025-06-01"), ("2025-02-01", "2025-03-01"), False),
]


@pytest.mark.parametrize(("first", "second", "fits"), OVERLAPS)
async def test_a_meter_has_one_agreement_at_a_time(api, clients, first, second, fits):
    meter_id = str(uuid4())

    async def make(client, days):
        payer = await customer(client)
        start_on, end_on = days
        body = agreement(payer["id"], meter_id=meter_id, start_on=start_on, end_on=end_on)
        return await client.post("/v1/agreements", json=body)

    assert (await make(api, first)).status_code == 201
    answer = await make(api, second)
    assert answer.status_code == (201 if fits else 409)
    another = await clients("another")  # whose meter ids are its own affair
    assert (await make(another, second)).status_code == 201


async def test_an_agreement_cannot_end_before_what_is_invoiced(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    path, seen = f"/v1/agreements/{home.id}", {"If-Match": '"1"'}
    early = await api.patch(path, json={"end_on": "2025-03-31"}, headers=seen)
    assert (early.status_code, early.json()["code"]) == (409, "already_invoiced")
    assert (await api.patch(path, json={"end_on": "2025-04-01"}, headers=seen)).status_code == 200


async def test_an_invoice_is_shown_with_all_that_belongs_to_it(api, world, make):
    home = await world.home()
    await world.close(make.closed(home))
    await world.close(make.closed(home, revision=2, wh=90), now=make.NOW + timedelta(hours=1))
    new, old = (await api.get("/v1/invoices")).json()["items"]
    assert (new["state"], old["state"]) == ("issued", "void")
    detail = (await api.get(f"/v1/invoices/{old['id']}")).json()
    assert old.items() <= detail.items()
    assert [line["component_id"] for line in detail["lines"]] == ["base", "energy", "vat"]
    assert detail["lines"][1]["amount"] == "89.16"
    assert detail["credit_note"]["number"] == "CN-2025-000001"
    assert [revision["state"] for revision in detail["revisions"]] == ["void", "issued"]
    assert detail["evidence"]["connected_kw"] == "15"
    evidence = (await api.get(f"/v1/invoices/{new['id']}/evidence")).json()
    (series,) = evidence["series"]
    assert set(series["values"]) == {90}
    assert set(series["quality"]) == {"A"}
    (note,) = (await api.get("/v1/credit-notes")).json()["items"]
    assert note["invoice_id"] == old["id"]
    assert (await api.get(f"/v1/invoices/{uuid4()}")).status_code == 404


async def test_invoices_are_found_by_each_filter_and_page_by_page(api, world, make):
    homes = [await world.home() for _ in range(3)]
    april = month_of(date(2025, 4, 1))
    await world.close(*map(make.closed, homes))
    await world.close(*(make.closed(home, period=april) for home in homes))
    await world.close(make.closed(homes[0], revision=2))

    async def listed(**filters):
        return (await api.get("/v1/invoices", params=filters)).json()["items"]

    mine = homes[1]
    cases = [
        ({}, 7),
        ({"customer_id": str(mine.customer_id)}, 2),
        ({"agreement_id": str(mine.id)}, 2),
        ({"meter_id": str(mine.meter_id), "from": "2025-04-01"}, 1),
        ({"from": "2025-04-01", "to": "2025-05-01"}, 3),
        ({"to": "2025-04-01"}, 4),
        ({"state": "void"}, 1),
        ({"state": "issued", "to": "2025-04-01"}, 3),
        ({"number": "INV-2025-000004"}, 1),
        ({"number": "nothing"}, 0),
    ]
    for filters, count in cases:
        invoices = await listed(**filters)
        assert len(invoices) == count, filters
        for name in filters.keys() - {"from", "to"}:
            assert {invoice[name] for invoice in invoices} <= {filters[name]}
    paged, cursor = [], None
    while cursor is not None or not paged:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/v1/invoices", params=params)).json()
        paged += [invoice["number"] for invoice in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(paged) == [f"INV-2025-{n:06d}" for n in range(1, 8)]


async def test_held_periods_state_what_they_wait_for(api, world, make):
    home = await world.agree(tariff_id=uuid4())
    await world.register(make.registered(home.meter_id))
    await world.close(make.closed(home))
    (held,) = (await api.get("/v1/held-invoices")).json()["items"]
    assert (held["agreement_id"], held["reason"]) == (str(home.id), "tariff_missing")


async def test_the_reconciliation_agrees_and_names_a_breach(api, world, make):
    homes = [await world.home() for _ in range(2)]
    lost = await world.agree(tariff_id=uuid4())
    await world.close(*map(make.closed, [*homes, lost]))
    await world.close(make.closed(homes[0], revision=2, wh=50))
    report = (await api.get("/v1/reconciliation")).json()
    assert (report["ok"], report["breaches"]) == (True, [])
    assert (report["periods"], report["invoiced"], report["held"]) == (3, 2, 1)
    (euros,) = report["currencies"]
    assert (euros["invoices"], euros["credit_notes"], euros["live"]) == (3, 1, 2)
    assert [(count["series"], count["issued"]) for count in report["series"]] == [
        ("CN-2025", 1),
        ("INV-2025", 3),
    ]
    await world.execute("UPDATE number_series SET issued = 9 WHERE series = 'INV-2025'")
    await world.execute("DELETE FROM held_period")
    await world.execute("ALTER TABLE invoice_line DISABLE TRIGGER ALL")
    await world.execute("GRANT UPDATE ON invoice_line TO current_user")
    await world.execute("UPDATE invoice_line SET amount = amount + 1 WHERE position = 1")
    report = (await api.get("/v1/reconciliation")).json()
    assert not report["ok"]
    assert report["breaches"] == [
        "EUR: the lines do not add up to the invoices",
        "INV-2025: 9 numbers, 3 documents in order",
        "1 periods wait, but 0 are held",
    ]


SCOPES = [
    ("GET", "/v1/invoices", "billing:write"),
    ("GET", "/v1/agreements", "billing:write"),
    ("POST", "/v1/customers", "billing:read"),
    ("POST", "/v1/agreements/batch", "billing:read"),
]


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES)
async def test_a_key_may_do_only_what_its_scopes_say(clients, world, method, path, scope):
    api = await clients(world.tenant, scope)
    assert (await api.request(method, path, json={})).status_code == 403


async def test_the_window_of_daily_costs_is_bounded(api):
    path = f"/v1/meters/{uuid4()}/daily-costs"
    fine = await api.get(path, params={"from": "2025-01-01", "to": "2026-01-01"})
    assert (fine.status_code, fine.json()) == (200, {"items": []})
    for start_on, end_on in (("2025-01-01", "2025-01-01"), ("2024-01-01", "2025-01-02")):
        answer = await api.get(path, params={"from": start_on, "to": end_on})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_window")
