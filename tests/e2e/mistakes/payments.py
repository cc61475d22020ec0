"""Mistakes with payments, credit notes, deposits and what else is booked by hand.

A history is `mistaken`, with the mistake and its mending, or as it should have been. It
returns the customers whose accounts are to be the same in both.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from e2e.house import until
from e2e.mistakes.sites import another_id
from gridtally.cli.errors import CommandError

PAYMENTS, DEPOSITS = "/v1/payments", "/v1/deposits"
LATE = {"occurred_at": "2025-01-01T00:00:00Z", "due_on": "2025-01-15"}


async def a_payment_was_booked_to_another_customer(site, mistaken):
    (ada, *_), (grace, *_) = await site.at_home(), await site.at_home()
    if mistaken:
        await site.reverse(await site.post(PAYMENTS, grace, "100.00"))
    await site.post(PAYMENTS, ada, "100.00")
    return ada, grace


async def a_payment_was_booked_twice(site, mistaken):
    ada, *_ = await site.at_home()
    await site.post(PAYMENTS, ada, "100.00")
    if mistaken:
        await site.reverse(await site.post(PAYMENTS, ada, "100.00"))
    return (ada,)


async def a_payment_was_booked_ten_times_too_high(site, mistaken):
    ada, *_ = await site.at_home()
    if mistaken:
        await site.reverse(await site.post(PAYMENTS, ada, "1000.00"))
    await site.post(PAYMENTS, ada, "100.00")
    return (ada,)


async def a_payment_paid_a_wrong_invoice(site, mistaken):
    ada, *_ = await site.at_home()
    february, march = await site.invoice(ada, "2025-02-01"), await site.invoice(ada)
    if mistaken:
        wrong = [{"invoice_id": march, "amount": "100.00"}]
        await site.reverse(await site.post(PAYMENTS, ada, "100.00", allocations=wrong))
    right = [{"invoice_id": february, "amount": "100.00"}]
    await site.post(PAYMENTS, ada, "100.00", allocations=right)
    return (ada,)


async def a_payment_was_booked_for_nobody(site, mistaken):
    ada, *_ = await site.at_home()
    if mistaken:
        payment = await site.post(PAYMENTS, another_id(), "100.00")
        path = f"/v1/unmatched-payments/{payment['id']}/assignment"
        await site.api.post("ledger", path, {"customer_id": ada})
    else:
        await site.post(PAYMENTS, ada, "100.00")
    return (ada,)


async def a_payment_was_booked_in_a_wrong_currency(site, mistaken):
    ada, *_ = await site.at_home()
    if mistaken:
        payment = await site.post(PAYMENTS, ada, "100.00", currency="CHF")
        await site.reverse(payment)
    await site.post(PAYMENTS, ada, "100.00")
    return (ada,)


async def the_file_of_the_bank_came_twice(site, mistaken):
    ada, *_ = await site.at_home()
    page = await site.api.get("billing", "/v1/invoices", customer_id=ada, state="issued")
    number = next(own["number"] for own in page["items"] if own["start_on"] == "2025-03-01")
    table = f"booked_on,amount,currency,reference,payer\n2025-04-10,50.00,EUR,{number},Ada\n"
    for _ in range(1 + mistaken):
        await site.api.call(
            "ledger", "POST", "/v1/payment-files", content=table.encode(),
            content_type="application/octet-stream",
        )  # fmt: skip
    return (ada,)


async def a_credit_note_was_too_high(site, mistaken):
    """A credit note is never taken back: what it leaves is credited, and billed once more."""
    ada, agreement, _ = await site.at_home()
    if mistaken:
        await site.credit(ada, "100.00")
        await site.cancelled(agreement, again=True)
        await site.billed(ada)
    await site.credit(ada, "10.00")
    return (ada,)


async def a_credit_note_was_given_to_somebody_else(site, mistaken):
    (ada, agreement, _), (grace, *_) = await site.at_home(), await site.at_home()
    if mistaken:
        await site.credit(ada, "10.00")
        await site.cancelled(agreement, again=True)
        await site.billed(ada)
    await site.credit(grace, "10.00")
    return ada, grace


async def a_deposit_was_booked_too_high(site, mistaken):
    ada, *_ = await site.at_home()
    if mistaken:
        await site.reverse(await site.post(DEPOSITS, ada, "200.00"))
    await site.post(DEPOSITS, ada, "100.00")
    return (ada,)


async def a_deposit_was_booked_as_a_payment(site, mistaken):
    ada, *_ = await site.at_home()
    if mistaken:
        await site.reverse(await site.post(PAYMENTS, ada, "100.00"))
    await site.post(DEPOSITS, ada, "100.00")
    return (ada,)


async def a_deposit_was_returned_too_early(site, mistaken):
    ada, *_ = await site.at_home()
    await site.post(DEPOSITS, ada, "100.00")
    if mistaken:
        returned = await site.post(
            "/v1/refunds", ada, "100.00", source="deposit", reason="moved out"
        )
        await site.reverse(returned)
    return (ada,)


async def credit_was_paid_out_twice(site, mistaken):
    ada, *_ = await site.at_home()
    await site.post(PAYMENTS, ada, "1000.00")
    await site.post("/v1/refunds", ada, "100.00", reason="asked for it")
    if mistaken:
        await site.reverse(await site.post("/v1/refunds", ada, "100.00", reason="asked for it"))
    return (ada,)


async def a_claim_was_written_off_that_is_paid(site, mistaken):
    ada, *_ = await site.at_home()
    if mistaken:
        await site.reverse(await site.post("/v1/write-offs", ada, "150.00", reason="insolvent"))
    await site.post(PAYMENTS, ada, "150.00")
    return (ada,)


async def a_fee_was_charged_to_somebody_else(site, mistaken):
    (ada, *_), (grace, *_) = await site.at_home(), await site.at_home()
    if mistaken:
        await site.reverse(await site.post("/v1/adjustments", grace, "25.00", reason="visit"))
    await site.post("/v1/adjustments", ada, "25.00", reason="visit")
    return ada, grace


async def an_opening_balance_was_wrong(site, mistaken):
    ada = await site.customer("Ada")
    reference = f"OLD-{ada}"

    async def book(amount):
        """Once the books have heard of the customer."""
        item = {"customer_id": ada, "currency": "EUR", "reference": reference, "amount": amount}
        path, answer = "/v1/opening-balances/batch", {}

        async def is_booked():
            with suppress(CommandError):
                answer.update(await site.api.post("ledger", path, {"items": [item | LATE]}))
            return bool(answer)

        await until(is_booked, True)
        return answer["items"][0]

    if mistaken:
        await site.reverse(await book("450.00"))
    await book("45.00")
    return (ada,)


async def instalments_were_agreed_wrongly(site, mistaken):
    ada, *_ = await site.at_home()
    first_on = (datetime.now(UTC).date() + timedelta(days=10)).isoformat()
    owed = [await site.invoice(ada, "2025-02-01"), await site.invoice(ada)]

    async def agree(count):
        equal = {"count": count, "first_due_on": first_on}
        return await site.post("/v1/payment-plans", ada, invoice_ids=owed, equal=equal)

    if mistaken:
        plan = await agree(12)
        path = f"/v1/payment-plans/{plan['id']}/cancel"
        await site.api.post("ledger", path, {"reason": "mistake"})
    await agree(3)
    return (ada,)


async def a_bill_was_paid_and_was_for_somebody_else(site, mistaken):
    """The payment stays with who paid it, as credit."""
    meter, ada = await site.meter_read(), await site.customer("Ada")
    grace = await site.customer("Grace")
    if mistaken:
        agreement = await site.agreed(ada, meter)
        await site.billed(ada)
        await site.post(PAYMENTS, ada, "100.00")
        await site.cancelled(agreement, customer_id=grace)
        await until(lambda: site.balances(ada), ["-100.00"])
    else:
        await site.agreed(grace, meter)
        await site.post(PAYMENTS, ada, "100.00")
    return ada, grace


HISTORIES = (
    a_payment_was_booked_to_another_customer,
    a_payment_was_booked_twice,
    a_payment_was_booked_ten_times_too_high,
    a_payment_paid_a_wrong_invoice,
    a_payment_was_booked_for_nobody,
    a_payment_was_booked_in_a_wrong_currency,
    the_file_of_the_bank_came_twice,
    a_credit_note_was_too_high,
    a_credit_note_was_given_to_somebody_else,
    a_deposit_was_booked_too_high,
    a_deposit_was_booked_as_a_payment,
    a_deposit_was_returned_too_early,
    credit_was_paid_out_twice,
    a_claim_was_written_off_that_is_paid,
    a_fee_was_charged_to_somebody_else,
    an_opening_balance_was_wrong,
    instalments_were_agreed_wrongly,
    a_bill_was_paid_and_was_for_somebody_else,
)
