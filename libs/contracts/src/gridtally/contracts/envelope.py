"""The envelope: CloudEvents 1.0 on Kafka.

Owns which attributes Gridtally sends and expects. It sends in binary mode: attributes as headers,
the data, JSON, as the value. It also reads structured mode: the value is one JSON document with
the attributes and the data. Sources: CloudEvents 1.0.2, its JSON event format and its Kafka
protocol binding, section 3 (https://github.com/cloudevents/spec). Refuses to know the payloads.
"""

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from gridtally.kernel.errors import Poison
from gridtally.kernel.ids import derive_id
from gridtally.kernel.periods import in_utc

Headers = Sequence[tuple[str, bytes]]

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
TENANT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
TEXT_CHARS_MAX = 256
SENDERS_CACHED_MAX = 4_096

_UUID = TypeAdapter(UUID).validator
_SPEC_VERSION = SPEC_VERSION.encode()
_CONTENT_TYPE = CONTENT_TYPE.encode()
TENANT = re.compile(TENANT_PATTERN)
_CLOUDEVENTS = b"application/cloudevents"
_JSON_FORMAT = re.compile(rb"application/cloudevents\+json\s*(;.*)?", re.DOTALL)
_JSON_DATA = re.compile(r"(application|text)/([a-z0-9.-]+\+)?json\s*(;.*)?", re.DOTALL)
_ATTRIBUTES = ("specversion", "id", "type", "source", "time", "tenantid", "correlationid")


class Envelope(NamedTuple):
    """Which event it is, who sends it, whose it is, and what caused it.

    `event_id` is what `event_id_of` makes of its source and id; `correlation_id` follows a reading
    to its ledger posting; `occurred_at` is UTC. A tuple, since every message needs one and a frozen
    dataclass takes twice the time to make.
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
            ("ce_specversion", _SPEC_VERSION),
            ("ce_id", str(self.event_id).encode()),
            ("ce_type", self.event_type.encode()),
            ("ce_source", self.source.encode()),
            ("ce_time", self.occurred_at.astimezone(UTC).isoformat().encode()),
            ("ce_tenantid", self.tenant_id.encode()),
            ("ce_correlationid", self.correlation_id.encode()),
            ("content-type", _CONTENT_TYPE),
        ]


def source_of(service: str) -> str:
    """The `ce_source` of everything that a service of Gridtally sends."""
    return f"gridtally/{service}"


def event_id_of(source: str, id_: str) -> UUID:
    """The UUID that stands for an event wherever it is stored.

    An id that is a UUID is that itself, which all of Gridtally's own are. Of any other text it is
    the UUIDv5 of source and id, which together name an event (CloudEvents 1.0, section 3.1).
    Poison for an id that is empty, too long or holds NUL, ValueError for the unit separator.
    """
    try:
        event_id: UUID = _UUID.validate_python(id_)
    except ValidationError:
        _check_name("ce_id", id_)  # what is a UUID needs no such check, and nearly all are
        return derive_id("event", source, id_)
    return event_id


def read_message(headers: Headers, value: bytes | None) -> tuple[Envelope, bytes | None]:
    """The envelope and the data of a message in either mode; None is a tombstone's data.

    Poison where an attribute is missing or malformed, and for another format than JSON.
    """
    attributes = dict(headers)
    if not _is_structured(attributes):
        return _envelope_of(attributes), value
    document = _read_document(attributes, value)
    return _envelope_of(_attributes_of(document)), _data_of(document)


def read_document(
    document: object, *, tenant_id: str, correlation_id: str, now: datetime
) -> tuple[Envelope, bytes]:
    """The envelope and the data of an event in structured mode that came without a broker.

    Whoever took it in knows whose it is and what caused it, so it needs none of `tenantid`,
    `correlationid` and `time` (which is then `now`). Poison as of `read_message`, and where it
    names another tenant.
    """
    if not isinstance(document, dict):
        raise Poison("a structured event is a JSON object")
    known = {
        "ce_tenantid": tenant_id.encode(),
        "ce_correlationid": correlation_id.encode(),
        "ce_time": now.isoformat().encode(),
    }
    attributes = known | _attributes_of(document)
    if attributes["ce_tenantid"] != known["ce_tenantid"]:
        raise Poison("tenantid names another tenant than the one that sends it: leave it out")
    return _envelope_of(attributes), _data_of(document)


def named_tenant(headers: Headers, value: bytes | None) -> str | None:
    """The tenant that a message names, though nothing else in it can be understood."""
    attributes = dict(headers)
    try:
        if _is_structured(attributes):
            attributes = _attributes_of(_read_document(attributes, value))
        tenant_id = attributes["ce_tenantid"].decode()
    except (Poison, KeyError, ValueError, AttributeError):
        return None
    return tenant_id if TENANT.fullmatch(tenant_id) else None


def read_envelope(headers: Headers) -> Envelope:
    """The envelope in a message's headers; Poison where an attribute is missing or malformed."""
    return _envelope_of(dict(headers))


def _envelope_of(attributes: dict[str, bytes]) -> Envelope:
    try:
        if attributes["ce_specversion"] != _SPEC_VERSION:
            raise Poison(f"only CloudEvents {SPEC_VERSION} are understood: see ce_specversion")
        id_ = attributes["ce_id"].decode()
        occurred_at = datetime.fromisoformat(attributes["ce_time"].decode())
        if occurred_at.tzinfo is None:
            raise Poison("ce_time has no time zone")
        correlation_id = attributes.get("ce_correlationid", attributes["ce_id"]).decode()
        event_type, source, tenant_id = _sender(
            attributes["ce_type"], attributes["ce_source"], attributes["ce_tenantid"]
        )
        occurred_at = in_utc(occurred_at)
        event_id = event_id_of(source, id_)
    except KeyError as missing:
        raise Poison(f"the envelope has no {missing.args[0]} header") from None
    except (ValueError, AttributeError) as malformed:
        raise Poison(f"the envelope is malformed: {malformed}") from None
    _check_text("ce_correlationid", correlation_id)
    return Envelope(event_id, event_type, source, occurred_at, tenant_id, correlation_id)


@lru_cache(maxsize=SENDERS_CACHED_MAX)
def _sender(event_type: bytes, source: bytes, tenant_id: bytes) -> tuple[str, str, str]:
    """What all messages of a sender have in common; cached, since senders are few."""
    tenant = tenant_id.decode()
    if not TENANT.fullmatch(tenant):
        raise Poison(f"ce_tenantid must match {TENANT_PATTERN}")
    texts = (event_type.decode(), source.decode(), tenant)
    for name, text in zip(("ce_type", "ce_source", "ce_tenantid"), texts, strict=True):
        _check_name(name, text)
    return texts


def _check_name(name: str, text: str) -> None:
    if not text:
        raise Poison(f"{name} is empty")
    _check_text(name, text)


def _check_text(name: str, text: str) -> None:
    if "\0" in text:
        raise Poison("the envelope holds a NUL character, which no database stores")
    if len(text) > TEXT_CHARS_MAX:
        raise Poison(f"{name} has at most {TEXT_CHARS_MAX} characters")


def _is_structured(attributes: dict[str, bytes]) -> bool:
    """Whether the content type, which is then of the whole event, is one of CloudEvents."""
    content_type = attributes.get("content-type")
    if content_type is None or content_type == _CONTENT_TYPE:
        return False
    return content_type.lower().startswith(_CLOUDEVENTS)


def _read_document(attributes: dict[str, bytes], value: bytes | None) -> dict[str, Any]:
    """The JSON document of a message in structured mode."""
    content_type = attributes["content-type"].lower()
    if not _JSON_FORMAT.fullmatch(content_type):
        shown = content_type[:TEXT_CHARS_MAX].decode(errors="replace")
        raise Poison(f"of structured events only application/cloudevents+json is read, no {shown}")
    try:
        document = json.loads(value or b"", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Poison("the value is no JSON document, as a structured event has") from None
    if not isinstance(document, dict):
        raise Poison("a structured event is a JSON object")
    return document


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _attributes_of(document: dict[str, Any]) -> dict[str, bytes]:
    """The attributes of a structured event as binary mode would have them."""
    attributes = {}
    for name in _ATTRIBUTES:
        if document.get(name) is not None:
            if not isinstance(document[name], str):
                raise Poison(f"the attribute {name} is not a text")
            attributes[f"ce_{name}"] = document[name].encode(errors="surrogatepass")
    return attributes


def _data_of(document: dict[str, Any]) -> bytes:
    """The data of a structured event, as JSON.

    JSON that was parsed is written again: a number of more digits than a float holds, which no
    contract allows, is the only thing that may change.
    """
    data_type = document.get("datacontenttype") or CONTENT_TYPE
    if not isinstance(data_type, str) or not _JSON_DATA.fullmatch(data_type.lower()):
        raise Poison("the data of a structured event must be JSON: see datacontenttype")
    data, encoded = document.get("data"), document.get("data_base64")
    if (data is None) == (encoded is None):
        raise Poison("a structured event has either data or data_base64")
    if encoded is None:
        return json.dumps(data, separators=(",", ":")).encode()
    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, TypeError):
        raise Poison("data_base64 is not Base64") from None
