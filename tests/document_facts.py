"""Facts of invoices and statements, with figures that a test may set."""

import struct
import zlib
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from gridtally.documents.facts import (
    Account,
    Address,
    BandUsage,
    Buyer,
    EarlierInvoice,
    InvoiceFacts,
    Seller,
    TariffInForce,
    Texts,
    Usage,
)
from gridtally.documents.statement_facts import (
    AgeFacts,
    ChangeFacts,
    InstalmentFacts,
    OpenFacts,
    PlanFacts,
    StatementFacts,
)
from gridtally.kernel.periods import Period
from gridtally.rating.engine.lines import DataQuality, Item, Line

VERSION = UUID(int=1)
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
FEBRUARY = Period(date(2025, 2, 1), date(2025, 3, 1))


def png(width=96, height=24, rgb=(21, 94, 99)):
    """A small picture of one colour."""

    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = b"".join(b"\0" + bytes(rgb) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


SELLER = Seller(
    name="Stadtwerke Musterstadt GmbH",
    address=Address("Elektrizitätsweg 12", "20095", "Hamburg", "DE"),
    tax_id="DE123456789",
    company_id="HRB 4711",
    email="service@example.org",
    phone="+49 40 555 0199",
    website="www.example.org",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
    language="de",
    texts={
        "en": Texts(
            "Please pay by 16 April 2025.",
            "Write to service@example.org. We answer within ten days; the ombudsman is free.",
            "Managing director: Ada Example",
        ),
        "de": Texts("Bitte zahlen Sie bis zum 16. April 2025.", "Schreiben Sie uns.", None),
    },
    component_names={
        "base": {"en": "Base charge", "de": "Grundpreis"},
        "energy": {"en": "Energy", "de": "Arbeitspreis"},
        "grid": {"en": "Grid use", "de": "Netznutzung"},
        "vat": {"en": "VAT", "de": "Umsatzsteuer"},
    },
)
BUYER = Buyer(
    "Anna Beispiel", "4f1f8f8e", Address("Lindenallee 5", "22087", "Hamburg", "DE"), language="en"
)


def line(component_id, quantity, rate, *, kind="energy", unit="kWh", band=None, **changes):
    """A line whose amount is quantity × rate, rounded half even to cents."""
    quality = changes.pop("quality", None)
    exact = Decimal(quantity) * Decimal(rate)
    item = Item(
        component_id=component_id,
        kind=kind,
        band=band,
        flow=changes.pop("flow", "import" if unit == "kWh" else None),
        unit=unit,
        rate=Decimal(rate),
        tariff_version_id=VERSION,
        part=changes.pop("part", MARCH),
        payee=changes.pop("payee", None),
        tax_class=changes.pop("tax_class", None),
    )
    return Line(item, Decimal(quantity), exact, round(exact, 2), quality)


def lines(peak="112.345", off_peak="201.2", rate="0.3412", part=MARCH, doubt=None):
    """A base charge, two bands, the grid operator's charge, and VAT on all."""
    charges = [
        line("base", 1, "12.50", kind="fixed", unit="month", part=part),
        line("energy", peak, rate, band="peak", part=part, quality=doubt),
        line("energy", off_peak, "0.2213", band="off-peak", part=part),
        line(
            "grid",
            Decimal(peak) + Decimal(off_peak),
            "0.0731",
            payee="Netz Hamburg",
            part=part,
        ),
    ]
    taxed = sum((charge.amount for charge in charges), Decimal(0))
    return [*charges, line("vat", taxed, "0.19", kind="tax", unit="EUR", part=part)]


def sums(charges):
    """Net, tax and total of lines."""
    tax = sum((charge.amount for charge in charges if charge.item.kind == "tax"), Decimal(0))
    total = sum((charge.amount for charge in charges), Decimal(0))
    return {"net": total - tax, "tax": tax, "total": total}


def usage(period=MARCH, *, exported=False, doubtful_on=frozenset()):
    """Two bands with weekends lower, and perhaps some export at noon."""
    days = period.dates()
    peak = [3000 + 350 * (day.day % 5) if day.weekday() < 5 else 1200 for day in days]
    off = [5200 + 420 * (day.day % 7) for day in days]
    out = [2200 + 300 * (day.day % 4) if exported else 0 for day in days]
    return Usage(
        days, (BandUsage("peak", peak), BandUsage("off-peak", off)), out, frozenset(doubtful_on)
    )


def facts(**changes):
    """An invoice for March with all that one can have."""
    doubt = DataQuality("estimated", estimated_intervals=96, estimated_kwh=Decimal("7.125"))
    charges = changes.pop("lines", lines(doubt=doubt))
    earlier = lines("98.1", "188.4", "0.3300", FEBRUARY)
    whole = InvoiceFacts(
        kind="invoice",
        number="INV-2025-000123",
        issued_on=date(2025, 4, 2),
        seller=SELLER,
        buyer=BUYER,
        meter="1EMH0012345678",
        start_on=MARCH.start_on,
        end_on=MARCH.end_on,
        currency="EUR",
        lines=charges,
        **sums(charges),
        account=Account(
            Decimal("20.00"), Decimal("20.00"), "INV-2025-000087", sums(earlier)["total"]
        ),
        quality=doubt,
        expected_intervals=2972,
        tariffs=[TariffInForce(VERSION, "Home Time of Use", 3, date(2025, 1, 1))],
        usage=usage(doubtful_on={MARCH.start_on + timedelta(days=11)}),
        earlier=EarlierInvoice(
            "INV-2025-000087",
            FEBRUARY.start_on,
            FEBRUARY.end_on,
            earlier,
            sums(earlier)["total"],
        ),
    )
    return replace(whole, **changes)


def statement_facts(**changes):
    """March of an account with all that one can have: 40.00 were owed before,
    74.25 are after it."""
    moves = [
        (3, "invoice", "INV-2025-000123", "", "140.75"),
        (5, "credit_note", "CN-2025-000004", "", "-20.00"),
        (9, "payment", "RF18 5390 0754 7034", "Dauerauftrag", "-100.00"),
        (12, "reversal", "RF18 5390 0754 7034", "account closed", "100.00"),
        (14, "adjustment", "Mahngebühr", "", "7.50"),
        (20, "write_off", "INV-2024-000007", "", "-4.00"),
        (22, "refund", "R-1", "", "10.00"),
        (27, "payment", "RF71 2348 2317", "", "-100.00"),
    ]
    owed, changed = Decimal("40.00"), []
    for day, kind, reference, memo, amount in moves:
        owed += Decimal(amount)
        on = MARCH.start_on + timedelta(days=day - 1)
        changed.append(ChangeFacts(on, kind, reference, memo, Decimal(amount), owed))
    items = [
        open_facts(date(2025, 3, 17), "INV-2025-000087", "40.00", "19.25", "overdue"),
        open_facts(date(2025, 4, 16), "INV-2025-000123", "120.75", "60.75", "planned"),
        open_facts(date(2025, 4, 30), "INV-2025-000140", "13.50", "0", "due"),
    ]
    parts = [
        InstalmentFacts(date(2025, 3, 31), *amounts("30", "10.75", "19.25"), is_late=True),
        InstalmentFacts(date(2025, 4, 30), *amounts("40.75", "0", "40.75"), is_late=False),
    ]
    plan = PlanFacts(date(2025, 3, 10), parts, *amounts("70.75", "10.75", "60.00"))
    shown = StatementFacts(
        seller=SELLER,
        buyer=replace(BUYER, number="K-1047"),
        currency="EUR",
        start_on=MARCH.start_on,
        end_on=MARCH.end_on,
        opening=Decimal("40.00"),
        changes=changed,
        closing=owed,
        today=date(2025, 4, 2),
        open_items=items,
        credit=Decimal("20.00"),
        balance=Decimal("74.25"),
        plans=[plan],
        ages=AgeFacts(*amounts("54.25", "40.00", "0", "0", "0", "94.25")),
    )
    return replace(shown, **changes)


def amounts(*written):
    """Decimals of these."""
    return map(Decimal, written)


def open_facts(due_on, number, total, paid, standing):
    """An invoice with what is open of it."""
    whole, done = amounts(total, paid)
    return OpenFacts(due_on, number, whole, done, whole - done, standing)
