"""A customer sends what the registers of its meters show."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gridtally.console.pages.portal.reading_form import (
    CONFIRMED,
    CONTRADICTS,
    PATH,
    REGISTER,
    Typed,
    doubts,
    field_name,
    local_day,
    read_typed,
    reading_form,
    register_name,
)
from gridtally.console.pages.portal.visit import Customer, PortalVisit, away
from gridtally.console.pages.visit import FormFields
from gridtally.console.upstream import Answer, Failure, Json, PageRefusal
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Link,
    Notice,
    PageView,
    Panel,
    Table,
)
from gridtally.console.views.formats import NONE
from gridtally.console.views.words import PortalWording

router = APIRouter()
SENT_COOKIE, SENT_AGE_S = "gt-sent", 60
"""Says to the next page that readings were entered: a link cannot, however it is written."""


@router.get(PATH)
async def show_readings(visit: Customer) -> Response:
    """The form, and the last reading of each register; thanks, once, right after some were sent."""
    registers = await _registers(visit)
    is_sent = visit.request.cookies.get(SENT_COOKIE) == "yes"
    said = []
    if is_sent:
        text = visit.words.say(
            "Your readings are entered. If one was wrong, send it again with the same day."
        )
        said = [Notice(text, tone="good", title=visit.words.say("Thank you."))]
    answer = await visit.show(_page(visit, registers, said))
    if is_sent:
        answer.headers.append("Set-Cookie", _sent_cookie(visit, "", 0))
    return answer


@router.post(PATH)
async def send_readings(visit: Customer, fields: FormFields) -> Response:
    """Send what was typed; what is doubtful is asked about first."""
    registers = await _registers(visit)
    if not registers.ok or not registers.data["items"]:
        return await visit.show(_page(visit, registers, []), 422 if registers.ok else 502)
    items: list[Json] = registers.data["items"]
    known = {field_name(register) for register in items}
    if any(name.startswith(REGISTER) and name not in known for name in fields):
        raise HTTPException(404)
    typed, errors = read_typed(visit.words, fields, items, visit.now)
    if typed is None:
        said = [Notice(visit.words.say("Please look at the fields below."), tone="bad")]
        return await visit.show(_page(visit, registers, said, fields, errors), 422)
    answer = await _send(visit, typed, items, fields)
    failure = answer.failure
    if failure is None:
        entered = visit.go(PATH)
        entered.headers.append("Set-Cookie", _sent_cookie(visit, "yes", SENT_AGE_S))
        return entered
    if failure.status == 404:
        raise PageRefusal(failure)
    if failure.code == "reading_unconfirmed":
        text = visit.words.say("Please look once more. If the meter shows this, send it again.")
        asked = doubts(visit.words, typed, items, failure)
        page = _page(visit, registers, [Notice(text, tone="warn")], fields, asked, typed)
        return await visit.show(page, 422)
    if failure.code == CONTRADICTS:
        said = [Notice(visit.words.say("Please look at the fields below."), tone="bad")]
        wrong = doubts(visit.words, typed, items, failure)
        return await visit.show(_page(visit, registers, said, fields, wrong), 422)
    return await visit.show(_page(visit, registers, [_refusal(visit.words, failure)], fields), 422)


def _sent_cookie(visit: PortalVisit, value: str, age_s: int) -> str:
    secure = "; Secure" if visit.request.app.state.is_behind_tls else ""
    flags = f"Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"
    return f"{SENT_COOKIE}={value}; Path={PATH}; {flags}"


async def _registers(visit: PortalVisit) -> Answer:
    return await visit.get("ledger", f"{visit.customer_path}/registers")


async def _send(
    visit: PortalVisit, typed: Typed, registers: list[Json], fields: Mapping[str, str]
) -> Answer:
    """The readings to the ledger, confirmed where these very ones were asked about before."""
    by_name = {field_name(register): register for register in registers}
    body = {
        "read_on": typed.read_on.isoformat(),
        "items": [
            {
                "meter_id": by_name[name]["meter_id"],
                "flow": by_name[name]["flow"],
                "value": str(value),
            }
            for name, value in typed.values.items()
        ],
        "confirmed": fields.get(CONFIRMED) == typed.fingerprint,
    }
    return await visit.send("ledger", "POST", f"{visit.customer_path}/readings", body=body)


def _refusal(words: PortalWording, failure: Failure) -> Notice:
    """Why nothing was entered, in words for customers."""
    say = words.say
    if failure.status is None:
        return away(words, failure)
    if failure.status == 403:
        text = say("Your link shows things and keeps none. Please ask your supplier.")
    else:
        text = say(
            "These readings cannot be entered. Please ask your supplier. Reference: {reference}",
            reference=failure.correlation_id,
        )
    return Notice(text, tone="bad")


def _page(
    visit: PortalVisit,
    registers: Answer,
    said: list[Notice],
    fields: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    asked: Typed | None = None,
) -> PageView:
    """The form with what was typed, what is `said` above it, and the last readings."""
    words, say = visit.words, visit.words.say
    blocks: list[Block | Panel] = [*said]
    title = say("Send a reading")
    items = registers.items
    if items:
        form = reading_form(words, fields or {}, items, errors or {}, visit.now, asked)
        text = say("Type what the meter shows. Leave out what you have not read.")
        blocks.append(visit.panel("", [form], text=text))
        blocks.append(Panel(say("Last readings"), [_last(words, items)]))
    else:
        text = say("Your meters are read by themselves, or by your supplier.")
        blocks.append(visit.panel("", [Empty(say("No meter to read"), text)], registers.failure))
    crumbs = (Link(say("Usage"), "/portal/usage"),)
    return PageView("usage", title, blocks, crumbs=crumbs)


def _last(words: PortalWording, registers: list[Json]) -> Table:
    say = words.say
    rows = []
    for register in registers:
        last = register["last"]
        name = Cell(register_name(words, register, registers))
        if last is None:
            rows.append((name, Cell(NONE), Cell(NONE), Cell("")))
            continue
        day: date = local_day(last["read_at"], register)
        who = say("by you") if last["is_by_customer"] else say("by your supplier")
        rows.append(
            (
                name,
                Cell(words.quantity(Decimal(last["value"]))),
                Cell(words.day(day)),
                Cell(who),
            )
        )
    columns = [
        Column(say("Meter")),
        Column(say("Reading"), is_number=True, unit="kWh"),
        Column(say("Day")),
        Column(say("Read")),
    ]
    return Table(say("Last readings"), columns, rows, Empty("", ""))
