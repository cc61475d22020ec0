"""Strictness: nothing that a request says is passed over in silence.

A misspelt filter would show everything, and of two values under one name a parser keeps the last
and says nothing. Owns what is asked of every endpoint's query and JSON body alike; what a parameter
or a key means is the endpoint's. Bodies that are no JSON it leaves alone.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from typing import Any, NoReturn

import orjson
from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams

from kernel.errors import Fault, Rejected
from serving.problems import FAULTS_MAX, pointer

GUESSED_CHARS_MAX = 100
"""Of a parameter that nobody knows: what is longer is like no other."""


class Strictness:
    """The dependency of every router that a service brings."""

    def __init__(self) -> None:
        self._parameters: dict[Callable[..., Any], frozenset[str]] = {}

    async def __call__(self, request: Request) -> None:
        """Rejected for a parameter that the endpoint does not know or that comes twice, and for
        a JSON body that `check_json` refuses."""
        route: APIRoute = request.scope["route"]
        if faults := _faults(request.query_params, self._known(route)):
            raise Rejected("invalid_request", "the query is not as it must be", faults)
        if route.body_field is not None and (body := await request.body()):
            try:
                parsed = await request.json()  # which FastAPI has done by now, where it is JSON
            except (ValueError, RecursionError):
                return
            check_json(body, parsed)

    def _known(self, route: APIRoute) -> frozenset[str]:
        if route.endpoint not in self._parameters:
            self._parameters[route.endpoint] = frozenset(_declared(route.dependant))
        return self._parameters[route.endpoint]


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _declared(each)


def _faults(given: QueryParams, known: Collection[str]) -> tuple[Fault, ...]:
    """No endpoint takes a list, so each name comes once."""
    times = Counter(name for name, _ in given.multi_items())
    wrong = [name for name in times if name not in known or times[name] > 1][:FAULTS_MAX]
    return tuple(
        Fault(pointer(["query", name]), "is given twice" if name in known else _unlike(name, known))
        for name in wrong
    )


def _unlike(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1) if len(name) <= GUESSED_CHARS_MAX else []
    return f"is not known here; is `{close[0]}` meant?" if close else "is not known here"


def check_json(body: bytes, parsed: object) -> None:
    """Rejected where `body`, which came to `parsed`, names a key twice in one object, or holds
    NaN or Infinity, which JSON does not have.

    Every key comes with a colon. Unless some are written as escapes, a body that lost no key has as
    many of them as what was parsed, and counting costs a half to a third of parsing once more.
    """
    doubtful = b"\\u" in body or b"NaN" in body or b"Infinity" in body
    if doubtful or _colons(parsed) != body.count(b":"):
        try:
            json.loads(body, object_pairs_hook=_object, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise Rejected(
                "invalid_json", "the body is too deep, or its numbers too long"
            ) from None


def loads(body: bytes) -> Any:
    """What JSON comes to, for an endpoint that reads its body itself; Rejected for what is none,
    and as by `check_json`."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise Rejected("invalid_json", f"the body is not valid JSON: {broken}") from None
    check_json(body, parsed)
    return parsed


def _colons(parsed: object) -> int | None:
    try:
        return orjson.dumps(parsed).count(b":")
    except orjson.JSONEncodeError:  # whole numbers of over 64 bits
        return None


def _object(pairs: list[tuple[str, Any]]) -> None:
    twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
    if twice:
        raise Rejected("duplicate_key", f"the body has {twice[0]!r} twice in one object")


def _no_number(constant: str) -> NoReturn:
    raise Rejected("invalid_json", f"the body is not JSON: {constant} is no number of it")
