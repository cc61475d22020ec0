"""Mistakes with tariffs, calendars and prices, each with the way in which it is put right.

What was issued by a published version stands until its agreement is rebilled: the same again, by
what is published then. A history is `mistaken`, with the
mistake and its mending, or as it should have been.
"""

from datetime import date, timedelta

from e2e.house import ZONE
from e2e.mistakes.sites import END, FLAT, FRIDAY, MARCH, START, another_id

DAYS = [date.fromisoformat(START) + timedelta(days=n) for n in range(28 + 31)]
WORKDAYS = {
    "name": "workday", "weekdays": ["mon", "tue", "wed", "thu", "fri"], "holidays": "excluded"
}  # fmt: skip
RESTING = {
    "kind": "time_of_use",
    "id": "energy",
    "bands": [{"name": "work", "rate": "0.30"}, {"name": "rest", "rate": "0.20"}],
    "windows": [
        {"band": "work", "from_time": "00:00", "to_time": "24:00", "day_types": ["workday"]}
    ],
    "default_band": "rest",
}


async def a_version_had_a_wrong_price(site, mistaken):
    tariff = await site.tariff(*site.energy("2.00" if mistaken else "0.20"))
    ada, agreement, meter = await site.at_home(tariff)
    if mistaken:
        before = await site.costs(meter)
        await site.version(tariff, *site.energy("0.20"), since="2025-01-01")
        await site.costs_move(meter, before)
        await site.cancelled(agreement, again=True)
    return (ada,)


async def a_version_was_in_force_too_early(site, mistaken):
    tariff = await site.tariff(*site.energy("0.20"))
    if mistaken:
        await site.version(tariff, *site.energy("0.40"), since=MARCH)
    ada, agreement, meter = await site.at_home(tariff)
    if mistaken:
        before = await site.costs(meter)
        path = f"/v1/tariffs/{tariff}/versions/2/withdraw"
        await site.api.post("tariff", path, {"reason": "it is for April"})
        await site.costs_move(meter, before)
        await site.cancelled(agreement, again=True)
    return (ada,)


async def a_version_was_forgotten(site, mistaken):
    """The price of March went up, and the invoice has the old one."""
    tariff = await site.tariff(*site.energy("0.20"))
    if not mistaken:
        await site.version(tariff, *site.energy("0.40"), since=MARCH)
    ada, agreement, meter = await site.at_home(tariff)
    if mistaken:
        before = await site.costs(meter)
        await site.version(tariff, *site.energy("0.40"), since=MARCH)
        await site.costs_move(meter, before)
        await site.cancelled(agreement, again=True)
    return (ada,)


async def a_tax_was_forgotten(site, mistaken):
    untaxed = [charge for charge in FLAT if charge["kind"] != "tax"]
    tariff = await site.tariff(*(untaxed if mistaken else FLAT))
    ada, agreement, meter = await site.at_home(tariff)
    if mistaken:
        before = await site.costs(meter)
        await site.version(tariff, *FLAT, since="2025-01-01")
        await site.costs_move(meter, before)
        await site.cancelled(agreement, again=True)
    return (ada,)


async def a_price_of_a_series_was_wrong(site, mistaken):
    series, code = another_id(), f"s-{another_id()[:8]}"
    new = {"id": series, "code": code, "name": "Day ahead", "currency": "EUR", "zone": ZONE,
           "minutes": 60}  # fmt: skip
    await site.api.post("tariff", "/v1/price-series", new)
    await site.priced(series, DAYS, "0.20")
    wrong_on = date.fromisoformat(FRIDAY)
    if mistaken:
        await site.priced(series, [wrong_on], "20.00")
    tariff = await site.tariff({"kind": "spot", "id": "energy", "series": code})
    ada, agreement, meter = await site.at_home(tariff)
    if mistaken:
        before = await site.costs(meter)
        await site.priced(series, [wrong_on], "0.20")
        await site.costs_move(meter, before)
        await site.cancelled(agreement, again=True)
    return (ada,)


async def a_holiday_was_missing(site, mistaken):
    """The 8th of March, a Saturday, is no matter; the 14th, a Friday, is."""
    calendar = {"day_types": [WORKDAYS], "holidays": {"dates": []}}
    right = calendar | {"holidays": {"dates": ["2025-03-14"]}}
    tariff = await site.tariff(RESTING, calendar=calendar if mistaken else right)
    ada, agreement, meter = await site.at_home(tariff)
    if mistaken:
        before = await site.costs(meter)
        await site.version(tariff, RESTING, since="2025-01-01", calendar=right)
        await site.costs_move(meter, before)
        await site.cancelled(agreement, again=True)
    return (ada,)


async def a_tariff_was_for_another_customer_only(site, mistaken):
    """A discount of one customer went into the plan of all; she gets a plan of her own."""
    flat = await site.tariff(*FLAT)
    own = await site.tariff(*site.energy("0.10"))
    meter, ada = await site.meter_read(), await site.customer("Ada")
    agreement = await site.agreed(ada, meter, flat if mistaken else own)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, MARCH, tariff_id=own)
        await site.cancelled(agreement, START)
        await site.agreed(ada, meter, own, end_on=MARCH)
    return (ada,)


async def a_plan_was_withdrawn_that_is_needed(site, mistaken):
    """The periods wait for a version, and are billed by the next one."""
    tariff = await site.tariff(*site.energy("0.20"))
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    await site.agreed(ada, meter, tariff)
    await site.billed(ada, 1)
    if mistaken:
        before = await site.costs(meter, "2025-02-14")
        path = f"/v1/tariffs/{tariff}/versions/1/withdraw"
        await site.api.post("tariff", path, {"reason": "a mistake"})
        await site.costs_move(meter, before, "2025-02-14")
        await site.read_on(meter, END)
        await site.held(ada, "tariff_missing")
        await site.version(tariff, *site.energy("0.20"), since="2025-01-01")
    else:
        await site.read_on(meter, END)
    return (ada,)


HISTORIES = (
    a_version_had_a_wrong_price,
    a_version_was_in_force_too_early,
    a_version_was_forgotten,
    a_tax_was_forgotten,
    a_price_of_a_series_was_wrong,
    a_holiday_was_missing,
    a_tariff_was_for_another_customer_only,
    a_plan_was_withdrawn_that_is_needed,
)
