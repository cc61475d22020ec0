"""Measures previews: from what billing stores to a bill so far and a forecast with its spread.

Run by `make bench ARGS="--only preview_bills"`; README.md here says what a benchmark is given. A
preview rates a month of 15 minutes eight times: so far, as expected, and at six weeks' levels.
"""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

import numpy as np
from bill_periods import SEED, TENANT, ZONE, seed
from script import Clock, Rate, arguments, own_database, peak_memory_mb, sized, tell

from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.daily_costs import FlowUsage
from gridtally.billing.handlers.previews import PreviewedBill, Question, preview_bill
from gridtally.billing.store.daily_costs import upsert_usage
from gridtally.database import ALL_TENANTS, Database, transaction
from gridtally.kernel.periods import Period, slots_in_day

PREVIEWED = sized(200, least=8)
ROUNDS = 3
AT_ONCE = 8
USED = Period(date(2025, 8, 20), date(2025, 10, 20))
NOW = datetime(2025, 10, 20, 9, tzinfo=UTC)
MINUTES = 15
PEAK_WH = 900


async def use(database: Database, agreements: list[Agreement]) -> None:
    """Two months of each meter, up to the day before now."""
    random = np.random.default_rng(SEED)
    for agreement in agreements:
        flows = []
        for day in USED.dates():
            slots = slots_in_day(ZONE, day, MINUTES)
            energy = random.integers(0, PEAK_WH, slots, dtype=np.int64).astype("<i4").tobytes()
            flows.append(FlowUsage(
                TENANT, agreement.meter_id, day, "import", ZONE, MINUTES, 1, energy, "bench"
            ))  # fmt: skip
        async with transaction(database, tenant=ALL_TENANTS) as tx:
            await upsert_usage(tx, flows)


def check(made: PreviewedBill) -> None:
    """AssertionError unless all recorded energy is in it, and the rest of the month expected."""
    so_far, expected = made.preview.so_far, made.preview.expected
    days = (USED.end_on - made.preview.period.start_on) / timedelta(days=1)
    assert so_far.present_intervals == days * 96
    assert expected.present_intervals == expected.expected_intervals
    billed = [x.quantity for x in so_far.bill.lines if x.item.kind == "energy"]
    assert sum(billed) == Decimal(so_far.energy_wh["import"]) / 1000
    assert so_far.bill.total < made.preview.low <= made.preview.high


async def measure(database: Database, agreements: list[Agreement], at_once: int) -> Rate:
    """Each agreement previewed once, so many at a time."""
    gate = asyncio.Semaphore(at_once)

    async def ask(agreement: Agreement) -> None:
        async with gate:
            check(await preview_bill(database, Question(TENANT, agreement.id), NOW))

    clock = Clock()
    await asyncio.gather(*(ask(agreement) for agreement in agreements))
    return clock.rate(len(agreements))


async def bench(url: str) -> dict[str, dict[str, float]]:
    """Previews one after another and eight at a time."""
    async with await Database.connect(url, application="bench") as database:
        agreements = (await seed(database))[:PREVIEWED]
        await use(database, agreements)
        figures = {}
        for at_once in (1, AT_ONCE):
            rates = [await measure(database, agreements, at_once) for _ in range(ROUNDS)]
            figures[f"previews, {at_once} at once"] = {
                "per_s": round(median(rate.per_s for rate in rates)),
                "cpu_us": round(median(rate.cpu_us for rate in rates)),
                "peak_memory_mb": peak_memory_mb(),
            }
        return figures


def main() -> None:
    """Measures in a database of its own."""
    target: Path = arguments(__doc__).parse_args().json
    with own_database("billing") as url:
        figures = asyncio.run(bench(url))
    tell(f"seed {SEED}, median of {ROUNDS} rounds of {PREVIEWED} previews", figures, target)


if __name__ == "__main__":
    main()
