"""What a service answers when it says no (RFC 9457), as exceptions by kind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEDIA_TYPE = "application/problem+json"


class ClientError(Exception):
    """Whatever a call may fail with."""


class ServiceAway(ClientError):
    """A service does not answer, or its answer broke off, after every attempt."""


class UnreadableAnswer(ClientError):
    """A service answered what this client does not understand: one of them is too old."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: `pointer` into the body (RFC 6901), or a `parameter`."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def __str__(self) -> str:
        where = self.pointer if self.pointer is not None else self.parameter
        return f"{where}: {self.detail}" if where else self.detail


class Problem(ClientError):
    """A service refused a request.

    `code` is the stable name of the reason (docs/problems.md), `detail` its sentence, `errors` say
    which fields. `correlation_id` finds the request in the service's logs. `retry_after_s` is set
    where the service said when to ask again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        errors: Sequence[FieldError] = (),
        *,
        correlation_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.correlation_id = correlation_id
        self.retry_after_s = retry_after_s
        super().__init__("; ".join([f"{status} {code}: {detail}", *map(str, self.errors)]))


class InvalidRequest(Problem):
    """400, 413, 415, 422 or 428: the request must be another one."""


class NotAllowed(Problem):
    """401 or 403: no key, or a key without the scope."""


class NotFound(Problem):
    """404: there is no such thing, for this key."""


class Conflict(Problem):
    """409 or 412: it does not fit what is there, or somebody else changed it first."""


class NotNow(Problem):
    """429, 502, 503 or 504: ask again, after `retry_after_s`."""


_KINDS: Mapping[int, type[Problem]] = {
    400: InvalidRequest,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    428: InvalidRequest,
    429: NotNow,
    502: NotNow,
    503: NotNow,
    504: NotNow,
}


def problem_of(status: int, headers: Mapping[str, str], content: bytes) -> Problem:
    """The exception for an answer of 400 or more; `headers` are read without regard to case.

    What is no problem document, as a proxy in between may answer, has the code `http_<status>`.
    """
    kind = _KINDS.get(status, Problem)
    known: dict[str, Any] = {}
    if headers.get("content-type", "").startswith(MEDIA_TYPE):
        known = _object_of(content)
    return kind(
        status,
        str(known.get("code", f"http_{status}")),
        str(known.get("detail", "the answer says no more")),
        [_field_error(error) for error in known.get("errors", []) if isinstance(error, dict)],
        correlation_id=headers.get("x-correlation-id"),
        retry_after_s=_seconds(headers.get("retry-after")),
    )


def _object_of(content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _field_error(error: Mapping[str, Any]) -> FieldError:
    return FieldError(str(error.get("detail")), error.get("pointer"), error.get("parameter"))


def _seconds(retry_after: str | None) -> float | None:
    """Seconds, as our services write them; a date, as a proxy may, counts as nothing said."""
    try:
        return None if retry_after is None else max(0.0, float(retry_after))
    except ValueError:
        return None
