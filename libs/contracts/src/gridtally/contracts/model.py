"""What all contracts have in common: frozen, unknown fields ignored, bounded texts.

A contract only ever grows, so a reader ignores what it does not know yet.
"""

import sys
from datetime import date
from decimal import Decimal
from numbers import Real
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from gridtally.kernel.money import parse_decimal, plain
from gridtally.kernel.periods import in_utc, zone_named


class ContractModel(BaseModel):
    """A value of an event; the text below each field describes it in the AsyncAPI document."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Event(ContractModel):
    """A payload; `TOPIC` is where its kind lives and the `ce_type` of its envelope.

    `KEY` names the field of the thing whose events keep their order.
    """

    TOPIC: ClassVar[str]
    KEY: ClassVar[str]

    def key(self) -> str:
        """The thing that this is about; the message's key is `tenant:key`."""
        return str(getattr(self, self.KEY))


def _is_zone(name: str) -> str:
    zone_named(name)
    return name


def _exactly(value: object) -> object:
    """ValueError for a text in another form, and for a number that JSON may have cut short."""
    match value:
        case str():
            return parse_decimal(value)
        case int():
            return value
        case Real() if len(Decimal(str(value)).as_tuple().digits) > NUMBER_DIGITS_MAX:
            raise ValueError(f"a number of over {NUMBER_DIGITS_MAX} digits must be sent as a text")
    return value


NUMBER_DIGITS_MAX = sys.float_info.dig
"""So many digits of a JSON number are sure to arrive, whoever reads it."""
READ_EXACTLY = BeforeValidator(_exactly)
"""For a decimal that comes in. It stands behind the bounds, so that schemas show them."""
WRITTEN_PLAINLY = PlainSerializer(plain, return_type=str, when_used="json")
"""For a decimal that goes out."""
SHOWN_AS_DECIMAL = WithJsonSchema({"type": "string", "format": "decimal"}, mode="serialization")
"""For a decimal that goes out, in schemas."""


INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1


def _finite(document: dict[str, Any]) -> dict[str, Any]:
    """ValueError for a number that JSON can spell, but no database holds, such as 1e400, or no
    other reader of JSON takes, as an integer of over eight bytes."""
    left: list[object] = [document]
    while left:
        match left.pop():
            case Real() as number if number - number != 0:  # not so of NaN and infinity
                raise ValueError(f"a number is {number}, which is none")
            case int() as number if not INTEGER_MIN <= number <= INTEGER_MAX:
                raise ValueError("an integer does not fit into eight bytes")
            case dict() as members:
                left.extend(members.values())
            case list() as items:
                left.extend(items)
    return document


Document = Annotated[dict[str, Any], AfterValidator(_finite)]
"""A JSON object of any form; its numbers are finite."""
Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""An aware instant, normalised to UTC."""
Day = date
"""A local date."""
Zone = Annotated[str, AfterValidator(_is_zone), Field(max_length=64)]
"""An IANA time zone."""
Amount = Annotated[
    Decimal,
    Field(allow_inf_nan=False, max_digits=50, decimal_places=34),
    READ_EXACTLY,
    WRITTEN_PLAINLY,
    SHOWN_AS_DECIMAL,
]
"""A decimal, as a string in JSON: money, rates and quantities."""
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A version, a revision or a number of things: stored in four bytes."""
Integer = Annotated[int, Field(ge=INTEGER_MIN, le=INTEGER_MAX)]
"""A whole number as databases and JSON's other readers take one: eight bytes."""
EnergyWh = Integer
"""A sum of watt-hours."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Code = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$")
]
"""A short name that programs use."""
Text = Annotated[str, Field(min_length=1, max_length=500)]
"""A short text that people read."""
