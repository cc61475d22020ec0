"""Webhooks: endpoints that a tenant has, messages for them, and when each is tried.

Owns the schedule of attempts, when an endpoint is given up, and how secrets come about. A secret
follows from the installation's key, the endpoint and its number, so that none is stored.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

EndpointState = Literal["active", "disabled"]
MessageState = Literal["pending", "delivered", "failed"]
SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""The pauses after each attempt that failed; after the last there is none left."""
RETRY_AFTER_MAX_S = 86_400
FAILING_MAX = timedelta(days=5)
"""An endpoint that took nothing for so long is disabled."""
OVERLAP = timedelta(hours=24)
"""So long a secret that was replaced signs beside the new one."""
KEPT_FOR = timedelta(days=30)
"""After so long a message is deleted, with its attempts."""
GONE = 410
TEST_TYPE = "webhook.test"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a tenant wants messages to be posted, and of which types."""

    id: UUID
    url: str
    types: tuple[str, ...]
    description: str | None
    state: EndpointState = "active"
    disabled_reason: str | None = None
    secret_number: int = 1
    earlier_secret_until: datetime | None = None
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """Something that happened, to be posted to an endpoint; `id` follows from both."""

    tenant_id: str
    id: UUID
    endpoint_id: UUID
    type: str
    body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message to be tried now; `attempts` were made, of which the last `attempts_before` count
    not for its schedule, because somebody has asked for it anew."""

    tenant_id: str
    id: UUID
    endpoint: Endpoint
    body: bytes
    attempts: int
    attempts_before: int

    @property
    def key(self) -> tuple[str, UUID]:
        """Whose endpoint it is for."""
        return self.tenant_id, self.endpoint.id


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt, and what becomes of the message and of its endpoint after it."""

    message: DueMessage
    number: int
    status: int | None
    error: str | None
    answer: str
    took_ms: int
    attempted_at: datetime
    state: MessageState
    due_at: datetime
    disabled_reason: str | None


def secrets_of(key: bytes, tenant_id: str, endpoint: Endpoint, now: datetime) -> list[bytes]:
    """The secrets that sign now: the endpoint's, and while they overlap the one before it."""
    numbers = [endpoint.secret_number]
    until = endpoint.earlier_secret_until
    if until is not None and now < until:
        numbers.append(endpoint.secret_number - 1)
    return [_secret(key, tenant_id, endpoint.id, number) for number in numbers]


def _secret(key: bytes, tenant_id: str, endpoint_id: UUID, number: int) -> bytes:
    named = f"webhook\x1f{tenant_id}\x1f{endpoint_id}\x1f{number}".encode()
    return hmac.new(key, named, hashlib.sha256).digest()


def attempt_of(
    message: DueMessage,
    status: int | None,
    error: str | None,
    answer: str,
    took_ms: int,
    retry_after_s: int | None,
    now: datetime,
) -> Attempt:
    """What follows from an attempt that ended now."""
    number = message.attempts + 1
    is_delivered = status is not None and 200 <= status < 300
    pause_s = _pause_s(message, number - message.attempts_before, retry_after_s)
    state: MessageState = (
        "delivered" if is_delivered else "failed" if pause_s is None else "pending"
    )
    return Attempt(
        message=message,
        number=number,
        status=status,
        error=error,
        answer=answer,
        took_ms=took_ms,
        attempted_at=now,
        state=state,
        due_at=now + timedelta(seconds=pause_s or 0),
        disabled_reason=None if is_delivered else _reason(message.endpoint, status, now),
    )


def outcomes_of_endpoints(
    attempts: Sequence[Attempt],
) -> tuple[list[tuple[str, UUID]], list[Attempt]]:
    """What attempts, in the order they ended, say of their endpoints: those that took something,
    and the failures of each since it last did, endpoint by endpoint."""
    delivered: set[tuple[str, UUID]] = set()
    failures: dict[tuple[str, UUID], list[Attempt]] = {}
    for attempt in attempts:
        key = attempt.message.key
        if attempt.state == "delivered":
            delivered.add(key)
            failures.pop(key, None)
        else:
            failures.setdefault(key, []).append(attempt)
    return sorted(delivered), [attempt for key in sorted(failures) for attempt in failures[key]]


def _reason(endpoint: Endpoint, status: int | None, now: datetime) -> str | None:
    """Why an endpoint that failed once more is disabled; None where it is not."""
    if status == GONE:
        return "it answered 410: it is gone"
    if endpoint.failing_since is not None and now - endpoint.failing_since > FAILING_MAX:
        return f"it took nothing since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
    return None


def _pause_s(message: DueMessage, tried: int, retry_after_s: int | None) -> int | None:
    """The seconds until the next attempt, after so many; None where there is none.

    Half of a pause is by chance, which follows from the message, so that messages that failed
    together do not come back together.
    """
    if tried > len(SCHEDULE_S):
        return None
    pause_s = SCHEDULE_S[tried - 1]
    spread = (message.id.int >> (tried * 8)) & 0xFF
    pause_s = pause_s // 2 + pause_s * spread // 512
    return max(pause_s, min(retry_after_s or 0, RETRY_AFTER_MAX_S))


def wanted(endpoint: Endpoint, type_: str) -> bool:
    """Whether an endpoint is for events of a type; one that names none is for all."""
    return endpoint.state == "active" and (not endpoint.types or type_ in endpoint.types)


Endpoints = Sequence[tuple[str, Endpoint, datetime]]
"""Endpoints with their tenants, and the instants since which they are there."""
