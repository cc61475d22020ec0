"""Mistakes with readings, meters and sites, each with the way in which it is put right.

A history is `mistaken`, with the mistake and its mending, or as it should have been. It
returns the customers whose accounts are to be the same in both.
"""

from e2e.house import ZONE, until
from e2e.mistakes.sites import CHANNEL, END, KWH, MARCH, READ_AT, START, hours_from

HOURS = 672 + 743
MIDDLE = "2025-03-15T00:00:00+01:00"


async def a_reading_was_ten_times_too_high(site, mistaken):
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    await site.agreed(ada, meter)
    if mistaken:
        reading = await site.read_on(meter, END, "24150")
        await site.billed(ada)
        await site.corrected(reading, KWH[END], READ_AT[END])
    else:
        await site.read_on(meter, END)
    return (ada,)


async def a_reading_was_of_another_day(site, mistaken):
    meter, ada = await site.meter_read(but={MARCH}), await site.customer("Ada")
    await site.agreed(ada, meter)
    if mistaken:
        reading = await site.read(meter, KWH[MARCH], "2025-03-11T00:00:00+01:00")
        await site.billed(ada)
        await site.corrected(reading, KWH[MARCH], READ_AT[MARCH])
    else:
        await site.read_on(meter, MARCH)
    return (ada,)


async def a_reading_was_of_another_meter(site, mistaken):
    """Both meters are billed; the readings of March were entered the wrong way round."""
    shown = ["1600", "1700"]
    meters = [await site.meter_read(but={MARCH}) for _ in shown]
    customers = [await site.customer("Ada"), await site.customer("Grace")]
    for customer, meter in zip(customers, meters, strict=True):
        await site.agreed(customer, meter)
    if mistaken:
        ids = [
            await site.read_on(meter, MARCH, kwh)
            for meter, kwh in zip(meters, reversed(shown), strict=True)
        ]
        for customer in customers:
            await site.billed(customer)
        for reading in ids:
            await site.api.call("ledger", "DELETE", f"/v1/readings/{reading}")
    for meter, kwh in zip(meters, shown, strict=True):
        await site.read_on(meter, MARCH, kwh)
    return customers


async def a_reading_was_entered_twice(site, mistaken):
    ada, _, meter = await site.at_home()
    if mistaken:
        await site.refused("reading_exists", site.read_on(meter, MARCH, "1700"))
    return (ada,)


async def a_right_reading_was_withdrawn(site, mistaken):
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    await site.agreed(ada, meter)
    reading = await site.read_on(meter, END)
    await site.billed(ada)
    if mistaken:
        await site.api.call("ledger", "DELETE", f"/v1/readings/{reading}")
        await site.held(ada, "values_missing")
        await site.read_on(meter, END)
    return (ada,)


async def an_exchange_was_forgotten(site, mistaken):
    """The old meter showed 2000 on the 15th of March; the new one began at 0 and shows 407."""
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    await site.agreed(ada, meter)
    if mistaken:
        await site.read_on(meter, END, "407")

        async def exceptions():
            page = await site.api.get("ingest", "/v1/register-exceptions", meter_id=meter)
            return [own["reason"] for own in page["items"]]

        await until(exceptions, ["decrease"])
    await site.exchange(meter, "2000", "0", MIDDLE)
    if not mistaken:
        await site.read_on(meter, END, "407")
    return (ada,)


async def another_meter_was_exchanged(site, mistaken):
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    await site.agreed(ada, meter)
    if mistaken:
        exchange = await site.exchange(meter, "2000", "0", MIDDLE)
        await site.read_on(meter, END, "407")
        await site.billed(ada)
        await site.api.call("ledger", "DELETE", f"/v1/readings/{exchange['final']['id']}")
        page = await site.api.get("ledger", f"/v1/meters/{meter}/readings")
        last = page["items"][-1]
        assert last["value"] == "407", page
        await site.corrected(last["id"], KWH[END], READ_AT[END])
    else:
        await site.read_on(meter, END)
    return (ada,)


async def what_the_old_meter_showed_last_was_wrong(site, mistaken):
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    await site.agreed(ada, meter)
    exchange = await site.exchange(meter, "2200" if mistaken else "2000", "0", MIDDLE)
    await site.read_on(meter, END, "407")
    if mistaken:
        await site.billed(ada)
        await site.corrected(exchange["final"]["id"], "2000", MIDDLE)
    return (ada,)


async def hourly_values_were_ten_times_too_high(site, mistaken):
    (_, meter), ada = await site.house(), await site.customer("Ada")
    await site.agreed(ada, meter)
    if mistaken:
        await site.send(meter, hours_from(START, [10_000] * HOURS))
        await site.billed(ada)
    await site.send(meter, hours_from(START, [1_000] * HOURS))
    return (ada,)


async def a_file_came_twice(site, mistaken):
    (_, meter), ada = await site.house(), await site.customer("Ada")
    await site.agreed(ada, meter)
    await site.imported(meter, "1.000")
    if mistaken:
        await site.billed(ada)
        await site.imported(meter, "1.000")
    return (ada,)


async def a_file_was_of_another_meter(site, mistaken):
    (_, meter), ada = await site.house(), await site.customer("Ada")
    await site.agreed(ada, meter)
    await site.imported(meter, "1.000")
    if mistaken:
        await site.billed(ada)
        import_id = await site.imported(meter, "3.250")
        totals = await site.bills(ada)

        async def is_billed_so():
            return await site.bills(ada) != totals

        await until(is_billed_so, True)
        await site.api.post("ingest", f"/v1/imports/{import_id}/undo")
    return (ada,)


async def a_register_had_a_wrong_multiplier(site, mistaken):
    """The range and multiplier of a register that was read stay: the meter is entered anew."""
    transformer = {"registers": [{"flow": "import", "multiplier": "40"}]}
    property_id, meter = await site.house(**({} if mistaken else transformer))
    await site.read_all(meter)
    ada = await site.customer("Ada")
    agreement = await site.agreed(ada, meter)
    if mistaken:
        await site.billed(ada)
        path = f"/v1/meters/{meter}"
        await site.refused("register_in_use", site.change("ledger", path, **transformer))
        right = await site.add_meter(property_id, **transformer)
        await site.read_all(right)
        await site.cancelled(agreement, meter_id=right)
    return (ada,)


async def a_meter_was_entered_at_another_property(site, mistaken):
    property_id, right = await site.house()
    ada = await site.customer("Ada")
    if mistaken:
        _, wrong = await site.house()
        await site.read_all(wrong)
        agreement = await site.agreed(ada, wrong)
        await site.billed(ada)
        right = await site.add_meter(property_id)
        await site.read_all(right)
        await site.cancelled(agreement, meter_id=right)
    else:
        await site.read_all(right)
        await site.agreed(ada, right)
    return (ada,)


async def a_site_was_in_a_wrong_time_zone(site, mistaken):
    """Its days begin at another midnight, so that its months have other energy."""
    ada = await site.customer("Ada")
    meter = await site.meter_read(zone="Asia/Tokyo" if mistaken else ZONE)
    agreement = await site.agreed(ada, meter, end_on=MARCH if mistaken else END)
    if mistaken:
        await site.read(meter, "990", "2025-01-31T00:00:00+01:00")
        await site.billed(ada, 1)
        await site.cancelled(agreement, meter_id=await site.meter_read(), end_on=END)
    return (ada,)


async def a_channel_had_too_low_a_limit(site, mistaken):
    """What is beyond the limit is in quarantine, and comes out of it."""
    limit = {"interval_wh_max": 500 if mistaken else 100_000}
    (_, meter), ada = await site.house(channels=[CHANNEL | limit]), await site.customer("Ada")
    await site.agreed(ada, meter)
    await site.read_all(meter)
    if mistaken:
        ids = []

        async def are_quarantined():
            page = await site.api.get("ingest", "/v1/quarantine", meter_id=meter)
            ids[:] = [own["id"] for own in page["items"]]
            return len(ids)

        await until(are_quarantined, 2)
        await site.change("ledger", f"/v1/meters/{meter}", channels=[CHANNEL])
        await site.raised(meter)
        for quarantined in ids:
            await site.api.post("ingest", f"/v1/quarantine/{quarantined}/replay")
    return (ada,)


async def a_sum_was_defined_wrongly(site, mistaken):
    """The sub-meter was subtracted, and is to be added."""
    property_id, main = await site.house()
    part = await site.add_meter(property_id, meter_type="sub", name="Part")
    total = await site.add_meter(property_id, meter_type="derived", name="Sum", channels=[])
    path = f"/v1/meters/{total}/definitions"

    async def define(sign):
        terms = [{"meter_id": main}, {"meter_id": part, "sign": sign}]
        await site.api.post("ledger", path, {"from_on": "2025-01-01", "terms": terms})

    await define(-1 if mistaken else 1)
    ada = await site.customer("Ada")
    await site.agreed(ada, total)
    await site.send(main, hours_from(START, [2_000] * HOURS))
    await site.send(part, hours_from(START, [500] * HOURS))
    if mistaken:
        await site.billed(ada)
        await define(1)
    return (ada,)


HISTORIES = (
    a_reading_was_ten_times_too_high,
    a_reading_was_of_another_day,
    a_reading_was_of_another_meter,
    a_reading_was_entered_twice,
    a_right_reading_was_withdrawn,
    an_exchange_was_forgotten,
    another_meter_was_exchanged,
    what_the_old_meter_showed_last_was_wrong,
    hourly_values_were_ten_times_too_high,
    a_file_came_twice,
    a_file_was_of_another_meter,
    a_register_had_a_wrong_multiplier,
    a_meter_was_entered_at_another_property,
    a_site_was_in_a_wrong_time_zone,
    a_channel_had_too_low_a_limit,
    a_sum_was_defined_wrongly,
)
