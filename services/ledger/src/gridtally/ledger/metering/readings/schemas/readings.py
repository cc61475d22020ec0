"""Readings in requests and answers."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, PlainSerializer

from gridtally.contracts.metering import ActiveFlow, MeterType, Quality, ReadingKind
from gridtally.contracts.model import Amount, Instant
from gridtally.contracts.problem import ProblemError
from gridtally.http.resources import Body
from gridtally.ledger.metering.readings.domain import readings
from gridtally.ledger.metering.readings.handlers.readings import AcceptedReading
from gridtally.ledger.refused_items import BatchMode
from gridtally.ledger.registry.schemas.meters import ROLLOVER_TEXT

READINGS_MAX = 1_000
"""The most readings that one request may enter."""
Energy = Annotated[
    Decimal, PlainSerializer(lambda kwh: format(kwh, "f"), return_type=str, when_used="json")
]
"""kWh, exactly, with the decimals of the registers that it comes from."""
AsOf = Annotated[
    Instant | None, Field(description="As it was known at this instant; left out, now")
]
Note = Annotated[str, Field(max_length=500)]


class NewReading(Body):
    """What a register showed: `value` in kWh before the meter's multiplier, taken at `read_at`
    (now, where it is left out). `flow` names the register where the meter has several."""

    value: Amount
    read_at: Instant | None = None
    flow: ActiveFlow | None = None
    quality: Quality = "actual"
    note: Note = ""

    def to_domain(self, now: datetime) -> readings.ReadingContent:
        """The reading's content as the domain knows it."""
        return readings.ReadingContent(self.value, self.read_at or now, self.quality, self.note)


class NewReadingOfMeter(NewReading):
    """A reading of one of a property's meters, named by its id or by its type where there is one
    of that type."""

    meter_id: UUID | None = None
    meter_type: MeterType | None = None


class NewReadings(Body):
    """Readings of a property's meters. With `all_or_nothing` one that is refused refuses all;
    with `item_by_item` the others are entered."""

    items: Annotated[list[NewReadingOfMeter], Field(min_length=1, max_length=READINGS_MAX)]
    mode: Annotated[BatchMode, Field(description="What happens where some items are refused")] = (
        "all_or_nothing"
    )


class ReadingReplacement(Body):
    """What a reading should have been; it replaces all that was entered."""

    value: Amount
    read_at: Instant
    quality: Quality = "actual"
    note: Note = ""

    def to_domain(self) -> readings.ReadingContent:
        """The reading's content as the domain knows it."""
        return readings.ReadingContent(self.value, self.read_at, self.quality, self.note)


class Reading(BaseModel):
    """A reading as it counts, or as one of its entries had it. `created_at` is when this entry was
    recorded; `version` counts the reading's entries, and `supersedes_id` is the entry before."""

    id: UUID
    meter_id: UUID
    property_id: UUID
    flow: ActiveFlow
    kind: ReadingKind
    value: Energy
    unit: Literal["kWh"] = "kWh"
    digits: int
    decimals: int
    multiplier: Energy
    rollover_kwh: Annotated[Energy | None, Field(description=ROLLOVER_TEXT)]
    quality: Quality
    note: str
    read_at: datetime
    created_at: datetime
    version: Annotated[int, Field(description="Number of this entry of the reading, from 1")]
    entry_id: UUID
    supersedes_id: UUID | None
    exchange_id: UUID | None

    @classmethod
    def of(cls, recorded: readings.RecordedEntry) -> Self:
        """An entry as the API shows it."""
        return cls(**_fields(recorded))


class ReadingWarning(BaseModel):
    """Something doubtful about a reading that was accepted: it was taken before the register's last
    one (`earlier_than_last`), is lower than the one taken just before it (`lower_than_last`), or
    higher than the one taken just after it (`higher_than_next`)."""

    code: readings.WarningCode
    detail: str


class EnteredReading(Reading):
    """A reading that was entered, and what is doubtful about it."""

    warnings: list[ReadingWarning]

    @classmethod
    def of_accepted(cls, accepted: AcceptedReading) -> Self:
        """An accepted reading as the API shows it."""
        warnings = [
            ReadingWarning(code=warning.code, detail=warning.detail)
            for warning in accepted.warnings
        ]
        return cls(**_fields(accepted.recorded), warnings=warnings)


def _fields(recorded: readings.RecordedEntry) -> dict[str, object]:
    """The fields of an entry as the API names them: `id` is the reading's own."""
    entry, register = recorded.entry, recorded.entry.register
    return {
        "id": entry.reading_id,
        "entry_id": entry.id,
        "created_at": recorded.created_at,
        "flow": register.flow,
        "digits": register.digits,
        "decimals": register.decimals,
        "multiplier": register.multiplier,
        "rollover_kwh": register.rollover_kwh,
    } | {
        name: getattr(entry, name)
        for name in (
            "meter_id", "property_id", "kind", "value", "quality", "note", "read_at", "version",
            "supersedes_id", "exchange_id",
        )
    }  # fmt: skip


class ItemResult(BaseModel):
    """What became of one reading of a request."""

    index: int
    status: Annotated[
        Literal["accepted", "unchanged", "refused"], Field(description="What became of it")
    ]
    reading: EnteredReading | None = None
    code: Annotated[
        str | None, Field(description="Why it is refused: a problem code; null where it is not")
    ] = None
    detail: str | None = None
    errors: list[ProblemError] = Field(default_factory=list)


class ItemResults(BaseModel):
    """What became of each reading, in the order of the request; an `unchanged` one existed already
    with the same content."""

    accepted: int
    unchanged: Annotated[int, Field(description="Number of items that existed already")]
    refused: int
    items: list[ItemResult]
