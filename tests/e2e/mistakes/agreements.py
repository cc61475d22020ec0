"""Mistakes with customers and agreements, each with the way in which it is put right.

A history is `mistaken`, with the mistake and its mending, or as it should have been. It
returns the customers whose accounts are to be the same in both.
"""

from e2e.house import until
from e2e.mistakes.sites import END, MARCH, START, another_id

TWO_MONTHS = {"months": 2, "anchor_month": 2}
MIDDLE = "2025-03-15"
ADDRESS = {"street": "Weg 12", "postal_code": "10115", "city": "Berlin", "country": "DE"}


async def a_wrong_customer_was_billed(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    grace = await site.customer("Grace")
    agreement = await site.agreed(ada if mistaken else grace, meter)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, customer_id=grace)
    return ada, grace


async def another_had_moved_in_and_nobody_said_so(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    grace = await site.customer("Grace")
    if mistaken:
        agreement = await site.agreed(ada, meter)
        await site.billed(ada)
        await site.cancelled(agreement, MIDDLE, customer_id=grace)
    else:
        await site.agreed(ada, meter, end_on=MIDDLE)
        await site.agreed(grace, meter, start_on=MIDDLE)
    return ada, grace


async def a_wrong_meter_was_billed(site, mistaken):
    right, ada = await site.meter_read(but={MARCH}), await site.customer("Ada")
    await site.read_on(right, MARCH, "1500")
    wrong = await site.meter_read() if mistaken else right
    agreement = await site.agreed(ada, wrong)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, meter_id=right)
    return (ada,)


async def the_meters_of_two_customers_were_swapped(site, mistaken):
    meters = [await site.meter_read(), await site.meter_read(but={MARCH})]
    await site.read_on(meters[1], MARCH, "1500")
    ada, grace = await site.customer("Ada"), await site.customer("Grace")
    billed = [(ada, meters[1]), (grace, meters[0])] if mistaken else []
    agreements = [await site.agreed(*swapped) for swapped in billed]
    for agreement, (customer, _) in zip(agreements, billed, strict=True):
        await site.billed(customer)
        await site.cancelled(agreement)
    await site.agreed(ada, meters[0])
    await site.agreed(grace, meters[1])
    return ada, grace


async def a_wrong_plan_was_billed(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    agreement = await site.agreed(ada, meter, site.dear if mistaken else site.flat)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, tariff_id=site.flat)
    return (ada,)


async def an_agreement_began_too_early(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    agreement = await site.agreed(ada, meter, start_on=START if mistaken else "2025-02-15")
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, start_on="2025-02-15")
    return (ada,)


async def an_agreement_began_too_late(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    agreement = await site.agreed(ada, meter, start_on="2025-02-15" if mistaken else START)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, "2025-02-15", start_on=START)
    return (ada,)


async def an_agreement_ended_too_late(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    agreement = await site.agreed(ada, meter, end_on=END if mistaken else MIDDLE)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, MIDDLE)
    return (ada,)


async def an_agreement_ended_too_early(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    agreement = await site.agreed(ada, meter, end_on=MIDDLE if mistaken else END)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, MARCH, end_on=END)
    return (ada,)


async def the_same_was_agreed_twice(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    await site.agreed(ada, meter)
    if mistaken:
        await site.refused("agreement_overlap", site.agreed(ada, meter))
    return (ada,)


async def an_agreement_that_was_never_billed_was_for_somebody_else(site, mistaken):
    _, meter = await site.house()
    ada, grace = await site.customer("Ada"), await site.customer("Grace")
    if mistaken:
        agreement = await site.agreed(grace, meter)
        path = f"/v1/agreements/{agreement}"
        await site.api.call("billing", "DELETE", path, if_match=1)
    await site.agreed(ada, meter)
    await site.read_all(meter)
    return ada, grace


async def a_customer_was_there_twice(site, mistaken):
    """The second one was billed, and has paid a part."""
    meter, ada = await site.meter_read(), await site.customer("Ada")
    if mistaken:
        twin = await site.customer("Ada")
        agreement = await site.agreed(twin, meter)
        await site.billed(twin)
        payment = await site.post("/v1/payments", twin, "150.00")
        await site.reverse(payment)
        await site.cancelled(agreement, customer_id=ada)
        await until(lambda: site.balances(twin), ["0.00"])
    else:
        await site.agreed(ada, meter)
    await site.billed(ada)
    february = [{"invoice_id": await site.invoice(ada, START), "amount": "150.00"}]
    await site.post("/v1/payments", ada, "150.00", allocations=february)
    return (ada,)


async def a_customer_who_was_there_twice_was_billed_as_both(site, mistaken):
    """Merged once each was billed and one had paid; what the duplicate was billed for is then put
    under the right name, since the agreement went over."""
    meters = [await site.meter_read(but={END}), await site.meter_read(but={END})]
    ada = await site.customer("Ada")
    twin = await site.customer("Ada") if mistaken else ada
    await site.agreed(ada, meters[0])
    agreement = await site.agreed(twin, meters[1])
    for own in {ada, twin}:
        await site.billed(own, 1 if mistaken else 2)
    await site.post("/v1/payments", twin, "30.00")
    if mistaken:
        merge = {"into": ada, "reason": "the same person"}
        await site.api.post("billing", f"/v1/customers/{twin}/merge", merge)
    await site.post("/v1/payments", twin, "10.00")
    if mistaken:
        await until(lambda: site.balances(twin), ["0.00"])
        await site.cancelled(agreement, customer_id=ada)
    for meter in meters:
        await site.read_on(meter, END)
    await site.billed(ada, 4)
    return (ada,)


async def bills_were_for_months_and_not_for_two(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    more = {} if mistaken else {"billing_calendar": TWO_MONTHS}
    agreement = await site.agreed(ada, meter, **more)
    if mistaken:
        await site.billed(ada)
        await site.cancelled(agreement, billing_calendar=TWO_MONTHS)
    return (ada,)


async def a_customer_was_in_a_wrong_currency(site, mistaken):
    meter, id_ = await site.meter_read(), another_id()
    new = {"id": id_, "name": "Ada", "currency": "CHF" if mistaken else "EUR"}
    await site.api.post("billing", "/v1/customers", new)
    if mistaken:
        await site.refused("currency_differs", site.agreed(id_, meter))
        await site.change("billing", f"/v1/customers/{id_}", currency="EUR")
    await site.agreed(id_, meter)
    return (id_,)


async def a_plan_came_later_and_in_a_wrong_currency(site, mistaken):
    meter, ada = await site.meter_read(), await site.customer("Ada")
    if mistaken:
        tariff = another_id()
        agreement = await site.agreed(ada, meter, tariff)
        await site.tariff(*site.energy("0.20"), id_=tariff, currency="CHF")

        async def is_held():
            page = await site.api.get("billing", "/v1/held-invoices", agreement_id=agreement)
            return {own["reason"] for own in page["items"]}

        await until(is_held, {"currency_differs"})
        await site.cancelled(agreement, tariff_id=site.flat)
    else:
        await site.agreed(ada, meter)
    return (ada,)


async def name_and_address_were_wrong(site, mistaken):
    meter, id_ = await site.meter_read(), another_id()
    wrong = {"name": "Eda", "billing_address": ADDRESS | {"street": "Weg 21"}}
    right = {"name": "Ada", "billing_address": ADDRESS}
    new = {"id": id_, "currency": "EUR"} | (wrong if mistaken else right)
    await site.api.post("billing", "/v1/customers", new)
    await site.agreed(id_, meter)
    if mistaken:
        await site.billed(id_)
        await site.change("billing", f"/v1/customers/{id_}", **right)
    return (id_,)


async def a_period_was_closed_before_its_last_reading_came(site, mistaken):
    meter, ada = await site.meter_read(but={END}), await site.customer("Ada")
    agreement = await site.agreed(ada, meter)
    if mistaken:
        await site.billed(ada, 1)
        path = f"/v1/agreements/{agreement}/periods/{MARCH}/close"
        await site.api.post("ingest", path)
        await site.billed(ada)
    await site.read_on(meter, END)
    return (ada,)


async def a_held_period_was_dismissed(site, mistaken):
    """It was held since the tariff was not there yet."""
    meter, ada, tariff = await site.meter_read(), await site.customer("Ada"), another_id()
    agreement = await site.agreed(ada, meter, tariff)
    if mistaken:

        async def are_held():
            page = await site.api.get("billing", "/v1/held-invoices", agreement_id=agreement)
            return sorted(own["start_on"] for own in page["items"])

        await until(are_held, [START, MARCH])
        path = f"/v1/held-invoices/{agreement}/{MARCH}"
        await site.api.post("billing", f"{path}/dismiss", {"reason": "wrong line"})
        await site.api.post("billing", f"{path}/recall")
    await site.tariff(*site.energy("0.20"), id_=tariff)
    return (ada,)


HISTORIES = (
    a_wrong_customer_was_billed,
    another_had_moved_in_and_nobody_said_so,
    a_wrong_meter_was_billed,
    the_meters_of_two_customers_were_swapped,
    a_wrong_plan_was_billed,
    an_agreement_began_too_early,
    an_agreement_began_too_late,
    an_agreement_ended_too_late,
    an_agreement_ended_too_early,
    the_same_was_agreed_twice,
    an_agreement_that_was_never_billed_was_for_somebody_else,
    a_customer_was_there_twice,
    a_customer_who_was_there_twice_was_billed_as_both,
    bills_were_for_months_and_not_for_two,
    a_customer_was_in_a_wrong_currency,
    a_plan_came_later_and_in_a_wrong_currency,
    name_and_address_were_wrong,
    a_period_was_closed_before_its_last_reading_came,
    a_held_period_was_dismissed,
)
