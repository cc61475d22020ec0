"""Scenarios of customers' credit: what it pays, and where it is taken back from."""

from doubles.ledger.scenarios import Scenario
from gridtally.ledger.accounts.handlers import postings


def credit_pays_the_next_invoice():
    """500.00 for 148.80: of the 351.20 in credit the next invoice takes 134.40 at once
    (bcgov/entity#5226)."""
    scenario = Scenario()
    scenario.issue("148.80")
    scenario.post("payment", "500")
    [second] = scenario.issue("134.40")
    scenario.handle(postings.post_invoices, second, second)
    scenario.post("allocation", None, fails="nothing_to_allocate")
    return scenario


def corrected_when_paid():
    """148.80 paid, corrected to 148.60: 0.20 is left (HAForgeLabs/utilitati_romania#20)."""
    scenario = Scenario()
    [first] = scenario.issue("148.80")
    scenario.post("payment", "148.80")
    scenario.cancel(first)
    scenario.issue("148.60")
    return scenario


def corrected_before_it_is_cancelled():
    """The same, but the invoice overtakes the credit note, which lies on another topic."""
    scenario = Scenario()
    [first] = scenario.issue("148.80")
    scenario.post("payment", "148.80")
    scenario.issue("148.60")
    [note] = scenario.cancel(first)
    scenario.handle(postings.post_credit_notes, note)
    return scenario


def corrected_when_part_paid():
    """100.00 of 148.80 paid, corrected to 149.80: 49.80 are open (killbill/killbill#1464)."""
    scenario = Scenario()
    [first] = scenario.issue("148.80")
    scenario.post("payment", "100")
    scenario.cancel(first)
    scenario.issue("149.80")
    return scenario


def bounced_after_spending():
    """25 in credit paid 10 and 8, and 7 were paid out: 18 are open again, and 7 are to be paid
    back."""
    scenario = Scenario()
    paid = scenario.post("payment", "25")
    first, _ = scenario.issue("10", "8")
    scenario.post("refund", "7")
    scenario.reverse(paid.id)
    scenario.reverse(paid.id, fails="already_reversed")
    scenario.post("payment", "25", (first.invoice_id, "10.01"), fails="allocation_refused")
    return scenario


def bounced_in_part():
    """25 and 10 in credit paid 10 and 8; without the 25 there are 10, for the older one."""
    scenario = Scenario()
    paid = scenario.post("payment", "25")
    scenario.post("payment", "10")
    first, second = scenario.issue("10", "8")
    scenario.reverse(paid.id)
    scenario.post("payment", "9", (second.invoice_id, "8.01"), fails="allocation_refused")
    scenario.post("payment", "1", (first.invoice_id, "1"), fails="allocation_refused")
    return scenario


def bounced_in_part_the_oldest_first():
    """The same, but the older one is to be open again: then 8 of its 10 are."""
    scenario = Scenario()
    scenario.declare(credit_deallocation="oldest_first")
    paid = scenario.post("payment", "25")
    scenario.post("payment", "10")
    first, second = scenario.issue("10", "8")
    scenario.reverse(paid.id)
    scenario.post("payment", "1", (second.invoice_id, "1"), fails="allocation_refused")
    scenario.post("payment", "9", (first.invoice_id, "8.01"), fails="allocation_refused")
    return scenario


def bounced_when_corrected():
    """The payment of an invoice that was corrected bounces: its money pays the new one by now."""
    scenario = Scenario()
    [first] = scenario.issue("148.80")
    paid = scenario.post("payment", "148.80")
    scenario.cancel(first)
    scenario.issue("148.60")
    scenario.reverse(paid.id)
    return scenario


def a_credit_withdrawn():
    scenario = Scenario()
    credited = scenario.post("credit", "12")
    scenario.issue("10")
    scenario.reverse(credited.id)
    return scenario


def a_charge_paid_by_credit():
    scenario = Scenario()
    scenario.post("payment", "5")
    scenario.post("charge", "4.5", reference="FEE")
    return scenario


def what_is_named_stays():
    """Who says that nothing is paid means it, until something new happens; and what a person undoes
    is not done again at once."""
    scenario = Scenario()
    first, second = scenario.issue("10", "10")
    scenario.post("payment", "4", allocations=())
    scenario.post("payment", "12", (first.invoice_id, "10"))
    scenario.post("refund", "1", fails="credit_exceeded")
    scenario.post("payment", "4", allocations=())
    spent = scenario.post("allocation", "4", (second.invoice_id, "4"))
    scenario.post("refund", "1", fails="credit_exceeded")
    scenario.reverse(spent.id)
    scenario.post("payment", "2", (second.invoice_id, "4.01"), fails="allocation_refused")
    scenario.post("refund", "4.01", fails="credit_exceeded")
    scenario.post("write_off", "4", (second.invoice_id, "4"))
    scenario.issue("6")
    scenario.post("refund", "1", fails="credit_exceeded")
    scenario.post("payment", "4", allocations=())
    scenario.issue("8")
    scenario.post("payment", "4", allocations=())
    return scenario


def a_rule_that_changes():
    scenario = Scenario()
    scenario.declare(credit_allocation="manual")
    scenario.post("payment", "20")
    scenario.issue("10", "8")
    scenario.apply_due()
    scenario.post("refund", "20.01", fails="credit_exceeded")
    scenario.declare()
    scenario.apply_due()
    scenario.apply_due()
    scenario.post("refund", "2.01", fails="credit_exceeded")
    return scenario


def exported_energy_by_rule():
    """25 earned pay 10, 12 and 3 of 5."""
    scenario = Scenario()
    scenario.issue("-25")
    scenario.issue("10", "12", "5")
    scenario.post("refund", "1", source="export_payable", fails="credit_exceeded")
    return scenario


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        credit_pays_the_next_invoice,
        corrected_when_paid,
        corrected_before_it_is_cancelled,
        corrected_when_part_paid,
        bounced_after_spending,
        bounced_in_part,
        bounced_in_part_the_oldest_first,
        bounced_when_corrected,
        a_credit_withdrawn,
        a_charge_paid_by_credit,
        what_is_named_stays,
        a_rule_that_changes,
        exported_energy_by_rule,
    )
}
