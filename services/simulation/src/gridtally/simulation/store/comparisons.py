"""What comparisons come to: rows per house and scenario, revenue, and the load of all houses.

Nobody is shown any of it before the comparison is COMPLETED; who reads here has checked that.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from gridtally.database import ReadConnection, WriteConnection
from gridtally.database.pages import page_after
from gridtally.database.rows import Row, as_row, from_row, insert_rows
from gridtally.simulation.domain.comparisons import ComparedChunk, ComparedHouse, Revenue
from gridtally.simulation.domain.shifts import Indexes
from gridtally.simulation.tables import (
    compared_house,
    scenario_peak,
    scenario_revenue,
    staged_load,
    staged_revenue,
)

Outcome = Literal["winner", "loser", "unchanged"]
_STAGED = (staged_revenue, staged_load)
_RESULTS = (compared_house, scenario_revenue, scenario_peak)
_HOUSES = compared_house.c
DIFFERENCES = {False: _HOUSES.difference, True: _HOUSES.shifted_difference}
AMOUNTS = {False: _HOUSES.amount, True: _HOUSES.shifted_amount}
"""By whether use has moved."""
SORT_COLUMNS: dict[str, sa.ColumnElement[Any]] = {
    "house_node_id": _HOUSES.house_node_id,
    "difference": _HOUSES.difference,
    "shifted_difference": _HOUSES.shifted_difference,
    "amount": _HOUSES.amount,
    "total_energy_imported_kwh": _HOUSES.imported_wh,
    "peak_kw": _HOUSES.peak_w,
}
"""What the houses of a comparison are sorted by."""


async def stage_chunk(
    tx: WriteConnection, tenant_id: str, run_id: UUID, number: int, chunk: ComparedChunk
) -> None:
    """Store what was made of a chunk's houses."""
    of_run = {"tenant_id": tenant_id, "run_id": run_id}
    await insert_rows(
        tx, compared_house, [as_row(house, compared_house, **of_run) for house in chunk.houses]
    )
    revenue = [of_run | {"number": number} | asdict(part) for part in chunk.revenue]
    await insert_rows(tx, staged_revenue, revenue)
    for scenario, load_wh in chunk.load_wh.items():
        await _insert_load(tx, (tenant_id, run_id, number, scenario), load_wh)


_INSERT_LOAD = """
INSERT INTO staged_load (tenant_id, run_id, number, scenario, wh) VALUES ($1, $2, $3, $4, $5)
"""


async def _insert_load(
    tx: WriteConnection, key: tuple[str, UUID, int, int], load_wh: Indexes
) -> None:
    await tx.raw.execute(_INSERT_LOAD, *key, load_wh.tolist())


# Chunks are summed up once, so that results are read of a few rows, whatever the houses are.
_SUM_REVENUE = """
INSERT INTO scenario_revenue
SELECT tenant_id, run_id, scenario, is_shifted, month_on, component_id, kind, sum(amount)
  FROM staged_revenue
 WHERE tenant_id = $1 AND run_id = $2
 GROUP BY tenant_id, run_id, scenario, is_shifted, month_on, component_id, kind
"""
# The hour in which all houses together took most, the first of several; `hour` counts from 1.
_FIND_PEAKS = """
INSERT INTO scenario_peak
SELECT DISTINCT ON (scenario) $1, $2, scenario, wh, $3::timestamptz + (hour - 1) * interval '1 hour'
  FROM (SELECT l.scenario, u.hour, sum(u.wh)::bigint AS wh
          FROM staged_load l, unnest(l.wh) WITH ORDINALITY AS u (wh, hour)
         WHERE l.tenant_id = $1 AND l.run_id = $2
         GROUP BY l.scenario, u.hour) AS together
 ORDER BY scenario, wh DESC, hour
"""


async def sum_up(
    tx: WriteConnection, tenant_id: str, run_id: UUID, first_hour_at: datetime
) -> None:
    """Sum up what the chunks of a comparison have brought, and drop the parts."""
    await tx.raw.execute(_SUM_REVENUE, tenant_id, run_id)
    await tx.raw.execute(_FIND_PEAKS, tenant_id, run_id, first_hour_at)
    await _delete(tx, tenant_id, run_id, _STAGED)


async def delete_results(tx: WriteConnection, tenant_id: str, run_id: UUID) -> None:
    """Delete all that a comparison has made."""
    await _delete(tx, tenant_id, run_id, (*_STAGED, *_RESULTS))


async def _delete(
    tx: WriteConnection, tenant_id: str, run_id: UUID, tables: Sequence[sa.Table]
) -> None:
    for table in tables:
        await tx.execute(
            sa.delete(table).where(table.c.tenant_id == tenant_id, table.c.run_id == run_id)
        )


@dataclass(frozen=True, slots=True)
class HouseFilter:
    """Which rows of a comparison's houses; None where it does not matter."""

    scenario: int | None = None
    outcome: Outcome | None = None
    house_node_id: UUID | None = None
    by_shifted: bool = False

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """What the rows must all meet."""
        clauses: list[sa.ColumnElement[bool]] = []
        difference = DIFFERENCES[self.by_shifted]
        if self.by_shifted:
            clauses.append(difference.is_not(None))
        if self.scenario is not None:
            clauses.append(_HOUSES.scenario == self.scenario)
        if self.house_node_id is not None:
            clauses.append(_HOUSES.house_node_id == self.house_node_id)
        match self.outcome:
            case "winner":
                clauses.append(difference < 0)
            case "loser":
                clauses.append(difference > 0)
            case "unchanged":
                clauses.append(difference == 0)
            case None:
                pass
        return clauses


def _of_run(table: sa.Table, tenant_id: str, run_id: UUID) -> list[sa.ColumnElement[bool]]:
    return [table.c.tenant_id == tenant_id, table.c.run_id == run_id]


async def list_houses(
    read: ReadConnection,
    tenant_id: str,
    run_id: UUID,
    chosen: HouseFilter,
    *,
    sort: str,
    after: tuple[object, UUID] | None,
    rows_max: int,
) -> list[ComparedHouse]:
    """A page of the houses by one scenario, in the order of `sort`, a key of `SORT_COLUMNS`, after
    a minus where the greatest comes first; ids decide among equals."""
    query = sa.select(compared_house).where(
        *_of_run(compared_house, tenant_id, run_id), *chosen.clauses()
    )
    page = page_after(
        query,
        (SORT_COLUMNS[sort.removeprefix("-")], _HOUSES.house_node_id),
        after=after,
        rows_max=rows_max,
        descending=sort.startswith("-"),
    )
    return [_house(row) for row in await read.all(page)]


def _house(row: Row) -> ComparedHouse:
    return from_row(ComparedHouse, row, house_node_id=UUID(str(row["house_node_id"])))


def houses_query(tenant_id: str, run_id: UUID) -> sa.Select[Any]:
    """The rows of a file of houses: every house by every scenario, in the order of their ids."""

    def kwh(wh: sa.ColumnElement[Any]) -> sa.ColumnElement[Decimal]:
        return sa.cast(sa.cast(wh, sa.Numeric) / 1000, sa.Numeric(20, 3))

    return (
        sa.select(
            _HOUSES.house_node_id,
            _HOUSES.house_name,
            _HOUSES.scenario,
            kwh(_HOUSES.imported_wh),
            kwh(_HOUSES.exported_wh),
            kwh(_HOUSES.peak_w),
            _HOUSES.amount,
            _HOUSES.difference,
            kwh(_HOUSES.shifted_imported_wh),
            kwh(_HOUSES.shifted_peak_w),
            _HOUSES.shifted_amount,
            _HOUSES.shifted_difference,
            _HOUSES.currency,
            _HOUSES.readings_sha256,
        )
        .where(*_of_run(compared_house, tenant_id, run_id))
        .order_by(_HOUSES.scenario, _HOUSES.house_node_id)
    )


def revenue_query(tenant_id: str, run_id: UUID) -> sa.Select[Any]:
    """The rows of a file of revenue: scenario, whether use has moved, month and component."""
    columns = scenario_revenue.c
    order = (
        columns.scenario, columns.is_shifted, columns.month_on, columns.component_id, columns.kind
    )  # fmt: skip
    query = sa.select(*order, columns.amount)
    return query.where(*_of_run(scenario_revenue, tenant_id, run_id)).order_by(*order)


async def fetch_revenue(read: ReadConnection, tenant_id: str, run_id: UUID) -> list[Revenue]:
    """What each component came to in each month, by scenario."""
    rows = await read.all(revenue_query(tenant_id, run_id))
    return [from_row(Revenue, row) for row in rows]


@dataclass(frozen=True, slots=True)
class ScenarioTotals:
    """What all houses come to by a scenario, with use as it was measured or as it has moved;
    `winners` and `losers` are the houses that pay less and more than by the baseline."""

    scenario: int
    houses: int
    imported_wh: int
    exported_wh: int
    hours: int
    currency: str
    revenue: Decimal
    difference: Decimal
    winners: int
    losers: int
    winners_difference: Decimal
    losers_difference: Decimal
    least: Decimal
    greatest: Decimal


async def fetch_totals(
    read: ReadConnection, tenant_id: str, run_id: UUID, *, by_shifted: bool
) -> list[ScenarioTotals]:
    """The totals of each scenario, in their order; after shifts those that have one."""
    amount, difference = AMOUNTS[by_shifted], DIFFERENCES[by_shifted]
    imported = _HOUSES.shifted_imported_wh if by_shifted else _HOUSES.imported_wh

    def total(column: sa.ColumnElement[Any], name: str) -> sa.Label[Any]:
        return sa.func.coalesce(sa.func.sum(column), 0).label(name)

    def part(clause: sa.ColumnElement[bool], name: str) -> list[sa.Label[Any]]:
        return [
            sa.func.count().filter(clause).label(name),
            sa.func.coalesce(sa.func.sum(difference).filter(clause), 0).label(f"{name}_difference"),
        ]

    query = (
        sa.select(
            _HOUSES.scenario,
            sa.func.count().label("houses"),
            sa.cast(sa.func.sum(imported), sa.BigInteger).label("imported_wh"),
            sa.cast(sa.func.sum(_HOUSES.exported_wh), sa.BigInteger).label("exported_wh"),
            sa.func.max(_HOUSES.hours).label("hours"),
            sa.func.max(_HOUSES.currency).label("currency"),
            total(amount, "revenue"),
            total(difference, "difference"),
            *part(difference < 0, "winners"),
            *part(difference > 0, "losers"),
            sa.func.min(difference).label("least"),
            sa.func.max(difference).label("greatest"),
        )
        .where(*_of_run(compared_house, tenant_id, run_id), amount.is_not(None))
        .group_by(_HOUSES.scenario)
        .order_by(_HOUSES.scenario)
    )
    return [from_row(ScenarioTotals, row) for row in await read.all(query)]


@dataclass(frozen=True, slots=True)
class Decile:
    """A tenth of the houses, in the order of their differences."""

    scenario: int
    decile: int
    houses: int
    least: Decimal
    greatest: Decimal
    difference: Decimal


async def fetch_deciles(
    read: ReadConnection, tenant_id: str, run_id: UUID, *, by_shifted: bool
) -> list[Decile]:
    """The tenths of each scenario's houses, from those that gain most to those that lose most."""
    difference = DIFFERENCES[by_shifted]
    order = (difference, _HOUSES.house_node_id)
    ranked = (
        sa.select(
            _HOUSES.scenario,
            difference.label("difference"),
            sa.func.ntile(10).over(partition_by=_HOUSES.scenario, order_by=order).label("decile"),
        )
        .where(*_of_run(compared_house, tenant_id, run_id), difference.is_not(None))
        .subquery()
    )
    query = (
        sa.select(
            ranked.c.scenario,
            ranked.c.decile,
            sa.func.count().label("houses"),
            sa.func.min(ranked.c.difference).label("least"),
            sa.func.max(ranked.c.difference).label("greatest"),
            sa.func.sum(ranked.c.difference).label("difference"),
        )
        .group_by(ranked.c.scenario, ranked.c.decile)
        .order_by(ranked.c.scenario, ranked.c.decile)
    )
    return [from_row(Decile, row) for row in await read.all(query)]


async def fetch_histogram(
    read: ReadConnection, tenant_id: str, run_id: UUID, totals: ScenarioTotals, bins: int,
    *, by_shifted: bool,
) -> list[int]:  # fmt: skip
    """How many houses lie in each of `bins` parts of equal width from the least to the greatest
    difference, the last one with its end."""
    difference = DIFFERENCES[by_shifted]
    least, greatest = totals.least, totals.greatest
    if least == greatest:
        return [totals.houses]
    bucket = sa.func.least(
        sa.func.width_bucket(difference, least, greatest, bins), bins
    ).label("bucket")  # fmt: skip
    query = (
        sa.select(bucket, sa.func.count().label("houses"))
        .where(
            *_of_run(compared_house, tenant_id, run_id),
            _HOUSES.scenario == totals.scenario,
            difference.is_not(None),
        )
        .group_by(bucket)
    )
    houses_in = {row["bucket"]: int(row["houses"]) for row in await read.all(query)}
    return [houses_in.get(number, 0) for number in range(1, bins + 1)]


@dataclass(frozen=True, slots=True)
class Peak:
    """The hour in which all houses together took most; of the baseline as it was measured."""

    scenario: int
    peak_wh: int
    peak_at: datetime


async def fetch_peaks(read: ReadConnection, tenant_id: str, run_id: UUID) -> dict[int, Peak]:
    """The peaks, by scenario; the baseline's is that of all without a shift."""
    query = sa.select(scenario_peak).where(*_of_run(scenario_peak, tenant_id, run_id))
    peaks = [from_row(Peak, row) for row in await read.all(query)]
    return {peak.scenario: peak for peak in peaks}


# Houses whose readings are not those of the comparison that is repeated: both have stored a digest.
_CHANGED = """
SELECT h.house_node_id FROM compared_house h JOIN compared_house o
    ON o.tenant_id = h.tenant_id AND o.run_id = $3 AND o.scenario = 0
   AND o.house_node_id = h.house_node_id
 WHERE h.tenant_id = $1 AND h.run_id = $2 AND h.scenario = 0
   AND o.readings_sha256 <> h.readings_sha256
 ORDER BY h.house_node_id
"""


async def fetch_changed_houses(
    read: ReadConnection, tenant_id: str, run_id: UUID, repeat_of: UUID
) -> list[UUID]:
    """The houses whose readings have changed since the comparison that this one repeats."""
    rows = await read.raw.fetch(_CHANGED, tenant_id, run_id, repeat_of)
    return [UUID(str(row["house_node_id"])) for row in rows]


async def fetch_currency(read: ReadConnection, tenant_id: str, run_id: UUID) -> str | None:
    """The currency of a comparison's amounts; None where it has none."""
    query = sa.select(_HOUSES.currency).where(*_of_run(compared_house, tenant_id, run_id)).limit(1)
    currency: str | None = await read.scalar(query)
    return currency


_DIGEST = """
SELECT encode(sha256(string_agg(readings_sha256, '' ORDER BY house_node_id)::bytea), 'hex')
  FROM compared_house WHERE tenant_id = $1 AND run_id = $2 AND scenario = 0
"""


async def fetch_readings_digest(read: ReadConnection, tenant_id: str, run_id: UUID) -> str:
    """The digest of all houses' readings."""
    digest: str = await read.raw.fetchval(_DIGEST, tenant_id, run_id)
    return digest
