"""What parts of a customer's usage are of which meter, and of which time of use."""

import asyncio
from datetime import date
from decimal import Decimal

from gridtally.console.pages.portal.lines import readable
from gridtally.console.pages.portal.visit import PortalVisit
from gridtally.console.upstream import Json
from gridtally.console.views import differences
from gridtally.console.views.blocks import Cell, Column, Empty, Panel, Table
from gridtally.console.views.words import PortalWording

BILLS_MAX = 24
"""Bills of which a page adds up the bands."""


def by_device(words: PortalWording, cost: Json) -> list[Panel]:
    """What each meter used, where there are a few."""
    if len(cost["per_device"]) < 2:
        return []
    say = words.say
    rows = [
        (
            Cell(item["device_name"]),
            Cell(words.energy(Decimal(item["kwh"]))),
            Cell(words.rounded(Decimal(item["total_cost"]), item["currency"])),
        )
        for item in cost["per_device"]
    ]
    columns = [
        Column(say("Meter")),
        Column(say("Energy"), is_number=True),
        Column(say("Cost"), is_number=True),
    ]
    return [Panel(say("By meter"), [Table(say("By meter"), columns, rows, Empty("", ""))])]


async def by_band(visit: PortalVisit, start_on: date, end_on: date) -> list[Panel]:
    """The energy of each price band, as far as it is billed; costs by the day know no bands."""
    words, say = visit.words, visit.words.say
    found = await visit.get(
        "billing",
        "/v1/invoices",
        customer_id=visit.customer_id,
        state="issued",
        from_=start_on.isoformat(),
        to=end_on.isoformat(),
        limit=BILLS_MAX,
    )
    answers = await asyncio.gather(
        *(visit.get("billing", f"/v1/invoices/{item['id']}") for item in found.items)
    )
    bills: list[Json] = [answer.data for answer in answers if answer.ok]
    bands = differences.by_band(bills)
    whole = sum((kwh for kwh, _ in bands.values()), Decimal(0))
    if len({bill["currency"] for bill in bills}) != 1 or not whole:
        return []
    rows = [
        (
            Cell(readable(band)),
            Cell(words.energy(kwh)),
            Cell(words.percent((kwh / whole).quantize(Decimal("0.01")))),
            Cell(words.rounded(amount, bills[0]["currency"])),
        )
        for band, (kwh, amount) in sorted(bands.items(), key=lambda item: -item[1][0])
    ]
    columns = [
        Column(say("Band")),
        Column(say("Energy"), is_number=True),
        Column(say("Share"), is_number=True),
        Column(say("Cost before tax"), is_number=True),
    ]
    title = say("By time of use, as billed")
    table = Table(title, columns, rows, Empty("", ""))
    return [Panel(title, [table], text=say("What is not billed yet is not in it."))]
