"""Composition: from facts to the document, in the reader's language."""

from decimal import Decimal

from gridtally.documents.charges import charges_section
from gridtally.documents.chart import usage_chart
from gridtally.documents.comparison import Difference, difference
from gridtally.documents.document import Document, Fact, Row, Section, Table
from gridtally.documents.facts import InvoiceFacts, Replacement, Texts
from gridtally.documents.language import Wording, wording_of
from gridtally.documents.letterhead import (
    buyer_lines,
    footer_of,
    seller_lines,
    text_section,
    texts_of,
)
from gridtally.kernel.periods import Period

ZERO = Decimal(0)


def compose(facts: InvoiceFacts) -> Document:
    """The document in the buyer's language, or the seller's."""
    wording = wording_of(facts.buyer.language, facts.seller.language)
    texts = texts_of(facts.seller, wording)
    sections = (
        _comparison_section(facts, wording),
        _usage_section(facts, wording),
        charges_section(facts, wording),
        _account_section(facts, wording),
        _readings_section(facts, wording),
        _tariff_section(facts, wording),
        text_section("questions", wording.say("Questions and complaints"), texts.questions),
    )
    headline, note = _headline(facts, wording, texts)
    return Document(
        language=wording.language,
        title=_title(facts, wording),
        number=facts.number,
        accent=facts.seller.accent,
        logo=facts.seller.logo,
        seller_name=facts.seller.name,
        seller_lines=seller_lines(facts.seller, wording),
        buyer_lines=buyer_lines(facts.buyer, wording),
        facts=_facts(facts, wording),
        headline=headline,
        headline_note=note,
        notices=_notices(facts, wording),
        sections=tuple(section for section in sections if section is not None),
        footer=footer_of(facts.seller, texts, wording),
        page_words=(wording.say("Page"), wording.say("of")),
        issued_on=facts.issued_on.isoformat(),
    )


def _title(facts: InvoiceFacts, wording: Wording) -> str:
    return wording.say("Invoice" if facts.kind == "invoice" else "Credit note")


def _facts(facts: InvoiceFacts, wording: Wording) -> tuple[Fact, ...]:
    say = wording.say
    number = say("Invoice number" if facts.kind == "invoice" else "Credit note number")
    shown = [
        Fact(number, facts.number),
        Fact(say("Date"), wording.day(facts.issued_on)),
        Fact(say("Period"), wording.days(facts.start_on, facts.end_on)),
        Fact(say("Customer number"), facts.buyer.number),
        Fact(say("Meter"), facts.meter),
    ]
    if facts.buyer.tax_id:
        shown.append(Fact(say("Your tax number"), facts.buyer.tax_id))
    return tuple(shown)


def _headline(facts: InvoiceFacts, wording: Wording, texts: Texts) -> tuple[Fact, str]:
    """The amount that stands out, and what stands below it."""
    if facts.kind == "credit_note":
        return Fact(wording.say("Credited"), wording.money(facts.total, facts.currency)), ""
    due = facts.amount_due
    if due < 0:
        label = wording.say("In your favour")
        return Fact(label, wording.money(-due, facts.currency)), ""
    note = texts.payment_terms or ""
    return Fact(wording.say("Amount due"), wording.money(due, facts.currency)), note if due else ""


def _credited(replaced: Replacement, wording: Wording) -> str:
    """How much of its invoice a credit note is for."""
    number = replaced.number
    match replaced.extent:
        case "whole":
            return wording.say(
                "This credit note cancels the whole of invoice {number}.", number=number
            )
        case "part":
            return wording.say("This credit note is for a part of invoice {number}.", number=number)
        case "rest":
            return wording.say(
                "This credit note cancels what was left of invoice {number}.", number=number
            )


def _notices(facts: InvoiceFacts, wording: Wording) -> tuple[str, ...]:
    """What a reader must not miss: that a document takes another's place, and estimates."""
    notices = []
    replaced = facts.replaces
    if facts.settles_on is not None:
        notices.append(
            wording.say(
                "This invoice is covered by your budget plan and settled with it by {day}. You pay "
                "your monthly amounts, and nothing for this invoice by itself.",
                day=wording.day(facts.settles_on),
            )
        )
    if replaced is not None and facts.kind == "credit_note":
        notices.append(_credited(replaced, wording))
    elif replaced is not None:
        notices.append(
            wording.say(
                "This invoice takes the place of invoice {number}, which is cancelled.",
                number=replaced.number,
            )
        )
    if replaced is not None and replaced.reason is not None:
        notices.append(wording.say("Reason: {reason}", reason=replaced.reason))
    if replaced is not None and replaced.cause == "revision":
        notices.append(wording.say("Reason: readings of the period were corrected."))
    if replaced is not None and replaced.cause == "restatement":
        notices.append(wording.say("Reason: the invoice of an earlier period was corrected."))
    for number, section in enumerate(facts.sections, start=1):
        if section.is_changed:
            notices.append(
                wording.say(
                    "Section {number} was corrected (meter {meter}).",
                    number=str(number),
                    meter=section.meter,
                )
            )
    if facts.quality is not None and facts.quality.worst != "actual":
        notices.append(
            wording.say(
                "Some of the values are not actual readings; see “{section}”.",
                section=wording.say("Readings"),
            )
        )
    return tuple(notices)


def _comparison_section(facts: InvoiceFacts, wording: Wording) -> Section | None:
    earlier = facts.earlier
    if earlier is None or facts.kind == "credit_note":
        return None
    taken = difference(facts.lines, earlier.lines, facts.currency)
    days = Period(facts.start_on, facts.end_on).days
    days_before = Period(earlier.start_on, earlier.end_on).days
    sentence = wording.say(
        "{period} ({days} days) against {earlier} ({earlier_days} days, invoice {number}).",
        period=wording.days(facts.start_on, facts.end_on),
        days=str(days),
        earlier=wording.days(earlier.start_on, earlier.end_on),
        earlier_days=str(days_before),
        number=earlier.number,
    )
    rows = _difference_rows(facts, taken, earlier.total, wording)
    head = (wording.say("Cause"), wording.say("Amount ({currency})", currency=facts.currency))
    title = wording.say("Why it differs from last time")
    return Section("comparison", title, (sentence,), table=Table(head, rows))


def _difference_rows(
    facts: InvoiceFacts, taken: Difference, earlier_total: Decimal, wording: Wording
) -> tuple[Row, ...]:
    kwh = wording.kwh(int(abs(taken.kwh) * 1000))
    energy = wording.say("More energy: {kwh}" if taken.kwh > 0 else "Less energy: {kwh}", kwh=kwh)
    causes = (
        (energy if taken.kwh else wording.say("Energy"), taken.usage),
        (wording.say("Other rates, or other times of use"), taken.rates),
        (wording.say("Charges by time and power"), taken.other_charges),
        (wording.say("Charges that began or ended"), taken.began_or_ended),
        (wording.say("Taxes"), taken.taxes),
    )
    rows = [
        Row((wording.say("Last time"), wording.amount(earlier_total, facts.currency))),
        *(
            Row((label, wording.change(amount, facts.currency)))
            for label, amount in causes
            if amount
        ),
        Row((wording.say("This time"), wording.amount(facts.total, facts.currency)), "total"),
    ]
    return tuple(rows)


def _usage_section(facts: InvoiceFacts, wording: Wording) -> Section | None:
    usage = facts.usage
    if usage is None or not (chart := usage_chart(usage, wording)):
        return None
    by_band = [(band.band or wording.say("Imported"), sum(band.energy_wh)) for band in usage.bands]
    imported = sum(energy_wh for _, energy_wh in by_band)
    rows = [
        Row((name, wording.kwh(energy_wh), _share(energy_wh, imported, wording)))
        for name, energy_wh in by_band
    ]
    if len(by_band) > 1:
        rows.append(Row((wording.say("Imported"), wording.kwh(imported), ""), "sum"))
    if exported := sum(usage.exported_wh):
        rows.append(Row((wording.say("Exported"), wording.kwh(exported), "")))
    days = len(usage.days)
    mean = wording.say("{kwh} a day on average.", kwh=wording.kwh(imported // days))
    head = (wording.say("Time of use"), wording.say("Energy"), wording.say("Share"))
    return Section(
        "usage",
        wording.say("Your usage by day"),
        (mean,),
        chart,
        wording.say("Energy of each day by time of use, in kWh."),
        Table(head, tuple(rows)),
    )


def _share(energy_wh: int, whole_wh: int, wording: Wording) -> str:
    if not whole_wh:
        return ""
    return wording.percent((Decimal(energy_wh) / whole_wh).quantize(Decimal("0.001")))


def _account_section(facts: InvoiceFacts, wording: Wording) -> Section | None:
    account = facts.account
    if account is None or facts.kind == "credit_note":
        return None
    say, currency = wording.say, facts.currency
    rows = []
    if account.earlier_number is not None and account.earlier_due is not None:
        label = say("Due after invoice {number}", number=account.earlier_number)
        rows.append(Row((label, wording.amount(account.earlier_due, currency))))
        since = account.brought_forward - account.earlier_due
        rows.append(Row((say("Payments and credits since"), wording.change(since, currency))))
    rows.append(
        Row(
            (say("Balance before this invoice"), wording.amount(account.brought_forward, currency)),
            "sum",
        )
    )
    if account.arrears:
        rows.append(Row((say("of which overdue"), wording.amount(account.arrears, currency))))
    rows.append(Row((say("This invoice"), wording.amount(facts.total, currency))))
    if facts.settles_on is not None:
        covered = wording.change(-facts.total, currency)
        rows.append(Row((say("Covered by your budget plan"), covered)))
    rows.append(Row((say("Amount due"), wording.amount(facts.amount_due, currency)), "total"))
    head = (say("Balance"), say("Amount ({currency})", currency=currency))
    return Section("account", say("Your account"), table=Table(head, tuple(rows)))


def _readings_section(facts: InvoiceFacts, wording: Wording) -> Section | None:
    quality, all_intervals = facts.quality, wording.quantity(Decimal(facts.expected_intervals))
    if quality is None:
        return None
    title = wording.say("Readings")
    if quality.worst == "actual":
        sentence = wording.say("All values of this period are actual readings.")
        return Section("readings", title, (sentence,))
    sentences = [wording.say("The period has {count} intervals.", count=all_intervals)]
    estimated = {
        "count": wording.quantity(Decimal(quality.estimated_intervals)),
        "kwh": wording.quantity(quality.estimated_kwh),
    }
    substituted = {
        "count": wording.quantity(Decimal(quality.substituted_intervals)),
        "kwh": wording.quantity(quality.substituted_kwh),
    }
    missing = wording.quantity(Decimal(quality.missing_intervals))
    if quality.estimated_intervals:
        sentences.append(
            wording.say(
                "Estimated, because no reading had arrived: {count} intervals with {kwh} kWh.",
                **estimated,
            )
        )
    if quality.substituted_intervals:
        sentences.append(
            wording.say(
                "Substituted for faulty readings: {count} intervals with {kwh} kWh.", **substituted
            )
        )
    if quality.missing_intervals:
        sentences.append(
            wording.say("Without any value, and not charged: {count} intervals.", count=missing)
        )
    sentences.append(
        wording.say("Once actual readings arrive, the invoice is corrected by itself.")
    )
    return Section("readings", title, tuple(sentences))


def _tariff_section(facts: InvoiceFacts, wording: Wording) -> Section | None:
    sentences = tuple(
        wording.say(
            "{name}, version {number}, in force since {day}.",
            name=tariff.name or wording.say("Tariff"),
            number=str(tariff.number),
            day=wording.day(tariff.effective_from),
        )
        for tariff in facts.tariffs
    )
    how = wording.say(
        "Quantity × rate is the exact amount; rounded, it is the amount that you pay."
    )
    if not sentences:
        return None
    return Section("tariff", wording.say("Your tariff"), (*sentences, how))
