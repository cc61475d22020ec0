"""What becomes of closed periods, with billing's store in memory.

`tests/integration/billing/test_billing_double.py` plays the same scenarios on PostgreSQL.
"""

import inspect

import pytest

from doubles.billing import store as memory
from doubles.billing.balances import Balances
from doubles.billing.drafts import Drafts
from doubles.billing.due_days import DueDays
from doubles.billing.scenarios import SCENARIOS
from doubles.billing.worlds import in_memory
from gridtally.billing.store import (
    adopted_invoices,
    agreements,
    balances,
    credit_notes,
    drafts,
    due_days,
    evidence,
    held_periods,
    invoices,
    numbers,
    periods,
    reference_data,
)

PAIRS = [
    (memory.AdoptedInvoices, adopted_invoices),
    (memory.Agreements, agreements),
    (Balances, balances),
    (memory.CreditNotes, credit_notes),
    (Drafts, drafts),
    (DueDays, due_days),
    (memory.Evidence, evidence),
    (memory.HeldPeriods, held_periods),
    (memory.Invoices, invoices),
    (memory.Numbers, numbers),
    (memory.Periods, periods),
    (memory.ReferenceDataStore, reference_data),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[play.__name__ for play in SCENARIOS])
async def test_a_closed_period(scenario, monkeypatch):
    await scenario(in_memory(monkeypatch))


@pytest.mark.parametrize(("double", "module"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_the_double_takes_the_arguments_of_the_store(double, module):
    for name, function in inspect.getmembers(double, inspect.iscoroutinefunction):
        _, *parameters = inspect.signature(function).parameters
        assert parameters == [*inspect.signature(getattr(module, name)).parameters], name
