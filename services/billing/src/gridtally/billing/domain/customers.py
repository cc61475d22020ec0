"""Customers: who pays, what is known of them, and what they owe."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.billing_calendars import BillingCalendar
from gridtally.kernel.money import EXACT, in_currency

Invoicing = Literal["single", "collective"]
COLLECTIVE_GRACE_HOURS = 120
MINIMUM_PERIODS_MAX = 12
ERASED_NAME = "erased"
"""The name of a customer who was erased."""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` is ISO 3166's code of two letters."""

    street: str
    city: str
    country: str
    addition: str | None = None
    postal_code: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to speak to about a customer."""

    name: str
    role: str | None = None
    email: str | None = None
    phone_number: str | None = None


@dataclass(frozen=True, slots=True)
class TaxExemption:
    """That a customer does not pay the taxes of a class from a day on, or until another."""

    tax_class: str
    start_on: date
    end_on: date | None = None
    certificate: str | None = None

    def __post_init__(self) -> None:
        if self.end_on is not None and self.end_on <= self.start_on:
            raise ValueError("an exemption ends after it has begun")


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays, in which currency, and what is known of them.

    number               the tenant's own, unique among its customers
    payment_days         until an invoice is due; None for the tenant's payment terms
    e_invoice_consent_on the day on which the customer agreed to invoices by e-mail alone
    billing_calendar     of agreements that name none when they are made; None for months
    invoicing            whether each agreement's period has an invoice, or they share one
    collective_grace_hours  how long a collective invoice waits for its last sections
    minimum_amount       a collective invoice of less waits for the next; None for none
    minimum_periods_max  how many periods of bills wait so at most
    erased_at            when all that names the customer was erased
    merged_into          who is the same person and goes on, where this one was a duplicate
    """

    id: UUID
    name: str
    email: str | None
    currency: str
    number: str | None = None
    phone_number: str | None = None
    language: str | None = None
    billing_address: Address | None = None
    supply_address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    tax_id: str | None = None
    tax_exemptions: tuple[TaxExemption, ...] = ()
    payment_days: int | None = None
    e_invoice_consent_on: date | None = None
    billing_calendar: BillingCalendar | None = None
    invoicing: Invoicing = "single"
    collective_grace_hours: int = COLLECTIVE_GRACE_HOURS
    minimum_amount: Decimal | None = None
    minimum_periods_max: int = MINIMUM_PERIODS_MAX
    erased_at: datetime | None = None
    merged_into: UUID | None = None

    def erased(self, now: datetime) -> "Customer":
        """What is left when nothing may name a person: the id, number, currency and terms."""
        return Customer(
            id=self.id,
            name=ERASED_NAME,
            email=None,
            currency=self.currency,
            number=self.number,
            payment_days=self.payment_days,
            billing_calendar=self.billing_calendar,
            invoicing=self.invoicing,
            collective_grace_hours=self.collective_grace_hours,
            minimum_amount=self.minimum_amount,
            minimum_periods_max=self.minimum_periods_max,
            erased_at=now,
            merged_into=self.merged_into,
        )

    def __post_init__(self) -> None:
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise ValueError(f"{self.currency!r} is no currency code of three letters")
        if self.minimum_amount is not None and self.minimum_amount < 0:
            raise ValueError("minimum_amount must not be below zero")
        if self.minimum_amount is not None and self.invoicing == "single":
            raise ValueError("minimum_amount needs collective invoices, which have sections")
        if self.merged_into == self.id:
            raise ValueError("a customer is merged into another one")


ZERO = Decimal(0)
BalanceKey = tuple[str, UUID, str]
"""Tenant, customer and currency."""


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """What a customer owes in one currency (a credit is negative), and what of it is overdue.

    invoiced_total  what billing's invoices less its credit notes come to in that balance, as far
                    as the ledger had posted them; None where the ledger did not say
    """

    balance: Decimal = ZERO
    arrears: Decimal = ZERO
    invoiced_total: Decimal | None = ZERO

    def with_issued(self, issued: Decimal) -> "CustomerBalance":
        """The balance in which `issued` is what billing's documents come to, whatever the ledger
        had posted of them; what is overdue is never more than is owed."""
        if self.invoiced_total is None:
            raise ValueError("what of the balance was invoiced is unknown")
        elsewhere = EXACT.subtract(self.balance, self.invoiced_total)
        balance = EXACT.add(elsewhere, issued)
        return CustomerBalance(balance, min(self.arrears, max(balance, ZERO)), issued)

    def written_like(self, total: Decimal, currency: str) -> "CustomerBalance":
        """The same in the decimals of its currency, and no fewer than `total`: nothing is 0.00."""
        nothing = EXACT.subtract(total, total)
        balance, arrears = (
            EXACT.add(in_currency(amount, currency), nothing)
            for amount in (self.balance, self.arrears)
        )
        return CustomerBalance(balance, arrears, self.invoiced_total)


@dataclass(frozen=True, slots=True)
class Issue:
    """That an invoice of `total` is issued to a customer, after `credited` was cancelled."""

    key: BalanceKey
    total: Decimal
    credited: Decimal = ZERO

    @property
    def change(self) -> Decimal:
        """By how much the customer owes more."""
        return EXACT.subtract(self.total, self.credited)


# The ledger posts what billing issues only later, and publishes balances later still. So a balance
# cannot simply be brought forward: it may or may not contain the invoice that is replaced, and
# those issued a moment ago. The ledger says how much of its balance is billing's own documents;
# that part is set to what billing has issued by now, and what remains is payments and the like.
def balances_before(
    issues: Sequence[Issue],
    published: Mapping[BalanceKey, CustomerBalance],
    issued: Mapping[BalanceKey, Decimal],
    shown: Collection[BalanceKey] = (),
) -> list[CustomerBalance]:
    """What each customer owes just before each invoice, in their order: after the ones before it
    and, where it takes the place of another, without that one.

    `published` are the ledger's newest balances, `issued` what billing's documents came to before.
    What is overdue is named once: not where `shown` has the customer, whose live invoice of the
    same day names it, nor on a second one of these.
    """
    running, named = dict(issued), set(shown)
    before = []
    for issue in issues:
        known = published.get(issue.key, CustomerBalance())
        if known.invoiced_total is None:
            known = replace(known, invoiced_total=issued[issue.key])
        running[issue.key] = EXACT.subtract(running[issue.key], issue.credited)
        balance = known.with_issued(running[issue.key])
        if balance.arrears > 0 and issue.key in named:
            balance = replace(balance, arrears=ZERO)
        elif balance.arrears > 0:
            named.add(issue.key)
        before.append(balance)
        running[issue.key] = EXACT.add(running[issue.key], issue.total)
    return before
