"""Exchanges of meters in requests and answers."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.contracts.metering import ActiveFlow
from gridtally.contracts.model import Amount, Instant
from gridtally.http.resources import Body
from gridtally.ledger.metering.readings.domain import readings
from gridtally.ledger.metering.readings.schemas.readings import Note, Reading
from gridtally.ledger.registry.domain import meters
from gridtally.ledger.registry.schemas.meters import (
    ROLLOVER_TEXT,
    Multiplier,
    Register,
    Rollover,
    registers_of,
)
from gridtally.metering.registers import DECIMALS_MAX, DIGITS_MAX


class NewRegister(Body):
    """The register of a new meter; what is left out is as it was. With a null `rollover_kwh` it
    begins again after its last digit; one that is left out stays only where no digits are given.
    """

    digits: Annotated[int, Field(ge=1, le=DIGITS_MAX)] | None = None
    decimals: Annotated[int, Field(ge=0, le=DECIMALS_MAX)] | None = None
    multiplier: Multiplier | None = None
    rollover_kwh: Annotated[Rollover | None, Field(description=ROLLOVER_TEXT)] = None

    def after(self, old: meters.Register) -> meters.Register:
        """The register that follows the old one; Rejected where it contradicts itself."""
        given = {name: value for name, value in dict(self).items() if value is not None}
        kept = Register.of(old).model_dump()
        if self.model_fields_set & {"rollover_kwh", "digits"}:
            del kept["rollover_kwh"]
        if self.rollover_kwh is not None:
            del kept["digits"], kept["decimals"]
        [register] = registers_of([Register(**kept | given)])
        return register


class NewExchange(Body):
    """A meter is replaced: the last value of the old one and the first of the new one, read at
    one moment."""

    final_value: Amount
    initial_value: Amount
    read_at: Instant | None = None
    flow: ActiveFlow | None = None
    new_register: Annotated[NewRegister, Field(alias="register")] = NewRegister()
    note: Note = ""


class Exchange(BaseModel):
    """A meter's exchange: its two readings, which count as one."""

    exchange_id: UUID
    final: Reading
    initial: Reading

    @classmethod
    def of(cls, final: readings.RecordedEntry, initial: readings.RecordedEntry) -> Self:
        """The closing and the opening entry as the API shows them."""
        return cls.model_validate(
            {
                "exchange_id": final.entry.exchange_id,
                "final": Reading.of(final),
                "initial": Reading.of(initial),
            }
        )
