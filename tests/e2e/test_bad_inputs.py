"""Bad bodies on every route that takes one: none is answered 5xx, and no process ends.

The routes and their fields are those of the OpenAPI documents, so that a new one is met by itself.
What was tried, by kind, is in SECURITY.md.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from backports import zstd

from e2e.installation import empty_gridtally
from e2e.processes import process_of
from e2e.test_worst_bodies import ANY_ID
from gridtally.contracts.topics import SERVICES

ROOT = Path(__file__).parents[2]
JSON = {"content-type": "application/json"}
DEEP = 100_000
BUSY = {"busy", "adopting", "operator_token_unset"}
"""What a service may be for a moment, or answer to everybody."""
MORE_MEMORY_MAX_KB = 150 * 1024
RAW = (
    "NaN", "Infinity", "-Infinity", "1e400", "-1e999", "1e-400", "9" * 5_000, "-0", "0.1e",
    r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udfff\ud800"', '"' + "x" * 100_000 + '"', "null",
    "true", "[]", "{}", "[null]", '""', '" "', '"=1+1"', '"0001-01-01T00:00:00Z"',
    '"9999-12-31T23:59:59+14:00"', '"2025-02-30"', '"Mars/Olympus"', "[" + "0," * 50_000 + "0]",
    "[" * DEEP + "]" * DEEP, '{"a":' * 1_000 + "1" + "}" * 1_000, "2" * 19, "-" + "9" * 40,
)  # fmt: skip
"""Values as JSON spells them, or does not."""


def routes(service: str) -> Iterator[tuple[str, str, list[str]]]:
    """Method, address and the names of the fields that the body has."""
    document = json.loads((ROOT / f"docs/openapi/{service}.json").read_text())
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict) or "requestBody" not in operation:
                continue
            content = operation["requestBody"]["content"].get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            fields = list(schemas.get(name, {}).get("properties", {"items": {}}))
            parts = [ANY_ID if "{" in part else part for part in path.split("/")]
            yield method.upper(), "/".join(parts), fields


@cache
def bombs() -> dict[str, bytes]:
    """300 MiB of zeros, by how they are packed."""
    zeros = bytes(300 * 1024 * 1024)
    return {"gzip": gzip.compress(zeros, 9), "zstd": zstd.compress(zeros)}


def bodies(fields: list[str]) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """By kind, headers and bytes: each value alone, in every field, and what is no JSON at all."""
    for raw in RAW:
        yield "values", JSON, raw.encode()
        every = ",".join(f"{json.dumps(name)}:{raw}" for name in fields)
        yield "values", JSON, b"{" + every.encode() + b"}"
        yield "values", JSON, b'{"items":[{' + every.encode() + b"}]}"
    good = b'{"items":[]}'
    for body in (b"", b"\x00", b"\xff\xfe{}", b"{", good[:-1], good + good, b"\xef\xbb\xbf{}"):
        yield "broken JSON", JSON, body
    for kind in ("text/csv", "text/plain", "application/xml", "application/x-ndjson", "x", "/", ""):
        yield "content types", {"content-type": kind}, good
    yield "content types", {"content-type": "multipart/form-data; boundary=x"}, good
    for encoding in ("br", "deflate", "gzip, gzip", "zstd", "gzip", "x" * 500):
        yield "encodings", JSON | {"content-encoding": encoding}, good
    packed = gzip.compress(good)
    for body in (packed[:-4], packed + b"x", packed[:5], b""):
        yield "encodings", JSON | {"content-encoding": "gzip"}, body
    for encoding, bomb in bombs().items():
        yield "bombs", JSON | {"content-encoding": encoding}, bomb


@pytest.fixture(scope="module")
async def running(stack_servers):
    """Without the limits by cost, which would answer most of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("RATE_LIMIT_PER_S", "TENANT_RATE_LIMIT_PER_S"):
            patch.setenv(name, "1e9")
        async with empty_gridtally(stack_servers) as started:
            yield started


def memory_kb(process: Path, what: str) -> int:
    [line] = [x for x in (process / "status").read_text().splitlines() if x.startswith(what)]
    return int(line.split()[1])


@pytest.mark.parametrize("service", SERVICES)
async def test_bad_bodies_on_each_route(running, service):
    installation = running.installation
    process, tried, wrong = process_of(running.stack, service), Counter[str](), list[Any]()
    (process / "clear_refs").write_text("5")  # the peak is measured from here
    before_kb = memory_kb(process, "VmRSS")
    headers = {"authorization": f"Bearer {installation.api_key}"}
    async with httpx.AsyncClient(
        base_url=installation.urls[service], timeout=240, headers=headers
    ) as client:
        for method, path, fields in routes(service):
            for kind, more, body in bodies(fields):
                answer = await client.request(method, path, content=body, headers=more)
                tried[kind] += 1
                if answer.status_code >= 500 and answer.json()["code"] not in BUSY:
                    wrong.append((method, path, more, body[:80], answer.text))
        assert (await client.get("/health/live")).status_code == 200
    more_kb = memory_kb(process, "VmHWM") - before_kb
    print(service, dict(tried), f"+{more_kb // 1024} MB")  # noqa: T201 - for the table
    assert wrong == []
    assert more_kb < MORE_MEMORY_MAX_KB
    assert process_of(running.stack, service) == process
