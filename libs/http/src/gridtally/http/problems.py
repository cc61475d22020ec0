"""Problem details (RFC 9457): the one form of every error that an API of Gridtally answers.

Owns the mapping from the kinds of failure to HTTP statuses and the faults' JSON pointers (RFC
6901). Refuses to show a caller the inside of a failure, or to echo a value that was refused.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Match

from gridtally.contracts.problem import Problem, ProblemError
from gridtally.http.problem_types import problem_type
from gridtally.kernel.errors import Conflict, Fault, NotFound, Rejected, Transient, Unreadable

MEDIA_TYPE = "application/problem+json"
FAULTS_MAX = 100
"""A body of a million wrong items gets an answer of readable length."""
POINTER_CHARS_MAX = 300
FAULT_CHARS_MAX = 500
DETAIL_CHARS_MAX = 2_000
"""Names and validators' texts may hold what the caller sent; that is not sent back in full."""
RETRY_AFTER_S = 2
PARAMETERS = {"query", "path", "header", "cookie"}
"""Where a part of a request can be that is not its body."""
FRAGMENT_SAFE = "/~!$&'()*+,;=:@?"
"""What a URI fragment may hold as it is (RFC 3986), beside letters, digits and `-._`."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

log = structlog.get_logger(__name__)


class HttpRefusal(HTTPException):
    """A refusal of HTTP itself, not of the business: credentials, size, preconditions, rates."""

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    correlation_id: str,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that carries one problem."""
    kind = problem_type(code)
    problem = Problem(
        type=kind.uri if kind else "about:blank",
        title=kind.title if kind else HTTPStatus(status).phrase,
        status=status,
        detail=_cut(detail, DETAIL_CHARS_MAX),
        code=code,
        correlation_id=correlation_id,
        errors=to_errors(faults),
    )
    return Response(problem.model_dump_json(), status, dict(headers or {}), MEDIA_TYPE)


def of_exception(failure: Exception, correlation_id: str) -> Response:
    """The answer to any failure; one that nobody expected is logged and answered 500."""
    match failure:
        case Rejected():
            status = _status_of(failure)
            return problem_response(
                status,
                failure.code,
                failure.detail,
                correlation_id=correlation_id,
                faults=failure.faults,
            )
        case RequestValidationError(body=bytes()):  # JSON would have been read by now
            return problem_response(
                415,
                "unsupported_media_type",
                "send the body as JSON, with Content-Type: application/json",
                correlation_id=correlation_id,
            )
        case RequestValidationError() | WebSocketRequestValidationError():
            body = getattr(failure, "body", None)
            faults = [_fault(error, body) for error in failure.errors()]
            return problem_response(
                422,
                "invalid_request",
                f"{len(faults)} part(s) of the request are not as they must be",
                correlation_id=correlation_id,
                faults=faults,
            )
        case HTTPException():
            code = getattr(failure, "code", None) or _code_of(failure.status_code)
            return problem_response(
                failure.status_code,
                code,
                failure.detail,
                correlation_id=correlation_id,
                headers=failure.headers,
            )
        case Transient():
            return _unavailable(failure, correlation_id)
        case _:
            log.error("request crashed", exc_info=failure)
            return problem_response(
                500,
                "internal_error",
                "the service failed; its log has the reason under this correlation id",
                correlation_id=correlation_id,
            )


def _unavailable(failure: Transient, correlation_id: str) -> Response:
    """What is away for now; of what somebody must bring back, which that is."""
    code, detail = "unavailable", "something this service needs is away for now; try again"
    if isinstance(failure, Unreadable):
        code, detail = failure.code, failure.detail
        log.error("something stored cannot be read", reason=detail)
    else:
        log.warning("request failed for now", reason=str(failure))
    return problem_response(
        503,
        code,
        detail,
        correlation_id=correlation_id,
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def to_errors(faults: Sequence[Fault]) -> list[ProblemError]:
    """The first `FAULTS_MAX` as an answer has them, with long texts cut."""
    return [_to_error(fault) for fault in faults[:FAULTS_MAX]]


def _to_error(fault: Fault) -> ProblemError:
    """A fault outside the body names its parameter, one in the body its pointer."""
    path, detail = _cut(fault.path, POINTER_CHARS_MAX), _cut(fault.detail, FAULT_CHARS_MAX)
    where, _, name = path.removeprefix("/").partition("/")
    if name and where in PARAMETERS:
        return ProblemError(detail=detail, parameter=f"{where}/{name}")
    return ProblemError(detail=detail, pointer=f"#{quote(path, safe=FRAGMENT_SAFE)}")


async def handle(request: HTTPConnection, failure: Exception) -> Response:
    """FastAPI's exception handler for every kind that it knows."""
    state: State = request.state
    answer = of_exception(failure, state.correlation_id)
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_allowed(request))
    return answer


def _allowed(request: HTTPConnection) -> list[str]:
    """The methods of a path, which may have a route for each."""
    routes = request.app.router.routes
    allowed = [
        method
        for method in METHODS
        if any(
            route.matches(dict(request.scope, method=method))[0] is Match.FULL for route in routes
        )
    ]
    return ["HEAD", *allowed] if "GET" in allowed else allowed


def _cut(text: str, chars_max: int) -> str:
    """The text, cut where it is long; half of a surrogate pair, which no answer carries, is `?`."""
    short = text if len(text) <= chars_max else f"{text[: chars_max - 1]}…"
    return short.encode(errors="replace").decode()


def _status_of(rejected: Rejected) -> int:
    match rejected:
        case NotFound():
            return 404
        case Conflict():
            return 409
        case _:
            return 422


def _code_of(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


def _fault(error: Mapping[str, Any], body: object) -> Fault:
    """Pydantic's fault; `loc` begins with its source: body, query, path or header."""
    source, *rest = error["loc"]
    # Of a parameter only its name: what follows is the member of a union.
    parts = _within(body, rest) if source == "body" else [source, *rest[:1]]
    if error["type"] == "json_invalid":
        return Fault("", f"the body is not JSON: {error['ctx']['error']}")
    return Fault(pointer(parts), error["msg"].removeprefix("Value error, "))


def _within(body: object, parts: Sequence[object]) -> list[object]:
    """The parts of a path that lead into the body: pydantic puts the type of a union's member among
    them, which stands nowhere in it."""
    inside: list[object] = []
    value = body
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        if isinstance(value, Mapping) and part not in value and not is_last:
            continue
        inside.append(part)
        match value:
            case Mapping():
                value = value.get(part)
            case list() if isinstance(part, int) and part < len(value):
                value = value[part]
            case _:
                value = None
    return inside


def pointer(parts: Sequence[object]) -> str:
    """Parts as a JSON pointer: `/items/3/a~1b`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
