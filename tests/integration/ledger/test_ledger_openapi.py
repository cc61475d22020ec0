"""Requests made up from the OpenAPI document, well formed and not: none is answered 5xx.

Schemathesis makes them; every second one is aimed at things that exist, since an unknown id ends
in a 404 before it can do harm.
"""

import asyncio
import socket

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration.ledger.properties import HOME

EXAMPLES = 12
"""Requests per operation."""
ANSWER_LIMIT_S = 60
OPERATIONS_MIN = 40


@pytest.fixture
async def served(clients):
    """The ledger's API on a socket, a key's headers, and the ids of things that exist."""
    acme = await clients("acme")
    listening = socket.create_server(("127.0.0.1", 0))
    app = acme._transport.app
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
    task = asyncio.create_task(server.serve([listening]))
    made = (await acme.post("/v1/properties", json=HOME)).json()
    total = made["meters"][2]["id"]
    body = {"value": "1", "read_at": "2025-03-01T00:00:00Z"}
    reading = (await acme.post(f"/v1/meters/{total}/readings", json=body)).json()
    user = {"name": "Ada", "email": "ada@example.org", "property_id": made["id"]}
    known = {
        "property_id": made["id"], "meter_id": total, "reading_id": reading["id"],
        "user_id": (await acme.post("/v1/users", json=user)).json()["id"],
    }  # fmt: skip
    host, port = listening.getsockname()
    yield f"http://{host}:{port}", dict(acme.headers), known
    server.should_exit = True
    await task


def attempt(operation, session, base, known):
    """Make up requests of one operation; what was answered 5xx."""
    failures = []

    @given(case=operation.as_strategy(), aimed=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def run(case, aimed):
        if aimed and case.path_parameters:
            case.path_parameters = {
                name: known.get(name, value) for name, value in case.path_parameters.items()
            }
        answer = case.call(base_url=base, session=session, timeout=ANSWER_LIMIT_S)
        if answer.status_code >= 500:
            failures.append(f"{answer.status_code} {case.as_curl_command()[:500]}")

    run()
    return failures


async def test_no_request_is_answered_with_a_failure_of_ours(served):
    base, headers, known = served

    def run():
        schema = schemathesis.openapi.from_url(f"{base}/openapi.json")
        count, failures = 0, []
        with requests.Session() as session:
            session.headers["authorization"] = headers["authorization"]
            for result in schema.get_all_operations():
                operation = result.ok()
                if operation.path.startswith("/health"):
                    continue
                count += 1
                failures += attempt(operation, session, base, known)
        return count, failures

    count, failures = await asyncio.to_thread(run)
    assert count >= OPERATIONS_MIN
    assert not failures, "\n".join(failures)
    alive = await asyncio.to_thread(requests.get, f"{base}/health/live", timeout=ANSWER_LIMIT_S)
    assert alive.status_code == 200
