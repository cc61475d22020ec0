"""Invoices that bring arrears or credit forward, as tests/golden/arrears.json worked them out."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from golden.bills import APRIL, ZONE, cases_of, readings_of, tariff_of
from gridtally.billing.domain.agreements import Agreement
from gridtally.billing.domain.customers import CustomerBalance
from gridtally.billing.domain.invoices import issue
from gridtally.billing.domain.periods import ClosedPeriod, bill_periods, with_reference_data
from gridtally.billing.domain.reference_data import Meter, ReferenceData
from gridtally.billing.domain.tariffs import InForce

CASES = cases_of("arrears.json")
AGREEMENT, CUSTOMER, METER, VERSION = (UUID(int=n) for n in range(1, 5))
TENANT, SINCE = "acme", date(2025, 1, 1)
NOW = datetime(2025, 5, 2, tzinfo=UTC)


def closed(case):
    series = {flow: np.array(wh, np.int32) for flow, wh in readings_of(case).items()}
    slots = APRIL.slots(ZONE, 60)
    return ClosedPeriod(
        tenant_id=TENANT,
        agreement_id=AGREEMENT,
        meter_id=METER,
        zone=ZONE,
        period=APRIL,
        revision=1,
        closed_by="complete",
        minutes=dict.fromkeys(series, 60),
        series=series,
        doubtful={},
        expected_intervals=slots,
        present_intervals=slots,
        digest="0" * 64,
        usage_packed=b"",
        series_leaves=(),
        correlation_id="c",
        event=b"",
    )


def reference_data(case):
    agreement = Agreement(AGREEMENT, CUSTOMER, METER, VERSION, SINCE, None, "wait", 72, 1)
    flows = frozenset({"import", "export"})
    return ReferenceData(
        agreements={(TENANT, AGREEMENT): agreement},
        meters={(TENANT, METER): Meter(Decimal(case["connected_kw"]), flows)},
        currencies={(TENANT, CUSTOMER): "EUR"},
        versions={(TENANT, VERSION): [InForce(VERSION, 1, SINCE, None)]},
        documents={(TENANT, VERSION): json.dumps(tariff_of(case))},
    )


@pytest.mark.parametrize("case_id", CASES)
def test_an_invoice_with_arrears_or_credit(case_id):
    case = CASES[case_id]
    known = reference_data(case)
    (billed,) = bill_periods(with_reference_data([closed(case)], known), {}, {})
    balance = CustomerBalance(Decimal(case["balance"]), Decimal(case["arrears"]))
    invoice = issue(billed, "INV-2025-000001", balance, NOW)
    totals = billed.bill.totals()
    assert {
        "energy_charge": totals["energy"],
        "fixed_charge": totals["fixed"],
        "fac": totals["adjustment"],
        "tax": invoice.tax,
        "export_credit": -totals["credit"],
        "total": invoice.total,
        "amount_due": invoice.amount_due,
    } == {name: Decimal(amount) for name, amount in case["expect"].items()}
    assert (invoice.brought_forward, invoice.arrears) == (balance.balance, balance.arrears)
    assert sum(line.amount for line in invoice.lines) == invoice.total
