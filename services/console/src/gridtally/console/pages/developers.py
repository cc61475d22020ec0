"""For developers: this session's key, how to call the APIs, and the design system itself."""

from decimal import Decimal

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from gridtally.console.pages.documentation import DOCUMENTATION_PATH
from gridtally.console.pages.visit import Visit
from gridtally.console.upstream import Failure
from gridtally.console.views import charts, formats
from gridtally.console.views.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Drawing,
    Empty,
    Event,
    Facts,
    Field,
    Form,
    Link,
    Notice,
    PageView,
    Panel,
    Stat,
    Stats,
    Table,
    Timeline,
    Tone,
)

router = APIRouter()
TABS = (("Keys", "/developers"), ("Design system", "/developers/design"))
TONES: tuple[Tone, ...] = ("plain", "good", "warn", "bad", "info")
EXAMPLE = """# a day of quarter hours of one meter
curl -X POST "$INGEST_URL/v1/readings" \\
  -H "Authorization: Bearer $GRIDTALLY_API_KEY" -H "Content-Type: application/json" \\
  -d '{"items": [{"meter_id": "…", "flow": "import", "start_at": "2026-11-01T00:00:00+01:00",
                  "minutes": 15, "unit": "Wh", "values": [120, 131, 118]}]}'
"""


def _tabs(visit: Visit, current: str) -> list[Link]:
    tabs = [Link(label, path, is_current=path == current) for label, path in TABS]
    if visit.request.app.state.documentation is not None:
        tabs.append(Link("Documentation", DOCUMENTATION_PATH))
    return tabs


@router.get("/developers")
async def show_keys(visit: Visit) -> Response:
    """The key of this session, and where keys come from."""
    session = visit.session
    rows = [
        (
            Cell(service),
            Cell("yes", tone="good") if session.may(f"{service}:read") else Cell("no"),
            Cell("yes", tone="good") if session.may(f"{service}:write") else Cell("no"),
        )
        for service in ("ingest", "tariff", "billing", "ledger")
    ]
    columns = [Column("Service"), Column("Read"), Column("Change")]
    facts = Facts(
        [
            ("Tenant", Cell(session.tenant_id)),
            ("Key", Cell(f"gt_{session.key_id}_…")),
            ("Signed in", Cell(formats.instant(session.began_at))),
        ]
    )
    text = (
        "Keys are made by an operator with `gridtally keys create`, shown once, and stored as a "
        "hash; `gridtally keys revoke` ends one everywhere within seconds. This page cannot make "
        "keys, since that needs the operator's token, which no browser should hold."
    )
    blocks: list[Block | Panel] = [
        Panel("This session", [facts], width=4),
        Panel("What its key may do", [Table("Scopes", columns, rows, Empty("", ""))], width=8),
        Panel("Keys", text=text),
        Panel(
            "Send readings",
            [Code(EXAMPLE, "With curl")],
            text="Each service describes its API at /docs.",
        ),
    ]
    return visit.page(
        PageView(
            "developers",
            "Developers",
            blocks,
            tabs=_tabs(visit, "/developers"),
            subtitle="Keys and APIs",
        )
    )


@router.get("/developers/design")
async def show_design(visit: Visit) -> Response:
    """Every block that pages are made of, each with what it is for."""
    blocks: list[Block | Panel] = [
        Stats([Stat("Total", "1,234.50", "EUR", note="a note", tone=tone) for tone in TONES]),
        *_sentences(),
        *_drawings(),
        *_parts(formats.instant(visit.now)),
        Panel("Type and space", [Facts(_type_facts())]),
    ]
    return visit.page(
        PageView(
            "developers",
            "Design system",
            blocks,
            tabs=_tabs(visit, "/developers/design"),
            subtitle="What pages are made of, and what it means",
        )
    )


def _sentences() -> list[Panel]:
    badges = [(Cell(tone, tone=tone), Cell(meaning)) for tone, meaning in _meanings()]
    columns = [Column("Colour"), Column("Means")]
    notices = [
        Notice("A sentence that matters.", tone=tone, title=tone.capitalize() + ".")
        for tone in TONES
    ]
    return [
        Panel("Colours have a meaning", [Table("Tones", columns, badges, Empty("", ""))], width=6),
        Panel("Sentences that matter", notices, width=6),
    ]


def _drawings() -> list[Panel]:
    series = ("day", "peak", "export")
    bars = [
        charts.Bar(
            f"{day} Nov",
            (
                ("day", Decimal(4 + day % 3), "4 kWh"),
                ("peak", Decimal(day % 4), "2 kWh"),
                ("export", Decimal(-(day % 3)), "1 kWh"),
            ),
        )
        for day in range(1, 15)
    ]
    steps = [
        charts.Step("standing", Decimal("12.09"), "12.09"),
        charts.Step("energy · day", Decimal("21.28"), "21.28"),
        charts.Step("feed-in", Decimal("-18.98"), "−18.98"),
        charts.Step("total", Decimal("14.39"), "14.39 EUR", is_total=True),
    ]
    heat = [
        (
            f"{day} Nov",
            [
                charts.HeatCell(Decimal((hour * day) % 23) if hour != 3 else None, f"{hour}:00")
                for hour in range(24)
            ],
        )
        for day in range(1, 6)
    ]
    legend = [(shade, name) for name, shade in charts.shades(series).items()]
    hours = [f"{hour:02}" for hour in range(24)]
    half = charts.HALF
    stacked = charts.bars(bars, series, "Energy by day and band", unit="kWh", width=half)
    falling = charts.waterfall(steps, "From lines to the total", width=half)
    keys = (("h0", "little"), ("h6", "much"), ("fn", "missing"))
    return [
        Panel("Bars, stacked by band", [Drawing(stacked, legend)], width=6),
        Panel("A waterfall", [Drawing(falling)], width=6),
        Panel("Day by hour", [Drawing(charts.heat_map(heat, hours, "Energy by hour"), keys)]),
    ]


def _parts(at: Markup) -> list[Panel]:
    form = Form(
        "/developers/design",
        [
            Field("name", "A field", "", hint="What it is for"),
            Field("amount", "A wrong one", "abc", error="A number is needed here"),
            Field("kind", "A choice", "b", options=(("a", "first"), ("b", "second"))),
        ],
        "The one main action",
        method="get",
    )
    events = [Event(at, "paid", text="64.44 EUR", tone="good"), Event(at, "issued", tone="info")]
    way_on = (Link("A way on", "/"),)
    empty = Empty("An empty list teaches", "It says what would be here, and how it comes.", way_on)
    away = Failure("billing", None, "unavailable", "billing does not answer", "01890000-0000")
    return [
        Panel("A form", [form], width=6),
        Panel("A timeline", [Timeline(events)], width=6),
        Panel("An empty list", [empty], width=6),
        Panel("A service that is away costs its panel", failure=away, width=6),
    ]


def _meanings() -> list[tuple[Tone, str]]:
    return [
        ("plain", "nothing to say about it"),
        ("good", "it holds, it is done, it is paid"),
        ("warn", "somebody should look"),
        ("bad", "it is wrong: act now"),
        ("info", "on its way, or computed"),
    ]


def _type_facts() -> list[tuple[str, Cell]]:
    return [
        ("Typeface", Cell("IBM Plex Sans, 400, 500 and 600, with tabular figures")),
        (
            "Sizes",
            Cell("12 for notes, 13.5 for tables, 14 for text, 15 and 22 for heads, 24 for figures"),
        ),
        ("Space", Cell("steps of 4: 4, 8, 12, 16, 24")),
        ("Numbers", Cell("aligned right, thousands apart, unit in the head, every digit kept")),
        ("Bands", Cell("Okabe and Ito's colours, always with their name beside")),
        ("Main action", Cell("one on a page, filled; all others are outlined")),
    ]
