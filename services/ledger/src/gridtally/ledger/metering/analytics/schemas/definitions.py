"""Definitions of derived meters in requests and answers."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from gridtally.contracts.metering import ActiveFlow
from gridtally.http.resources import Body
from gridtally.kernel.periods import EARLIEST_ON, LATEST_ON
from gridtally.ledger.metering.analytics.domain import definitions
from gridtally.metering import derived_meters


class Term(Body):
    """A meter in a sum, added (`1`) or subtracted (`-1`); without a `flow`, by its main register:
    the first that it has of import, load, generation and export."""

    meter_id: UUID
    sign: Literal[1, -1] = 1
    flow: ActiveFlow | None = None

    def to_domain(self) -> derived_meters.Term:
        """The term as the domain knows it."""
        return derived_meters.Term(self.meter_id, self.sign, self.flow)


class NewDefinition(Body):
    """What a derived meter is the sum of, from a local day of its property on."""

    from_on: Annotated[date, Field(ge=EARLIEST_ON, le=LATEST_ON)]
    terms: Annotated[list[Term], Field(min_length=1, max_length=definitions.TERMS_MAX)]


class Definition(BaseModel):
    """A version of a definition. Version 0 is what `unmetered` is unless defined otherwise, for
    ever; of two versions from one day the higher one counts. `entry_id` names the others in the
    chain of sealed entries."""

    version: int
    entry_id: UUID | None
    from_on: date | None
    terms: list[Term]

    @classmethod
    def of(cls, definition: definitions.Definition) -> Self:
        """A definition as the API shows it."""
        terms = [
            Term.model_construct(meter_id=term.meter_id, sign=term.sign, flow=term.flow)
            for term in definition.terms
        ]
        return cls(
            version=definition.version,
            entry_id=definition.entry_id,
            from_on=definition.from_on,
            terms=terms,
        )
