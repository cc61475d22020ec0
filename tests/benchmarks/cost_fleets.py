"""Measures what billing answers of costs: fleets, calculated bills that are stored, explanations.

Run by `make bench ARGS="--only cost_fleets"`; README.md here says what a benchmark is given. A
fleet is a thousand devices of 15 minutes, of 31 and of 366 days; the bar is 2 s for the year.
Bills and explanations are of months of 15 minutes by time of use.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from bill_periods import SEED, TENANT, ZONE, closed_periods, received, seed
from script import Clock, arguments, own_database, peak_memory_mb, sized, tell

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import Customer
from gridtally.billing.domain.fleet_costs.price_grids import Window
from gridtally.billing.handlers import agreements, calculated_bills, customers, explanations
from gridtally.billing.handlers.fleet_costs import cost_of_fleet
from gridtally.billing.handlers.periods import bill_closed_periods
from gridtally.billing.store.calculated_bills import insert_calculated_bill
from gridtally.contracts.metering import PeriodClosed
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.kernel.periods import Period, midnight_utc
from gridtally.kernel.resources import Cause
from gridtally.messaging import ReceivedMessage

DEVICES = sized(1_000, least=5)
BILLS = sized(200, least=4)
ROUNDS = 3
INVOICES_AT_ONCE = 100
YEAR = Period(date(2024, 1, 1), date(2025, 1, 1))
MONTH = Period(date(2024, 3, 1), date(2024, 4, 1))
BILLED = Period(date(2025, 1, 1), date(2025, 2, 1))
# Out of 97 days that are made once; the two days on which the clocks change are left out, since
# they have other lengths.
_USAGE = """
WITH kinds AS MATERIALIZED (
    SELECT kind, string_agg(set_byte(set_byte('\\x00000000', 0, v % 256), 1, v / 256), '' ::bytea
                            ORDER BY slot) AS energy
      FROM generate_series(0, 96) AS kind, generate_series(0, 95) AS slot,
           LATERAL (SELECT (kind * 37 + slot * 13) % 900 AS v) AS x GROUP BY kind)
INSERT INTO daily_usage (tenant_id, meter_id, day, flow, zone, minutes, version, energy,
                         correlation_id)
SELECT $1, m.id, d.day::date, 'import', $2, 15, 1, k.energy, 'bench'
  FROM unnest($3::uuid[]) WITH ORDINALITY AS m (id, number)
 CROSS JOIN generate_series($4::date, $5::date - 1, interval '1 day')
            WITH ORDINALITY AS d (day, n)
  JOIN kinds k ON k.kind = (m.number + 7 * d.n) % 97
 WHERE d.day::date <> ALL($6::date[])
"""


async def use(database: Database, meter_ids: Sequence[UUID], days: Period) -> None:
    """Each day of these meters."""
    changes = [day for day in days.dates() if len(list(_slots(day))) != 96]
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        await tx.raw.execute(
            _USAGE, TENANT, ZONE, list(meter_ids), days.start_on, days.end_on, changes
        )


def _slots(day: date) -> range:
    length = midnight_utc(ZONE, day + timedelta(days=1)) - midnight_utc(ZONE, day)
    return range(int(length / timedelta(minutes=15)))


async def fleet(database: Database, tariff_id: UUID) -> UUID:
    """A customer with a thousand devices and their year."""
    customer_id, now = uuid4(), datetime.now(UTC)
    own = [
        Agreement(uuid4(), customer_id, uuid4(), tariff_id, YEAR.start_on, None, "wait", 72, 1)
        for _ in range(DEVICES)
    ]
    async with transaction(database, tenant=TENANT) as tx:
        await customers.register_customers(
            tx, TENANT, [Customer(customer_id, "City", None, "EUR")], now
        )
        await agreements.register_agreements(tx, Cause(TENANT, "bench", "b"), own, now)
    await use(database, [agreement.meter_id for agreement in own], YEAR)
    return customer_id


async def timed(count: int, work: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Seconds of a round of so many, the rate, and what each took of the processor."""
    seconds, rates = [], []
    for _ in range(ROUNDS):
        clock = Clock()
        await work()
        rate = clock.rate(count)
        rates.append(rate)
        seconds.append(count / rate.per_s)
    return {
        "seconds": round(median(seconds), 2),
        "per_s": round(median(rate.per_s for rate in rates), 1),
        "cpu_us": round(median(rate.cpu_us for rate in rates)),
        "peak_memory_mb": peak_memory_mb(),
    }


async def issue(database: Database, made: Sequence[Agreement]) -> list[UUID]:
    """An invoice for each of the agreements; their ids."""
    messages = [
        ReceivedMessage(
            PeriodClosed.model_validate_json(message.value or b""),
            received(PeriodClosed.model_validate_json(message.value or b"")).envelope,
            message.topic, 0, 0, f"{TENANT}:{agreement.id}", message.value,
        )
        for agreement, message in zip(made, closed_periods(list(made), BILLED), strict=True)
    ]  # fmt: skip
    for first in range(0, len(messages), INVOICES_AT_ONCE):
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            some = messages[first : first + INVOICES_AT_ONCE]
            await bill_closed_periods(tx, some, datetime.now(UTC))
    async with transaction(database, tenant=ALL_TENANTS) as tx:
        rows = await tx.raw.fetch("SELECT id FROM invoice ORDER BY id")
    assert len(rows) == len(made)
    return [row["id"] for row in rows]


async def bench(url: str) -> dict[str, dict[str, float]]:
    """Fleets, calculated bills, explanations."""
    async with await Database.connect(url, application="bench") as database:
        made = (await seed(database))[:BILLS]
        await use(database, [agreement.meter_id for agreement in made], BILLED)
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            versions = {
                row["tariff_id"]: row["id"]
                for row in await tx.raw.fetch("SELECT id, tariff_id FROM tariff_version")
            }
        customer_id = await fleet(database, made[0].tariff_id)
        figures = {}
        for name, days in (("31 days", MONTH), ("366 days", YEAR)):
            window = Window(
                datetime.combine(days.start_on, datetime.min.time(), UTC),
                datetime.combine(days.end_on, datetime.min.time(), UTC),
            )

            async def ask(window: Window = window) -> None:
                found = await cost_of_fleet(database, TENANT, customer_id, window)
                assert len(found.devices) == DEVICES
                assert not found.unpriced

            figures[f"fleet of {DEVICES} devices, {name}"] = await timed(DEVICES, ask)

        async def calculate() -> None:
            for agreement in made:
                question = calculated_bills.Question(
                    TENANT, agreement.customer_id, BILLED, versions[agreement.tariff_id]
                )
                bill = await calculated_bills.calculate(database, question)
                async with transaction(database, tenant=TENANT) as tx:
                    await insert_calculated_bill(tx, TENANT, bill, datetime.now(UTC))

        figures["bills calculated and stored"] = await timed(len(made), calculate)
        invoices = await issue(database, made)

        async def explain() -> None:
            for invoice_id in invoices:
                explained = await explanations.explain_invoice(database, TENANT, invoice_id, None)
                assert explained.lines

        figures["invoices explained"] = await timed(len(invoices), explain)
        return figures


def main() -> None:
    """Measures in a database of its own."""
    target: Path = arguments(__doc__).parse_args().json
    with own_database("billing") as url:
        figures = asyncio.run(bench(url))
    tell(f"seed {SEED}, median of {ROUNDS} rounds", figures, target)


if __name__ == "__main__":
    main()
