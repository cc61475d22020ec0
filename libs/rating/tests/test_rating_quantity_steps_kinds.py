"""Rounding of quantities in tiers, netting and credits: as if the meter had measured in steps.

The working stands beside each figure.
"""

from datetime import date
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.document import tariff_version
from gridtally.rating.engine.bill import rate
from gridtally.rating.quote import quote_document
from gridtally.rating.usage import Usage

LONDON = "Europe/London"
DAYS = Period(date(2025, 3, 3), date(2025, 3, 5))
TIERS = [{"limit": "1", "rate": "0.2"}, {"rate": "0.3"}]
CENT = {"step_kwh": "0.01"}
PAYOUT = {"kind": "payout"}
BANDS = {
    "windows": [{"band": "night", "from_time": "00:30", "to_time": "04:30"}],
    "default_band": "day",
}
BANDED = {
    "bands": [{"name": "day", "rate": "0.25"}, {"name": "night", "rate": "0.15"}], **BANDS
}  # fmt: skip
TIERED_BANDS = {
    "bands": [{"name": "day", "tiers": TIERS}, {"name": "night", "tiers": TIERS}], **BANDS
}  # fmt: skip
CHARGES = {
    "tiers": {"kind": "tiered", "tiers": TIERS, "limits": {"per": "day"}},
    "tiers, each day": {
        "kind": "tiered", "tiers": TIERS, "limits": {"per": "day", "reset_daily": True}
    },
    "volume": {"kind": "tiered", "tiers": TIERS, "mode": "volume"},
    "counted over months": {
        "kind": "tiered", "tiers": TIERS, "limits": {"per": "period", "reset_months": 3}
    },
    "net tiers": {"kind": "tiered", "tiers": TIERS, "flow": "net_import"},
    **{
        split: {
            "kind": "tiered_time_of_use", "split": split, "limits": {"per": "day"}, **TIERED_BANDS
        }
        for split in ("per_band", "pro_rata", "chronological")
    },
    "net metering": {"kind": "net_metering", "rate": "0.2", "surplus": PAYOUT},
    "net metering by band": {
        "kind": "net_metering", "surplus": {"kind": "carry_forward"}, "cross_band": "any", **BANDED
    },
    "net metering in tiers": {
        "kind": "net_metering", "tiers": TIERS, "surplus": {"kind": "carry_forward"},
    },
    "net billing": {
        "kind": "net_billing", "import_rate": "0.2", "export_rate": "0.1", "surplus": PAYOUT
    },
    "export credit": {"kind": "export_credit", "surplus": PAYOUT, **BANDED},
    "net export": {
        "kind": "export_credit", "rate": "0.1", "flow": "net_export", "surplus": PAYOUT
    },
}  # fmt: skip
RULES = st.fixed_dictionaries(
    {
        "step_kwh": st.sampled_from(["0.002", "0.01", "0.05", "0.2"]),
        "mode": st.sampled_from(["half_even", "half_up", "down", "up"]),
    }
)


def version_of(charge, rounding=None):
    component = {"id": "c", **charge, "quantity_rounding": rounding}
    document = {"currency": "GBP", "zone": LONDON, "components": [component]}
    return tariff_version(UUID(int=1), document)


def metered(imported, exported, days=DAYS):
    slots = days.slots(LONDON, 30)
    series = {
        flow: np.resize(np.array(values), slots).astype(np.int64)
        for flow, values in (("import", imported), ("export", exported))
    }
    return Usage(LONDON, days, 30, series)


def numbers(line):
    return line.quantity, line.amount_exact


def shown(bill):
    return [(line.item.band, *numbers(line)) for line in bill.lines], bill.state


@pytest.mark.parametrize(
    ("name", "imported", "exported", "lines"),
    [
        # half hours of 126 Wh are 0.13 kWh: 96 of them 12.48, of which 1 a day at 0.2
        ("tiers", [126], [0], [("tier-1", "2", "0.4"), ("tier-2", "10.48", "3.144")]),
        ("tiers, each day", [126], [0], [("tier-1", "2", "0.4"), ("tier-2", "10.48", "3.144")]),
        # a month's limit is 2/31 kWh for two days
        ("volume", [126], [0], [("tier-2", "12.48", "3.744")]),
        # 0.13 in, 0.02 out (15 is 0.02, to even; 25 too), whole: 96 × 0.11 = 10.56
        ("net metering", [126], [15, 25], [(None, "10.56", "2.112")]),
        # netted first: 111 and 101 are 0.11 and 0.10: 48 × 0.21 = 10.08
        ("net billing", [126], [15, 25], [(None, "10.08", "2.016"), (None, "0", "0")]),
        ("net export", [0], [126, 124], [(None, "12", "-1.2")]),  # 48 × (0.13 + 0.12)
    ],
)
def test_each_interval_is_rounded_before_it_is_counted(name, imported, exported, lines):
    (bill,) = rate(version_of(CHARGES[name], CENT), [metered(imported, exported)])
    assert [
        (line.item.band, *(format(number.normalize(), "f") for number in numbers(line)))
        for line in bill.lines
    ] == lines


@pytest.mark.parametrize("name", CHARGES)
def test_a_meter_that_measures_in_steps_has_the_same_bill(name):
    """Where nothing flows both ways at once, netting before or after makes no difference."""

    @examples(12)
    @given(st.lists(st.integers(-900, 900), min_size=48, max_size=48), RULES)
    def property_of(net, rounding):
        values = np.array(net)
        usage = metered(np.maximum(values, 0), np.maximum(-values, 0))
        rule = version_of(CHARGES[name], rounding).components[0].quantity_rounding
        stepped = metered(
            *(rule.round(usage.series[flow][None, :], [3])[0] for flow in ("import", "export"))
        )
        (rounded,) = rate(version_of(CHARGES[name], rounding), [usage])
        (measured,) = rate(version_of(CHARGES[name]), [stepped])
        assert shown(rounded) == shown(measured)

    property_of()


@pytest.mark.parametrize("name", CHARGES)
def test_usage_in_other_intervals_than_are_rounded_is_refused(name):
    version = version_of(CHARGES[name], CENT | {"minutes": 15})
    with pytest.raises(Rejected, match="give usage of 15 minutes"):
        rate(version, [metered([1], [1])])


@pytest.mark.parametrize("name", CHARGES)
def test_the_lines_of_a_quote_say_how_they_are_rounded(name):
    usage = metered([126], [0, 100])
    bills = rate(version_of(CHARGES[name], CENT), [usage])
    (period,) = quote_document([usage], bills)["periods"]
    rules = [line["quantity_rounding"] for line in period["lines"]]
    assert rules
    assert all(rule["step_kwh"] == "0.01" for rule in rules)
