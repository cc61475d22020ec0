"""Read cycles over HTTP: named lists of dates on which billing periods begin."""

from datetime import date
from typing import Annotated, Self

from fastapi import Path, Response
from pydantic import Field, model_validator

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.domain import read_cycles as domain
from gridtally.billing.handlers import read_cycles as handlers
from gridtally.billing.store import read_cycles as store
from gridtally.contracts.model import Code
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.etags import OptionalMatch
from gridtally.http.json_bodies import Router
from gridtally.http.paging import Page, Paging
from gridtally.http.resources import Body, StoredModel, answer, fields
from gridtally.kernel.billing_calendars import READ_DATES_MAX, check_read_dates
from gridtally.kernel.errors import NotFound
from gridtally.kernel.resources import Stored

router = Router(prefix="/v1/read-cycles", tags=["agreements"])
Name = Annotated[Code, Path(description="The tenant's name of the read cycle")]


class ReadCycleReplacement(Body):
    """All dates of a read cycle: those so far, and those to come as far as they are known."""

    dates: Annotated[tuple[date, ...], Field(min_length=1, max_length=READ_DATES_MAX)]
    """The local days on which periods begin, in order."""

    @model_validator(mode="after")
    def _are_in_order(self) -> Self:
        check_read_dates(self.dates)
        return self


class ReadCycle(StoredModel):
    """The dates of a read cycle; `version` is its ETag."""

    name: str
    """The tenant's name of it, which a `billing_calendar` names."""
    dates: tuple[date, ...]
    """The local days on which periods begin, in order."""

    @classmethod
    def of(cls, stored: Stored[domain.ReadCycle]) -> Self:
        """The cycle as the API shows it."""
        return cls.model_validate(fields(stored), from_attributes=True)


@router.get("")
async def list_read_cycles(db: Db, caller: Reader, paging: Paging) -> Page[ReadCycle]:
    """Read cycles by name."""
    after = paging.after(str)
    async with snapshot(db, tenant=caller.tenant_id) as read:
        cycles = await store.list_read_cycles(read, caller.tenant_id, after, paging.rows)
    return paging.cut(cycles, item=ReadCycle.of, position=lambda cycle: (cycle.resource.name,))


@router.get("/{name}")
async def get_read_cycle(name: Name, db: Db, caller: Reader, response: Response) -> ReadCycle:
    """One read cycle."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        stored = await store.fetch_read_cycle(read, caller.tenant_id, name)
    if stored is None:
        raise NotFound("read_cycle_unknown", f"there is no read cycle {name}")
    return answer(response, stored, ReadCycle.of)


@router.put("/{name}")
async def replace_read_cycle(
    name: Name,
    replacement: ReadCycleReplacement,
    db: Db,
    cause: WriteCause,
    now: Now,
    if_match: OptionalMatch,
    response: Response,
) -> ReadCycle:
    """Make a read cycle, or say all of its dates again, such as with the next one.

    Agreements that name it follow within moments: periods that are closed stay as they are, and the
    days after them are billed by the new dates.
    """
    cycle = domain.ReadCycle(name, replacement.dates)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        current = await store.fetch_read_cycle(tx, cause.tenant_id, name, lock=True)
        if_match.check(0 if current is None else current.version)
        stored = await handlers.replace_read_cycle(tx, cause.tenant_id, current, cycle, now)
    return answer(response, stored, ReadCycle.of)
