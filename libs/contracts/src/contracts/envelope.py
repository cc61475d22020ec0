"""The envelope: CloudEvents 1.0 in Kafka's binary mode, attributes as headers, value JSON.

Owns which attributes Gridtally sends and expects. Source: CloudEvents 1.0, Kafka protocol
binding, section 3.2 (https://github.com/cloudevents/spec). Refuses to know the payloads.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from kernel.errors import Poison
from kernel.periods import in_utc

Headers = Sequence[tuple[str, bytes]]

TENANT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
TEXT_CHARS_MAX = 256
SENDERS_CACHED_MAX = 4_096

_UUID = TypeAdapter(UUID).validator
TENANT = re.compile(TENANT_PATTERN)


class Envelope(NamedTuple):
    """Who says what about whom, and what caused it.

    `correlation_id` follows a reading to its ledger posting; `occurred_at` is UTC. A tuple, since
    every message needs one and a frozen dataclass takes twice the time to make.
    """

    event_id: UUID
    event_type: str
    source: str
    occurred_at: datetime
    tenant_id: str
    correlation_id: str

    def headers(self) -> list[tuple[str, bytes]]:
        """As Kafka headers."""
        return [
            ("ce_specversion", b"1.0"),
            ("ce_id", str(self.event_id).encode()),
            ("ce_type", self.event_type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_time", self.occurred_at.astimezone(UTC).isoformat().encode()),
            ("ce_tenantid", self.tenant_id.encode()),
            ("ce_correlationid", self.correlation_id.encode()),
            ("content-type", b"application/json"),
        ]


def read_envelope(headers: Headers) -> Envelope:
    """The envelope in a message's headers; Poison where one is missing or malformed."""
    found = dict(headers)
    try:
        event_id = _UUID.validate_python(found["ce_id"].decode())
        occurred_at = datetime.fromisoformat(found["ce_time"].decode())
        if occurred_at.tzinfo is None:
            raise Poison("ce_time has no time zone")
        correlation_id = found.get("ce_correlationid", found["ce_id"]).decode()
        event_type, source, tenant_id = _sender(
            found["ce_type"], found["ce_source"], found["ce_tenantid"]
        )
        occurred_at = in_utc(occurred_at)
    except KeyError as missing:
        raise Poison(f"the envelope has no {missing.args[0]} header") from None
    except ValidationError:
        raise Poison("the envelope is malformed: ce_id is not a UUID") from None
    except (ValueError, AttributeError) as malformed:
        raise Poison(f"the envelope is malformed: {malformed}") from None
    _check_text("ce_correlationid", correlation_id)
    return Envelope(event_id, event_type, source, occurred_at, tenant_id, correlation_id)


@lru_cache(maxsize=SENDERS_CACHED_MAX)
def _sender(event_type: bytes, source: bytes, tenant_id: bytes) -> tuple[str, str, str]:
    """What all messages of a sender have in common; cached, since there are few of them."""
    tenant = tenant_id.decode()
    if not TENANT.fullmatch(tenant):
        raise Poison(f"ce_tenantid must match {TENANT_PATTERN}")
    texts = (event_type.decode(), source.decode(), tenant)
    for name, text in zip(("ce_type", "ce_source", "ce_tenantid"), texts, strict=True):
        _check_text(name, text)
    return texts


def _check_text(name: str, text: str) -> None:
    if "\0" in text:
        raise Poison("the envelope holds a NUL character, which no database stores")
    if len(text) > TEXT_CHARS_MAX:
        raise Poison(f"{name} has at most {TEXT_CHARS_MAX} characters")
