"""Who moves out, in or to another supplier, and a meter that is exchanged on the day, through all
services: each bill worked by hand, also where the clocks change on that day."""

import pytest

from e2e.house import until
from e2e.retailer import empty_retailer

STANDING = {"kind": "fixed", "id": "standing", "rate": "0.50", "per": "day"}
FLAT = {"kind": "energy", "id": "energy", "rate": "0.20"}
NIGHTS = {
    "kind": "time_of_use",
    "id": "energy",
    "bands": [{"name": "night", "rate": "0.10"}, {"name": "day", "rate": "0.20"}],
    "windows": [{"band": "night", "from_time": "00:00", "to_time": "06:00"}],
    "default_band": "day",
}


@pytest.fixture(scope="module")
async def retailer(stack_servers):
    async with empty_retailer(stack_servers) as running:
        yield running


async def test_one_moves_out_with_a_final_reading_and_another_moves_in_that_day(retailer):
    """672 kWh in February: 134.40 and 28 × 0.50. Ada leaves on the 15th of March at 952: 280 kWh,
    56.00, and 14 × 0.50. Grace has 248 kWh until April, 49.60, and 17 × 0.50. Of April nothing
    is Ada's; of her 120.00 deposit 63.00 pays the last bill, and 57.00 goes back to her."""
    tariff, meter = await retailer.tariff(FLAT, STANDING), await retailer.meter()
    ada, grace = await retailer.customer("Ada"), await retailer.customer("Grace")
    hers = await retailer.agree(ada, meter, tariff, "2025-02-01")
    await retailer.read(meter, "0", "2025-02-01T00:00:00+01:00")
    await retailer.read(meter, "672", "2025-03-01T00:00:00+01:00")
    february = ("2025-02-01", "2025-03-01", "148.40")
    await until(lambda: retailer.bills(ada), [february])
    await until(lambda: retailer.balances(ada), ["148.40"])
    deposit = {"customer_id": ada, "currency": "EUR", "amount": "120.00"}
    await retailer.api.post("ledger", "/v1/deposits", deposit)
    await retailer.api.post("ledger", "/v1/payments", deposit | {"amount": "148.40"})

    await retailer.end(hers, "2025-03-15")
    await retailer.read(meter, "952", "2025-03-15T00:00:00+01:00")
    await until(lambda: retailer.bills(ada), [february, ("2025-03-01", "2025-03-15", "63.00")])
    theirs = await retailer.agree(grace, meter, tariff, "2025-03-15")
    await retailer.read(meter, "1200", "2025-04-01T00:00:00+02:00")
    await until(lambda: retailer.bills(grace), [("2025-03-15", "2025-04-01", "58.10")])
    await until(lambda: retailer.balances(ada, grace), ["63.00", "58.10"])
    assert await retailer.periods(hers, "open") == []
    assert ("2025-04-01", "2025-05-01") in await retailer.periods(theirs, "open")

    settled = {"customer_id": ada, "currency": "EUR", "source": "deposit"}
    await retailer.api.post("ledger", "/v1/allocations", settled)
    back = settled | {"amount": "57.00", "reason": "moved out"}
    await retailer.api.post("ledger", "/v1/refunds", back)
    assert await retailer.balances(ada) == ["0.00"]
    assert await retailer.reconciled() == ([True] * 3, [])


async def test_who_moves_on_the_day_of_23_hours_is_billed_by_the_hours_that_there_were(retailer):
    """1 kWh an hour. Ada's 29 days: 174 at night, 522 by day, 17.40 + 104.40 + 14.50. Grace's two
    days have 23 and 24 hours, 5 and 6 of them at night: 1.10 + 7.20 + 1.00."""
    tariff, meter = await retailer.tariff(NIGHTS, STANDING), await retailer.meter()
    ada, grace = await retailer.customer("Ada"), await retailer.customer("Grace")
    hers = await retailer.agree(ada, meter, tariff, "2025-03-01")
    await retailer.read(meter, "0", "2025-03-01T00:00:00+01:00")
    await retailer.end(hers, "2025-03-30")
    await retailer.agree(grace, meter, tariff, "2025-03-30")
    await retailer.read(meter, "696", "2025-03-30T00:00:00+01:00")
    await retailer.read(meter, "743", "2025-04-01T00:00:00+02:00")
    await until(
        lambda: retailer.bills(ada, grace),
        [("2025-03-01", "2025-03-30", "136.30"), ("2025-03-30", "2025-04-01", "9.30")],
    )
    assert await retailer.lines(grace, "2025-03-30") == [
        ("energy", "night", "11.000", "1.10"),
        ("energy", "day", "36.000", "7.20"),
        ("standing", None, "2", "1.00"),
    ]


async def test_who_moves_on_the_day_of_25_hours_is_billed_by_the_hours_that_there_were(retailer):
    """1 kWh an hour. Ada's 25 days: 150 at night, 450 by day, 15.00 + 90.00 + 12.50. Grace's six
    days have 145 hours, 37 of them at night: 3.70 + 21.60 + 3.00."""
    tariff, meter = await retailer.tariff(NIGHTS, STANDING), await retailer.meter()
    ada, grace = await retailer.customer("Ada"), await retailer.customer("Grace")
    await retailer.agree(ada, meter, tariff, "2025-10-01", end_on="2025-10-26")
    await retailer.agree(grace, meter, tariff, "2025-10-26")
    await retailer.read(meter, "0", "2025-10-01T00:00:00+02:00")
    await retailer.read(meter, "600", "2025-10-26T00:00:00+02:00")
    await retailer.read(meter, "745", "2025-11-01T00:00:00+01:00")
    await until(
        lambda: retailer.bills(ada, grace),
        [("2025-10-01", "2025-10-26", "117.50"), ("2025-10-26", "2025-11-01", "28.30")],
    )


async def test_a_meter_is_exchanged_at_noon_of_the_day_of_25_hours(retailer):
    """Until noon of the 26th 613 hours of 1 kWh, 157 of them at night; then 132 hours of 2 kWh
    by a register of six digits that began at 5.0: 30 hours at night. 217 and 660 kWh: 21.70 +
    132.00, and 31 × 0.50."""
    tariff, meter = await retailer.tariff(NIGHTS, STANDING), await retailer.meter()
    ada = await retailer.customer("Ada")
    await retailer.agree(ada, meter, tariff, "2025-10-01")
    await retailer.read(meter, "1000", "2025-10-01T00:00:00+02:00")
    await retailer.exchange(meter, "1613", "5.0", "2025-10-26T12:00:00+01:00",
                            register={"digits": 6, "decimals": 1})  # fmt: skip
    await retailer.read(meter, "269.0", "2025-11-01T00:00:00+01:00")
    await until(lambda: retailer.bills(ada), [("2025-10-01", "2025-11-01", "169.20")])
    assert await retailer.lines(ada, "2025-10-01") == [
        ("energy", "night", "217.000", "21.70"),
        ("energy", "day", "660.000", "132.00"),
        ("standing", None, "31", "15.50"),
    ]


async def test_the_meter_is_exchanged_at_the_moment_at_which_people_move(retailer):
    """Ada's register ends at 1600 on the 26th, 600 kWh at 0.20 and 25 × 0.50; Grace's begins at 0
    and shows 145: 29.00 and 6 × 0.50. No kWh of the one is on the other's bill."""
    tariff, meter = await retailer.tariff(FLAT, STANDING), await retailer.meter()
    ada, grace = await retailer.customer("Ada"), await retailer.customer("Grace")
    await retailer.agree(ada, meter, tariff, "2025-10-01", end_on="2025-10-26")
    await retailer.agree(grace, meter, tariff, "2025-10-26")
    await retailer.read(meter, "1000", "2025-10-01T00:00:00+02:00")
    await retailer.exchange(meter, "1600", "0", "2025-10-26T00:00:00+02:00")
    await retailer.read(meter, "145", "2025-11-01T00:00:00+01:00")
    await until(
        lambda: retailer.bills(ada, grace),
        [("2025-10-01", "2025-10-26", "132.50"), ("2025-10-26", "2025-11-01", "32.00")],
    )


async def test_a_customer_leaves_to_another_supplier_who_says_so_late(retailer):
    """March is billed whole, 743 kWh: 148.60 and 15.50, when the new supplier says that it had
    taken over on the 11th, at 240: 48.00 and 10 × 0.50 are left. What the meter reads later is
    nobody's here, and when Ada comes back in May at 1700 she pays from there."""
    tariff, meter = await retailer.tariff(FLAT, STANDING), await retailer.meter()
    ada = await retailer.customer("Ada")
    agreement = await retailer.agree(ada, meter, tariff, "2025-03-01")
    await retailer.read(meter, "0", "2025-03-01T00:00:00+01:00")
    await retailer.read(meter, "743", "2025-04-01T00:00:00+02:00")
    await until(lambda: retailer.bills(ada), [("2025-03-01", "2025-04-01", "164.10")])
    await until(lambda: retailer.balances(ada), ["164.10"])

    await retailer.read(meter, "240", "2025-03-11T00:00:00+01:00")
    await retailer.cancel(agreement, "2025-03-11", "another supplier had taken over")
    left = ("2025-03-01", "2025-03-11", "53.00")
    await until(lambda: retailer.bills(ada), [left])
    await retailer.read(meter, "1700", "2025-05-01T00:00:00+02:00")
    await retailer.agree(ada, meter, tariff, "2025-05-01", end_on="2025-06-01")
    await retailer.read(meter, "2444", "2025-06-01T00:00:00+02:00")
    await until(lambda: retailer.bills(ada), [left, ("2025-05-01", "2025-06-01", "164.30")])
    await until(lambda: retailer.balances(ada), ["217.30"])
    assert await retailer.periods(agreement, "closed") == [("2025-03-01", "2025-03-11")]
    assert await retailer.reconciled() == ([True] * 3, [])
