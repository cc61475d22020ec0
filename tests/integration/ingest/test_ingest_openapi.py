"""Requests made up from the OpenAPI document, well formed and not: none is answered 5xx.

Schemathesis makes them; every second one is aimed at things that exist, since an unknown id ends
in a 404 before it can do harm.
"""

import asyncio
import socket
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = 12
"""Requests per operation."""
ANSWER_LIMIT_S = 60
OPERATIONS_MIN = 12
METER = UUID(int=7)
MARCH = (date(2025, 3, 1), date(2025, 4, 1))
WINDOW = {"from": "2025-03-01", "to": "2025-03-03", "flow": "import"}


@pytest.fixture
async def served(ingest, clients):
    """Ingest's API on a socket, a key's headers, and the ids of things that exist."""
    acme = await clients("acme")
    listening = socket.create_server(("127.0.0.1", 0))
    app = acme._transport.app
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
    task = asyncio.create_task(server.serve([listening]))
    await ingest.register(METER)
    agreement_id = await ingest.agree(METER, *MARCH)
    begin = datetime(2025, 3, 1, 23, tzinfo=UTC)
    await ingest.deliver(
        ingest.block(METER, begin, [1] * 96),
        ingest.block(METER, begin, [-1]),
        ingest.block(UUID(int=8), begin, [1]),
    )
    await ingest.close()
    [refused] = (await acme.get("/v1/quarantine")).json()["items"]
    known = {
        "meter_id": str(METER), "agreement_id": str(agreement_id), "start_on": "2025-03-01",
        "quarantine_id": refused["id"],
    }  # fmt: skip
    host, port = listening.getsockname()
    yield f"http://{host}:{port}", dict(acme.headers), known
    server.should_exit = True
    await task


def attempt(operation, session, base, known):
    """Make up requests of one operation; the statuses, and what was answered 5xx."""
    statuses, failures = [], []

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
            required = {parameter.name for parameter in operation.query}
            case.query = {name: v for name, v in WINDOW.items() if name in required}
        answer = case.call(base_url=base, session=session, timeout=ANSWER_LIMIT_S)
        statuses.append(answer.status_code)
        if answer.status_code >= 500:
            failures.append(f"{answer.status_code} {case.as_curl_command()[:500]}")

    run()
    return statuses, failures


async def test_no_request_is_answered_with_a_failure_of_ours(served):
    base, headers, known = served

    def run():
        schema = schemathesis.openapi.from_url(f"{base}/openapi.json")
        answered, failures = {}, []
        with requests.Session() as session:
            session.headers["authorization"] = headers["authorization"]
            for result in schema.get_all_operations():
                operation = result.ok()
                if not operation.path.startswith(("/health", "/v1/readings/stream")):
                    statuses, failed = attempt(operation, session, base, known)
                    answered[operation.label] = statuses
                    failures += failed
        return answered, failures

    answered, failures = await asyncio.to_thread(run)
    assert not failures, "\n".join(failures)
    assert len(answered) >= OPERATIONS_MIN
    done = [label for label, statuses in answered.items() if min(statuses) < 300]
    assert {"GET /v1/meters/{meter_id}/series", "POST /v1/readings"} <= set(done), answered
    alive = await asyncio.to_thread(requests.get, f"{base}/health/live", timeout=ANSWER_LIMIT_S)
    assert alive.status_code == 200
