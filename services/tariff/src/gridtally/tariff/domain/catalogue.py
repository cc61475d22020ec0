"""The catalogue: regions, tariffs, calendars and price series, each found by its id and its code.

Owns the answers of "no" that all four have, for `store` and `handlers` alike. What each of them is
stands in the file of its name.
"""

from typing import TypeVar
from uuid import UUID

from gridtally.kernel.errors import Conflict, NotFound
from gridtally.tariff.domain.calendars import Calendar
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.domain.regions import Region
from gridtally.tariff.domain.tariffs import Tariff

Resource = TypeVar("Resource", Region, Tariff, Calendar, PriceSeries)


def unknown(noun: str) -> NotFound:
    """The answer where no resource of that noun, such as "price series", has the id."""
    return NotFound(f"{_in_code(noun)}_unknown", f"no {noun} has this id")


def id_taken(noun: str, id_: UUID) -> Conflict:
    """The answer where the id is that of a resource with other content."""
    return Conflict(f"{_in_code(noun)}_exists", f"another {noun} has the id {id_}")


def code_taken(noun: str) -> Conflict:
    """The answer where another resource of the tenant and noun has the code."""
    return Conflict("code_taken", f"another {noun} has this code")


def in_use(noun: str, by: str) -> Conflict:
    """The answer to a deletion of what others are built on."""
    return Conflict("in_use", f"the {noun} has {by}")


def _in_code(noun: str) -> str:
    return noun.replace(" ", "_")
