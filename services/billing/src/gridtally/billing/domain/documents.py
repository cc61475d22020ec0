"""Documents: from what billing stored of an invoice or credit note to the facts that are shown.

Owns what a document is told of the invoices around it. How it looks is `gridtally.documents`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from gridtally.billing.domain.customers import Customer, CustomerBalance
from gridtally.documents.facts import (
    Account,
    Address,
    BandUsage,
    Buyer,
    DocumentKind,
    EarlierInvoice,
    InvoiceFacts,
    Replacement,
    SectionFacts,
    Seller,
    TariffInForce,
    Usage,
)
from gridtally.kernel.errors import Rejected
from gridtally.kernel.money import EXACT
from gridtally.kernel.periods import Period, local_date
from gridtally.rating.band_usage import bands_of_intervals
from gridtally.rating.bands import UNCOVERED
from gridtally.rating.components.tax import Tax
from gridtally.rating.engine.lines import DataQuality, Line
from gridtally.rating.intervals import in_common_interval
from gridtally.rating.plan.span import day_numbers
from gridtally.rating.quality import ESTIMATED, NOTHING, SUBSTITUTED, DoubtfulFlows
from gridtally.rating.tariff import Part, TariffVersion
from gridtally.rating.usage import MISSING, Flow

DocumentFormat = Literal["html", "pdf", "cii", "ubl"]
"""For people, and for programs by EN 16931 in either syntax."""
_DOUBTS = (ESTIMATED, SUBSTITUTED, NOTHING)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it was made, for ever; `number` names the file."""

    id: UUID
    number: str
    format: DocumentFormat
    content: bytes


@dataclass(frozen=True, slots=True)
class IssuedBefore:
    """The customer's invoice before another, by issue, and what was due after it."""

    number: str
    amount_due: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class MeteredPeriod:
    """What was metered in a billed period, by flow: `minutes` the interval of each, Wh."""

    zone: str
    period: Period
    minutes: Mapping[Flow, int]
    series: Mapping[Flow, NDArray[np.int32]]
    doubtful: DoubtfulFlows
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, eq=False)
class InvoiceRecord:
    """An invoice with all that is stored around it, as far as a document shows it.

    A collective one has `sections`, and `parts` of all of them, but no usage by day.
    """

    id: UUID
    number: str
    customer: Customer
    meter_id: UUID
    meter_name: str | None
    period: Period
    zone: str
    currency: str
    lines: Sequence[Line]
    net: Decimal
    tax: Decimal
    total: Decimal
    issued_at: datetime
    balance: CustomerBalance
    quality: DataQuality | None
    expected_intervals: int
    tariffs: Sequence[TariffInForce]
    metered: MeteredPeriod | None
    earlier: EarlierInvoice | None
    issued_before: IssuedBefore | None
    replaces: Replacement | None
    parts: Sequence[Part] = ()
    sections: Sequence[SectionFacts] = ()
    settles_on: date | None = None

    def of_lines(self, lines: Mapping[int, Line]) -> "InvoiceRecord":
        """The same with these lines alone, by their positions from 1."""
        ends = list(accumulate(section.line_count for section in self.sections))
        counts = [
            sum(end - section.line_count < position <= end for position in lines)
            for section, end in zip(self.sections, ends, strict=True)
        ]
        sections = [
            replace(section, line_count=count)
            for section, count in zip(self.sections, counts, strict=True)
            if count
        ]
        return replace(self, lines=list(lines.values()), sections=sections)


def invoice_facts(invoice: InvoiceRecord, seller: Seller) -> InvoiceFacts:
    """What the document of an invoice shows."""
    before = invoice.balance.written_like(invoice.total, invoice.currency)
    earlier = invoice.issued_before
    facts = _facts(
        invoice,
        seller,
        kind="invoice",
        number=invoice.number,
        issued_on=local_date(invoice.zone, invoice.issued_at),
        account=Account(
            before.balance,
            before.arrears,
            None if earlier is None else earlier.number,
            None if earlier is None else earlier.amount_due,
        ),
        replaces=invoice.replaces,
    )
    return replace(facts, settles_on=invoice.settles_on)


def credit_note_facts(
    invoice: InvoiceRecord, seller: Seller, number: str, issued_at: datetime, cancels: Replacement
) -> InvoiceFacts:
    """What the document of a credit note shows: the lines of its invoice or, where it is for less,
    its own, which `invoice` has then."""
    facts = _facts(
        invoice,
        seller,
        kind="credit_note",
        number=number,
        issued_on=local_date(invoice.zone, issued_at),
        account=None,
        replaces=cancels,
    )
    if cancels.extent == "whole":
        return facts
    return replace(facts, usage=None, quality=None, expected_intervals=0)


def _buyer(customer: Customer) -> Buyer:
    """Who pays, as documents write it: by the tenant's own number, if there is one."""
    return Buyer(
        name=customer.name,
        number=customer.number or str(customer.id),
        address=Address.of(customer.billing_address or customer.supply_address),
        tax_id=customer.tax_id,
        email=customer.email,
        language=customer.language,
    )


def _facts(
    invoice: InvoiceRecord,
    seller: Seller,
    *,
    kind: DocumentKind,
    number: str,
    issued_on: date,
    account: Account | None,
    replaces: Replacement | None,
) -> InvoiceFacts:
    customer = invoice.customer
    return InvoiceFacts(
        kind=kind,
        number=number,
        issued_on=issued_on,
        seller=seller,
        buyer=_buyer(customer),
        meter=invoice.meter_name or str(invoice.meter_id),
        start_on=invoice.period.start_on,
        end_on=invoice.period.end_on,
        currency=invoice.currency,
        lines=invoice.lines,
        net=invoice.net,
        tax=invoice.tax,
        total=invoice.total,
        account=account,
        quality=invoice.quality,
        expected_intervals=invoice.expected_intervals,
        tariffs=invoice.tariffs,
        usage=None if invoice.metered is None else usage_by_day(invoice.metered),
        earlier=invoice.earlier,
        replaces=replaces,
        taxing=taxing_lines(
            invoice.lines, [part.version for part in invoice.parts], _ranges(invoice.sections)
        ),
        sections=invoice.sections,
    )


def _ranges(sections: Sequence[SectionFacts]) -> list[range] | None:
    """The indexes of the lines of each section; None without sections."""
    ends = list(accumulate(section.line_count for section in sections))
    ranges = [
        range(end - section.line_count, end) for section, end in zip(sections, ends, strict=True)
    ]
    return ranges or None


def taxing_lines(
    lines: Sequence[Line],
    versions: Iterable[TariffVersion],
    sections: Sequence[range] | None = None,
) -> dict[int, list[int]]:
    """By the index of a line, the indexes of the tax lines that are levied on it, by its tariff.

    `sections` are the indexes of the lines of each section: a tax is levied within its own.
    """
    taxes = {(version.id, tax.id): tax for version in versions for tax in version.taxes}
    taxing: dict[int, list[int]] = {}
    for section in [range(len(lines))] if sections is None else sections:
        for index in section:
            line = lines[index]
            tax = taxes.get((line.item.tariff_version_id, line.item.component_id))
            if tax is None or line.item.kind != "tax":
                continue
            for earlier in range(section.start, index):
                if _is_levied_on(tax, line, lines[earlier]):
                    taxing.setdefault(earlier, []).append(index)
    return taxing


def _is_levied_on(tax: Tax, line: Line, charge: Line) -> bool:
    """Whether a line of the tax is levied on another line, which lies on some of its days."""
    days, charged = line.item.part, charge.item.part
    is_chosen = charge.item.component_id in tax.component_ids or (
        tax.tax_class is not None and charge.item.tax_class == tax.tax_class
    )
    return is_chosen and days.start_on <= charged.start_on and charged.end_on <= days.end_on


def due_after(
    total: Decimal, balance: CustomerBalance, currency: str, settles_on: date | None
) -> Decimal:
    """What was due after an invoice of that total and the balance before it; of one that a budget
    plan settles on a day, nothing more than before."""
    before = balance.written_like(total, currency).balance
    return before if settles_on is not None else EXACT.add(total, before)


def usage_by_day(metered: MeteredPeriod) -> Usage | None:
    """Energy by local day and band; None where no active energy was metered.

    A missing interval counts as no energy, and its day as doubtful.
    """
    shown: tuple[Flow, ...] = ("import", "export")
    active = {flow: metered.series[flow] for flow in shown if flow in metered.series}
    if not active:
        return None
    minutes, series = in_common_interval(metered.minutes, active)
    days = metered.period.dates()
    day_of = day_numbers(metered.zone, metered.period, minutes)
    names, band_of = _bands(metered, minutes)
    imported = series.get("import")
    bands = [
        BandUsage(name, _by_day(imported, day_of, len(days), band_of == index))
        for index, name in [*enumerate(names), (UNCOVERED, None)]
    ]
    return Usage(
        days,
        [band for band in bands if any(band.energy_wh)],
        _by_day(series.get("export"), day_of, len(days), np.ones(len(day_of), np.bool_)),
        _doubtful_days(metered, days),
    )


def _bands(metered: MeteredPeriod, minutes: int) -> tuple[list[str], NDArray[np.int16]]:
    """The band of each interval; none where the tariff has finer edges than the intervals."""
    try:
        return bands_of_intervals(metered.parts, metered.zone, metered.period, minutes)
    except Rejected:
        return [], np.full(metered.period.slots(metered.zone, minutes), UNCOVERED, np.int16)


def _by_day(
    energy: NDArray[np.generic] | None,
    day_of: NDArray[np.int64],
    days: int,
    chosen: NDArray[np.bool_],
) -> list[int]:
    """Wh of each day, of the chosen intervals that have a value."""
    sums = np.zeros(days, np.int64)
    if energy is not None:
        counted = chosen & (energy != MISSING)
        np.add.at(sums, day_of[counted], energy[counted].astype(np.int64))
    wh: list[int] = sums.tolist()
    return wh


def _doubtful_days(metered: MeteredPeriod, days: Sequence[date]) -> frozenset[date]:
    doubtful: set[int] = set()
    for series in metered.doubtful.values():
        day_of = day_numbers(metered.zone, metered.period, series.minutes)
        doubtful.update(day_of[np.isin(series.letters, _DOUBTS)].tolist())
    return frozenset(days[index] for index in doubtful)
