"""Checks of every request: no part of one is ignored silently.

A misspelt filter would show everything, and of two values under one name a parser takes the last
without a word. Owns what every endpoint's query and JSON body must be; what a parameter or a key
means is the endpoint's. Bodies that are no JSON it leaves alone.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from typing import Annotated, Any, NoReturn

import orjson
from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import QueryParams

from gridtally.contracts.faults import faults_of
from gridtally.http.adoption_gate import AdoptionGate
from gridtally.http.problems import FAULTS_MAX, HttpRefusal, pointer
from gridtally.kernel.errors import Fault, Rejected

GUESSED_CHARS_MAX = 100
"""Of an unknown parameter: a longer one is compared with none that is known."""
DESCRIBED_BYTES_MAX = 8 * 1024
"""The faults of a body of so many bytes are described in no time, however many."""

NAMES_OF_OBJECT_MAX = 10_000
"""More than any endpoint takes. Each name that a model does not know is a fault, and a fault takes
more memory than its name: 300 000 of them 57 MB, beside 44 MB for the names."""


class RequestChecks:
    """The dependency of every router that a service brings."""

    def __init__(self) -> None:
        self._parameters: dict[Callable[..., Any], frozenset[str]] = {}
        self._models: dict[Callable[..., Any], TypeAdapter[Any]] = {}

    async def __call__(self, request: Request) -> None:
        """Rejected for a parameter that the endpoint does not know or that comes twice, and for
        a JSON body that `check_json` refuses; RequestValidationError for a large one that is not
        what the endpoint takes. HttpRefusal for a write that must wait for an adoption."""
        gate: AdoptionGate | None = getattr(request.app.state, "adoption_gate", None)
        if gate is not None:
            await gate.check(request)
        route: APIRoute = request.scope["route"]
        if faults := _faults(request.query_params, self._known(route)):
            raise Rejected("invalid_request", "the query is not as it must be", faults)
        if route.body_field is not None and (body := await request.body()):
            try:
                parsed = await request.json()  # which FastAPI has done by now, where it is JSON
            except (ValueError, RecursionError):
                return
            check_json(body, parsed)
            if len(body) > DESCRIBED_BYTES_MAX:
                self._check_model(route, parsed)

    # FastAPI describes every fault before it shows any, so where there may be many, the model is
    # asked beforehand: twice the work for large bodies, and seconds less for those that are wrong.
    def _check_model(self, route: APIRoute, parsed: object) -> None:
        """RequestValidationError with some of the faults, where the body has very many."""
        field = route.body_field
        if field is None:
            return
        if route.endpoint not in self._models:
            declared: Any = field.field_info.annotation
            for constraint in field.field_info.metadata:
                declared = Annotated[declared, constraint]
            self._models[route.endpoint] = TypeAdapter(declared)
        model = self._models[route.endpoint]
        try:
            model.validate_python(parsed)
        except ValidationError as invalid:
            faults = faults_of(invalid, parsed, model.validate_python)
            raise RequestValidationError(
                [{**fault, "loc": ("body", *fault["loc"])} for fault in faults], body=parsed
            ) from None

    def _known(self, route: APIRoute) -> frozenset[str]:
        if route.endpoint not in self._parameters:
            self._parameters[route.endpoint] = frozenset(_declared(route.dependant))
        return self._parameters[route.endpoint]


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _declared(dependency)


def _faults(parameters: QueryParams, known: Collection[str]) -> tuple[Fault, ...]:
    """No endpoint takes a list, so each name comes once."""
    times = Counter(name for name, _ in parameters.multi_items())
    wrong = [name for name in times if name not in known or times[name] > 1][:FAULTS_MAX]
    return tuple(
        Fault(pointer(["query", name]), "is given twice" if name in known else _unlike(name, known))
        for name in wrong
    )


def _unlike(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1) if len(name) <= GUESSED_CHARS_MAX else []
    return f"is not known here; is `{close[0]}` meant?" if close else "is not known here"


# Every key comes with a colon. Unless some are written as escapes, a body that lost no key has as
# many of them as its value written again, and counting costs a third to a half of the plain way,
# which is to parse each body once more with a parser that shows every key.
def check_json(body: bytes, parsed: object) -> None:
    """Rejected where `body`, whose value is `parsed`, names a key twice in one object, or holds
    NaN or Infinity, which JSON does not have; HttpRefusal (413) where an object has very many."""
    colons = body.count(b":")
    if colons > NAMES_OF_OBJECT_MAX and _has_wide_object(parsed):
        detail = f"an object of a body may have at most {NAMES_OF_OBJECT_MAX} names"
        raise HttpRefusal(413, "body_too_large", detail)
    doubtful = b"\\u" in body or b"NaN" in body or b"Infinity" in body
    if doubtful or _colons(parsed) != colons:
        try:
            json.loads(body, object_pairs_hook=_object, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise Rejected(
                "invalid_json", "the body is too deep, or its numbers too long"
            ) from None


def loads(body: bytes) -> Any:
    """The value of a JSON body, for an endpoint that reads it itself; Rejected for what is no JSON,
    and as by `check_json`."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as broken:
        raise Rejected("invalid_json", f"the body is not valid JSON: {broken}") from None
    check_json(body, parsed)
    return parsed


def _has_wide_object(parsed: object) -> bool:
    waiting = [parsed]
    while waiting:
        match waiting.pop():
            case dict() as names:
                if len(names) > NAMES_OF_OBJECT_MAX:
                    return True
                waiting += [value for value in names.values() if isinstance(value, dict | list)]
            case list() as values:
                waiting += [value for value in values if isinstance(value, dict | list)]
    return False


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
