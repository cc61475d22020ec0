"""Problem details (RFC 9457): the one form in which every API of Gridtally says no.

Owns the mapping from the kinds of failure to HTTP statuses and the faults' JSON pointers (RFC
6901). Refuses to show a caller the inside of a failure, or to echo a value that was refused.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from contracts.problem import FaultDetail, Problem
from kernel.errors import Conflict, Fault, NotFound, Rejected, Transient

MEDIA_TYPE = "application/problem+json"
FAULTS_MAX = 100
"""A body of a million wrong items gets an answer of readable length."""
POINTER_CHARS_MAX = 300
FAULT_CHARS_MAX = 500
DETAIL_CHARS_MAX = 2_000
"""Names and validators' words may hold what the caller sent; that is not sent back in full."""
RETRY_AFTER_S = 2
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

log = structlog.get_logger(__name__)


class Refusal(HTTPException):
    """A "no" of HTTP itself, not of the business: credentials, size, preconditions, pace."""

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
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_cut(detail, DETAIL_CHARS_MAX),
        code=code,
        correlation_id=correlation_id,
        faults=shown_faults(faults),
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
        case RequestValidationError():
            faults = [_fault(error) for error in failure.errors()]
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
            log.warning("request failed for now", reason=str(failure))
            return problem_response(
                503,
                "unavailable",
                "something this service needs is away for now; try again",
                correlation_id=correlation_id,
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        case _:
            log.error("request crashed", exc_info=failure)
            return problem_response(
                500,
                "internal_error",
                "the service failed; its log has the reason under this correlation id",
                correlation_id=correlation_id,
            )


def shown_faults(faults: Sequence[Fault]) -> list[FaultDetail]:
    """The first of them as an answer shows them: what is long is cut."""
    return [
        FaultDetail(
            path=_cut(fault.path, POINTER_CHARS_MAX), detail=_cut(fault.detail, FAULT_CHARS_MAX)
        )
        for fault in faults[:FAULTS_MAX]
    ]


async def handle(request: Request, failure: Exception) -> Response:
    """FastAPI's exception handler for every kind that it knows."""
    state: State = request.state
    answer = of_exception(failure, state.correlation_id)
    if answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_allowed(request))
    return answer


def _allowed(request: Request) -> list[str]:
    """The methods of a path, which may have a route for each."""
    routes = request.app.router.routes
    allowed = [
        method
        for method in METHODS
        if any(one.matches(dict(request.scope, method=method))[0] is Match.FULL for one in routes)
    ]
    return ["HEAD", *allowed] if "GET" in allowed else allowed


def _cut(text: str, chars_max: int) -> str:
    """What is long is cut; half of a surrogate pair, which no answer can carry, is shown as `?`."""
    shown = text if len(text) <= chars_max else f"{text[: chars_max - 1]}…"
    return shown.encode(errors="replace").decode()


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


def _fault(error: Mapping[str, Any]) -> Fault:
    """Pydantic's fault; `loc` begins with where it was found: body, query, path or header."""
    where, *rest = error["loc"]
    parts = rest if where == "body" else [where, *rest]
    if error["type"] == "json_invalid":
        return Fault("", f"the body is not JSON: {error['ctx']['error']}")
    return Fault(pointer(parts), error["msg"].removeprefix("Value error, "))


def pointer(parts: Sequence[object]) -> str:
    """Parts as a JSON pointer: `/items/3/a~1b`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
