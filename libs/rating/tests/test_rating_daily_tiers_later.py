"""Tiers that start again with days that begin after midnight, counted from bill to bill.

The working stands beside each figure.
"""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.engine.bill import rate
from gridtally.rating.state import read_state, state_document
from gridtally.rating.tariff import Part, carries_state
from gridtally.rating.usage import Usage, slots_in

BERLIN = "Europe/Berlin"
SIX = {"day_begins": "06:00"}
LIMITS = {"per": "day", "reset_daily": True}
TIERS = [{"limit": "10", "rate": "0.20"}, {"rate": "0.30"}]
TIERED = {"kind": "tiered", "id": "steps", "tiers": TIERS, "limits": LIMITS}
BANDED = {
    "kind": "tiered_time_of_use",
    "id": "steps",
    "split": "chronological",
    "limits": LIMITS,
    "bands": [{"name": "night", "tiers": TIERS}, {"name": "day", "tiers": TIERS}],
    "windows": [{"band": "night", "from_time": "22:00", "to_time": "06:00"}],
    "default_band": "day",
}
DAY = timedelta(days=1)


def hours(start_on, end_on, values, decimals=3):
    period = Period(date.fromisoformat(start_on), date.fromisoformat(end_on))
    wh = np.resize(np.array(values, np.int64), slots_in(BERLIN, period, 60))
    return Usage(BERLIN, period, 60, {"import": wh}, kwh_decimals=decimals)


def kwh(bill):
    return {line.item.band: format(line.quantity.normalize(), "f") for line in bill.lines}


def test_a_day_that_begins_at_six_counts_until_six(version_of):
    """1 kWh an hour on 3 and 4 June: 6 hours of the 2nd, 24 of the 3rd (10 and 14), 18 of the 4th
    (10 and 8): 26 and 22."""
    (bill,) = rate(version_of(TIERED, calendar=SIX), [hours("2025-06-03", "2025-06-05", [1000])])
    assert kwh(bill) == {"tier-1": "26", "tier-2": "22"}


def test_the_hours_until_six_count_on_from_the_bill_before(version_of):
    """On 3 June 8 kWh after six; of the 6 kWh before six on the 4th 2 are in the first tier."""
    version = version_of(TIERED, calendar=SIX)
    assert carries_state(version)
    (first,) = rate(version, [hours("2025-06-03", "2025-06-04", [0] * 23 + [8000])])
    state = read_state(state_document(first.state))
    (second,) = rate(
        version, [hours("2025-06-04", "2025-06-05", [1000] * 6 + [0] * 18)], states=[state]
    )
    assert kwh(second) == {"tier-1": "2", "tier-2": "4"}


def test_a_state_of_another_day_is_of_no_use(version_of):
    version = version_of(TIERED, calendar=SIX)
    (first,) = rate(version, [hours("2025-06-03", "2025-06-04", [0] * 23 + [8000])])
    (later,) = rate(
        version,
        [hours("2025-06-05", "2025-06-06", [1000] * 6 + [0] * 18)],
        states=[first.state],
    )
    assert kwh(later) == {"tier-1": "6"}


def test_tiers_of_midnights_carry_nothing(version_of):
    version = version_of(TIERED)
    assert not carries_state(version)
    assert rate(version, [hours("2025-06-03", "2025-06-04", [1000])])[0].state == {}


def test_volume_would_need_to_know_the_rest_of_the_day(version_of):
    with pytest.raises(Rejected, match="/components/0/mode: a bill that ends at midnight does not"):
        version_of(TIERED | {"mode": "volume"}, calendar=SIX)


@examples(60)
@given(
    st.sampled_from(["per_band", "chronological", "one"]),
    st.lists(st.integers(0, 3000), min_size=72, max_size=72),
    st.sampled_from(["2025-03-28", "2025-06-03", "2025-10-24"]),
    st.integers(1, 3),
    st.booleans(),
)
def test_bills_in_turn_are_what_all_days_at_once_are(version_of, split, values, start, days, tax):
    """Through both changes of the clock, over taxes that change and versions that begin within."""
    charge = TIERED if split == "one" else BANDED | {"split": split}
    start_on = date.fromisoformat(start)
    taxes = [
        {"kind": "tax", "id": "vat", "rate": "0.1", "component_ids": ["steps"],
         "from_on": (start_on + DAY).isoformat()}
    ] * tax  # fmt: skip
    version = version_of(charge, *taxes, calendar=SIX)
    whole = hours(start, (start_on + 4 * DAY).isoformat(), values)
    period, wh = whole.period, whole.series["import"]
    (at_once,) = rate(version, [whole])
    cut_on = start_on + days * DAY
    slot = slots_in(BERLIN, Period(start_on, cut_on), 60)
    pieces = [(Period(start_on, cut_on), wh[:slot]), (Period(cut_on, period.end_on), wh[slot:])]
    in_turn, state = [], {}
    for of_piece, energy in pieces:
        usage = Usage(BERLIN, of_piece, 60, {"import": energy})
        (bill,) = rate(version, [usage], states=[state])
        state = read_state(state_document(bill.state))
        in_turn.append(bill)
    assert state == at_once.state
    assert sum(sum(bill.totals_exact().values()) for bill in in_turn) == sum(
        at_once.totals_exact().values()
    )
    later = version_of(charge, *taxes, calendar=SIX, version_id=period_id(2))
    parts = [Part(pieces[0][0], version), Part(pieces[1][0], later)]
    assert rate(parts, [whole])[0].totals_exact() == at_once.totals_exact()


def period_id(number):
    return f"00000000-0000-0000-0000-{number:012}"
