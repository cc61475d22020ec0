"""The ledger's tables, as the migrations make them; the drift test compares the two.

Owns nothing itself: each feature has its tables in a file of its own, all over one `METADATA`. The
rules that only SQL knows (row-level security, append-only, the deferred balance) stand in the
migrations.
"""

from gridtally.ledger.accounts import tables as accounts
from gridtally.ledger.accounts.tables import budget_plans, direct_debits, dunning, prepayments
from gridtally.ledger.audit import tables as audit
from gridtally.ledger.columns import METADATA
from gridtally.ledger.metering.analytics import tables as analytics
from gridtally.ledger.metering.readings import tables as readings
from gridtally.ledger.registry import tables as registry

__all__ = [
    "METADATA",
    "accounts",
    "analytics",
    "audit",
    "budget_plans",
    "direct_debits",
    "dunning",
    "prepayments",
    "readings",
    "registry",
]
