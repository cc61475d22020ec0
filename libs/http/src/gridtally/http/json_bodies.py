"""JSON bodies of requests: parsed, checked and made what an endpoint takes, once.

Of two values under one name a parser takes the last without a word, and NaN is no number of JSON.
Owns what every JSON body must be, and that a large one keeps no other request waiting: it is taken
apart in a thread. What a key means is the endpoint's. Bodies that are no JSON it leaves alone.
"""

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any, NoReturn

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from gridtally.contracts.faults import faults_of
from gridtally.http.body_work import BodyReader
from gridtally.http.problems import HttpRefusal
from gridtally.kernel.errors import Rejected

DESCRIBED_BYTES_MAX = 8 * 1024
"""The faults of a body of so many bytes are described in no time, however many."""

NAMES_OF_OBJECT_MAX = 10_000
"""More than any endpoint takes. Each name that a model does not know is a fault, and a fault takes
more memory than its name: 300 000 of them 57 MB, beside 44 MB for the names."""


# FastAPI parses on the event loop, validates there, and describes every fault before it shows any.
# So a body that is not small is made what the endpoint takes beforehand, and FastAPI, which takes
# an instance of a model as it is, has nothing left to do. What `json` raises it answers with 400,
# so a refusal with a status of its own waits for `RequestChecks`.
class JsonRequest(Request):
    """A request whose JSON body is parsed, checked and validated together.

    `refusal` says why it is not taken, once the body was asked for.
    """

    def __init__(self, request: Request, model: TypeAdapter[Any] | None) -> None:
        super().__init__(request.scope, request.receive)
        self._model = model
        self.refusal: Exception | None = None

    async def json(self) -> Any:
        """The body's value, or, where it is large, what its endpoint takes; ValueError or
        RecursionError for what is no JSON."""
        if not hasattr(self, "_json"):
            body = await self.body()
            reader: BodyReader = self.app.state.body_reader
            take = partial(_take, body, self._model)
            self._json, self.refusal = await reader.read(len(body), take)
        return self._json


def _take(body: bytes, model: TypeAdapter[Any] | None) -> tuple[Any, Exception | None]:
    """What becomes of a body, and why it is refused."""
    parsed = json.loads(body)
    try:
        check_json(body, parsed)
    except (Rejected, HttpRefusal) as refusal:
        return parsed, refusal
    if model is None or len(body) <= DESCRIBED_BYTES_MAX:
        return parsed, None
    try:
        return model.validate_python(parsed), None
    except ValidationError as invalid:
        faults = faults_of(invalid, parsed, model.validate_python)
        located = [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        return parsed, RequestValidationError(located, body=parsed)


class JsonRoute(APIRoute):
    """A route whose endpoint gets its JSON body by a `JsonRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with the request in our form."""
        handle = super().get_route_handler()
        model = self._body_model()

        async def handle_json(request: Request) -> Response:
            return await handle(JsonRequest(request, model))

        return handle_json

    def _body_model(self) -> TypeAdapter[Any] | None:
        """What the endpoint takes as its body; None where it reads none, or by itself."""
        if self.body_field is None:
            return None
        if len(self.dependant.body_params) > 1:
            raise TypeError(f"{self.path}: an endpoint takes one body, a model of all its parts")
        declared: Any = self.body_field.field_info.annotation
        for constraint in self.body_field.field_info.metadata:
            declared = Annotated[declared, constraint]
        return TypeAdapter(declared)


class Router(APIRouter):
    """The router of every API of ours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=JsonRoute, **options)


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
