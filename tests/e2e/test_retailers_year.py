"""docs/retailers-year.md, followed for 200 customers: what each is billed, has paid and owes is
what a plain model beside it comes to, and so are the books."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from document_words import words_of_pdf
from e2e.guides import filled, sections_of
from e2e.retailers_year import (
    FIRST,
    HOURLY,
    MOVED_IN,
    MOVERS,
    STARTED,
    ZERO,
    empty_year,
    total_of,
)
from naive.supplies import Supply, hours_between, midnight, months

GUIDE = Path(__file__).parents[2] / "docs" / "retailers-year.md"
MAY, END = date(2025, 5, 1), date(2026, 1, 1)
READ = [n for n in STARTED if n not in HOURLY]
DEBTORS, INDEBTED, DEPOSITORS = range(1091, 1094), range(1111, 1113), range(1011, 1015)
BY_BANK, BOUNCED = range(1131, 1134), 1121
RECEIVABLE, PREPAID, DEPOSIT = "receivable", "prepaid", "deposit"
UNPAID = {*DEBTORS, *INDEBTED, *DEPOSITORS[1:]}
"""Who does not pay what comes due."""


class Paid(NamedTuple):
    """A payment, and the transaction that books it."""

    amount: Decimal
    transaction_id: str


@pytest.fixture(scope="module")
async def year(stack_servers, tmp_path_factory):
    async with empty_year(stack_servers, tmp_path_factory.mktemp("year")) as running:
        yield running


async def letterhead(year, section):
    await year.ask(*section.requests)


async def plans(year, section):
    household, version, publication, nights, cheap_version = section.requests
    for offered, draft in ((household, version), (nights, cheap_version)):
        code = offered.body["code"]
        year.tariff_ids[code] = (await year.ask(offered))["id"]
        await publish(year, code, draft, publication)


async def publish(year, code, draft, publication):
    tariff = year.tariff_ids[code]
    number = (await year.ask(draft, tariff=tariff))["number"]
    await year.ask(publication, tariff=tariff, number=number)
    since = date.fromisoformat(draft.body["effective_from"])
    year.plans.setdefault(code, []).append((since, draft.body["document"]))


async def customers(year, section):
    for name in ("customers.csv", "properties.csv", "meters.csv"):
        year.write(section, name, STARTED)
    year.write(section, "agreements.csv", READ)
    year.write(section, "nights.csv", HOURLY)
    for index in range(len(section.commands)):
        await year.run(section, index)


async def debts_and_deposits(year, section):
    year.write(section, "balances.csv", DEBTORS)
    await year.run(section, 0)
    for number in DEBTORS:
        year.booked[number] += Decimal("45.00")
    (deposit,) = section.requests
    for number in DEPOSITORS:
        await year.ask(deposit, customer=year.customer(number))
        year.deposits[number] += Decimal(deposit.body["amount"])


async def until_april(year, section):
    year.write(section, "until-april.csv", READ)
    await year.run(section, 0)
    (year.hourly,) = section.requests
    await send_hours(year, date(2025, 1, 1), MAY)


async def send_hours(year, start_on, end_on):
    """What the hourly meters measured on some days, a month at a time."""
    new_year = midnight(date(2025, 1, 1))
    for period in months(start_on, end_on):
        start_at, end_at = midnight(period.start_on), midnight(period.end_on)
        hours = slice(hours_between(new_year, start_at), hours_between(new_year, end_at))
        for number in HOURLY:
            answer = await year.ask(
                year.hourly, meter=year.meter(number), start=start_at.isoformat(),
                values=list(year.loads[number].wh[hours]),
            )  # fmt: skip
            assert answer["refused"] == 0, answer


async def moving(year, section):
    end, reading = section.requests
    moved_on = date.fromisoformat(end.body["end_on"])
    for number in MOVERS:
        await year.ask(end, agreement=year.agreement(number))
        shown = year.register(number, midnight(moved_on))
        await year.ask(reading, meter=year.meter(number), kwh=str(shown))
        supply = year.change(number, end_on=moved_on)
        moved_in = number + MOVED_IN - MOVERS[0]
        year.supplies.append(Supply(moved_in, supply.load, supply.plan, moved_on))
    for name in ("movers.csv", "moved-in.csv"):
        year.write(section, name, range(MOVED_IN, MOVED_IN + len(MOVERS)))
    year.write(section, "may.csv", READ)
    for index in range(len(section.commands)):
        await year.run(section, index)
    await year.billed(MAY)


async def payments(year, section):
    year.batch, reversal = section.requests
    paid = await pay(year, MAY, {*UNPAID, *BY_BANK})
    await year.ask(reversal, payment=paid[BOUNCED].transaction_id)
    year.booked[BOUNCED] += paid[BOUNCED].amount

    year.write(section, "bank.csv", BY_BANK)
    header, *rows = (year.folder / "bank.csv").read_text().splitlines()
    for index, number in enumerate(BY_BANK):
        invoice = (await invoices_of(year, number))[-1]
        names = {"amount": invoice["total"], "number": invoice["number"]}
        rows[index] = filled(rows[index], names)
        year.booked[number] -= Decimal(invoice["total"])
    (year.folder / "bank.csv").write_text("\n".join([header, *rows]) + "\n")
    for _ in range(2):
        await year.run(section, 0)
    await check_accounts(year, MAY)


async def pay(year, end_on, but):
    """All that is owed is paid, of all customers but these; the payments by customer."""
    owed = {n: amount for n, amount in year.owed(end_on).items() if n not in but and amount > 0}
    (template,) = year.batch.body["items"]
    items = [
        filled(template, {"customer": year.customer(n), "amount": str(amount)})
        for n, amount in owed.items()
    ]
    answer = await year.send(year.batch, {**year.batch.body, "items": items})
    assert answer["accepted"] == len(items), answer
    for number, amount in owed.items():
        year.booked[number] -= amount
    return {
        number: Paid(amount, own["transaction_id"])
        for (number, amount), own in zip(owed.items(), answer["items"], strict=True)
    }


async def invoices_of(year, number):
    listed = year.api.items("billing", "/v1/invoices", customer_id=year.customer(number),
                            state="issued")  # fmt: skip
    return sorted([own async for own in listed], key=lambda own: own["start_on"])


async def wrong_plan(year, section):
    preview, rebilling = section.requests
    wrong_since = date.fromisoformat(rebilling.body["from_on"])
    for number in range(1061, 1067):
        names = {"agreement": year.agreement(number), "tariff": year.tariff_ids["nights"]}
        said = await year.ask(preview, **names)
        await year.ask(rebilling, **names)
        supply = year.change(number, end_on=wrong_since)
        year.supplies.append(Supply(number, supply.load, "nights", wrong_since))
        bills = year.supplies[-1].until(MAY).bills(year.plans).values()
        assert [Decimal(own["bill"]["total"]) for own in said["bills"][: len(bills)]] == [
            total_of(lines) for lines in bills
        ]


async def another_price(year, section):
    await publish(year, "household", *section.requests)


async def another_plan(year, section):
    end, beginning = section.requests
    switched_on = date.fromisoformat(end.body["end_on"])
    for number in range(1041, 1053):
        await year.ask(end, agreement=year.agreement(number))
        await year.ask(beginning, customer=year.customer(number), meter=year.meter(number),
                       tariff=year.tariff_ids["nights"])  # fmt: skip
        supply = year.change(number, end_on=switched_on)
        year.supplies.append(Supply(number, supply.load, "nights", switched_on))


async def another_meter(year, section):
    await send_hours(year, MAY, END)
    year.write(section, "until-september.csv", READ)
    await year.run(section, 0)
    (exchange,) = section.requests
    at = datetime.fromisoformat(exchange.body["read_at"]).astimezone(UTC)
    for number in range(1071, 1076):
        shown = year.register(number, at)
        await year.ask(exchange, meter=year.meter(number), kwh=str(shown))
        year.starts[number] += Decimal(exchange.body["initial_value"]) - shown
    swapped = {(n, "2025-11-01T00:00+01:00"): Decimal(9) for n in (1081, 1082)}
    year.write(section, "until-january.csv", READ, kwh=swapped)
    await year.run(section, 1)


async def wrong_reading(year, section):
    right = {n: year.loads[n] for n in (1081, 1082)}
    for number, load in right.items():
        year.change(number, load=type(load)(load.wh, ((10, 9000), (11, -9000))))
    await year.billed(END)
    await pay(year, END, UNPAID)
    (correction,) = section.requests
    for number, load in right.items():
        year.change(number, load=load)
        at = datetime.fromisoformat(correction.body["read_at"]).astimezone(UTC)
        readings = year.api.items("ledger", f"/v1/meters/{year.meter(number)}/readings")
        ids = {datetime.fromisoformat(own["read_at"]): own["id"] async for own in readings}
        await year.ask(correction, reading=ids[at], kwh=str(year.register(number, at)))
    await year.billed(END)


async def something_back(year, section):
    (credit,) = section.requests
    for number in range(1101, 1104):
        invoice = (await invoices_of(year, number))[-1]
        note = await year.ask(credit, invoice=invoice["id"])
        year.booked[number] -= Decimal(credit.body["amount"])
        assert note["total"] == credit.body["amount"]
        for line in note["lines"]:
            year.credited_lines[line["component_id"]] += Decimal(line["amount"])


async def instalments(year, section):
    plan, payment = section.requests
    for number in INDEBTED:
        customer = year.customer(number)
        listed = year.api.items("ledger", "/v1/invoices", customer_id=customer)
        open_ids = [own["id"] async for own in listed if Decimal(own["open"])]
        first_on = datetime.now(UTC).date() + timedelta(days=10)
        agreed = await year.ask(plan, customer=customer, invoices=open_ids,
                                first_day=first_on.isoformat())  # fmt: skip
        assert Decimal(agreed["total"]) == year.owed(END)[number]
        amount = agreed["instalments"][0]["amount"]
        await year.ask(payment, customer=customer, amount=amount)
        year.booked[number] -= Decimal(amount)
        path = f"/v1/payment-plans/{agreed['id']}"
        assert (await year.api.get("ledger", path))["paid"] == amount


async def dunning(year, section):
    rules, withdrawal = section.requests
    await year.ask(rules)
    await year.run(section, 0)
    ((fee,),) = (level["fees"] for level in rules.body["levels"])
    numbers = year.numbers()
    notices = {
        numbers[own["customer_id"]]: own
        async for own in year.api.items("ledger", "/v1/dunning-notices")
    }
    assert sorted(notices) == [*DEBTORS]
    assert {own["total"] for own in notices.values()} == {"50.00"}
    for number in DEBTORS:
        year.booked[number] += Decimal(fee["amount"])
    withdrawn, payer, _ = 1092, 1091, 1093
    await year.ask(withdrawal, notice=notices[withdrawn]["id"])
    year.booked[withdrawn] -= Decimal(fee["amount"])
    await pay(year, END, {*year.numbers().values()} - {payer})


async def deposits_back(year, section):
    refund, allocation = section.requests
    for number in DEPOSITORS:
        customer, owed = year.customer(number), year.owed(END)[number]
        if owed:
            await year.ask(allocation, customer=customer)
            used = min(owed, year.deposits[number])
            year.booked[number] -= used
            year.deposits[number] -= used
        if rest := year.deposits[number]:
            await year.ask(refund, customer=customer, amount=str(rest))
            year.deposits[number] -= rest


async def payees(year, section):
    listing, settlement = section.requests
    owed = year.owed_to_payees(END)
    listed = {own["payee"]: own for own in (await year.ask(listing))["items"]}
    assert {payee: Decimal(own["balance"]) for payee, own in listed.items()} == {
        "Grid North": owed["grid"], None: owed["vat"],
    }  # fmt: skip
    await year.ask(settlement, payee=listed["Grid North"]["id"], amount=str(owed["grid"]))
    listed = {own["payee"]: own for own in (await year.ask(listing))["items"]}
    assert Decimal(listed["Grid North"]["balance"]) == ZERO


async def end_of_year(year, section):
    await year.run(section, 0, customer=year.customer(FIRST))
    written = words_of_pdf((year.folder / "statement.pdf").read_bytes())
    for *_, total in [own for own in year.invoices(END) if own[0] == FIRST]:
        assert f"+{total}" in written, total
    for index in (1, 2):
        await year.run(section, index)
    (trial_balance,) = section.requests
    (books,) = (await year.ask(trial_balance))["currencies"]
    assert books["difference"] == "0.00"
    assert books["debits"] == books["credits"]
    assert await year.live() == year.invoices(END)
    await check_accounts(year, END)
    for path, series in (("/v1/invoices", "INV"), ("/v1/credit-notes", "CN")):
        numbers = sorted([own["number"] async for own in year.api.items("billing", path)])
        assert len(numbers) > 1
        first, last = (int(number.rpartition("-")[2]) for number in (numbers[0], numbers[-1]))
        assert (first, last) == (1, len(numbers)), series
        assert len({*numbers}) == len(numbers)


async def check_accounts(year, end_on):
    """Each account of a customer is what the model says."""
    numbers, owed = year.numbers(), year.owed(end_on)
    balances = dict.fromkeys([(n, name) for n in numbers.values()
                              for name in (RECEIVABLE, PREPAID, DEPOSIT)], ZERO)  # fmt: skip
    expected = dict(balances)
    for number in numbers.values():
        name = RECEIVABLE if owed[number] > 0 else PREPAID
        expected[number, name] = owed[number]
        expected[number, DEPOSIT] = -year.deposits[number]
    async for account in year.api.items("ledger", "/v1/accounts"):
        if account["account_class"] in (RECEIVABLE, PREPAID, DEPOSIT):
            key = numbers[account["customer_id"]], account["account_class"]
            balances[key] += Decimal(account["balance"])
    assert balances == expected


STEPS = {
    "The letterhead": letterhead,
    "Plans": plans,
    "Customers, homes, meters, agreements": customers,
    "Old debts and deposits": debts_and_deposits,
    "Readings until April": until_april,
    "Moving out, moving in": moving,
    "Payments": payments,
    "A wrong plan": wrong_plan,
    "Another price": another_price,
    "Another plan": another_plan,
    "Another meter": another_meter,
    "A reading that was typed wrong": wrong_reading,
    "Something back": something_back,
    "Who pays in instalments": instalments,
    "Who does not pay": dunning,
    "Deposits back": deposits_back,
    "What is owed to others": payees,
    "The end of the year": end_of_year,
}
"""What is done in each section of the guide. A section that is new, as of budget billing, gets a
step of its own, which says to the model what is booked (`Year.booked`)."""


async def test_a_year_of_two_hundred_customers(year):
    sections = sections_of(GUIDE)
    assert [section.title for section in sections] == [*STEPS]
    for section in sections:
        await STEPS[section.title](year, section)
        for name in section.files:
            assert (section.title, name) in year.used
        for index in range(len(section.commands)):
            assert (section.title, index) in year.used
        for request in section.requests:
            assert request in year.used, request
