"""One meter: its curve, its days and hours, how whole they are, as known now or at an instant."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gridtally.console.pages.visit import From, SignedIn, Visit
from gridtally.console.upstream import Answer, Json
from gridtally.console.views import charts, formats, lists
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Column,
    Drawing,
    Empty,
    Facts,
    Field,
    Form,
    Link,
    PageView,
    Panel,
    Series,
    Stat,
    Stats,
    Table,
    address,
)

router = APIRouter()
DAYS_MAX = 92
HOURS = 24
EVENTS_MAX = 50
"""Events of a device that are shown, the newest of the time."""
QUICK = (("Last 7 days", 7), ("Last 30 days", 30), ("Last 90 days", 90))


@router.get("/meters/{meter_id}")
async def show_meter(
    visit: Visit, meter_id: str, flow: str = "", from_: From = "", to: str = "", known_at: str = ""
) -> Response:
    """A meter's energy over some days, as it is known now or was known at an instant."""
    meter = await visit.the("ledger", f"/v1/meters/{meter_id}")
    measured, held = await asyncio.gather(
        visit.get("ingest", f"/v1/meters/{meter_id}"),
        visit.get("ledger", f"/v1/properties/{meter['property_id']}"),
    )
    channels = measured.data["channels"] if measured.ok else []
    flows = list(dict.fromkeys(channel["flow"] for channel in channels))
    chosen = flow if flow in flows else next((f for f in ("import", *flows) if f in flows), "")
    blocks: list[Block | Panel] = []
    if chosen:
        zone = measured.data["zone"]
        first, last = await _window(visit, meter_id, zone, from_, to)
        blocks += [
            _choice(meter_id, flows, chosen, first, last, known_at, visit.now, zone),
            *await _energy(visit, meter_id, chosen, zone, first, last, known_at),
        ]
    else:
        empty = Empty(
            "No interval channel",
            "Readings of this meter are its registers', entered by hand, or it is computed.",
            (Link("Its property's readings", f"/properties/{meter['property_id']}"),),
        )
        failure = measured.failure
        is_absent = failure is None or failure.is_unknown
        blocks.append(Panel("Energy", [empty], failure=None if is_absent else failure))
    blocks.append(Panel("Facts", [_facts(meter, measured, held)]))
    name = held.data["name"] if held.ok else "its property"
    return visit.page(
        PageView(
            area="meters",
            title=meter["name"],
            badge=Cell(lists.meter_type(meter)),
            subtitle=f"at {name} · {meter_id}",
            crumbs=(Link("Meters", "/meters"), Link(name, f"/properties/{meter['property_id']}")),
            blocks=blocks,
        )
    )


@router.get("/meters/{meter_id}/curve")
async def get_curve(
    visit: Visit, meter_id: str, flow: str, from_: From, to: str, known_at: str = ""
) -> Response:
    """The intervals for the curve: starts in seconds, kW-hours as numbers to draw and as text."""
    series = await visit.the(
        "ingest",
        f"/v1/meters/{meter_id}/series",
        flow=flow,
        from_=from_,
        to=to,
        as_known_at=_as_instant(known_at),
    )
    values = [formats.kwh_of(value) for value in series["values_wh"]]
    return JSONResponse(
        {
            "starts_s": [int(formats.moment(at).timestamp()) for at in series["starts_at"]],
            "values": [None if value is None else float(value) for value in values],
            "texts": [None if value is None else formats.energy(value) for value in values],
            "label": f"{flow}, {series['minutes']} min",
            "unit": "kWh",
            "zone": series["zone"],
        }
    )


def _as_instant(text: str) -> str:
    """A form's `2026-11-29T00:47` is UTC."""
    return f"{text}:00Z" if len(text) == len("2026-11-29T00:47") else text


async def _window(
    visit: SignedIn, meter_id: str, zone: str, from_: From, to: str
) -> tuple[date, date]:
    """The days to show: those asked for, else the last month that has readings."""
    try:
        first, last = date.fromisoformat(from_), date.fromisoformat(to)
    except ValueError:
        today = visit.now.astimezone(ZoneInfo(zone)).date()
        invoices = await visit.get("billing", "/v1/invoices", meter_id=meter_id, limit=1)
        if invoices.items:
            newest = invoices.items[0]
            return date.fromisoformat(newest["start_on"]), date.fromisoformat(newest["end_on"])
        return today - timedelta(days=30), today + timedelta(days=1)
    if last <= first:
        last = first + timedelta(days=1)
    return first, min(last, first + timedelta(days=DAYS_MAX))


def _choice(
    meter_id: str,
    flows: Sequence[str],
    flow: str,
    first: date,
    last: date,
    known_at: str,
    now: datetime,
    zone: str,
) -> Panel:
    path = f"/meters/{meter_id}"
    today = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    quick = [
        Link(
            label,
            address(
                path,
                flow=flow,
                from_=(today - timedelta(days=days)).isoformat(),
                to=today.isoformat(),
            ),
            is_current=(last - first).days == days and last == today,
        )
        for label, days in QUICK
    ]
    form = Form(
        path,
        [
            Field("flow", "Flow", flow, options=[(code, lists.FLOWS[code]) for code in flows]),
            Field("from", "From", first.isoformat(), "date"),
            Field("to", "To, not included", last.isoformat(), "date"),
            Field("known_at", "As known at (UTC)", known_at[:16], "datetime-local"),
        ],
        "Show",
        method="get",
        clear_href=address(path, flow=flow) if known_at else None,
    )
    return Panel("", [form], links=quick)


async def _energy(
    visit: SignedIn, meter_id: str, flow: str, zone: str, first: date, last: date, known_at: str
) -> list[Block | Panel]:
    start, end = (_midnight(day, zone).isoformat() for day in (first, last))
    window = {"flow": flow, "from_": start, "to": end, "as_known_at": _as_instant(known_at)}
    path = f"/v1/meters/{meter_id}"
    daily, hourly, whole, noted = await asyncio.gather(
        visit.get("ingest", f"{path}/series", resolution="1440", **window),
        visit.get("ingest", f"{path}/series", resolution="60", **window),
        visit.get("ingest", f"{path}/completeness", from_=first.isoformat(), to=last.isoformat()),
        visit.get(
            "ingest", "/v1/device-events", meter_id=meter_id, from_=start, to=end, limit=EVENTS_MAX
        ),
    )
    curve = address(f"/meters/{meter_id}/curve", flow=flow, from_=start, to=end, known_at=known_at)
    span = formats.period(first.isoformat(), last.isoformat())
    return [
        _totals(daily, whole, flow),
        Panel(
            "Curve",
            [Series(curve, f"{flow} of {span}")],
            text="Drag to zoom, double-click to zoom out.",
        ),
        Panel("Days", [_day_bars(daily, zone, flow)], failure=daily.failure, width=6),
        Panel("Days and hours", [_hours(hourly, zone)], failure=hourly.failure, width=6),
        Panel("How whole the days are", _wholeness(whole, flow), failure=whole.failure),
        Panel(
            "What the meter noted of itself",
            [lists.device_events(noted.items)],
            failure=noted.failure,
        ),
        Panel(
            "Figures by day",
            [_day_table(daily, whole, zone, flow)],
            failure=daily.failure,
            folded=True,
        ),
    ]


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


def _totals(daily: Answer, whole: Answer, flow: str) -> Stats:
    values = [value for value in (daily.data["values_wh"] if daily.ok else []) if value is not None]
    days = [item for item in (whole.data["days"] if whole.ok else []) if item["flow"] == flow]
    expected, present = (sum(item[name] for item in days) for name in ("expected", "present"))
    missing = expected - present
    total = formats.kwh_of(sum(values)) if values else None
    most = formats.kwh_of(max(values)) if values else None
    return Stats(
        [
            Stat(f"Total {flow}", formats.energy(total), "kWh"),
            Stat("Greatest day", formats.energy(most), "kWh"),
            Stat(
                "Intervals present", formats.number(present), note=f"of {formats.number(expected)}"
            ),
            Stat("Missing", formats.number(missing), tone="bad" if missing else "good"),
        ]
    )


def _local_days(series: Json, zone: str) -> list[tuple[date, int | None]]:
    where = ZoneInfo(zone)
    return [
        (formats.moment(at).astimezone(where).date(), value)
        for at, value in zip(series["starts_at"], series["values_wh"], strict=True)
    ]


def _day_bars(daily: Answer, zone: str, flow: str) -> Block:
    if not daily.ok:
        return Empty("", "")
    bars = []
    for day, value in _local_days(daily.data, zone):
        kwh = formats.kwh_of(value) or Decimal(0)
        part = (flow, kwh, f"{formats.energy(kwh)} kWh")
        bars.append(charts.Bar(f"{day.day} {day:%b}", (part,)))
    return Drawing(charts.bars(bars, (flow,), "Energy of each day", unit="kWh", width=charts.HALF))


def _hours(hourly: Answer, zone: str) -> Block:
    """Day by hour; a clock-change day has an hour of two values, or one of none."""
    if not hourly.ok:
        return Empty("", "")
    where = ZoneInfo(zone)
    by_day: dict[date, list[int | None]] = defaultdict(lambda: [None] * HOURS)
    for at, value in zip(hourly.data["starts_at"], hourly.data["values_wh"], strict=True):
        local = formats.moment(at).astimezone(where)
        if value is not None:
            by_day[local.date()][local.hour] = (by_day[local.date()][local.hour] or 0) + value
        else:
            by_day[local.date()]
    rows = [
        (
            f"{day.day} {day:%b}",
            [
                charts.HeatCell(
                    formats.kwh_of(value),
                    f"{formats.day(day)}, {hour:02}:00: "
                    + (
                        "missing"
                        if value is None
                        else f"{formats.energy(formats.kwh_of(value))} kWh"
                    ),
                )
                for hour, value in enumerate(values)
            ],
        )
        for day, values in sorted(by_day.items())
    ]
    heads = [f"{hour:02}" for hour in range(HOURS)]
    drawn = charts.heat_map(rows, heads, "Energy of each hour of each day", width=charts.HALF)
    return Drawing(drawn, (("h0", "little"), ("h6", "much"), ("fn", "missing")))


def _wholeness(whole: Answer, flow: str) -> list[Block]:
    """One mark a day: all there, some estimated or flagged by a rule, some missing, nothing."""
    days = [item for item in (whole.data["days"] if whole.ok else []) if item["flow"] == flow]
    if not days:
        return [Empty("No days", "There is nothing to expect in this time.")]
    marks = []
    for position, item in enumerate(days):
        made = item["estimated"] + item["substituted"]
        kind = "fg"
        if item["present"] < item["expected"]:
            kind = "fb"
        elif made or item["flags"]:
            kind = "fw"
        title = (
            f"{formats.day(item['day'])}: {item['present']} of {item['expected']}, {made} estimated"
        )
        if item["flags"]:
            title += f"; {_flags(item)}"
        marks.append((position, position + 1, kind, title))
    classes = {kind: kind for kind in ("fg", "fw", "fb")}
    heads = [(0, formats.day(days[0]["day"]))]
    drawn = charts.runs(
        [("", marks)], classes, "How whole each day is", width_units=len(days), heads=heads, tall=24
    )
    return [
        Drawing(
            drawn,
            (("fg", "whole"), ("fw", "estimated or flagged in part"), ("fb", "values missing")),
        )
    ]


def _flags(item: Json) -> str:
    """The rules that speak of a day."""
    return ", ".join(map(formats.words, item["flags"]))


def _day_table(daily: Answer, whole: Answer, zone: str, flow: str) -> Table:
    known = {
        item["day"]: item
        for item in (whole.data["days"] if whole.ok else [])
        if item["flow"] == flow
    }
    rows = []
    for day, value in _local_days(daily.data, zone) if daily.ok else ():
        item = known.get(day.isoformat())
        rows.append(
            (
                Cell(formats.day(day)),
                Cell(formats.energy(formats.kwh_of(value))),
                Cell(f"{item['present']} of {item['expected']}" if item else formats.NONE),
                Cell(
                    formats.number(item["estimated"] + item["substituted"])
                    if item
                    else formats.NONE
                ),
                Cell(formats.number(item["version"]) if item else formats.NONE),
                Cell(_flags(item) if item and item["flags"] else formats.NONE),
            )
        )
    columns = [
        Column("Day"),
        Column("Energy", is_number=True, unit="kWh"),
        Column("Intervals", is_number=True),
        Column("Estimated", is_number=True),
        Column("Version", is_number=True),
        Column("Flagged by"),
    ]
    return Table("Energy of each day", columns, rows, Empty("No days", "Choose a longer time."))


def _facts(meter: Json, measured: Answer, held: Answer) -> Facts:
    registers = [
        f"{item['flow']}: {item['digits']} digits, {item['decimals']} decimals, "
        f"× {item['multiplier']}"
        for item in meter["registers"]
    ]
    channels = [
        f"{item['flow']}: every {item['minutes']} min, at most {item['interval_wh_max']} Wh"
        for item in meter["channels"]
    ]
    return Facts(
        [
            ("Type", Cell(lists.meter_type(meter))),
            (
                "Property",
                Cell(
                    held.data["name"] if held.ok else "unknown",
                    f"/properties/{meter['property_id']}",
                ),
            ),
            ("Time zone", Cell(held.data["zone"] if held.ok else formats.NONE)),
            ("Interval channels", Cell("; ".join(channels) or "none")),
            ("Registers", Cell("; ".join(registers) or "none")),
            ("Known to ingest", Cell("yes" if measured.ok else "not yet")),
            ("Version", Cell(formats.number(meter["version"]))),
            ("Changed", Cell(formats.instant(meter["updated_at"]))),
        ]
    )
