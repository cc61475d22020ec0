"""Scenarios of payments, as steps: each a call of a handler, and how it ends.

They are run on the double of the accounts' stores (unit tests) and on the real ones beside it
(integration), so that the double is known to behave as the database does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from gridtally.kernel.errors import Poison, Rejected, Transient
from gridtally.kernel.resources import Cause
from gridtally.ledger.accounts.domain.commands import Command, RequestedAllocation
from gridtally.ledger.accounts.domain.reversals import Reason
from gridtally.ledger.accounts.domain.terms import Terms
from gridtally.ledger.accounts.domain.transactions import transaction_id
from gridtally.ledger.accounts.handlers import (
    commands,
    credit,
    customers,
    payments,
    postings,
    reversals,
    terms,
    unmatched_payments,
)
from integration.ledger.accounts import (
    ISSUED,
    credit_note,
    customer,
    invoice,
    partial_credit_note,
    payment,
    received,
    voided,
)

TENANT = "acme"
CAUSE = Cause(TENANT, "key", "test")
NOBODY = UUID(int=404)


@dataclass(frozen=True)
class Step:
    """A call, and the code of its refusal or words of its poison; None where it succeeds."""

    call: Callable[[Any], Awaitable[object]]
    fails: str | None = None


@dataclass
class Scenario:
    """The steps so far, and whose accounts they are about."""

    customer: UUID = field(default_factory=uuid4)
    steps: list[Step] = field(default_factory=list)

    is_known: bool = True

    def __post_init__(self):
        if self.is_known:
            self.know(self.customer)

    def know(self, *ids, currencies=("EUR", "USD")):
        """Billing publishes these customers."""
        events = [customer(id_, currency) for id_ in ids for currency in currencies]
        self.handle(customers.apply_customers, *events)

    def issue(self, *amounts, fails=None, **other):
        """Invoices of the customer, a month apart, the first the oldest."""
        events = [
            invoice(n, customer=self.customer, energy=amount, tax="0", days=30 * n, **other)
            for n, amount in enumerate(amounts)
        ]
        self.handle(postings.post_invoices, *events, fails=fails)
        return events

    def handle(self, handler, *events, fails=None):
        """A batch of messages."""
        batch = [received(event, TENANT) for event in events]
        self.steps.append(Step(lambda tx: handler(tx, batch), fails))

    def receive(self, *events, fails=None):
        """Payments from outside."""
        self.handle(payments.post_payments, *events, fails=fails)

    def cancel(self, *invoices, fails=None):
        """A credit note for each of these invoices."""
        notes = [credit_note(event) for event in invoices]
        self.handle(postings.post_credit_notes, *notes, fails=fails)
        return notes

    def credit(self, event, *amounts, fails=None, **other):
        """Credit notes of parts of an invoice, in one batch."""
        notes = [partial_credit_note(event, amount, **other) for amount in amounts]
        self.handle(postings.post_credit_notes, *notes, fails=fails)
        return notes

    def post(self, kind, amount, *allocations, fails=None, **other):
        """A command of the API."""
        command = self.command(kind, amount, *allocations, **other)
        self.steps.append(Step(lambda tx: commands.post_command(tx, TENANT, command), fails))
        return command

    def command(self, kind, amount, *allocations, **other):
        requested = tuple(RequestedAllocation(id_, Decimal(part)) for id_, part in allocations)
        fields = {
            "id": uuid4(), "customer_id": self.customer, "currency": "EUR", "reference": "R",
            "memo": "", "occurred_at": ISSUED + timedelta(days=40), "correlation_id": "c",
            "allocations": requested or None,
        }  # fmt: skip
        return Command(kind, amount=amount and Decimal(amount), **fields | other)

    def declare(self, **declared):
        """The tenant's payment terms from now on."""
        changed = Terms(**declared)
        self.steps.append(Step(lambda tx: terms.change_terms(tx, CAUSE, changed)))

    def apply_due(self):
        """A turn of the loop that applies credit."""
        now = ISSUED + timedelta(days=60)
        self.steps.append(Step(lambda tx: credit.apply_due_credits(tx, now)))

    def resolve(self, payment_id, kind="assignment", *, fails=None, **other):
        """What becomes of a payment that stands in suspense."""
        id_ = transaction_id(TENANT, payment_id)
        other = {"id": uuid4()} | other

        def command(payment):
            fields = {"customer_id": payment.customer_id, "currency": payment.currency} | other
            return self.command(kind, payment.amount, **fields)

        self.steps.append(
            Step(lambda tx: unmatched_payments.resolve_payment(tx, TENANT, id_, command), fails)
        )
        return other["id"]

    def reverse(self, document_id, *, fails=None, days=50, dated=False):
        """The reversal of what was posted for a document."""
        reason = Reason("bounced", ISSUED + timedelta(days=days), "c", is_dated=dated)
        id_ = transaction_id(TENANT, document_id)
        self.steps.append(
            Step(lambda tx: reversals.reverse_transaction(tx, TENANT, id_, reason), fails)
        )


async def outcome(begin, step):
    """How a step ends, in a transaction of its own: None, a code, or the words of a failure."""
    try:
        async with begin() as tx:
            await step.call(tx)
    except Rejected as refused:
        return refused.code
    except (Poison, Transient) as failure:
        return str(failure)
    return None


def oldest_first():
    scenario = Scenario()
    scenario.issue("100", "50", "30")
    scenario.post("payment", "120")
    scenario.post("payment", "75.5")
    return scenario


def named_by_the_api():
    scenario = Scenario()
    first, second = scenario.issue("100", "50")
    scenario.post("payment", "60", (second.invoice_id, "50"), (first.invoice_id, "10"))
    scenario.post("payment", "101", (first.invoice_id, "90.01"), fails="allocation_refused")
    scenario.post("payment", "5", (second.invoice_id, "1"), fails="allocation_refused")
    scenario.post("payment", "5", (NOBODY, "1"), fails="allocation_refused")
    return scenario


def the_same_command_again():
    scenario = Scenario()
    scenario.issue("100")
    first = scenario.post("payment", "10")
    scenario.post("payment", "10.00", id=first.id)
    scenario.post("payment", "11", id=first.id, fails="id_taken")
    scenario.post("refund", "10", id=first.id, fails="id_taken")
    return scenario


def nothing_there():
    scenario = Scenario()
    scenario.post("refund", "1", fails="credit_exceeded")
    scenario.post("allocation", None, fails="nothing_to_allocate")
    scenario.post("write_off", "1", fails="above_open_amount")
    scenario.post("payment", "1.005", fails="finer_than_currency")
    return scenario


def credit_spent():
    scenario = Scenario()
    scenario.declare(credit_allocation="manual")
    scenario.post("payment", "25")
    scenario.issue("10", "8")
    spent = scenario.post("allocation", None)
    scenario.post("refund", "7.01", fails="credit_exceeded")
    scenario.post("refund", "7")
    scenario.reverse(spent.id)
    scenario.reverse(spent.id, fails="already_reversed")
    return scenario


def from_outside():
    scenario = Scenario()
    first, second = scenario.issue("100", "50")
    wild = payment(
        scenario.customer, "130", (first.invoice_id, "70"), (first.invoice_id, "70"),
        (NOBODY, "5"), reference="x", method="bank",
    )  # fmt: skip
    plain = payment(scenario.customer, "60")
    scenario.receive(wild, plain, wild)
    scenario.receive(plain, payment(scenario.customer, "1", (second.invoice_id, "1")))
    other = wild.model_copy(update={"amount": Decimal(131)})
    scenario.receive(other, fails=f"payment {wild.payment_id} was posted with other content before")
    new = payment(scenario.customer, "3")
    twice = new.model_copy(update={"reference": "other"})
    scenario.receive(new, twice, fails=f"payment {new.payment_id} was posted with other content")
    fine = payment(scenario.customer, "1.005")
    scenario.receive(fine, fails=f"payment {fine.payment_id}: must have at most 2 decimals in EUR")
    tiny = fine.model_copy(update={"amount": Decimal("1e-9")})
    scenario.receive(tiny, fails="has more than 8 decimals")
    return scenario


def two_customers_in_a_batch():
    scenario, other = Scenario(), uuid4()
    scenario.know(other)
    scenario.issue("10")
    scenario.receive(payment(other, "4"), payment(scenario.customer, "4"), payment(other, "5"))
    scenario.receive(payment(scenario.customer, "8", currency="USD"), payment(other, "1"))
    return scenario


def cancelled_when_paid():
    scenario = Scenario()
    first, second = scenario.issue("100", "40")
    paid = scenario.post("payment", "120")
    given_up = scenario.post("write_off", "5")
    [note, _] = scenario.cancel(first, second)
    scenario.handle(postings.post_credit_notes, note)
    scenario.cancel(first, fails="cancels an invoice that was cancelled already")
    scenario.reverse(given_up.id, fails="deallocated_since")
    scenario.reverse(paid.id)
    scenario.handle(postings.record_voided_invoices, voided(note), voided(note))
    return scenario


def credited_in_part_when_paid():
    scenario = Scenario()
    first, second = scenario.issue("100", "40")
    paid = scenario.post("payment", "60", (first.invoice_id, "60"))
    given_up = scenario.post("write_off", "30", (first.invoice_id, "30"))
    scenario.credit(first, "15")
    scenario.credit(first, "30", "20")
    scenario.credit(first, "35.01", fails="credits 0.01 too much of INV-0")
    scenario.post("payment", "1")
    scenario.reverse(given_up.id, fails="deallocated_since")
    scenario.credit(first, "35", extent="rest")
    scenario.reverse(paid.id)
    scenario.credit(second, "40")
    return scenario


def credited_in_part_before_issued():
    scenario = Scenario()
    event = invoice(1, customer=scenario.customer, energy="10", tax="0")
    scenario.credit(event, "4")
    scenario.post("payment", "9")
    scenario.handle(postings.post_invoices, event)
    [note] = scenario.credit(event, "6", extent="rest")
    scenario.handle(postings.post_credit_notes, note)
    return scenario


def cancelled_before_issued():
    scenario = Scenario()
    event = invoice(1, customer=scenario.customer, energy="10", tax="0")
    scenario.cancel(event)
    scenario.handle(postings.post_invoices, event, event)
    scenario.post("payment", "5", (event.invoice_id, "5"), fails="allocation_refused")
    return scenario


def documents_that_contradict():
    scenario = Scenario()
    [event] = scenario.issue("10")
    other = event.model_copy(update={"total": Decimal("10.5")})
    scenario.handle(postings.post_invoices, other, fails="was posted with other content before")
    wrong = event.model_copy(update={"total": Decimal(100)})
    scenario.handle(postings.post_invoices, wrong, fails="its total and its lines differ by")
    return scenario


def a_charge_reversed():
    scenario = Scenario()
    charge = scenario.post("charge", "4.5", reference="FEE")
    credited = scenario.post("credit", "6")
    scenario.reverse(charge.id, days=10, dated=True, fails="before_original")
    scenario.reverse(charge.id)
    scenario.reverse(credited.id)
    scenario.reverse(NOBODY, fails="transaction_unknown")
    return scenario


def exported_energy():
    scenario = Scenario()
    scenario.declare(credit_allocation="manual")
    [export] = scenario.issue("-25")
    [issued] = scenario.issue("10")
    scenario.post("allocation", None, source="export_payable")
    paid_out = scenario.post("refund", "12", source="export_payable")
    scenario.cancel(export)
    scenario.reverse(paid_out.id, fails="deallocated_since")
    scenario.reverse(export.invoice_id, fails="already_reversed")
    scenario.reverse(issued.invoice_id, fails="not_reversible")
    return scenario


def too_much_for_an_account():
    scenario = Scenario()
    scenario.receive(payment(scenario.customer, "999999999999999.99"))
    scenario.receive(payment(scenario.customer, "0.01"), fails="balance_too_large")
    scenario.post("payment", "0.01", fails="balance_too_large")
    return scenario


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        oldest_first, named_by_the_api, the_same_command_again, nothing_there, credit_spent,
        from_outside, two_customers_in_a_batch, cancelled_when_paid, cancelled_before_issued,
        credited_in_part_when_paid, credited_in_part_before_issued,
        documents_that_contradict, a_charge_reversed, exported_energy, too_much_for_an_account,
    )
}  # fmt: skip
