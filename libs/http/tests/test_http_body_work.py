"""Bodies cost what is made of them: counted before it is made, and bounded for all at once."""

import asyncio
import gzip
import json

import pytest

from gridtally.http import body_work
from gridtally.http.body_work import NAMES_MAX, OBJECTS_MAX, SMALL_BYTES, VALUES_MAX, WorkBudget
from gridtally.http.json_bodies import NAMES_OF_OBJECT_MAX
from gridtally.http.problems import HttpRefusal
from shop import TOKEN

MIB = 1024 * 1024
SEND = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def body_bytes_max():
    return 16 * MIB


def names(count):
    return b"{" + b",".join(b'"f%d":1' % number for number in range(count)) + b"}"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'{"items":[' + b"{}," * OBJECTS_MAX + b"{}]}", "objects"),
        (b'{"items":[' + b"[]," * OBJECTS_MAX + b"[]]}", "objects"),
        (b"[" * (OBJECTS_MAX + 1), "objects"),
        (names(NAMES_MAX + 1), "names"),
        (b"[" + b"1," * (VALUES_MAX + 1) + b"1]", "values"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_that_would_become_too_much_is_refused_before_it_does(
    client, body, what, packed
):
    content = gzip.compress(body) if packed else body
    headers = SEND | ({"content-encoding": "gzip"} if packed else {})
    answer = await client.post("/v1/orders", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert what in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        names(NAMES_OF_OBJECT_MAX - 10),
        b'{"items":[' + b"{}," * (OBJECTS_MAX - 10) + b"{}]}",
        b'{"items":[' + b'"",' * (VALUES_MAX - 10) + b'""]}',
        b'{"items":[],"by_name":{' + b",".join(b'"%d":{}' % n for n in range(9_000)) + b"}}",
    ],
    ids=["names", "objects", "values", "entries"],
)
async def test_of_very_many_faults_some_are_described(client, body):
    answer = await client.post("/v1/orders", content=body, headers=SEND)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert 1 <= len(answer.json()["errors"]) <= 100
    assert len(answer.text) < 100_000


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_the_bodies_at_hand_have_a_budget_that_ends_with_the_request(
    client, encoding, monkeypatch
):
    monkeypatch.setattr(body_work, "OBJECT_BYTES", 1000)
    large = json.dumps({"items": [{"amount": 1}] * 90_000}).encode()  # some 90 MB, half are 32
    content = gzip.compress(large) if encoding == "gzip" else large
    headers = SEND | {"content-encoding": encoding}
    sent, go_on = asyncio.Event(), asyncio.Event()

    async def slowly():
        yield content[:-1]
        sent.set()
        await go_on.wait()
        yield content[-1:]

    first = asyncio.create_task(client.post("/v1/orders", content=slowly(), headers=headers))
    await sent.wait()
    refused = await client.post("/v1/orders", content=content, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "2"
    assert (await client.post("/v1/orders", json={"items": []}, headers=SEND)).status_code == 200
    go_on.set()
    assert (await first).status_code == 422  # more than a hundred items, taken apart all the same
    again = await client.post("/v1/orders", content=content, headers=headers)
    assert again.status_code == 422


def test_shares_of_the_budget():
    """Of 100 MiB, 64 KiB of each body not counted: alone 90 are taken; then another's 20 are too
    many and 10 are not; a caller beside others has no more than half."""
    budget = WorkBudget(100 * MIB)
    first, second, third = (budget.share(caller) for caller in ("north", "south", "south"))
    first.grow_to(90 * MIB)
    with pytest.raises(HttpRefusal, match="large bodies"):
        second.grow_to(20 * MIB)
    second.grow_to(10 * MIB)
    first.give_back()
    with pytest.raises(HttpRefusal, match="large bodies"):
        third.grow_to(45 * MIB)
    third.grow_to(40 * MIB)
    third.grow_to(SMALL_BYTES)  # it never gives back in parts
    second.give_back()
    third.give_back()
    assert budget.taken.total() == 0
    budget.share("east").grow_to(10_000 * MIB)


@pytest.mark.parametrize(
    ("method", "path", "authorization", "status"),
    [
        ("POST", "/v1/items", None, 401),
        ("POST", "/v1/items", "Bearer gt_zzzzzzzz_" + "z" * 43, 401),
        ("POST", "/v1/keys", None, 401),
        ("POST", "/v1/keys", "Bearer wrong", 401),
        ("POST", "/v1/nothing", None, 404),
        ("DELETE", "/v1/orders", None, 405),
    ],
)
async def test_anonymous_callers_are_answered_before_their_body_is_read(
    client, method, path, authorization, status
):
    read = []

    async def chunks():
        read.append(1)
        yield b"{}"
        pytest.fail("the body was read")

    headers = {"content-type": "application/json"}
    if authorization:
        headers["authorization"] = authorization
    answer = await client.request(method, path, content=chunks(), headers=headers)
    assert answer.status_code == status, answer.text
    assert read == []


async def test_what_is_sent_as_a_stream_arrives_though_nobody_sent_a_body(client, headers):
    """Who streams asks for the rest of the body, to hear that the caller has gone."""
    answer = await client.get("/v1/rows/first", headers=headers)
    assert (answer.status_code, answer.text) == (200, "north:1")
