"""A large body is made what its endpoint takes once, and keeps nobody waiting."""

import asyncio
import json
import threading
from typing import Annotated

import pytest
from fastapi import Depends
from pydantic import AfterValidator, BaseModel

from gridtally.http.body_work import SMALL_BYTES
from gridtally.http.json_bodies import DESCRIBED_BYTES_MAX, Router
from gridtally.http.request_checks import RequestChecks
from shop import TOKEN

SEND = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
LIMIT_S = 30
validated_in = []
may_go_on = threading.Event()


def note_thread(text):
    validated_in.append(threading.current_thread())
    if text == "wait":
        assert may_go_on.wait(LIMIT_S), "nobody was answered meanwhile"
    return text


class Letter(BaseModel):
    words: list[Annotated[str, AfterValidator(note_thread)]]


@pytest.fixture
def body_bytes_max():
    return 4 * SMALL_BYTES


@pytest.fixture
def router():
    router = Router()

    @router.post("/v1/letters")
    async def send(letter: Letter) -> int:
        return len(letter.words)

    @router.post("/v1/letters/lists")
    async def send_all(letters: list[Letter]) -> int:
        return len(letters)

    return router


@pytest.fixture
async def posting(app, client, router):
    app.include_router(router, dependencies=[Depends(RequestChecks())])
    validated_in.clear()
    may_go_on.clear()

    async def post(content, path="/v1/letters"):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await client.post(path, content=body, headers=SEND)

    return post


@pytest.mark.parametrize(
    ("length", "is_apart"),
    [(1, False), (DESCRIBED_BYTES_MAX, False), (SMALL_BYTES, True)],
    ids=["small", "more", "large"],
)
async def test_a_body_is_validated_once_and_beside_the_loop_where_it_is_large(
    posting, length, is_apart
):
    for path, wrap in (
        ("/v1/letters", lambda letter: letter),
        ("/v1/letters/lists", lambda x: [x]),
    ):
        validated_in.clear()
        answer = await posting(wrap({"words": ["a", "x" * length]}), path)
        assert answer.status_code == 200, answer.text
        assert len(validated_in) == 2
        assert all((t is not threading.main_thread()) == is_apart for t in validated_in)


async def test_others_are_answered_while_a_large_body_is_taken_apart(posting, client):
    async def answer_another():
        while not validated_in:  # noqa: ASYNC110 - another thread's, which tells nobody
            await asyncio.sleep(0.01)
        assert (await client.get("/health/live")).status_code == 200
        may_go_on.set()

    large = {"words": ["wait", "x" * SMALL_BYTES]}
    answer, _ = await asyncio.gather(posting(large), answer_another())
    assert answer.json() == 2


@pytest.mark.parametrize("length", [1, DESCRIBED_BYTES_MAX, SMALL_BYTES])
async def test_faults_are_the_same_whatever_the_size(posting, length):
    answer = await posting({"words": ["a", 7, "x" * length]})
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert (fault["pointer"], fault["detail"]) == ("#/words/1", "Input should be a valid string")
    broken = await posting(b'{"words": ["' + b"x" * length)
    assert broken.status_code == 422
    assert "not JSON" in broken.text, broken.text
    twice = await posting(b'{"words": [], "words": ["%b"]}' % (b"x" * length))
    assert (twice.status_code, twice.json()["code"]) == (422, "duplicate_key")


async def test_an_endpoint_takes_one_body():
    async def take(letter: Letter, other: Letter) -> None: ...

    with pytest.raises(TypeError, match="one body"):
        Router().add_api_route("/v1/two", take, methods=["POST"])
