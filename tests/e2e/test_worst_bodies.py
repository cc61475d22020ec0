"""The worst bodies on every route that takes one, a hundred at once on one of them: the services
hold little more memory than before, answer each, and go on answering others.

The routes are those of the OpenAPI documents, so that a new one is met by itself.
"""

import asyncio
import gzip
import json
import time
from pathlib import Path

import httpx
import pytest

from e2e.installation import empty_gridtally
from e2e.processes import process_of
from gridtally.contracts.topics import SERVICES
from gridtally.http.body_work import NAMES_MAX, OBJECTS_MAX

ROOT = Path(__file__).parents[2]
AT_ONCE = 100
REST = 2
"""Of each body on a service's other routes: what bounds them is the same for all."""
ANY_ID = "0190d9c0-0000-7000-8000-000000000000"
MORE_MEMORY_MAX_KB = 100 * 1024
"""Of a process, for whichever bodies; before, one of these took 350 MB, and a hundred 10 GB."""
HEALTH_LIMIT_S = 10.0
PROBE_EVERY_S = 0.1
LIMIT_S = 240.0
REFUSED = {400, 401, 404, 409, 413, 415, 422, 428, 429, 503}


def bodies():
    """By what they hold, compressed: beyond the bounds, and just within them."""
    yield b'{"items":[' + b"{}," * 5_000_000 + b"{}]}"
    yield b"{" + b",".join(b'"f%d":1' % n for n in range(1_200_000)) + b"}"
    yield b"{" + b",".join(b'"f%d":1' % n for n in range(NAMES_MAX - 1)) + b"}"
    yield b"[" + b"{}," * (OBJECTS_MAX - 2) + b"{}]"
    yield b'{"items":[' + b"{}," * (OBJECTS_MAX - 3) + b"{}]}"


WORST = [gzip.compress(body) for body in bodies()]


def routes(service):
    document = json.loads((ROOT / f"docs/openapi/{service}.json").read_text())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if isinstance(operation, dict) and "requestBody" in operation:
                parts = [ANY_ID if "{" in part else part for part in path.split("/")]
                yield method.upper(), "/".join(parts)


@pytest.fixture(scope="module")
async def running(stack_servers):
    async with empty_gridtally(stack_servers) as started:
        yield started


def memory_kb(process, what):
    [line] = [x for x in (process / "status").read_text().splitlines() if x.startswith(what)]
    return int(line.split()[1])


async def probe(client, ended):
    """The longest that anybody waited for the service's health meanwhile."""
    longest_s = 0.0
    while not ended.is_set():
        begun_s = time.monotonic()
        assert (await client.get("/health/live")).status_code == 200
        longest_s = max(longest_s, time.monotonic() - begun_s)
        await asyncio.sleep(PROBE_EVERY_S)
    return longest_s


@pytest.mark.parametrize("service", SERVICES)
async def test_the_worst_bodies_on_each_route(running, service):
    installation = running.installation
    process, taken = process_of(running.stack, service), list(routes(service))
    assert taken
    headers = {
        "authorization": f"Bearer {installation.api_key}",
        "content-type": "application/json",
        "content-encoding": "gzip",
    }
    base, limits = installation.urls[service], httpx.Limits(max_connections=AT_ONCE)
    (process / "clear_refs").write_text("5")  # the peak is measured from here
    before_kb = memory_kb(process, "VmRSS")
    async with (
        httpx.AsyncClient(base_url=base, timeout=LIMIT_S, limits=limits, headers=headers) as client,
        httpx.AsyncClient(base_url=base, timeout=LIMIT_S) as other,
    ):
        ended = asyncio.Event()
        probing = asyncio.create_task(probe(other, ended))
        for number, (method, path) in enumerate(taken):
            for body in WORST:
                at_once = range(REST if number else AT_ONCE)
                answers = await asyncio.gather(
                    *(client.request(method, path, content=body) for _ in at_once)
                )
                statuses = {answer.status_code for answer in answers}
                assert statuses <= REFUSED, (method, path, statuses)
        ended.set()
        longest_s = await probing
    more_kb = memory_kb(process, "VmHWM") - before_kb
    assert longest_s < HEALTH_LIMIT_S
    assert more_kb < MORE_MEMORY_MAX_KB
