"""Correlation ids, body bounds and encodings, metrics, health and the OpenAPI document."""

import gzip
import json
import zlib
from functools import partial
from uuid import UUID

import pytest
from openapi_spec_validator import validate

from gridtally.http.body_limits import ANONYMOUS_BYTES_MAX, zstd

ORDER = json.dumps({"items": [{"amount": 1}]}).encode()
KEY, WRONG_KEY, OPERATOR = f"gt_abcdefgh_{'s' * 43}", f"gt_abcdefgh_{'t' * 43}", "operator"
ZEROS = b" " * 50_000_000
gzipped = partial(gzip.compress, mtime=0)  # cases that are the same in every process


@pytest.mark.parametrize("given", ["a", "gateway-7:2025.1_x", "x" * 128])
async def test_a_well_formed_correlation_id_is_kept(client, given):
    answer = await client.post("/v1/orders", content=ORDER, headers={"x-correlation-id": given})
    assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", 'a"b', "a;b", "<script>"])
async def test_any_other_is_replaced(client, given):
    answer = await client.post("/v1/orders", content=ORDER, headers={"x-correlation-id": given})
    assert len(answer.headers["x-correlation-id"]) == 36
    assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"] != given


@pytest.mark.parametrize(
    ("encoding", "body", "status", "code"),
    [
        ("identity", ORDER, 200, None),
        ("gzip", gzipped(ORDER), 200, None),
        ("GZIP", gzipped(ORDER), 200, None),
        ("zstd", zstd.compress(ORDER), 200, None),
        ("br", ORDER, 415, "unsupported_encoding"),
        ("gzip, gzip", gzipped(gzipped(ORDER)), 415, "unsupported_encoding"),
        ("gzip", ORDER, 400, "broken_body"),
        ("gzip", zlib.compress(ORDER), 400, "broken_body"),
        ("gzip", gzipped(ORDER)[:-5], 400, "broken_body"),
        ("gzip", b"", 400, "broken_body"),
        ("gzip", gzipped(ORDER) + b"more", 400, "broken_body"),
        ("zstd", ORDER, 400, "broken_body"),
        ("zstd", zstd.compress(ORDER)[:-1], 400, "broken_body"),
        ("zstd", zstd.compress(ORDER) + b"more", 400, "broken_body"),
        ("gzip", gzipped(ZEROS, 9), 413, "body_too_large"),
        ("zstd", zstd.compress(ZEROS), 413, "body_too_large"),
        ("identity", b" " * 4097, 413, "body_too_large"),
        ("gzip", gzipped(ORDER + b" " * (4096 - len(ORDER))), 200, None),
        ("zstd", zstd.compress(ORDER + b" " * (4096 - len(ORDER))), 200, None),
        ("zstd", zstd.compress(ORDER + b" " * (4097 - len(ORDER))), 413, "body_too_large"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [7, 10_000_000])
async def test_bodies(client, encoding, body, status, code, chunk_bytes):
    async def chunks():
        for start in range(0, len(body), chunk_bytes):
            yield body[start : start + chunk_bytes]

    headers = {"content-encoding": encoding, "content-type": "application/json"}
    answer = await client.post("/v1/orders", content=chunks(), headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json().get("code") == code


@pytest.mark.parametrize("body_bytes_max", [2 * ANONYMOUS_BYTES_MAX])
@pytest.mark.parametrize(
    ("token", "body_bytes", "status"),
    [
        (None, ANONYMOUS_BYTES_MAX, 200),
        (None, ANONYMOUS_BYTES_MAX + 1, 401),
        (WRONG_KEY, ANONYMOUS_BYTES_MAX + 1, 401),
        (KEY, ANONYMOUS_BYTES_MAX + 1, 200),
        (KEY, 2 * ANONYMOUS_BYTES_MAX, 200),
        (KEY, 2 * ANONYMOUS_BYTES_MAX + 1, 413),
        (OPERATOR, 2 * ANONYMOUS_BYTES_MAX, 200),
        (OPERATOR, 2 * ANONYMOUS_BYTES_MAX + 1, 413),
    ],
)
@pytest.mark.parametrize("form", ["declared", "chunked", "gzip"])
async def test_only_callers_we_know_may_send_much(client, token, body_bytes, status, form):
    async def chunks():
        yield body[:1]
        yield body[1:]

    body = ORDER + b" " * (body_bytes - len(ORDER))
    headers = {"content-type": "application/json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if form == "gzip":
        body = gzipped(body)
        headers["content-encoding"] = "gzip"
    content = chunks() if form == "chunked" else body
    answer = await client.post("/v1/orders", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("declared", ["4097", "-1", "x", "9" * 30])
async def test_a_declared_length_is_refused_before_anything_is_read(client, declared):
    answer = await client.post("/v1/orders", content=ORDER, headers={"content-length": declared})
    assert answer.status_code in (400, 413)


async def test_requests_are_counted_by_template(client):
    for path in ("/v1/fail/missing", "/v1/fail/conflict", "/v1/x" * 3, "/v1/y" * 3):
        await client.get(path)
    shown = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/v1/fail/{how}",status="404"} 1.0' in shown
    assert 'http_requests_total{method="GET",route="(none)",status="404"} 2.0' in shown
    assert 'http_request_seconds_count{method="GET",route="/v1/fail/{how}"} 2.0' in shown
    assert "/v1/x" not in shown


async def test_invented_methods_do_not_become_metrics(client):
    await client.request("BREW", "/v1/orders")
    assert "BREW" not in (await client.get("/metrics")).text


async def test_a_compressed_body_is_counted_with_its_route(client):
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    await client.post("/v1/orders", content=gzipped(ORDER), headers=headers)
    shown = (await client.get("/metrics")).text
    assert 'http_requests_total{method="POST",route="/v1/orders",status="200"} 1.0' in shown


@pytest.mark.parametrize("path", [f"/v1/orders/{UUID(int=7)}", "/v1/nothing", "/openapi.json"])
async def test_a_head_is_answered_as_its_get_would_be_without_the_body(client, headers, path):
    answer = await client.get(path, headers=headers)
    head = await client.head(path, headers=headers)
    assert (head.status_code, head.content) == (answer.status_code, b"")
    names = ("content-type", "content-length", "etag")
    assert [head.headers.get(name) for name in names] == [answer.headers.get(n) for n in names]
    shown = (await client.get("/metrics")).text
    assert 'http_requests_total{method="HEAD",route="' in shown


async def test_health(client):
    for path in ("/health/live", "/health/ready"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_the_openapi_document_is_valid_and_tells_problems(client):
    document = (await client.get("/openapi.json")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert {"Problem", "ProblemError"} <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    answers = document["components"]["responses"]
    assert all("application/problem+json" in answer["content"] for answer in answers.values())
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/default"}
