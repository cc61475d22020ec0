"""Events of SEPA direct debits: who may be debited, for whom, and what was asked of the bank. A
ledger that is restored takes them over again; nobody else reads them.

They name people and their accounts. Once somebody is erased, a tombstone follows the mandate, and a
newer message without these the debit.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from gridtally.contracts.accounts import Paid
from gridtally.contracts.model import Count, Day, Event, Instant

Sequence = Literal["first", "recurrent", "one_off"]
Scheme = Literal["core", "b2b"]
SepaId = Annotated[str, Field(min_length=1, max_length=35)]
Iban = Annotated[str, Field(pattern=r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$")]
Bic = Annotated[str, Field(pattern=r"^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$")]
Name = Annotated[str, Field(min_length=1, max_length=70)]


class MandateChanged(Event):
    """The mandate by which a customer may be debited, as it is from now on; a tombstone ends it."""

    TOPIC: ClassVar[str] = "mandate.changed.v1"
    KEY: ClassVar[str] = "customer_id"

    customer_id: UUID
    """Whose invoices are collected by it."""
    mandate_id: SepaId
    """What the mandate is called; no other of the tenant is."""
    signed_on: Day
    """The day on which it was signed."""
    sequence: Sequence
    """Whether the next debit is the first, a later one, or the only one."""
    scheme: Scheme
    """By which rules of SEPA."""
    iban: Iban
    """The account that is debited."""
    bic: Bic | None = None
    """The bank of that account; null where only the IBAN is known."""
    holder: Name
    """Whose account it is."""
    last_collected_on: Day | None = None
    """When it was last collected by, before it was entered; null for never."""
    revoked_on: Day | None = None
    """Since when it may not be used; null while it may."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class DirectDebitSettingsChanged(Event):
    """For whom a tenant collects direct debits, as it is from now on."""

    TOPIC: ClassVar[str] = "direct_debit_settings.changed.v1"
    KEY: ClassVar[str] = "settings"

    settings: Literal["default"] = "default"
    """Which settings; a tenant has these."""
    creditor_id: SepaId
    """The creditor's identifier."""
    name: Name
    """The creditor's name."""
    iban: Iban
    """The account that the money comes to."""
    bic: Bic | None = None
    """The bank of that account; null where only the IBAN is known."""
    lead_days: Annotated[int, Field(ge=1, le=30)]
    """How many days before its collection a batch is made at the latest."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class DirectDebitBatchChanged(Event):
    """A batch of direct debits that was made, or cancelled since."""

    TOPIC: ClassVar[str] = "direct_debit_batch.changed.v1"
    KEY: ClassVar[str] = "batch_id"

    batch_id: UUID
    """The batch."""
    creditor_id: SepaId
    """The creditor's identifier, as the file has it."""
    creditor_name: Name
    """The creditor's name, as the file has it."""
    creditor_iban: Iban
    """The account that the money comes to."""
    creditor_bic: Bic | None = None
    """The bank of that account; null where the file does not say."""
    due_through: Day
    """The last due day of the invoices in it, in UTC."""
    collection_on: Day
    """When the bank collects it."""
    created_at: Instant
    """When it was made, in UTC."""
    cancelled_at: Instant | None = None
    """Since when it is not to be collected, in UTC; null while it is."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""


class DirectDebitChanged(Event):
    """A debit of a batch: what is collected of an invoice, by which mandate, in euros."""

    TOPIC: ClassVar[str] = "direct_debit.changed.v1"
    KEY: ClassVar[str] = "debit_id"

    debit_id: UUID
    """The debit, whose reference from end to end this is; the payment has the same id."""
    batch_id: UUID
    """The batch."""
    invoice_id: UUID
    """The invoice or charge that is collected."""
    customer_id: UUID
    """Who owes it."""
    number: Annotated[str, Field(max_length=200)]
    """What people call the invoice."""
    amount: Paid
    """How much is collected, in the currency of SEPA, the euro."""
    mandate_id: SepaId
    """By which mandate."""
    signed_on: Day
    """The day on which it was signed."""
    sequence: Sequence
    """Whether it is the first debit by the mandate, a later one, or the only one."""
    scheme: Scheme
    """By which rules of SEPA."""
    iban: Iban | None
    """The account that is debited; null once the customer is erased."""
    bic: Bic | None = None
    """The bank of that account; null where only the IBAN is known."""
    holder: Name | None
    """Whose account it is; null once the customer is erased."""
    version: Count
    """The number of the change; a higher one replaces a lower one."""
