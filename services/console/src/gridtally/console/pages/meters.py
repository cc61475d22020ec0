"""Meters: the list, and one with its curve, its days, and how whole they are."""

from fastapi import APIRouter
from starlette.responses import Response

from gridtally.console.pages.visit import ROWS, Visit
from gridtally.console.views import lists
from gridtally.console.views.blocks import (
    Empty,
    Field,
    Form,
    Link,
    PageView,
    Panel,
    pager,
)

router = APIRouter()
TYPES = ("main", "sub", "solar", "device", "gg", "sg", "total", "unmetered", "derived")


@router.get("/meters")
async def list_meters(
    visit: Visit, name: str = "", meter_type: str = "", cursor: str = ""
) -> Response:
    """The registry's meters."""
    filters = {"name": name, "meter_type": meter_type}
    found = await visit.get(
        "ledger", "/v1/meters", limit=ROWS, cursor=cursor, sort="name", **filters
    )
    properties = await visit.names(
        "ledger", "/v1/properties", [item["property_id"] for item in found.items]
    )
    is_filtered = any(filters.values())
    empty = (
        Empty("No meter matches", "Loosen the filter.", (Link("Clear it", "/meters"),))
        if is_filtered
        else Empty(
            "No meters yet",
            "A property brings its four meters with it: grid, solar, total, and what is left.",
            (Link("Properties", "/properties"),),
        )
    )
    page = pager(
        "/meters", found.data["next_cursor"] if found.ok else None, **filters, cursor=cursor
    )
    form = Form(
        "/meters",
        [
            Field("name", "Name", name, "search"),
            Field(
                "meter_type",
                "Type",
                meter_type,
                options=(("", "any"), *((code, code) for code in TYPES)),
            ),
        ],
        "Filter",
        method="get",
        target="meters",
        clear_href="/meters" if is_filtered else None,
    )
    table = lists.meters(found.items, empty, properties=properties, page=page)
    return visit.page(
        PageView(
            area="meters",
            title="Meters",
            subtitle="Where energy is measured, or computed from other meters",
            blocks=[form, Panel("", [table], failure=found.failure, region="meters")],
        )
    )
