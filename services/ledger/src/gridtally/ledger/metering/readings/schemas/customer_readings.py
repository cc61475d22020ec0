"""A customer's registers and the readings that it sends of them, in requests and answers."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gridtally.contracts.metering import ActiveFlow
from gridtally.contracts.model import Amount
from gridtally.http.resources import Body
from gridtally.ledger.metering.readings.domain.customer_readings import OwnRegister
from gridtally.ledger.metering.readings.domain.readings import Entry
from gridtally.ledger.metering.readings.handlers.customer_readings import CustomerReading
from gridtally.ledger.metering.readings.schemas.readings import Energy, Reading
from gridtally.ledger.metering.readings.store.customer_readings import REGISTERS_MAX


class LastReading(BaseModel):
    """The last reading of a register."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    value: Energy
    """What it showed, in kWh before the meter's multiplier."""
    read_at: datetime
    """When it was taken, in UTC."""
    is_by_customer: bool
    """Whether the customer sent it."""

    @classmethod
    def of(cls, entry: Entry, own: OwnRegister) -> Self:
        """A reading of the register as the API shows it."""
        is_sent = entry.id in own.sent_ids
        return cls(value=entry.value, read_at=entry.read_at, is_by_customer=is_sent)


class CustomerRegister(BaseModel):
    """A register that a customer may read."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    meter_id: UUID
    """The meter."""
    meter_name: str
    """What people call the meter."""
    property_name: str
    """What people call the property where it is."""
    zone: str
    """The zone of its local days."""
    flow: ActiveFlow
    """What the register counts."""
    digits: int
    """The digits before the decimal point."""
    decimals: int
    """The decimals."""
    end_on: date | None
    """The first local day on which it is the customer's no more; null while none is known."""
    last: LastReading | None
    """The last reading of the customer's own time of it; null where there is none."""
    before_last: LastReading | None
    """The one before that: what a second reading of the last one's day is compared with."""

    @classmethod
    def of(cls, own: OwnRegister) -> Self:
        """The register as the API shows it."""
        shown = [LastReading.of(entry, own) for entry in own.recent[:2]]
        return cls(
            meter_id=own.meter_id,
            meter_name=own.meter_name,
            property_name=own.property_name,
            zone=own.zone,
            flow=own.register.flow,
            digits=own.register.digits,
            decimals=own.register.decimals,
            end_on=own.end_on,
            last=shown[0] if shown else None,
            before_last=shown[1] if len(shown) > 1 else None,
        )


class CustomerRegisters(BaseModel):
    """The registers of the meters that are a customer's today, or were so lately."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    customer_id: UUID
    """The customer."""
    items: list[CustomerRegister]
    """By property and meter, 200 at most."""


class NewCustomerReading(Body):
    """What a register showed."""

    meter_id: UUID
    """The meter, which must be the customer's on the day."""
    flow: ActiveFlow | None = None
    """The register, where the meter has several."""
    value: Amount
    """What it showed, in kWh before the meter's multiplier."""

    def to_domain(self) -> CustomerReading:
        """The reading as the handler takes it."""
        return CustomerReading(self.meter_id, self.flow, self.value)


class NewCustomerReadings(Body):
    """Readings of a day: all are entered, or none."""

    read_on: date | None = None
    """The local day on which they were taken, within the last 60 days; left out, today."""
    items: Annotated[list[NewCustomerReading], Field(min_length=1, max_length=REGISTERS_MAX)]
    """One for each register that was read."""
    confirmed: bool = False
    """Whether doubtful ones are right all the same."""


class CustomerReadings(BaseModel):
    """The readings as they count now."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    customer_id: UUID
    """The customer."""
    items: list[Reading]
    """In the order of the request."""
