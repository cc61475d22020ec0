"""Why a bill differs from the one before, in plain words: usage, prices, days, estimates."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from gridtally.console.pages.portal.visit import PortalVisit
from gridtally.console.upstream import Json
from gridtally.console.views import differences
from gridtally.console.views.blocks import Block, Cell, Column, Empty, Notice, Panel, Table
from gridtally.console.views.words import PortalWording

BEFORE_MAX = 50
"""Bills among which the one before is looked for; the newest come first."""


async def bill_before(visit: PortalVisit, bill: Json) -> Json | None:
    """The live bill of the period before, with its lines; None where there is none."""
    found = await visit.get(
        "billing",
        "/v1/invoices",
        customer_id=visit.customer_id,
        agreement_id=bill["agreement_id"],
        state="issued",
        to=bill["start_on"],
        limit=BEFORE_MAX,
    )
    earlier = [item for item in found.items if item["is_collective"] == bill["is_collective"]]
    if not earlier:
        return None
    newest = max(earlier, key=lambda item: str(item["end_on"]))
    answer = await visit.get("billing", f"/v1/invoices/{newest['id']}")
    return answer.data if answer.ok else None


def why(words: PortalWording, bill: Json, before: Json | None) -> list[Panel]:
    """The panel; none for a first bill, or one in another currency than the one before."""
    if before is None or before["currency"] != bill["currency"]:
        return []
    say = words.say
    sentences: list[Block] = [Notice(text) for text in _estimates(words, bill)]
    title = say("Why it differs from the bill before")
    table = causes(words, title, (before, say("The bill before")), (bill, say("This bill")))
    return [
        Panel(
            title,
            [table, *sentences],
            text=_comparison(words, bill, before),
        )
    ]


def causes(
    words: PortalWording, title: str, before: tuple[Json, str], now: tuple[Json, str]
) -> Table:
    """From the earlier total to this one, each with its name, cause by cause; all add up."""
    (earlier, earlier_name), (bill, own_name) = before, now
    say, currency = words.say, bill["currency"]
    taken = differences.between(bill, earlier)
    kwh = words.energy(abs(taken.kwh))
    energy = say("You used {kwh} more", kwh=kwh)
    if taken.kwh <= 0:
        energy = say("You used {kwh} less", kwh=kwh) if taken.kwh else say("Energy")
    parts = (
        (energy, taken.usage),
        (say("Prices, or the times at which you used energy"), taken.rates),
        (say("Charges by time and power"), taken.other_charges),
        (say("Charges that began or ended"), taken.began_or_ended),
        (say("Taxes"), taken.taxes),
    )
    rows = [
        (
            Cell(earlier_name, note=earlier["number"]),
            Cell(words.money(Decimal(earlier["total"]), currency)),
        ),
        *(
            (Cell(label), Cell(_signed(words, amount, currency)))
            for label, amount in parts
            if amount
        ),
    ]
    total = (
        Cell(own_name, note=bill["number"]),
        Cell(words.money(Decimal(bill["total"]), currency)),
    )
    columns = [Column(say("Cause")), Column(say("Amount"), is_number=True)]
    return Table(title, columns, rows, Empty("", ""), total=total)


def _comparison(words: PortalWording, bill: Json, before: Json) -> str:
    """By how much, and over how many days, in a sentence or two."""
    change = Decimal(bill["total"]) - Decimal(before["total"])
    amount = words.money(abs(change), bill["currency"])
    period = words.period(*_days(before))
    if change > 0:
        sentence = words.say("{amount} more than for {period}.", amount=amount, period=period)
    elif change < 0:
        sentence = words.say("{amount} less than for {period}.", amount=amount, period=period)
    else:
        sentence = words.say("The same amount as for {period}.", period=period)
    now, then = (str((end - start).days) for start, end in (_days(bill), _days(before)))
    if now == then:
        return sentence
    days = words.say("It is for {days} days instead of {before}.", days=now, before=then)
    return f"{sentence} {days}"


def _estimates(words: PortalWording, bill: Json) -> Sequence[str]:
    """What does not rest on readings, said only where there is such."""
    quality = bill["quality"]
    if quality is None or quality["worst"] == "actual":
        return []
    kwh = Decimal(quality["estimated_kwh"]) + Decimal(quality["substituted_kwh"])
    sentences = []
    if kwh:
        sentences.append(
            words.say(
                "{kwh} of it are estimated, because readings were missing. If they arrive later, "
                "the bill is corrected.",
                kwh=words.energy(kwh),
            )
        )
    if quality["missing_intervals"]:
        count = words.quantity(Decimal(quality["missing_intervals"]))
        sentences.append(words.say("{count} readings are missing and not billed.", count=count))
    return sentences


def _days(bill: Json) -> tuple[date, date]:
    return date.fromisoformat(bill["start_on"]), date.fromisoformat(bill["end_on"])


def _signed(words: PortalWording, amount: Decimal, currency: str) -> str:
    sign = "+" if amount > 0 else ""
    return f"{sign}{words.money(amount, currency)}"
