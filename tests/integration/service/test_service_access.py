"""Who may ask for what: every route of every service wants a key, and of its scopes exactly one.

Made from the routes that an application has, so that a new one is asked too.
"""

import re
from uuid import uuid4

from fastapi.routing import iter_route_contexts

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
FOR_EVERY_KEY = {"/v1/me"}
"""What needs a key, and no scope of it."""


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
