"""Messages as nobody should send them: golden ones with a part broken, replaced or left out."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gridtally.contracts.golden import GoldenMessage, golden_messages

RAW_NUMBER = "raw number "
"""Begins a text that is written into the JSON as it stands, without quotes."""
DEEP = json.loads("[" * 400 + "]" * 400)
HOSTILE = (
    None, True, "", " ", "\x00", "a\x00b", "\ud800", "\u202e", "=1+1", "9" * 20_000, "1e400", "-0",
    "NaN", "Infinity", 0, -1, 2**31, 2**63, -(2**63) - 1, 2**200, 0.1, 1e308, float("nan"),
    float("inf"), -float("inf"), RAW_NUMBER + "1e400", RAW_NUMBER + "-1e999", [], {}, [None],
    {"": 1}, DEEP, [0] * 500, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2025-02-30",
    "2025-10-26T02:30:00", "2025-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000",
    "Mars/Olympus", "../../etc/passwd",
)  # fmt: skip
HEADERS = (
    b"", b"\xff\xfe", b"\x00", b"a\x00b", b"x" * 5_000, b"1.0", b"-", b"another",
    b"0001-01-01T00:00:00Z", b"application/cloudevents+json", b"application/cloudevents-batch+json",
)  # fmt: skip
VALUES = (None, b"", b"\x00", b"\xff\xfe{}", b"null", b"[]", b"{}", b'{"a":1', b"[" * 100_000)
KEYS = (b"", b"\xff", b"another:1", b"k" * 5_000)
"""Never none: the broker itself refuses such a message of a compacted topic."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """What a producer sends, as bytes."""

    topic: str
    key: bytes
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None


def as_bytes(golden: GoldenMessage) -> RawMessage:
    """A golden message as it was sent."""
    headers = tuple((name, text.encode()) for name, text in golden.headers.items())
    return RawMessage(golden.topic, golden.key.encode(), headers, _written(golden.value))


def mutated(topic: str, count: int, chance: random.Random) -> Iterator[RawMessage]:
    """So many messages of a topic, each with one to three things wrong."""
    goldens = [golden for golden in golden_messages() if golden.topic == topic]
    for _ in range(count):
        golden = chance.choice(goldens)
        message = as_bytes(golden)
        match chance.random():
            case share if share < 0.7:
                value = copy.deepcopy(dict(golden.value))
                for _ in range(chance.randint(1, 3)):
                    _mutate(value, chance)
                yield replace(message, value=_written(value))
            case share if share < 0.85:
                yield replace(message, headers=_mutated_headers(message.headers, chance))
            case share if share < 0.95:
                cut = chance.randrange(len(message.value or b""))
                values = (*VALUES, (message.value or b"")[:cut])
                yield replace(message, value=chance.choice(values))
            case _:
                yield replace(message, key=chance.choice(KEYS))


def _written(value: Any) -> bytes:
    """JSON, with those numbers in it that no float holds."""
    text = json.dumps(value)
    for number in ("1e400", "-1e999"):
        text = text.replace(json.dumps(RAW_NUMBER + number), number)
    return text.encode()


def _mutate(value: Any, chance: random.Random) -> None:
    """Break a member somewhere in a document, in place."""
    containers = [part for part in _containers(value) if part]
    if not containers:
        return
    container = chance.choice(containers)
    names = list(container) if isinstance(container, dict) else range(len(container))
    name = chance.choice(list(names))
    match chance.random():
        case share if share < 0.7:
            container[name] = copy.deepcopy(chance.choice(HOSTILE))
        case share if share < 0.85:
            del container[name]
        case _ if isinstance(container, dict):
            container[f"{name}_unknown"] = copy.deepcopy(chance.choice(HOSTILE))
        case _:
            container.extend([container[name]] * 100)


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from _containers(part)


def _mutated_headers(
    headers: tuple[tuple[str, bytes], ...], chance: random.Random
) -> tuple[tuple[str, bytes], ...]:
    broken = chance.randrange(len(headers))
    match chance.random():
        case share if share < 0.3:
            return headers[:broken] + headers[broken + 1 :]
        case share if share < 0.4:
            return ()
        case share if share < 0.5:
            return headers + headers[broken : broken + 1] * 200
        case _:
            hostile = (headers[broken][0], chance.choice(HEADERS))
            return (*headers[:broken], hostile, *headers[broken + 1 :])
