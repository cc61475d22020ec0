"""The bodies of requests and answers about readings: kWh as decimal strings."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, PlainSerializer

from contracts.metering import Flow, MeterType, ReadingKind
from contracts.metering import Quality as Entered
from contracts.model import Amount, Instant
from kernel.registers import DECIMALS_MAX, DIGITS_MAX
from ledger.api.models import Body, Multiplier
from ledger.domain import readings, registry
from ledger.handlers.readings import Accepted

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
    flow: Flow | None = None
    quality: Entered = "actual"
    note: Note = ""

    def wanted(self, now: datetime) -> readings.Wanted:
        """As the domain knows it."""
        return readings.Wanted(self.value, self.read_at or now, self.quality, self.note)


class NewReadingOfMeter(NewReading):
    """A reading of one of a property's meters, named by its id or by its type where there is one
    of that type."""

    meter_id: UUID | None = None
    type: MeterType | None = None


class NewReadings(Body):
    """Readings of a property's meters. With `all_or_nothing` one that is refused refuses all;
    with `item_by_item` the others are entered."""

    items: Annotated[list[NewReadingOfMeter], Field(min_length=1, max_length=READINGS_MAX)]
    mode: Literal["all_or_nothing", "item_by_item"] = "all_or_nothing"


class WholeReading(Body):
    """What a reading should have been; it replaces all that was entered."""

    value: Amount
    read_at: Instant
    quality: Entered = "actual"
    note: Note = ""

    def wanted(self) -> readings.Wanted:
        """As the domain knows it."""
        return readings.Wanted(self.value, self.read_at, self.quality, self.note)


class Dial(Body):
    """The register of a new meter; what is left out is as it was."""

    digits: Annotated[int, Field(ge=1, le=DIGITS_MAX)] | None = None
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] | None = None
    multiplier: Multiplier | None = None

    def after(self, old: registry.Register) -> registry.Register:
        """The register that follows the old one."""
        return registry.Register(
            old.flow,
            old.digits if self.digits is None else self.digits,
            old.decimals if self.decimals is None else self.decimals,
            old.multiplier if self.multiplier is None else self.multiplier,
        )


class NewExchange(Body):
    """A meter is replaced: the last value of the old one and the first of the new one, read at
    one moment."""

    final_value: Amount
    initial_value: Amount
    read_at: Instant | None = None
    flow: Flow | None = None
    dial: Dial = Dial()
    note: Note = ""


class Caution(BaseModel):
    """Something doubtful about a reading that was accepted."""

    code: Literal["earlier_than_last", "lower_than_last"]
    detail: str


class Reading(BaseModel):
    """A reading as it counts, or as one of its entries had it. `created_at` is when this entry was
    recorded; `version` counts the reading's entries, and `supersedes_id` is the entry before."""

    id: UUID
    meter_id: UUID
    property_id: UUID
    flow: Flow
    kind: ReadingKind
    value: Energy
    unit: Literal["kWh"] = "kWh"
    digits: int
    decimals: int
    multiplier: Energy
    quality: Entered
    note: str
    read_at: datetime
    created_at: datetime
    version: int
    entry_id: UUID
    supersedes_id: UUID | None
    exchange_id: UUID | None

    @classmethod
    def of(cls, recorded: readings.Recorded) -> Self:
        """An entry as the API shows it."""
        return cls(**shown(recorded))


class EnteredReading(Reading):
    """A reading that was entered, and what is doubtful about it."""

    warnings: list[Caution]

    @classmethod
    def accepted(cls, one: Accepted) -> Self:
        """An accepted reading as the API shows it."""
        warnings = [Caution(code=each.code, detail=each.detail) for each in one.cautions]
        return cls(**shown(one.recorded), warnings=warnings)


def shown(recorded: readings.Recorded) -> dict[str, object]:
    """The fields of an entry as the API names them."""
    entry, register = recorded.entry, recorded.entry.register
    return {
        "id": entry.reading_id,
        "entry_id": entry.id,
        "created_at": recorded.created_at,
        "flow": register.flow,
        "digits": register.digits,
        "decimals": register.decimals,
        "multiplier": register.multiplier,
    } | {
        name: getattr(entry, name)
        for name in (
            "meter_id", "property_id", "kind", "value", "quality", "note", "read_at", "version",
            "supersedes_id", "exchange_id",
        )
    }  # fmt: skip


class Fault(BaseModel):
    """One thing wrong with an item, and where."""

    path: str
    detail: str


class Outcome(BaseModel):
    """What became of one reading of a request."""

    index: int
    status: Literal["accepted", "unchanged", "refused"]
    reading: EnteredReading | None = None
    code: str | None = None
    detail: str | None = None
    faults: list[Fault] = Field(default_factory=list)


class Outcomes(BaseModel):
    """What became of each reading, in the order asked; `unchanged` was there already, just so."""

    accepted: int
    unchanged: int
    refused: int
    items: list[Outcome]


class Exchange(BaseModel):
    """A meter's exchange: its two readings, which count as one."""

    exchange_id: UUID
    final: Reading
    initial: Reading
