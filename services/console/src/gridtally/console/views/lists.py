"""Tables of the things that several pages list: invoices, payments, agreements, meters."""

from calendar import month_name
from collections.abc import Mapping, Sequence

from gridtally.console.upstream import Json
from gridtally.console.views import formats
from gridtally.console.views.blocks import Cell, Column, Empty, Pager, Table, Tone

LAST_DAY = 31
STATES: Mapping[str, Tone] = {
    "issued": "good", "paid": "good", "open": "info", "part_paid": "warn", "void": "plain",
    "kept": "good", "late": "warn", "broken": "bad", "fulfilled": "good",
    "pending": "warn", "approved": "good", "rejected": "bad",
    "draft": "plain", "published": "good", "withdrawn": "warn", "closed": "good",
}  # fmt: skip
QUALITIES: Mapping[str, Tone] = {
    "actual": "good", "estimated": "warn", "substituted": "warn", "missing": "bad",
    "interpolated": "info",
}  # fmt: skip
FLOWS = {
    "import": "import", "export": "export", "load": "load", "generation": "generation",
    "reactive_import": "reactive import", "reactive_export": "reactive export",
}  # fmt: skip


def state(code: str) -> Cell:
    """A state as a badge."""
    return Cell(formats.words(code), tone=STATES.get(code, "plain"))


def quality(code: str) -> Cell:
    """What a value rests on, as a badge."""
    return Cell(formats.words(code), tone=QUALITIES.get(code, "plain"))


SEVERITIES: Mapping[str, Tone] = {"tamper": "bad", "warning": "warn", "info": "info"}


def device_events(items: Sequence[Json]) -> Table:
    """What a meter noted of itself."""
    rows = [
        (
            Cell(formats.instant(item["happened_at"])),
            Cell(formats.words(item["kind"])),
            Cell(item["severity"], tone=SEVERITIES[item["severity"]]),
            Cell(item["detail"] or formats.NONE),
            Cell(item["source"]),
        )
        for item in items
    ]
    columns = [Column(name) for name in ("When", "What", "Severity", "In its words", "Sent by")]
    empty = Empty("Nothing", "The meter has sent no event of its own in this time.")
    return Table("What the meter noted of itself", columns, rows, empty)


def customer(customer_id: str | None, names: Mapping[str, str]) -> Cell:
    """A customer by name, else by id; nothing for what is about no customer."""
    if customer_id is None:
        return Cell(formats.NONE)
    name = names.get(customer_id) or formats.short(customer_id)
    return Cell(name, f"/customers/{customer_id}")


def invoices(
    items: Sequence[Json],
    empty: Empty,
    *,
    names: Mapping[str, str] | None = None,
    page: Pager | None = None,
) -> Table:
    """Billing's invoices; with `names` the customer has a column."""
    columns = [
        Column("Number"),
        *([Column("Customer")] if names is not None else []),
        Column("Period"),
        Column("State"),
        Column("Rests on"),
        Column("Net", is_number=True),
        Column("Tax", is_number=True),
        Column("Total", is_number=True),
    ]
    rows = [
        [
            Cell(
                item["number"],
                f"/invoices/{item['id']}",
                note=f"revision {item['revision']}" if item["revision"] > 1 else None,
            ),
            *([customer(item["customer_id"], names)] if names is not None else []),
            Cell(formats.period(item["start_on"], item["end_on"])),
            state(item["state"]),
            quality(item["quality"]["worst"]) if item["quality"] else Cell(formats.NONE),
            Cell(formats.money(item["net"])),
            Cell(formats.money(item["tax"])),
            Cell(formats.money(item["total"], item["currency"])),
        ]
        for item in items
    ]
    return Table("Invoices", columns, rows, empty, page)


def open_item(item: Json, id_: str) -> Cell:
    """The number of what the ledger calls an invoice: billing's own has a page, a charge of the
    ledger's (a fee, a budget instalment, an opening balance) has none."""
    return Cell(item["number"], f"/invoices/{id_}" if item["kind"] == "invoice" else None)


def open_items(items: Sequence[Json], empty: Empty, page: Pager | None = None) -> Table:
    """The ledger's invoices: what is paid of them and what is due."""
    columns = [
        Column("Invoice"),
        Column("State"),
        Column("Issued"),
        Column("Due"),
        Column("Total", is_number=True),
        Column("Paid", is_number=True),
        Column("Open", is_number=True),
    ]
    rows = [
        [
            open_item(item, item["id"]),
            state(item["state"]),
            Cell(formats.instant(item["issued_at"])),
            Cell(formats.day(item["due_on"])),
            Cell(formats.money(item["total"])),
            Cell(formats.money(item["allocated"])),
            Cell(formats.money(item["open"], item["currency"])),
        ]
        for item in items
    ]
    return Table("Invoices and what is open of them", columns, rows, empty, page)


def transactions(
    items: Sequence[Json],
    empty: Empty,
    *,
    names: Mapping[str, str] | None = None,
    page: Pager | None = None,
) -> Table:
    """Transactions of the ledger."""
    columns = [
        Column("When"),
        Column("What"),
        Column("Reference"),
        *([Column("Customer")] if names is not None else []),
        Column("Amount", is_number=True),
    ]
    rows = [
        [
            Cell(formats.instant(item["occurred_at"])),
            Cell(formats.words(item["kind"]), f"/ledger/transactions/{item['id']}"),
            Cell(item["reference"] or formats.NONE, note=item["memo"] or None),
            *([customer(item["customer_id"], names)] if names is not None else []),
            Cell(formats.money(item["total"], item["currency"])),
        ]
        for item in items
    ]
    return Table("Transactions", columns, rows, empty, page)


def agreements(
    items: Sequence[Json],
    empty: Empty,
    *,
    tariffs: Mapping[str, str],
    meters: Mapping[str, str],
    page: Pager | None = None,
) -> Table:
    """Agreements with their meter and tariff."""
    columns = [
        Column("From"),
        Column("To"),
        Column("Meter"),
        Column("Tariff"),
        Column("Billed"),
        Column("Closes"),
        Column("Agreement"),
    ]
    rows = [
        [
            Cell(formats.day(item["start_on"])),
            Cell(formats.day(item["end_on"]) if item["end_on"] else "open-ended"),
            Cell(
                meters.get(item["meter_id"], formats.short(item["meter_id"])),
                f"/meters/{item['meter_id']}",
            ),
            Cell(
                tariffs.get(item["tariff_id"], formats.short(item["tariff_id"])),
                f"/tariffs/{item['tariff_id']}",
            ),
            Cell(billed(item["billing_calendar"])),
            Cell(_closing(item)),
            Cell(formats.short(item["id"])),
        ]
        for item in items
    ]
    return Table("Agreements", columns, rows, empty, page)


def billed(billing_calendar: Json) -> str:
    """How often a billing calendar bills, and from which day of a month on."""
    if billing_calendar["read_cycle"] is not None:
        return f"by read cycle {billing_calendar['read_cycle']}"
    months, start_day = billing_calendar["months"], billing_calendar["start_day"]
    often = {1: "monthly", 12: "yearly"}.get(months, f"every {months} months")
    since = "" if months == 1 else f" from {month_name[billing_calendar['anchor_month']]}"
    if start_day == 1:
        return often + since
    day = "the last day" if start_day == LAST_DAY else f"day {start_day}"
    return f"{often}{since}, on {day}"


def _closing(item: Json) -> str:
    if item["closing"] == "wait":
        return "once complete"
    estimated = ", estimated" if item["closing"] == "estimate" else ""
    return f"{formats.count(item['grace_hours'], 'hour')} after its end{estimated}"


def meters(
    items: Sequence[Json],
    empty: Empty,
    *,
    properties: Mapping[str, str] | None = None,
    page: Pager | None = None,
) -> Table:
    """Meters of the registry."""
    columns = [
        Column("Meter"),
        *([Column("Property")] if properties is not None else []),
        Column("Type"),
        Column("Channels"),
        Column("Registers"),
    ]
    rows = [
        [
            Cell(item["name"], f"/meters/{item['id']}"),
            *(
                [
                    Cell(
                        properties.get(item["property_id"], formats.short(item["property_id"])),
                        f"/properties/{item['property_id']}",
                    )
                ]
                if properties is not None
                else []
            ),
            Cell(meter_type(item), tone="info" if item["is_derived"] else "plain"),
            Cell(_flows(item["channels"], "minutes")),
            Cell(_flows(item["registers"], "digits")),
        ]
        for item in items
    ]
    return Table("Meters", columns, rows, empty, page)


def meter_type(item: Json) -> str:
    """A meter's type in words."""
    code: str = item["meter_type"]
    known = {"gg": "grid", "sg": "solar", "total": "total", "unmetered": "unmetered"}
    return known.get(code, code) + (", computed" if item["is_derived"] else "")


def _flows(items: Sequence[Json], detail: str) -> str:
    unit = {"minutes": "min", "digits": "digits"}[detail]
    parts = [f"{FLOWS[item['flow']]} ({item[detail]} {unit})" for item in items]
    return ", ".join(parts) or formats.NONE
