"""Tariffs: the list, one with its versions, a version as what it charges and when."""

import asyncio
import json

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import ROWS, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Empty,
    Facts,
    Field,
    Form,
    Link,
    Notice,
    Pager,
    PageView,
    Panel,
    Table,
    pager,
)

router = APIRouter()
VERSIONS_MAX = 200


@router.get("/tariffs")
async def list_tariffs(
    visit: Visit, text: str = "", status: str = "", currency: str = "", cursor: str = ""
) -> Response:
    """Tariffs by name."""
    filters = {"text": text, "status": status, "currency": currency}
    found = await visit.get(
        "tariff", "/v1/tariffs", limit=ROWS, cursor=cursor, sort="name", **filters
    )
    regions = await visit.names(
        "tariff", "/v1/regions", [item["region_id"] for item in found.items]
    )
    is_filtered = any(filters.values())
    empty = (
        Empty("No tariff matches", "Loosen the filter.", (Link("Clear it", "/tariffs"),))
        if is_filtered
        else Empty(
            "No tariffs yet",
            "A tariff is a price plan; each of its versions is a document that never changes once "
            "it is published. `gridtally import-urdb` brings in published utility rates.",
            (Link("How to call the APIs", "/developers"),),
        )
    )
    page = pager(
        "/tariffs", found.data["next_cursor"] if found.ok else None, **filters, cursor=cursor
    )
    form = Form(
        "/tariffs",
        [
            Field("text", "Code or name", text, "search"),
            Field(
                "status",
                "With a version that is",
                status,
                options=(
                    ("", "anything"),
                    ("draft", "draft"),
                    ("published", "published"),
                    ("withdrawn", "withdrawn"),
                ),
            ),
            Field("currency", "Currency", currency),
        ],
        "Filter",
        method="get",
        target="tariffs",
        clear_href="/tariffs" if is_filtered else None,
    )
    table = _table(found, regions, empty, page)
    return visit.page(
        PageView(
            area="tariffs",
            title="Tariffs",
            subtitle="What energy costs, by which rules, and since when",
            blocks=[form, Panel("", [table], failure=found.failure, region="tariffs")],
        )
    )


def _table(found: Answer, regions: dict[str, str], empty: Empty, page: Pager | None) -> Table:
    rows = [
        (
            Cell(item["name"], f"/tariffs/{item['id']}", note=item["code"]),
            Cell(item["currency"]),
            Cell(item["zone"]),
            Cell(regions.get(item["region_id"], formats.NONE)),
            Cell(formats.instant(item["updated_at"])),
        )
        for item in found.items
    ]
    columns = [
        Column("Tariff"),
        Column("Currency"),
        Column("Time zone"),
        Column("Region"),
        Column("Changed"),
    ]
    return Table("Tariffs", columns, rows, empty, page)


@router.get("/tariffs/{tariff_id}")
async def show_tariff(visit: Visit, tariff_id: str) -> Response:
    """A tariff and its versions."""
    tariff, versions = await asyncio.gather(
        visit.the("tariff", f"/v1/tariffs/{tariff_id}"),
        visit.get("tariff", f"/v1/tariffs/{tariff_id}/versions", limit=VERSIONS_MAX),
    )
    regions = await visit.names("tariff", "/v1/regions", [tariff["region_id"]])
    rows = [
        (
            Cell(
                f"Version {item['number']}",
                f"/tariffs/{tariff_id}/versions/{item['number']}",
                note=item["note"],
            ),
            lists.state(item["status"]),
            Cell(formats.day(item["effective_from"])),
            Cell(
                formats.day(item["effective_to"]) if item["effective_to"] else "until a later one"
            ),
            Cell(", ".join(component["id"] for component in item["document"]["components"])),
            Cell(formats.instant(item["published"]["at"]) if item["published"] else formats.NONE),
        )
        for item in sorted(versions.items, key=lambda item: -item["number"])
    ]
    columns = [
        Column("Version"),
        Column("State"),
        Column("From"),
        Column("To"),
        Column("Components"),
        Column("Published"),
    ]
    empty = Empty("No version yet", "A draft is made with POST …/versions of the tariff service.")
    return visit.page(
        PageView(
            area="tariffs",
            title=tariff["name"],
            subtitle=f"{tariff['code']} · {tariff['currency']} · {tariff['zone']} · "
            f"{regions.get(tariff['region_id'], 'no region')}",
            crumbs=(Link("Tariffs", "/tariffs"),),
            blocks=[
                Panel(
                    "Versions", [Table("Versions", columns, rows, empty)], failure=versions.failure
                )
            ],
        )
    )


@router.get("/tariffs/{tariff_id}/versions/{number}")
async def show_version(visit: Visit, tariff_id: str, number: str) -> Response:
    """A version: its components in words and figures, its calendar, its document."""
    tariff, version = await asyncio.gather(
        visit.the("tariff", f"/v1/tariffs/{tariff_id}"),
        visit.the("tariff", f"/v1/tariffs/{tariff_id}/versions/{number}"),
    )
    document = version["document"]
    verdict = await visit.send(
        "tariff", "POST", f"/v1/tariffs/{tariff_id}/versions/validate", body=document
    )
    blocks: list[Block | Panel] = [
        *_draft_notice(version),
        Panel("Facts", [_facts(version)], width=4),
        Panel("Components", [_components(document, tariff["currency"])], width=8),
        *_windows(document),
        *([Panel("Does it hold", [_verdict(verdict)])] if version["status"] == "draft" else []),
        Panel(
            "Document",
            [Code(json.dumps(document, indent=2, default=str), "The document as published")],
        ),
    ]
    return visit.page(
        PageView(
            area="tariffs",
            title=f"{tariff['name']}, version {version['number']}",
            badge=lists.state(version["status"]),
            subtitle=f"in force from {formats.day(version['effective_from'])}"
            + (f" to {formats.day(version['effective_to'])}" if version["effective_to"] else ""),
            crumbs=(Link("Tariffs", "/tariffs"), Link(tariff["name"], f"/tariffs/{tariff_id}")),
            blocks=blocks,
        )
    )


def _draft_notice(version: Json) -> list[Block | Panel]:
    if version["status"] == "draft":
        return [Notice("It bills nobody until it is published.", title="This is a draft.")]
    if version["withdrawal"]:
        withdrawal = version["withdrawal"]
        text = f"From {formats.day(withdrawal['from_on'])}: {withdrawal['reason']}"
        return [Notice(text, tone="warn", title="Withdrawn.")]
    return []


def _facts(version: Json) -> Facts:
    document = version["document"]
    rounding = document.get("rounding", {})
    calendar = document.get("calendar") or {}
    seasons = [f"{item['name']} from {item['start']}" for item in calendar.get("seasons", [])]
    return Facts(
        [
            ("In force from", Cell(formats.day(version["effective_from"]))),
            (
                "To",
                Cell(
                    formats.day(version["effective_to"])
                    if version["effective_to"]
                    else "until a later one"
                ),
            ),
            ("Time zone", Cell(document["zone"])),
            ("Seasons", Cell(", ".join(seasons) or "none")),
            (
                "Rounding",
                Cell(
                    f"{formats.words(rounding.get('mode', ''))}, {rounding.get('decimals', '')} "
                    f"decimals per {rounding.get('per', '')}"
                    if rounding
                    else "default"
                ),
            ),
            (
                "Published",
                Cell(
                    formats.instant(version["published"]["at"])
                    if version["published"]
                    else "not yet"
                ),
            ),
        ]
    )


def _components(document: Json, currency: str) -> Table:
    rows = []
    for component in document["components"]:
        rates = _rates(component)
        first, rest = (rates[0], rates[1:]) if rates else (("", formats.NONE), [])
        payee = component.get("payee")
        rows.append(
            (
                Cell(component["id"], note=f"for {payee}" if payee else None),
                Cell(formats.words(component["kind"])),
                Cell(
                    first[0] or formats.words(component.get("flow", "") or component.get("per", ""))
                ),
                Cell(first[1]),
            )
        )
        rows += [(Cell(""), Cell(""), Cell(name), Cell(rate)) for name, rate in rest]
    columns = [
        Column("Component"),
        Column("Kind"),
        Column("What of"),
        Column("Rate", is_number=True, unit=currency),
    ]
    return Table("Components", columns, rows, Empty("No components", ""))


def _rates(component: Json) -> list[tuple[str, str]]:
    """Each rate of a component, with what it is for."""
    if component["kind"] == "tax":
        return [("of what it taxes", f"{formats.number(component['rate'])} × net")]
    for name in ("bands", "tiers"):
        if name in component:
            return [
                (_rate_name(name, part, position), formats.number(part.get("rate")))
                for position, part in enumerate(component[name], 1)
            ]
    return [("", formats.number(component["rate"]))] if "rate" in component else []


def _rate_name(name: str, part: Json, position: int) -> str:
    if name == "bands":
        return str(part["name"])
    limit = part.get("limit") or part.get("up_to")
    return f"tier {position}" + (f", to {formats.number(limit)}" if limit else "")


def _windows(document: Json) -> list[Block | Panel]:
    rows = [
        (
            Cell(component["id"]),
            Cell(window["band"]),
            Cell(f"{window['from_time'][:5]} – {window['to_time'][:5]}"),
            Cell(", ".join(window.get("seasons", [])) or "all year"),
            Cell(", ".join(window.get("day_types", [])) or "every day"),
        )
        for component in document["components"]
        for window in component.get("windows", [])
    ]
    if not rows:
        return []
    columns = [
        Column("Component"),
        Column("Band"),
        Column("Time"),
        Column("Season"),
        Column("Days"),
    ]
    return [Panel("When which band is in force", [Table("Windows", columns, rows, Empty("", ""))])]


def _verdict(verdict: Answer) -> Notice:
    if verdict.failure is not None:
        return Notice(verdict.failure.detail, tone="warn")
    errors = verdict.data.get("errors", [])
    if not errors:
        return Notice("The document makes sense, and could be published.", tone="good")
    return Notice("; ".join(error["detail"] for error in errors), tone="bad", title="Not yet.")
