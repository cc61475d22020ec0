"""Invoices that bring arrears or credit forward, as tests/golden/arrears.json worked them out."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from billing.domain.agreements import Agreement
from billing.domain.facts import Facts, Meter
from billing.domain.invoices import Account, issue
from billing.domain.periods import ClosedPeriod, bill_periods, with_facts
from billing.domain.tariffs import InForce
from golden.bills import APRIL, ZONE, cases_of, readings_of, tariff_of

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
        expected_intervals=slots,
        present_intervals=slots,
        digest="0" * 64,
        usage_packed=b"",
        correlation_id="c",
        event=b"",
    )


def facts(case):
    agreement = Agreement(AGREEMENT, CUSTOMER, METER, VERSION, SINCE, None, "wait", 72, 1)
    flows = frozenset({"import", "export"})
    return Facts(
        agreements={(TENANT, AGREEMENT): agreement},
        meters={(TENANT, METER): Meter(Decimal(case["connected_kw"]), flows)},
        currencies={(TENANT, CUSTOMER): "EUR"},
        versions={(TENANT, VERSION): [InForce(VERSION, 1, SINCE, None)]},
        documents={(TENANT, VERSION): json.dumps(tariff_of(case))},
    )


@pytest.mark.parametrize("case_id", CASES)
def test_an_invoice_with_arrears_or_credit(case_id):
    case = CASES[case_id]
    (billed,) = bill_periods(with_facts([closed(case)], facts(case)), {}, {})
    account = Account(Decimal(case["balance"]), Decimal(case["arrears"]))
    invoice = issue(billed, "INV-2025-000001", account, NOW)
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
    assert invoice.account == account
    assert sum(line.amount for line in invoice.lines) == invoice.total
