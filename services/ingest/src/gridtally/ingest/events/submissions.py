"""Items of a request → submissions → messages: plain blocks, and events as CloudEvents writes them.

Owns the two forms that an item has over HTTP. An item that is neither is refused by itself, with
what is wrong in it; those beside it are taken in.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from gridtally.contracts.envelope import read_document
from gridtally.contracts.faults import faults_of
from gridtally.contracts.metering import BLOCK_VALUES_MAX, ReadingsReceived
from gridtally.contracts.model import READ_EXACTLY
from gridtally.ingest.domain.submissions import Submission
from gridtally.ingest.domain.validation import Refusal
from gridtally.ingest.events import SOURCE, SOURCE_UNNAMED
from gridtally.ingest.events.blocks import block_of
from gridtally.kernel.errors import Poison
from gridtally.kernel.ids import arrival_id
from gridtally.messaging import OutgoingMessage

FAULTS_SHOWN_MAX = 3
UNITS_OF_THOUSANDS = {"kWh": "Wh", "kvarh": "varh"}
DIGITS_MAX = 15
_Thousands = Annotated[
    Decimal,
    Field(allow_inf_nan=False, max_digits=DIGITS_MAX, decimal_places=3),
    READ_EXACTLY,
]
_THOUSANDS = TypeAdapter(
    Annotated[list[_Thousands | None], Field(min_length=1, max_length=BLOCK_VALUES_MAX)]
)
"""Values of which each is a whole number of a thousandth of its unit."""


def _described(schema: dict[str, Any]) -> None:
    """The values as they may be sent, also in kWh."""
    forms = ("integer", "number", "string", "null")
    schema["properties"]["values"]["items"] = {"anyOf": [{"type": form} for form in forms]}
    schema["properties"]["unit"]["description"] = (
        "The unit of the values: `Wh`, or `varh` of reactive flows; or `kWh` and `kvarh`, of "
        "which each value is a whole number of Wh: a number, or a decimal string."
    )


class NewBlock(ReadingsReceived):
    """A block of consecutive interval readings.

    `event_id` names the block: sent again under the same id it changes nothing, however late. Other
    values under that id go to quarantine (`event_id_reused`). Without an id each block is taken for
    what it says: values that are in force already are a duplicate, all others are a correction,
    also one back to earlier values. Of two blocks for the same intervals the one that was read
    later (`read_at`) counts, and of those that were read at once the one that came later. So a
    sender that repeats blocks long after it sent them gives them ids. A field that is not known is
    refused here, though a gateway's event may have it.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_described)

    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose request it is that an item came with."""

    tenant_id: str
    correlation_id: str


def read_item(item: Any, sender: Sender, _now: datetime) -> Submission | Refusal:
    """A block as the API describes it; one in kWh is published in Wh."""
    item = _in_whole_units(item)
    if isinstance(item, Refusal):
        return item
    try:
        block = NewBlock.model_validate(item)
    except ValidationError as invalid:
        return _malformed(invalid, item, NewBlock)
    return Submission(
        block_of(block),
        block.model_dump_json(exclude={"event_id"}).encode(),
        SOURCE if block.event_id else SOURCE_UNNAMED,
        sender.correlation_id,
        block.event_id,
    )


def read_event(document: Any, sender: Sender, now: datetime) -> Submission | Refusal:
    """An event in structured mode; its data may have fields that are newer than its reader, as on
    the topic."""
    try:
        envelope, data = read_document(
            document, tenant_id=sender.tenant_id, correlation_id=sender.correlation_id, now=now
        )
    except Poison as poison:
        return Refusal("malformed", str(poison))
    if envelope.event_type != ReadingsReceived.TOPIC:
        return Refusal("malformed", f"type: is not {ReadingsReceived.TOPIC}")
    if envelope.source.startswith(SOURCE):
        return Refusal("malformed", f"source: only Gridtally itself sends as {SOURCE}")
    try:
        block = ReadingsReceived.model_validate_json(data)
    except ValidationError as invalid:
        return _malformed(invalid, data, ReadingsReceived)
    return Submission(
        block_of(block),
        block.model_dump_json().encode(),
        envelope.source,
        envelope.correlation_id,
        envelope.event_id,
        envelope.occurred_at,
    )


def message_of(submission: Submission, tenant_id: str, arrived_at: datetime) -> OutgoingMessage:
    """The submission as it is published."""
    return OutgoingMessage.raw(
        ReadingsReceived.TOPIC,
        str(submission.block.meter_id),
        submission.value,
        tenant_id=tenant_id,
        correlation_id=submission.correlation_id,
        source=submission.source,
        event_id=submission.event_id or arrival_id(arrived_at, submission.value),
        occurred_at=submission.occurred_at or arrived_at,
    )


def _in_whole_units(item: Any) -> Any:
    """An item in kWh (kvarh) in Wh (varh), any other as it is; a Refusal where a value is no whole
    number of these: nothing is rounded."""
    unit = item.get("unit") if isinstance(item, dict) else None
    if not isinstance(unit, str) or unit not in UNITS_OF_THOUSANDS or "values" not in item:
        return item
    whole = UNITS_OF_THOUSANDS[unit]
    try:
        values = _THOUSANDS.validate_python(item["values"])
    except ValidationError as invalid:
        faults = faults_of(invalid, item["values"], _THOUSANDS.validate_python)[:FAULTS_SHOWN_MAX]
        shown = "; ".join(
            f"{'/'.join(map(str, ('values', *fault['loc'])))}: {fault['msg']}" for fault in faults
        )
        return Refusal("malformed", f"{shown} (in {unit}, and a whole number of {whole})")
    thousandths = [None if value is None else int(value.scaleb(3)) for value in values]
    return item | {"unit": whole, "values": thousandths}


def _malformed(invalid: ValidationError, item: Any, model: type[ReadingsReceived]) -> Refusal:
    read = model.model_validate_json if isinstance(item, bytes) else model.model_validate
    faults = faults_of(invalid, item, read)[:FAULTS_SHOWN_MAX]
    shown = (f"{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
    return Refusal("malformed", "; ".join(shown))
