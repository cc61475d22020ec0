"""Properties: the tree of sites, and one with its meters, readings, energy and what it loses."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import ROWS, FormFields, SignedIn, Visit
from gridtally.console.upstream import Answer, Failure, Json
from gridtally.console.views import formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
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
    Stat,
    Stats,
    Table,
    Tone,
    pager,
)
from gridtally.kernel.ids import new_id

router = APIRouter()
DEPTH_MAX = 12


@router.get("/properties")
async def list_properties(visit: Visit, name: str = "", cursor: str = "") -> Response:
    """Properties, found by name or from the top of the tree down."""
    found = await visit.get(
        "ledger", "/v1/properties", limit=ROWS, cursor=cursor, sort="name", name=name
    )
    parents = await visit.names(
        "ledger", "/v1/properties", [item["parent_id"] for item in found.items]
    )
    page = pager(
        "/properties", found.data["next_cursor"] if found.ok else None, name=name, cursor=cursor
    )
    form = Form(
        "/properties",
        [Field("name", "Name", name, "search")],
        "Filter",
        method="get",
        target="properties",
        clear_href="/properties" if name else None,
    )
    table = _table(found.items, parents, _empty(name), page)
    return visit.page(
        PageView(
            area="properties",
            title="Properties",
            subtitle="Where meters hang: houses, flats, sites and what they belong to",
            blocks=[form, Panel("", [table], failure=found.failure, region="properties")],
        )
    )


@router.get("/properties/{property_id}")
async def show_property(visit: Visit, property_id: str) -> Response:
    """A property: what is above and below it, its meters, current readings and conservation."""
    held = await visit.the("ledger", f"/v1/properties/{property_id}")
    return visit.page(await _page(visit, held, {}, None))


@router.post("/properties/{property_id}/readings")
async def enter_readings(visit: Visit, property_id: str, fields: FormFields) -> Response:
    """Enter the readings of some of a property's meters, taken at one moment."""
    held = await visit.the("ledger", f"/v1/properties/{property_id}")
    readings = [
        {"meter_id": name.partition(":")[0], "flow": name.partition(":")[2], "value": value}
        for name, value in fields.items()
        if ":" in name and value
    ]
    body = {"read_at": f"{fields.get('read_at', '')}:00Z", "readings": readings}
    answer = await visit.send(
        "ledger",
        "POST",
        f"/v1/properties/{property_id}/readings",
        body=body,
        headers={"Idempotency-Key": fields.get("idempotency_key", str(new_id()))},
    )
    if answer.ok and all(item.get("problem") is None for item in answer.data["items"]):
        return visit.go(f"/properties/{property_id}")
    refused = [
        problem["detail"]
        for item in (answer.data["items"] if answer.ok else ())
        if (problem := item.get("problem"))
    ]
    text = "; ".join(refused) or (answer.failure.detail if answer.failure else "")
    return visit.page(await _page(visit, held, fields, text), 422)


async def _page(
    visit: SignedIn, held: Json, entered: dict[str, str], refusal: str | None
) -> PageView:
    property_id = held["id"]
    start = (visit.now - timedelta(days=31)).isoformat().replace("+00:00", "Z")
    end = visit.now.isoformat().replace("+00:00", "Z")
    above, below, current, conservation = await asyncio.gather(
        _path_to(visit, held),
        visit.get("ledger", "/v1/properties", parent_id=property_id, limit=ROWS, sort="name"),
        visit.get("ledger", f"/v1/properties/{property_id}/current-readings"),
        visit.get("ledger", f"/v1/properties/{property_id}/conservation", from_=start, to=end),
    )
    nothing_below = Empty("Nothing stands below it", "Set this property as the parent of another.")
    no_meters = Empty("No meters", "Give it its four with POST …/initialize-meters of the ledger.")
    blocks: list[Block | Panel] = [
        Panel("Facts", [_facts(held)], width=4),
        Panel("Current readings", [_current(current)], failure=current.failure, width=8),
        Panel("Meters", [lists.meters(held["meters"], no_meters)]),
        Panel(
            "Enter readings",
            _entry(held, current, entered, refusal, visit),
            text="All that you fill in is taken as read at one moment. Empty fields are left out.",
        ),
        Panel(
            "Last 31 days: supplied and metered",
            [_conservation(conservation)],
            failure=_real(conservation.failure),
        ),
        Panel("Below it", [_table(below.items, {}, nothing_below, None)], failure=below.failure),
    ]
    return PageView(
        area="properties",
        title=held["name"],
        subtitle=held["address"] or property_id,
        crumbs=(Link("Properties", "/properties"), *above),
        blocks=blocks,
    )


def _real(failure: Failure | None) -> Failure | None:
    """A failure that is not just about a property without what is asked for."""
    return None if failure is not None and failure.is_unknown else failure


async def _path_to(visit: SignedIn, held: Json) -> list[Link]:
    """The properties above it, from the top."""
    above: list[Link] = []
    parent_id = held["parent_id"]
    while parent_id is not None and len(above) < DEPTH_MAX:
        answer = await visit.get("ledger", f"/v1/properties/{parent_id}")
        if not answer.ok:
            break
        above.insert(0, Link(answer.data["name"], f"/properties/{parent_id}"))
        parent_id = answer.data["parent_id"]
    return above


def _empty(name: str) -> Empty:
    if name:
        clear = (Link("Clear it", "/properties"),)
        return Empty("No property matches", "Loosen the filter.", clear)
    return Empty(
        "No properties yet",
        "A property brings its four meters: grid, solar, total and what is unmetered. Make the "
        "first with POST /v1/properties of the ledger.",
        (Link("How to call the APIs", "/developers"),),
    )


def _table(items: list[Json], parents: dict[str, str], empty: Empty, page: Pager | None) -> Table:
    rows = [
        (
            Cell(item["name"], f"/properties/{item['id']}", note=item["address"] or None),
            Cell(
                parents.get(item["parent_id"], "") or formats.NONE,
                f"/properties/{item['parent_id']}" if item["parent_id"] else None,
            ),
            Cell(item["zone"]),
            Cell(formats.number(item["connected_kw"])),
        )
        for item in items
    ]
    columns = [
        Column("Property"),
        Column("Part of"),
        Column("Time zone"),
        Column("Connected", is_number=True, unit="kW"),
    ]
    return Table("Properties", columns, rows, empty, page)


def _facts(held: Json) -> Facts:
    return Facts(
        [
            ("Address", Cell(held["address"] or formats.NONE)),
            ("Time zone", Cell(held["zone"])),
            ("Connected", Cell(f"{formats.number(held['connected_kw'])} kW")),
            ("Version", Cell(formats.number(held["version"]))),
            ("Changed", Cell(formats.instant(held["updated_at"]))),
        ]
    )


def _current(current: Answer) -> Table:
    rows = [
        (
            Cell(item["name"], f"/meters/{item['meter_id']}"),
            Cell(lists.meter_type(item)),
            Cell(lists.FLOWS[item["flow"]] if item["flow"] else formats.NONE),
            Cell(formats.number(item["value"])),
            lists.quality(item["quality"]),
            Cell(formats.instant(item["read_at"])),
        )
        for item in (current.data["items"] if current.ok else ())
    ]
    columns = [
        Column("Meter"),
        Column("Type"),
        Column("Flow"),
        Column("Reading", is_number=True, unit="kWh"),
        Column("Rests on"),
        Column("Read"),
    ]
    empty = Empty("No readings", "The newest reading of each register appears here.")
    return Table("Current readings", columns, rows, empty)


def _entry(
    held: Json, current: Answer, entered: dict[str, str], refusal: str | None, visit: SignedIn
) -> list[Block]:
    latest = {
        (item["meter_id"], item["flow"]): item
        for item in (current.data["items"] if current.ok else ())
    }
    fields = [
        Field(
            "read_at",
            "Read at (UTC)",
            entered.get("read_at", f"{visit.now:%Y-%m-%dT%H:%M}"),
            "datetime-local",
            is_required=True,
        )
    ]
    for meter in held["meters"]:
        for register in meter["registers"] if not meter["is_derived"] else ():
            known = latest.get((meter["id"], register["flow"]))
            name = f"{meter['id']}:{register['flow']}"
            hint = f"last {formats.number(known['value'])} kWh" if known else "no reading yet"
            label = f"{meter['name']}, {register['flow']} (kWh)"
            fields.append(Field(name, label, entered.get(name, ""), "text", hint=hint))
    if len(fields) == 1:
        return [
            Empty(
                "No registers",
                "Only meters with registers are read by hand; give a meter its registers first.",
            )
        ]
    hidden = {"idempotency_key": entered.get("idempotency_key") or str(new_id())}
    form = Form(f"/properties/{held['id']}/readings", fields, "Save readings", hidden=hidden)
    return [Notice(refusal, tone="bad", title="Not saved."), form] if refusal else [form]


def _conservation(answer: Answer) -> Block:
    if not answer.ok:
        return Empty("Nothing to compare", "There are no two readings that enclose this time.")
    data = answer.data
    tones: dict[bool | None, Tone] = {None: "plain", True: "good", False: "bad"}
    return Stats(
        [
            Stat("Supplied", formats.energy(data["supplied_kwh"]), "kWh"),
            Stat("Metered", formats.energy(data["metered_kwh"]), "kWh"),
            Stat(
                "Unaccounted for",
                formats.energy(data["unaccounted_kwh"]),
                "kWh",
                note=f"{formats.number(data['unaccounted_percent'])} %",
                tone=tones[data["ok"]],
            ),
        ]
    )
