"""Scenarios of payments for customers, or in currencies, that nobody has."""

from uuid import UUID

from doubles.ledger.scenarios import NOBODY, Scenario
from gridtally.ledger.accounts.handlers import postings
from integration.ledger.accounts import invoice, payment

SOMEBODY = UUID(int=405)


def paid_before_the_customer_is_known():
    """The payment overtakes the customer, whose two topics they are."""
    scenario = Scenario(is_known=False)
    early = payment(scenario.customer, "40")
    scenario.receive(early, early)
    scenario.post("refund", "1", fails="credit_exceeded")
    scenario.know(scenario.customer)
    scenario.know(scenario.customer)
    scenario.resolve(early.payment_id, customer_id=scenario.customer, fails="payment_resolved")
    scenario.issue("30")
    return scenario


def paid_before_the_first_invoice():
    """An invoice makes its customer known as well."""
    scenario = Scenario(is_known=False)
    scenario.receive(payment(scenario.customer, "40"), payment(scenario.customer, "5", days=4))
    scenario.issue("30", "20")
    return scenario


def paid_for_nobody():
    """A mistyped customer: the payment is assigned, taken back, and assigned to another one."""
    scenario = Scenario()
    [issued] = scenario.issue("30")
    scenario.know(SOMEBODY)
    paid = scenario.post("payment", "40", customer_id=NOBODY)
    wrong = scenario.resolve(paid.id, customer_id=SOMEBODY)
    scenario.resolve(paid.id, customer_id=scenario.customer, fails="payment_resolved")
    scenario.reverse(wrong)
    scenario.resolve(paid.id, customer_id=SOMEBODY, id=wrong, fails="id_taken")
    assigned = scenario.resolve(paid.id, customer_id=scenario.customer)
    scenario.resolve(paid.id, customer_id=scenario.customer, id=assigned)
    scenario.post("payment", "1", (issued.invoice_id, "1"), fails="allocation_refused")
    scenario.resolve(issued.invoice_id, customer_id=scenario.customer, fails="payment_unknown")
    return scenario


def bounced_when_assigned():
    """It is taken from the customer who was given it, and whose credit has paid 10 by then."""
    scenario = Scenario()
    scenario.issue("30")
    paid = scenario.post("payment", "40", customer_id=NOBODY)
    scenario.resolve(paid.id, customer_id=scenario.customer)
    scenario.issue("10")
    scenario.reverse(paid.id)
    scenario.reverse(paid.id, fails="already_reversed")
    scenario.resolve(paid.id, customer_id=scenario.customer, fails="payment_resolved")
    return scenario


def bounced_when_unmatched():
    scenario = Scenario()
    paid = scenario.post("payment", "40", customer_id=NOBODY)
    scenario.reverse(paid.id)
    scenario.resolve(paid.id, customer_id=scenario.customer, fails="payment_resolved")
    return scenario


def paid_back():
    scenario = Scenario()
    paid = scenario.post("payment", "40", customer_id=NOBODY)
    returned = scenario.resolve(paid.id, "return")
    scenario.resolve(paid.id, customer_id=scenario.customer, fails="payment_resolved")
    scenario.reverse(paid.id, fails="payment_resolved")
    scenario.reverse(returned)
    scenario.resolve(paid.id, customer_id=scenario.customer)
    return scenario


def paid_in_another_currency():
    scenario = Scenario()
    paid = payment(scenario.customer, "4000", currency="JPY")
    scenario.receive(paid)
    scenario.resolve(paid.payment_id, customer_id=scenario.customer, fails="customer_unknown")
    scenario.know(scenario.customer, currencies=("JPY",))
    return scenario


def asked_of_nobody():
    """Nothing else is booked on an account of nobody."""
    scenario = Scenario()
    scenario.post("charge", "1", customer_id=NOBODY, fails="customer_unknown")
    scenario.post("credit", "1", customer_id=NOBODY, fails="customer_unknown")
    scenario.post("refund", "1", customer_id=NOBODY, fails="credit_exceeded")
    scenario.post("payment", "1", (NOBODY, "1"), customer_id=NOBODY, fails="allocation_refused")
    named = payment(NOBODY, "7", (UUID(int=1), "7"))
    scenario.receive(named)
    scenario.resolve(named.payment_id, customer_id=SOMEBODY, fails="customer_unknown")
    lost = invoice(7, customer=SOMEBODY, energy="7", tax="0")
    scenario.handle(postings.post_invoices, lost)
    scenario.resolve(named.payment_id, customer_id=SOMEBODY)
    return scenario


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        paid_before_the_customer_is_known,
        paid_before_the_first_invoice,
        paid_for_nobody,
        bounced_when_assigned,
        bounced_when_unmatched,
        paid_back,
        paid_in_another_currency,
        asked_of_nobody,
    )
}
