"""Trying a tariff: what a customer's own usage of some days comes to by it, beside the present one.

Billing calculates and keeps both; the page shows the total and what each component makes of it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.portal.lines import Names, component_names, readable
from gridtally.console.pages.portal.trial_form import PATH, Trial, read_trial, trial_form
from gridtally.console.pages.portal.visit import Customer, PortalVisit, away
from gridtally.console.pages.visit import ROWS, FormFields
from gridtally.console.upstream import Answer, Failure, Json
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Link,
    Notice,
    Pager,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    address,
)
from gridtally.console.views.formats import NONE
from gridtally.console.views.words import PortalWording

router = APIRouter()


@router.get(PATH)
async def list_trials(visit: Customer, cursor: str = "") -> Response:
    """The form, and what was calculated before."""
    offers, stored = await asyncio.gather(_offers(visit), _stored(visit, cursor))
    return await visit.show(_form_page(visit, offers, stored, cursor))


@router.post(PATH)
async def try_tariff(visit: Customer, fields: FormFields) -> Response:
    """Calculate and keep what the days come to by the tariff, and by the present one."""
    offers = await _offers(visit)
    if offers.failure is not None:
        return await visit.show(_form_page(visit, offers, await _stored(visit, "")), 502)
    offered, present = offers.data["offered"], offers.data["present"]
    today = date.fromisoformat(offers.data["on"])  # the customer's, who may be a day ahead of UTC
    trial, errors = read_trial(visit.words, fields, offered, today)
    refused: Failure | None = None
    if trial is not None:
        versions = [trial.version_id]
        if len(present) == 1 and present[0]["tariff_version_id"] != trial.version_id:
            versions.append(present[0]["tariff_version_id"])
        made, *beside = await asyncio.gather(
            *(_calculate(visit, trial, version_id) for version_id in versions)
        )
        if made.ok:
            ids = [answer.data["calculation_id"] for answer in beside if answer.ok]
            path = f"{PATH}/{made.data['calculation_id']}"
            return visit.go(address(path, beside=ids[0] if ids else None))
        refused = made.failure
    stored = await _stored(visit, "")
    view = _form_page(visit, offers, stored, fields=fields, errors=errors, refused=refused)
    return await visit.show(view, 422)


@router.get(PATH + "/{calculation_id}")
async def show_trial(visit: Customer, calculation_id: str, beside: str = "") -> Response:
    """A calculation: its total, what each component makes of it, and the present tariff's."""
    path = f"{visit.customer_path}/calculations"
    tried: Json = await visit.the("billing", f"{path}/{calculation_id}")
    offers, names, other = await asyncio.gather(
        _offers(visit),
        component_names(visit),
        visit.get("billing", f"{path}/{beside}") if beside else _nothing(),
    )
    words, say = visit.words, visit.words.say
    present = _comparable(tried, other)
    days = words.period(date.fromisoformat(tried["start"]), date.fromisoformat(tried["end"]))
    blocks: list[Block | Panel] = [
        Stats(_totals(words, tried, present)),
        *([] if present else _why_alone(visit, tried, offers)),
        *_missing(words, tried),
        Panel(say("How it adds up"), [_breakdown(words, names, tried, present)]),
        Notice(
            say(
                "A calculation of what was measured, and no bill: each meter pays its fixed "
                "charges, and prices are those of the tariffs as they are now."
            )
        ),
    ]
    view = PageView(
        area="try",
        title=_name(words, tried),
        blocks=blocks,
        crumbs=(Link(say("Try a tariff"), PATH),),
        subtitle=days,
    )
    return await visit.show(view)


async def _offers(visit: PortalVisit) -> Answer:
    return await visit.get("billing", f"{visit.customer_path}/offers")


async def _stored(visit: PortalVisit, cursor: str) -> Answer:
    path = f"{visit.customer_path}/calculations"
    return await visit.get("billing", path, limit=ROWS, cursor=cursor)


async def _nothing() -> None:
    return None


async def _calculate(visit: PortalVisit, trial: Trial, version_id: str) -> Answer:
    """What the days come to by a version, as it is now, whenever it began."""
    body = {
        "customer_id": visit.customer_id,
        "start": trial.start.isoformat(),
        "end": trial.end.isoformat(),
        "tariff_version_id": version_id,
        "hypothetical": True,
    }
    return await visit.send("billing", "POST", "/v1/bills/calculate-and-store", body=body)


def _form_page(
    visit: PortalVisit,
    offers: Answer,
    stored: Answer,
    cursor: str = "",
    *,
    fields: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    refused: Failure | None = None,
) -> PageView:
    """The form and the kept calculations; `errors` by field, `refused` where billing said no."""
    words, say = visit.words, visit.words.say
    blocks: list[Block | Panel] = []
    if errors:
        blocks.append(Notice(say("Please look at the fields below."), tone="bad"))
    if refused is not None:
        blocks.append(_refusal(words, refused))
    title = say("Try a tariff")
    if offers.failure is not None or not offers.data["offered"]:
        text = say("Your supplier has no tariff to try here now. Please ask for one.")
        empty = Empty(say("No tariff to try"), text)
        blocks.append(visit.panel("", [empty], offers.failure))
    else:
        form = trial_form(words, fields or {}, offers.data["offered"], errors or {})
        text = say("What would your own usage have cost? Nothing changes, and nothing is billed.")
        blocks.append(visit.panel("", [form], text=text))
    present = {item["tariff_version_id"] for item in offers.data["present"]} if offers.ok else set()
    if stored.failure is not None or stored.items or cursor:
        table = _kept(words, stored, present, cursor)
        blocks.append(visit.panel(say("Calculated before"), [table], stored.failure))
    return PageView("try", title, blocks)


def _refusal(words: PortalWording, failure: Failure) -> Notice:
    """Why nothing was calculated, in words for customers."""
    say = words.say
    if failure.status is None:
        return away(words, failure)
    if failure.status == 403:
        text = say("Your link shows things and keeps none. Please ask your supplier.")
    elif failure.code == "too_many_calculations":
        text = say("As many calculations are kept for you as there can be.")
    else:
        text = say(
            "These days cannot be calculated by this tariff. Please try others. "
            "Reference: {reference}",
            reference=failure.correlation_id,
        )
    return Notice(text, tone="bad")


def _kept(words: PortalWording, stored: Answer, present: set[str], cursor: str) -> Table:
    """Calculations, each with that of the present tariff for the same days where there is one."""
    say = words.say
    own = {
        (item["start"], item["end"]): item
        for item in reversed(stored.items)
        if item["tariff_version_id"] in present
    }
    paired: set[str] = set()
    rows = []
    for item in stored.items:
        other = own.get((item["start"], item["end"]))
        if item["tariff_version_id"] in present or other is None:
            other = None
        else:
            paired.add(other["calculation_id"])
        rows.append((item, other))
    shown = [
        (
            Cell(_name(words, item), _path(item, other), note=_days(words, item)),
            Cell(words.money(Decimal(item["total_cost"]), item["currency"])),
            Cell(words.money(Decimal(other["total_cost"]), other["currency"]) if other else NONE),
            Cell(words.day(date.fromisoformat(item["calculated_at"][:10]))),
        )
        for item, other in rows
        if item["calculation_id"] not in paired
    ]
    columns = [
        Column(say("Tariff")),
        Column(say("Total"), is_number=True),
        Column(say("Your tariff"), is_number=True),
        Column(say("Calculated on")),
    ]
    next_cursor = stored.data["next_cursor"] if stored.ok else None
    pager = None
    if next_cursor is not None or cursor:
        pager = Pager(
            address(PATH, cursor=next_cursor) if next_cursor else None,
            PATH if cursor else None,
            say("Older calculations"),
            say("Newest calculations"),
        )
    return Table(say("Calculated before"), columns, shown, Empty("", ""), pager)


def _path(item: Json, other: Json | None) -> str:
    path = f"{PATH}/{item['calculation_id']}"
    return address(path, beside=other["calculation_id"] if other else None)


def _name(words: PortalWording, item: Json) -> str:
    return item["tariff_name"] or item["tariff_code"] or words.say("Tariff")


def _days(words: PortalWording, item: Json) -> str:
    return words.period(date.fromisoformat(item["start"]), date.fromisoformat(item["end"]))


def _comparable(tried: Json, other: Answer | None) -> Json | None:
    """The present tariff's calculation, where it is of the same days and currency."""
    if other is None or not other.ok:
        return None
    names = ("start", "end", "currency")
    is_same = all(tried[name] == other.data[name] for name in names)
    return other.data if is_same else None


def _totals(words: PortalWording, tried: Json, present: Json | None) -> list[Stat]:
    say, currency, total = words.say, tried["currency"], Decimal(tried["total_cost"])
    stats = [Stat(_name(words, tried), words.money(total, currency))]
    if present is None:
        return stats
    now = Decimal(present["total_cost"])
    stats.append(Stat(say("Your tariff"), words.money(now, currency), note=_name(words, present)))
    amount = words.money(abs(total - now), currency)
    if total < now:
        stats.append(Stat(say("You would save"), amount, tone="good"))
    elif total > now:
        stats.append(Stat(say("You would pay more"), amount, tone="warn"))
    else:
        stats.append(Stat(say("Difference"), amount, note=say("Both cost the same.")))
    return stats


def _why_alone(visit: PortalVisit, tried: Json, offers: Answer) -> list[Block]:
    """Why there is nothing beside it."""
    say = visit.words.say
    if not offers.ok:
        return []
    present = [item["tariff_version_id"] for item in offers.data["present"]]
    if tried["tariff_version_id"] in present:
        return [Notice(say("This is the tariff that you have now."))]
    if len(present) > 1:
        return [Notice(say("Your meters are on several tariffs: there is none to compare with."))]
    if not present:
        return [Notice(say("You have no tariff now: there is none to compare with."))]
    return []


def _missing(words: PortalWording, tried: Json) -> list[Block]:
    """What to know where readings are missing."""
    say, expected, there = words.say, tried["expected_intervals"], tried["present_intervals"]
    if there >= expected:
        return []
    if there == 0:
        return [Notice(say("Nothing was measured on these days."), tone="warn")]
    share = words.percent((Decimal(expected - there) / expected).quantize(Decimal("0.001")))
    text = say("{share} of the readings are missing, and count as no energy.", share=share)
    return [Notice(text, tone="warn")]


def _breakdown(words: PortalWording, names: Names, tried: Json, present: Json | None) -> Table:
    """What each component comes to, those of both tariffs in one table."""
    say, currency = words.say, tried["currency"]
    sides: Sequence[Json] = [tried] if present is None else [tried, present]
    ids = list(dict.fromkeys(name for side in sides for name in side["breakdown"]))

    def shown(side: Json, component_id: str) -> Cell:
        amount = side["breakdown"].get(component_id)
        return Cell(NONE if amount is None else words.amount(Decimal(amount), currency))

    rows = [
        (
            Cell(names.get(component_id, {}).get(words.language) or readable(component_id)),
            *(shown(side, component_id) for side in sides),
        )
        for component_id in ids
    ]
    heads = [_name(words, tried), say("Your tariff")][: len(sides)]
    columns = [
        Column(say("What for")),
        *(Column(head, is_number=True, unit=currency) for head in heads),
    ]
    total = (
        Cell(say("Total")),
        *(Cell(words.amount(Decimal(side["total_cost"]), currency)) for side in sides),
    )
    return Table(say("How it adds up"), columns, rows, Empty("", ""), total=total)
