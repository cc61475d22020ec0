"""Who may ask for what: every route of every service wants a key, and of its scopes exactly one.

Made from the routes that an application has, so that a new one is asked too.
"""

import re
from uuid import uuid4

import asyncpg
import pytest
from fastapi.routing import iter_route_contexts

from gridtally.http.keys import sha256_hex

OPEN = {
    "/docs", "/docs/start.js", "/docs/{name}", "/health/live", "/health/ready", "/metrics",
    "/openapi.json", "/problems/{code}",
}  # fmt: skip
"""What answers everybody, whatever the service."""
FOR_READERS = {
    "/v1/agreements/{agreement_id}/preview",
    "/v1/compare",
    "/v1/payment-plans/preview",
    "/v1/quotes",
    "/v1/series/completeness",
    "/v1/series/export",
    "/v1/series/query",
    "/v1/tariffs/{tariff_id}/versions/{number}/quote",
    "/v1/tariffs/{tariff_id}/versions/validate",
}
"""What a POST works out without storing anything."""
FOR_WRITERS = {"/v1/direct-debits/{batch_id}/file"}
"""A GET of what those who only look are not to know: whole account numbers."""
FOR_EVERY_KEY = {"/v1/me"}
"""What needs a key, and no scope of it."""
FLEET_COST = "/v1/fleet/customers/{customer_id}/cost"
FOR_CUSTOMERS = {
    "billing": {
        "GET /v1/agreements",
        "GET /v1/agreements/{agreement_id}",
        "GET /v1/agreements/{agreement_id}/preview",
        "POST /v1/agreements/{agreement_id}/preview",
        "GET /v1/credit-notes",
        "GET /v1/credit-notes/{credit_note_id}",
        "GET /v1/credit-notes/{credit_note_id}/document",
        "GET /v1/customers/{customer_id}",
        "GET /v1/customers/{customer_id}/bills",
        "GET /v1/customers/{customer_id}/calculations",
        "GET /v1/customers/{customer_id}/calculations/{calculation_id}",
        "GET /v1/customers/{customer_id}/offers",
        "GET /v1/customers/{customer_id}/prepayment",
        "GET /v1/customers/{customer_id}/prepayment/days",
        f"GET {FLEET_COST}",
        f"GET {FLEET_COST}/export",
        f"GET {FLEET_COST}/hours-without-tariff",
        "GET /v1/invoice-documents",
        "GET /v1/invoices",
        "GET /v1/invoices/{invoice_id}",
        "GET /v1/invoices/{invoice_id}/document",
        "GET /v1/invoices/{invoice_id}/evidence",
        "GET /v1/invoices/{invoice_id}/explanation",
        "GET /v1/invoices/{invoice_id}/proof",
        "GET /v1/invoices/{invoice_id}/recalculation",
        "GET /v1/seller",
        "POST /v1/bills/calculate-and-store",
    },
    "ledger": {
        "GET /v1/budget-plans",
        "GET /v1/budget-plans/{budget_plan_id}",
        "GET /v1/customers/{customer_id}/balance",
        "GET /v1/customers/{customer_id}/registers",
        "GET /v1/customers/{customer_id}/statement",
        "GET /v1/dunning-notices",
        "GET /v1/dunning-notices/{notice_id}",
        "GET /v1/dunning-notices/{notice_id}/document",
        "GET /v1/invoices",
        "GET /v1/invoices/{invoice_id}",
        "GET /v1/payment-plans",
        "GET /v1/payment-plans/{plan_id}",
        "POST /v1/customers/{customer_id}/readings",
    },
}
"""Where callers who are bound to a customer are let in; services have tests of what they see."""


def routes(app):
    """Method, template and an address, of no resource, of every route but the open ones."""
    for route in iter_route_contexts(app.routes):
        if route.path not in OPEN and route.methods:  # a WebSocket has none, and tests of its own
            address = re.sub(r"{\w+_on}", "2025-01-01", route.path)
            address = re.sub(r"{(\w+_id)}", lambda _: str(uuid4()), address)
            for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
                yield method, route.path, re.sub(r"{\w+}", "1", address)


async def test_every_route_wants_a_key_with_its_scope(app, clients_of):
    clients = clients_of(app, app.state.database)
    reader = await clients("north", f"{app.title}:read")
    writer = await clients("north", f"{app.title}:write")
    foreign = await clients("north", "other:read", "other:write")
    asked = list(routes(app))
    wrong = []
    for method, template, address in asked:
        reads = method == "GET" or template in FOR_READERS
        reads = reads and template not in FOR_WRITERS
        for client, header, expected in (
            (reader, {"Authorization": ""}, {401}),
            (reader, {"Authorization": f"Bearer gt_keyunknown1_{'s' * 43}"}, {401}),
            (foreign, {}, {403}),
            (writer if reads else reader, {}, {403}),
            (reader if reads else writer, {}, set()),
        ):
            # No key is an operator's: without a token of its own a service says so, to everybody.
            due = {403} if template.startswith("/v1/keys") else expected
            due = due - {403} if template in FOR_EVERY_KEY else due
            asked_for = header | {"Last-Event-ID": "none"}  # refused, so that no stream begins
            answer = await client.request(method, address, headers=asked_for)
            is_right = answer.status_code in due if due else answer.status_code not in (401, 403)
            if not is_right or answer.status_code >= 500:
                wrong.append((method, template, header, answer.status_code))
    assert wrong == []
    assert len(asked) > 10


async def test_who_is_bound_to_a_customer_is_let_in_where_a_route_says_so(app, clients_of):
    client = await clients_of(app, app.state.database)("north")
    bound = {"Gridtally-Customer": str(uuid4()), "Last-Event-ID": "none"}
    let_in = set()
    for method, template, address in routes(app):
        answer = await client.request(method, address, headers=bound)
        if template.startswith("/v1/keys"):
            continue  # the operator's
        if answer.status_code != 403 or answer.json()["code"] != "customer_bound":
            assert answer.status_code in (200, 404, 422), (method, template, answer.text)
            let_in.add(f"{method} {template}")
    assert let_in == FOR_CUSTOMERS.get(app.title, set()) | {"GET /v1/me"}
    document = app.openapi()["paths"]
    marked = {
        f"{method.upper()} {path}"
        for path, item in document.items()
        for method, operation in item.items()
        if operation.get("x-open-to-customers")
    }
    assert marked == let_in


async def test_the_header_names_one_customer_and_me_says_which(app, clients_of):
    client = await clients_of(app, app.state.database)("north")
    customer_id = str(uuid4())
    for named in (customer_id, customer_id.upper()):
        answer = await client.get("/v1/me", headers={"Gridtally-Customer": named})
        assert answer.json()["customer_id"] == customer_id
    assert (await client.get("/v1/me")).json()["customer_id"] is None
    twice = [("Gridtally-Customer", customer_id)] * 2
    for wrong in ({"Gridtally-Customer": "ada"}, {"Gridtally-Customer": ""}, twice):
        answer = await client.get("/v1/me", headers=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        (fault,) = answer.json()["errors"]
        assert fault["parameter"] == "header/Gridtally-Customer"


async def test_a_key_may_be_bound_itself_and_its_header_names_nobody_else(app, clients_of):
    client = await clients_of(app, app.state.database)("north")
    app.state.operator_token_sha256 = sha256_hex("operator")
    own, other = str(uuid4()), str(uuid4())
    operator = {"Authorization": "Bearer operator"}
    new = {
        "tenant_id": "north",
        "key_id": "boundkey1",
        "secret_sha256": sha256_hex("s" * 43),
        "scopes": [f"{app.title}:read"],
        "name": "portal",
        "customer_id": own,
    }
    made = await client.post("/v1/keys", json=new, headers=operator)
    assert (made.status_code, made.json()["customer_id"]) == (201, own)
    assert (await client.post("/v1/keys", json=new, headers=operator)).status_code == 200
    for changed in (other, None):
        again = await client.post("/v1/keys", json=new | {"customer_id": changed}, headers=operator)
        assert (again.status_code, again.json()["code"]) == (409, "key_exists")
    listed = (await client.get("/v1/keys", headers=operator)).json()["items"]
    assert {key["key_id"]: key["customer_id"] for key in listed}["boundkey1"] == own
    shown = {"Authorization": f"Bearer gt_boundkey1_{'s' * 43}"}
    for more in ({}, {"Gridtally-Customer": own}):
        answer = await client.get("/v1/me", headers=shown | more)
        assert answer.json()["customer_id"] == own
    answer = await client.get("/v1/me", headers=shown | {"Gridtally-Customer": other})
    assert (answer.status_code, answer.json()["code"]) == (403, "customer_bound")
    method, address = next(
        (method, address)
        for method, template, address in routes(app)
        if method != "GET" and not template.startswith("/v1/keys")
    )
    answer = await client.request(method, address, headers=shown)
    assert (answer.status_code, answer.json()["code"]) == (403, "customer_bound")


@pytest.mark.parametrize("service", ["ingest", "simulation", "tariff"])
async def test_a_service_that_opens_nothing_shows_a_bound_session_no_row(service, service_url):
    connection = await asyncpg.connect(await service_url(service))
    try:
        policies = await connection.fetch(POLICIES)
    finally:
        await connection.close()
    assert len(policies) > 3
    assert [row["name"] for row in policies if "gridtally.customer" not in row["shown"]] == []
    assert {row["polname"] for row in policies} == {"tenant"}


POLICIES = """
SELECT polrelid::regclass::text AS name, polname, pg_get_expr(polqual, polrelid) AS shown
  FROM pg_policy
"""
