"""What was credited of a collective invoice by hand is given again when a section is corrected."""

from decimal import Decimal
from random import Random
from uuid import UUID

import pytest

from doubles.billing.collective import collective_homes, ok, the_invoice


@pytest.fixture
async def api(clients, world):
    return await clients(world.tenant, "billing:read", "billing:write")


@pytest.fixture
async def homes(world, make):
    homes = await collective_homes(world, make)
    await world.close(*map(make.closed, homes))
    await world.issue_collective()
    return homes


async def credited(api, **body):
    invoice = await the_invoice(api)
    path = f"/v1/invoices/{invoice['id']}/credit-notes"
    answer = await api.post(path, json={"reason": "goodwill"} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def corrected(world, make, home, revision, wh):
    await world.close(make.closed(home, revision=revision, wh=wh))
    await world.issue_collective()


def energy_of(invoice, home):
    """The position of the energy line of a home's section."""
    first = 1
    for section in invoice["sections"]:
        if section["agreement_id"] == str(home.id):
            return first + 1  # the base fee comes first
        first += 3
    raise AssertionError("the invoice has no section of this home")


async def test_a_credit_of_a_sections_line_is_given_again_on_that_line(api, world, make, homes):
    """10.00 of one home's energy and 19 % of it stay its own, whichever section is corrected."""
    position = energy_of(await the_invoice(api), homes[1])
    note = await credited(api, lines=[{"position": position, "amount": "10.00"}])
    assert note["repeat_on_correction"]
    await credited(api, amount="5.00", repeat_on_correction=False)
    for home, revision in ((homes[0], 2), (homes[1], 2), (homes[0], 3)):
        await corrected(world, make, home, revision, 90 + revision)
        invoice = await the_invoice(api)
        [again] = invoice["partial_credit_notes"]
        assert (again["total"], again["repeats"]) == ("11.90", note["id"])
        shown = (await api.get(f"/v1/credit-notes/{again['id']}")).json()
        assert [line["amount"] for line in shown["lines"]] == ["10.00", "1.90"]
        rows = await world.rows(
            "SELECT min(position) AS position FROM credit_note_line WHERE credit_note_id = $1",
            UUID(again["id"]),
        )
        assert rows[0]["position"] == energy_of(invoice, homes[1])
        assert Decimal(invoice["left"]) == Decimal(invoice["total"]) - Decimal("11.90")
    assert await ok(api)


async def test_two_sections_that_are_corrected_at_once_give_it_again_once(api, world, make, homes):
    note = await credited(api, amount="20.00")
    await world.close(*(make.closed(home, revision=2, wh=90) for home in homes))
    await world.issue_collective()
    [again] = (await the_invoice(api))["partial_credit_notes"]
    assert (again["total"], again["repeats"]) == ("20.00", note["id"])
    assert await ok(api)


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_left_equals_a_plain_model(api, world, make, homes, seed):
    """Of the newest invoice what was credited of it by hand is gone, and what is to be repeated of
    those before it, first come first served."""
    dice = Random(seed)
    given, once, revisions = [], Decimal(0), {home.id: 1 for home in homes}
    for _ in range(8):
        invoice = await the_invoice(api)
        owed = Decimal(invoice["total"]) - once
        for amount in given:
            owed -= min(amount, max(owed, Decimal(0)))
        assert Decimal(invoice["left"]) == owed
        if owed > 0 and dice.random() < 0.6:
            amount = min(Decimal(dice.randrange(1, 9000)) / 100, owed)
            repeats = dice.random() < 0.7
            await credited(api, amount=str(amount), repeat_on_correction=repeats)
            if repeats:
                given.append(amount)
            else:
                once += amount
        else:
            home = dice.choice(homes)
            revisions[home.id] += 1
            once = Decimal(0)
            await corrected(world, make, home, revisions[home.id], dice.choice((0, 30, 100)))
    assert await ok(api)
