"""What the ledger listens to, and which of its own topics it adopts."""

from collections.abc import Sequence
from typing import Any

from gridtally.contracts.accounts import (
    AccountChanged,
    PaymentPlanChanged,
    PaymentReceived,
    PaymentRecorded,
    SettlementRecorded,
    TransactionRecorded,
)
from gridtally.contracts.budget_plans import BudgetPlanChanged
from gridtally.contracts.commerce import (
    AgreementChanged,
    CreditNoteIssued,
    CustomerChanged,
    InvoiceIssued,
    InvoiceVoided,
)
from gridtally.contracts.direct_debits import (
    DirectDebitBatchChanged,
    DirectDebitChanged,
    DirectDebitSettingsChanged,
    MandateChanged,
)
from gridtally.contracts.dunning import (
    DunningNoticeChanged,
    DunningRulesChanged,
    DunningStopChanged,
)
from gridtally.contracts.metering import (
    MeterDefined,
    MeterRegistered,
    PropertyChanged,
    ReadingRecorded,
)
from gridtally.contracts.prepayments import PrepaymentChanged
from gridtally.contracts.registry import PaymentTermsChanged, TenantDefaultsChanged, UserChanged
from gridtally.contracts.sellers import SellerChanged
from gridtally.database import WriteConnection
from gridtally.database.plans import keep_plans
from gridtally.ledger.accounts.handlers import (
    adopted_payments,
    budget_plans,
    customers,
    direct_debits,
    dunning,
    dunning_rules,
    mandates,
    payees,
    payment_plans,
    payments,
    postings,
    prepayments,
    sellers,
    terms,
)
from gridtally.ledger.accounts.store.transactions import GROWING
from gridtally.ledger.metering.analytics.handlers import definitions
from gridtally.ledger.metering.readings.handlers import adoption as readings
from gridtally.ledger.registry.handlers import adoption as properties
from gridtally.ledger.registry.handlers import agreements, tenant_defaults
from gridtally.ledger.settings import Settings
from gridtally.messaging import Adoption, Handler, ReceivedMessage, Subscription
from gridtally.service.service import Process

SELLERS_BATCH_MAX = 20
"""A letterhead has a logo, and names of components: some 300 kB, 4 MiB at most."""


def subscriptions(_process: Process[Settings]) -> list[Subscription]:
    """Letterheads, customers, who of them is on prepayment, agreements, invoices, credit notes,
    voided invoices and payments; one consumer each."""
    return [
        Subscription(SellerChanged, sellers.apply_sellers, batch_messages_max=SELLERS_BATCH_MAX),
        Subscription(event=CustomerChanged, handle=customers.apply_customers),
        Subscription(event=PrepaymentChanged, handle=prepayments.apply_prepayments),
        Subscription(event=AgreementChanged, handle=agreements.apply_agreements),
        Subscription(event=InvoiceIssued, handle=_with_kept_plans(postings.post_invoices)),
        Subscription(event=CreditNoteIssued, handle=_with_kept_plans(postings.post_credit_notes)),
        Subscription(event=InvoiceVoided, handle=postings.record_voided_invoices),
        Subscription(event=PaymentReceived, handle=_with_kept_plans(payments.post_payments)),
    ]


# What these do in a batch are look-ups by key, and inserts with triggers and foreign keys, whose
# plans for each row cost PostgreSQL a third of an invoice.
def _with_kept_plans(handle: Handler) -> Handler:
    async def kept(tx: WriteConnection, batch: Sequence[ReceivedMessage[Any]]) -> None:
        await keep_plans(tx, GROWING)
        await handle(tx, batch)

    return kept


def adoptions() -> list[Adoption]:
    """The ledger's own topics, in the order in which one rests on another."""
    return [
        Adoption(PropertyChanged, properties.adopt_properties),
        Adoption(MeterRegistered, properties.adopt_meters),
        Adoption(MeterDefined, definitions.adopt_definitions),
        Adoption(UserChanged, properties.adopt_users),
        Adoption(PaymentTermsChanged, terms.adopt_terms),
        Adoption(TenantDefaultsChanged, tenant_defaults.adopt_defaults),
        Adoption(ReadingRecorded, readings.adopt_readings),
        Adoption(PaymentPlanChanged, payment_plans.adopt_plans),
        Adoption(BudgetPlanChanged, budget_plans.adopt_plans),
        Adoption(DunningRulesChanged, dunning_rules.adopt_rules),
        Adoption(DunningStopChanged, dunning_rules.adopt_stops),
        Adoption(DunningNoticeChanged, dunning.adopt_notices),
        Adoption(MandateChanged, mandates.adopt_mandates),
        Adoption(DirectDebitSettingsChanged, mandates.adopt_settings),
        Adoption(DirectDebitBatchChanged, direct_debits.adopt_batches),
        Adoption(DirectDebitChanged, direct_debits.adopt_debits),
        Adoption(AccountChanged, adopted_payments.adopt_balances),
        Adoption(PaymentRecorded, adopted_payments.adopt_payments),
        Adoption(TransactionRecorded, adopted_payments.adopt_transactions),
        Adoption(SettlementRecorded, payees.adopt_settlements),
    ]
