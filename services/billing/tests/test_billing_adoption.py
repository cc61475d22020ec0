"""After a restore: which of the issued invoices a bill is, and what is read back from events."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from gridtally.billing.domain.adoption import AdoptedInvoice, settle_adopted, superseded
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.credit_notes import CreditNote
from gridtally.billing.domain.customers import Address, Contact, Customer, TaxExemption
from gridtally.billing.domain.invoices import Invoice, highest_serials
from gridtally.billing.domain.periods import BilledPeriod, HeldPeriod, invoice_id
from gridtally.billing.events.adoption import (
    published_agreement,
    published_credit_note,
    published_customer,
    published_invoice,
)
from gridtally.billing.events.agreements import agreement_changed
from gridtally.billing.events.customers import customer_changed
from gridtally.billing.events.invoices import credit_note_issued, invoice_issued
from gridtally.contracts.commerce import (
    AgreementChanged,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
)
from gridtally.kernel.periods import Period
from gridtally.kernel.resources import Cause, Stored
from gridtally.messaging import ReceivedMessage
from gridtally.rating.engine.lines import DataQuality, Item, Line
from gridtally.rating.quantity_steps import QuantityRounding

TENANT, AGREEMENT = "acme", UUID(int=1)
NOW = datetime(2025, 4, 2, 10, 30, tzinfo=UTC)
MARCH = Period(date(2025, 3, 1), date(2025, 4, 1))
KEY = TENANT, AGREEMENT, MARCH.start_on


def lines(amount):
    rounding = QuantityRounding(Decimal("0.01"), minutes=30)
    item = Item(
        "energy",
        "energy",
        None,
        "import",
        "kWh",
        Decimal("1E+2"),
        AGREEMENT,
        MARCH,
        None,
        "x",
        rounding,
    )
    quality = DataQuality("missing", missing_intervals=2)
    return [Line(item, Decimal(1), Decimal(amount), Decimal(amount), quality)]


def invoice(revision=1, restatement=0, amount=100):
    return Invoice(
        tenant_id=TENANT,
        id=invoice_id(KEY, revision, restatement),
        number=f"INV-2025-{revision}{restatement:05d}",
        customer_id=UUID(int=2),
        agreement_id=AGREEMENT,
        meter_id=UUID(int=3),
        start_on=MARCH.start_on,
        end_on=MARCH.end_on,
        revision=revision,
        restatement=restatement,
        currency="EUR",
        lines=lines(amount),
        net=Decimal(amount),
        tax=Decimal("0.00"),
        total=Decimal(amount),
        issued_at=NOW,
        correlation_id="c",
        brought_forward=Decimal("0.00"),
        arrears=Decimal("0.00"),
        quality=None,
    )


def billed(amount, revision=1, restatement=0):
    closed = SimpleNamespace(key=KEY, tenant_id=TENANT, revision=revision, period=MARCH)
    return BilledPeriod(
        SimpleNamespace(closed=closed), {}, SimpleNamespace(lines=lines(amount)), restatement
    )


ISSUED = {"a": (1, 0, 100), "b": (1, 1, 90), "c": (1, 2, 100), "d": (2, 0, 80)}
"""By name the revision, restatement and amount of an invoice that was issued before."""


@pytest.mark.parametrize(
    ("waiting", "bill", "live", "chosen", "replaced"),
    [
        ("", (100, 1, 0), None, None, ""),
        ("a", (100, 1, 0), None, "a", ""),
        ("ab", (100, 1, 0), None, "a", ""),  # restated later, which comes again as well
        ("b", (90, 1, 1), "a", "b", ""),
        ("bc", (100, 1, 1), "a", "c", "b"),  # two corrections that came at once
        ("bc", (100, 1, 1), "b", "c", "b"),
        ("b", (100, 1, 1), "a", "repeats", ""),  # looked at before the correction came
        ("a", (70, 1, 0), None, "a", ""),  # it would be another bill today: what was said stands
        ("ab", (70, 1, 0), None, "b", "a"),
        ("ad", (100, 1, 0), None, "a", ""),
        ("d", (100, 1, 0), None, "held", ""),  # this revision never had an invoice
        ("d", (80, 2, 0), None, "d", ""),
        ("ad", (80, 2, 0), None, "d", "a"),
        ("a", (60, 2, 0), None, None, "a"),  # the next revision had no invoice yet
    ],
)
def test_a_bill_is_the_invoice_that_was_issued_for_it(waiting, bill, live, chosen, replaced):
    before = {name: invoice(*figures) for name, figures in ISSUED.items()}
    known = {(TENANT, issued.id): issued for issued in before.values()}
    adopted = {KEY: [AdoptedInvoice(*ISSUED[name][:2], before[name].id) for name in waiting]}
    live_invoices = {} if live is None else {KEY: before[live]}
    result = billed(*bill)
    settled = settle_adopted([result], adopted if waiting else {}, known, live_invoices)
    (decided,) = settled.results
    if chosen == "held":
        assert isinstance(decided, HeldPeriod)
        assert decided.reason == "newer_revision_issued"
        assert settled.again == {}
        return
    if chosen in (None, "repeats"):
        assert (decided, settled.again) == (result, {})
    else:
        assert settled.again == {KEY: decided}
        assert decided.invoice_id == before[chosen].id
    if chosen != "repeats":
        old = {old_id for _, old_id in superseded({KEY: decided}, adopted if waiting else {})}
        assert old == {before[name].id for name in replaced}


def test_a_period_that_is_held_stays_held_with_its_own_reason():
    held = HeldPeriod(billed(100).closed, "tariff_missing", "no tariff")
    adopted = {KEY: [AdoptedInvoice(1, 0, uuid4())]}
    assert settle_adopted([held], adopted, {}, {}).results == [held]


def test_counters_go_on_after_the_highest_serial_of_each_series():
    numbers = [("a", "INV-2025-000009"), ("a", "INV-2025-1000000"), ("b", "INV-2025-000002"),
               ("a", "CN-2025-000004"), ("a", "INV-2025-000011")]  # fmt: skip
    assert highest_serials(numbers) == {
        ("a", "INV-2025"): 1_000_000, ("b", "INV-2025"): 2, ("a", "CN-2025"): 4,
    }  # fmt: skip


def as_received(message, kind):
    return ReceivedMessage(
        None if message.value is None else kind.model_validate_json(message.value),
        message.envelope, message.topic, 0, 0, message.key, message.value,
    )  # fmt: skip


def fields_of(document):
    return {name: getattr(document, name) for name in document.__slots__}


def test_an_invoice_is_read_back_as_it_was_issued():
    quality = DataQuality("estimated", 3, 0, 0, Decimal("1.5"))
    issued = replace(invoice(), quality=quality, brought_forward=Decimal("-1.20"))
    (read,) = published_invoice(as_received(invoice_issued(issued), InvoiceIssued))
    assert fields_of(read) == fields_of(issued)
    assert str(read.arrears) == "0.00"


def test_a_credit_note_is_read_back_as_it_was_issued():
    cancelled = invoice()
    note = CreditNote(
        tenant_id=TENANT, id=uuid4(), number="CN-2025-000001", invoice_id=cancelled.id,
        invoice_number=cancelled.number, customer_id=cancelled.customer_id,
        agreement_id=AGREEMENT, currency="EUR", lines=cancelled.lines, net=cancelled.net,
        tax=cancelled.tax, total=cancelled.total, reason="wrong", issued_at=NOW,
        correlation_id="c",
    )  # fmt: skip
    read = published_credit_note(as_received(credit_note_issued(note)[0], CreditNoteIssued))
    assert fields_of(read) == fields_of(note)


ADA = Customer(
    uuid4(), "Ada", "ada@example.org", "EUR", "K-1", "+49 1", "de", Address("A 1", "B", "DE"),
    Address("C 2", "D", "DE", "left", "1", "E"), (Contact("Bea", "x", "b@example.org"),), "DE1",
    (TaxExemption("vat", MARCH.start_on),), 30, MARCH.start_on,
)  # fmt: skip


@pytest.mark.parametrize("customer", [ADA, ADA.erased(NOW)])
def test_a_customer_is_read_back_as_it_was(customer):
    message = customer_changed(TENANT, Stored(customer, 3, NOW, NOW), NOW)
    assert published_customer(CustomerChanged.model_validate_json(message.value)) == customer


def test_a_customer_of_before_names_were_published_is_called_by_its_id():
    event = CustomerChanged(customer_id=UUID(int=7), currency="EUR", version=1)
    assert published_customer(event).name == str(UUID(int=7))


def test_an_agreement_is_read_back_as_it_was():
    agreement = Agreement(
        AGREEMENT, uuid4(), uuid4(), uuid4(), MARCH.start_on, MARCH.end_on, "bill_present", 24, 5,
        billing_starts_on=date(2025, 3, 9), back_billing_months=12,
    )  # fmt: skip
    message = agreement_changed(agreement, Cause(TENANT, "k", "c"), NOW)
    assert published_agreement(AgreementChanged.model_validate_json(message.value)) == agreement
