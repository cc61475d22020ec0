"""Rules for alerts: which kinds are raised, and from which limit on, in a form."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.operations import view
from gridtally.console.pages.visit import FormFields, SignedIn, Visit
from gridtally.console.upstream import Failure, Json
from gridtally.console.views import formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Empty,
    Field,
    Form,
    Notice,
    PageView,
    Panel,
    Table,
)

router = APIRouter()
PATH = "/operations/alert-rules"
RULES = "/v1/alert-rules"
ACTIONS = (("off", "off"), ("raise", "raise"))


@router.get(PATH)
async def show_rules(visit: Visit, saved: str = "") -> Response:
    """Every kind of alerts, whether it is raised, and from where on."""
    return visit.page(await _rules_page(visit, saved=saved))


@router.post(PATH)
async def save_rules(visit: Visit, fields: FormFields) -> Response:
    """Set what holds for all meters; what holds for some alone stays as it is."""
    rules = await visit.the("ingest", RULES)
    wrong = _wrong_limits(rules, fields)
    if wrong:
        return visit.page(await _rules_page(visit, fields, wrong), 422)
    answer = await visit.send(
        "ingest",
        "PUT",
        RULES,
        body={"settings": [*_special(rules), *_general(rules, fields)]},
        headers={"If-Match": f'"{fields.get("version", "")}"'},
    )
    if answer.failure is None:
        return visit.go(f"{PATH}?saved=yes")
    # What was typed over rules that nobody has seen would overwrite them when it is sent again.
    typed = None if answer.failure.status == 412 else fields
    return visit.page(await _rules_page(visit, typed, {}, answer.failure), 422)


async def _rules_page(
    visit: SignedIn,
    fields: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: Failure | None = None,
    *,
    saved: str = "",
) -> PageView:
    rules = await visit.the("ingest", RULES)
    blocks: list[Block | Panel] = []
    if saved:
        text = "All meters are looked at by them from now on."
        blocks.append(Notice(text, tone="good", title="The rules are saved."))
    if wrong:
        blocks.append(Notice("A limit is wrong.", tone="bad", title="Not saved."))
    if refused is not None:
        blocks.append(Notice(_said(refused), tone="bad", title="Not saved."))
    form = Form(
        PATH,
        _fields(rules, fields, wrong or {}),
        "Save rules",
        hidden={"version": str(rules["version"])},
    )
    blocks.append(
        Panel("For all meters", [form], text="An empty limit is the usual one of the kind.")
    )
    special = _special(rules)
    if special:
        blocks.append(Panel("For some meters alone", [_special_table(rules, special)]))
    return view(PATH, "Alert rules", blocks, "What alerts are raised about, and from where on")


def _said(refused: Failure) -> str:
    if refused.status == 412:
        return "Somebody changed the rules meanwhile. They are shown as they are now."
    return refused.detail


def _is_special(setting: Json) -> bool:
    return setting["meter_type"] is not None or setting["flow"] is not None


def _special(rules: Json) -> list[Json]:
    """The settings for some meters alone."""
    return [setting for setting in rules["settings"] if _is_special(setting)]


def _known(rules: Json) -> dict[str, Json]:
    """The settings for all meters, by kind."""
    return {setting["kind"]: setting for setting in rules["settings"] if not _is_special(setting)}


def _general(rules: Json, fields: Mapping[str, str]) -> list[Json]:
    """The settings that the form says; a kind that the form does not have stays."""
    known, settings = _known(rules), []
    for kind in (item["kind"] for item in rules["kinds"]):
        action = fields.get(f"action.{kind}")
        if action is None:
            settings += [known[kind]] if kind in known else []
            continue
        limit = fields.get(f"limit.{kind}") or None
        settings.append({"kind": kind, "action": action, "limit": limit})
    return settings


def _wrong_limits(rules: Json, fields: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with limits, by field."""
    wrong = {}
    for item in rules["kinds"]:
        name = f"limit.{item['kind']}"
        try:
            limit = Decimal(fields.get(name) or "1")
        except InvalidOperation:
            limit = Decimal("NaN")
        if not limit.is_finite() or limit <= 0:
            wrong[name] = f"Give a number of {item['unit']} above 0, such as {_usual(item)}"
    return wrong


def _usual(item: Json) -> str:
    return f"{Decimal(item['limit']).normalize():f}"


def _fields(rules: Json, typed: Mapping[str, str] | None, wrong: Mapping[str, str]) -> list[Field]:
    """Two fields for each kind: whether, and from where on."""
    known, made = _known(rules), []
    for item in rules["kinds"]:
        kind = item["kind"]
        setting = known.get(kind, {"action": "off", "limit": None})
        limit = "" if setting["limit"] is None else _usual(setting)
        action_name, limit_name = f"action.{kind}", f"limit.{kind}"
        shown = typed or {action_name: setting["action"], limit_name: limit}
        title = formats.words(kind).capitalize()
        made.append(Field(action_name, title, shown.get(action_name, ""), options=ACTIONS))
        made.append(
            Field(
                limit_name,
                f"{title}: limit in {item['unit']}",
                shown.get(limit_name, ""),
                hint=f"Usual: {_usual(item)}. {item['meaning']}",
                error=wrong.get(limit_name, ""),
                is_number=True,
            )
        )
    return made


def _special_table(rules: Json, special: list[Json]) -> Table:
    units = {item["kind"]: item["unit"] for item in rules["kinds"]}
    rows = [
        (
            Cell(formats.words(setting["kind"])),
            Cell(setting["meter_type"] or "any"),
            Cell(setting["flow"] or "any"),
            Cell(setting["action"]),
            Cell(
                formats.NONE
                if setting["limit"] is None
                else f"{_usual(setting)} {units[setting['kind']]}"
            ),
        )
        for setting in special
    ]
    columns = [
        Column("Kind"),
        Column("Type of meter"),
        Column("Flow"),
        Column("Action"),
        Column("Limit", is_number=True),
    ]
    return Table("Rules for some meters alone", columns, rows, Empty("", ""))
