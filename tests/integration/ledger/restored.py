"""What must be the same of a ledger after a restore: what it had said, and what it stores."""

from gridtally.contracts.accounts import (
    PaymentPlanChanged,
    PaymentRecorded,
    SettlementRecorded,
    TransactionRecorded,
)
from gridtally.contracts.budget_plans import BudgetPlanChanged
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
from gridtally.contracts.registry import PaymentTermsChanged, TenantDefaultsChanged, UserChanged
from restores import rows_of

SAID = (
    PropertyChanged,
    MeterRegistered,
    MeterDefined,
    UserChanged,
    PaymentTermsChanged,
    TenantDefaultsChanged,
    ReadingRecorded,
    PaymentRecorded,
    TransactionRecorded,
    SettlementRecorded,
    PaymentPlanChanged,
    BudgetPlanChanged,
    DunningRulesChanged,
    DunningNoticeChanged,
    DunningStopChanged,
    MandateChanged,
    DirectDebitSettingsChanged,
    DirectDebitBatchChanged,
    DirectDebitChanged,
)
CREATED = ("created_at", "updated_at")
STORED = {
    "property": CREATED,
    "meter": CREATED,
    "channel": (),
    "register": (),
    "registry_user": CREATED,
    "definition": ("id", "created_at"),
    "payment_terms": (),
    "tenant_defaults": (),
    "reading_entry": ("note", "salt"),
    "transaction": ("recorded_at", "salt"),
    "posting": ("recorded_at",),
    "open_item": ("overdue_reported",),
    "allocation": ("recorded_at",),
    "adopted_payment": (),
    "payment_plan": ("look_on",),
    "budget_plan": ("look_on",),
    "dunning_rules": (),
    "dunning_run": ("started_at", "finished_at", "after_customer"),
    "dunning_notice": (),
    "dunning_stop": (),
    "mandate": (),
    "direct_debit_settings": (),
    "direct_debit_batch": (),
    "direct_debit": (),
}
"""What must be the same after a restore, without what no event carries."""


async def stored(database, tenant):
    return {
        table: await rows_of(database, table, tenant, without=without)
        for table, without in STORED.items()
    }
