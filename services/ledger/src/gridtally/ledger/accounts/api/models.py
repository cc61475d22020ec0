"""What the answers about accounts have in common: money, moments, currencies.

Debits are positive and credits negative; amounts are decimal strings.
"""

from decimal import Decimal
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints, model_validator

from gridtally.contracts.model import SHOWN_AS_DECIMAL, WRITTEN_PLAINLY, Instant
from gridtally.kernel.money import in_currency
from gridtally.ledger.accounts.store.accounts import DateBasis

Money = Annotated[Decimal, WRITTEN_PLAINLY, SHOWN_AS_DECIMAL]
"""Exact. It is a field of an `InCurrency`, or of a model within one, which knows its decimals."""


class InCurrency(BaseModel):
    """An answer about money: every amount in it, also within the models that it holds, has the
    decimals of its `currency`, or more where it needs more."""

    currency: str

    @model_validator(mode="after")
    def _write_in_currency(self) -> Self:
        _write_in_currency(self, self.currency)
        return self


def _write_in_currency(model: BaseModel, currency: str) -> None:
    """Give the amounts of a model the decimals of a currency; no other field is a Decimal."""
    for name, value in model:
        match value:
            case Decimal():
                setattr(model, name, in_currency(value, currency))
            case list():
                for item in value:
                    _write_in_currency(item, currency)


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Moment = Annotated[Instant, Field(description="An instant with its zone")]
"""Aware, in UTC."""
ByDate = Annotated[
    DateBasis,
    Query(description="As of when something occurred, or as of when it was booked"),
]
