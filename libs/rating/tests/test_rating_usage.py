"""Usage: days that can be billed, and import and export of a meter that has load and generation."""

from datetime import date

import numpy as np
import pytest

from gridtally.kernel.periods import Period
from gridtally.rating.usage import MISSING, Usage, with_net

NOTHING = MISSING


@pytest.mark.parametrize(
    ("load", "generation", "imported", "exported"),
    [
        ([700, 300, 500], [200, 900, 500], [500, 0, 0], [0, 600, 0]),
        ([700, 300], None, [700, 300], [0, 0]),  # no generation is measured: there is none
        ([NOTHING, 300, NOTHING], [200, NOTHING, NOTHING], [NOTHING] * 3, [NOTHING] * 3),
        ([0, 5], [0, 5], [0, 0], [0, 0]),
    ],
)
def test_generation_serves_the_load_of_its_own_interval(load, generation, imported, exported):
    series = {"load": np.array(load)}
    if generation is not None:
        series["generation"] = np.array(generation)
    derived = with_net(series)
    assert derived["import"].tolist() == imported
    assert derived["export"].tolist() == exported
    assert derived["load"].tolist() == load


def test_the_largest_narrow_values_do_not_overflow():
    load = np.array([-(2**31) + 1], np.int32)
    derived = with_net({"load": load, "generation": -load})
    assert derived["export"].tolist() == [2**32 - 2]


def test_a_meter_with_import_and_export_keeps_them():
    series = {"import": np.array([1]), "export": np.array([2])}
    assert with_net(series) == series


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01", "0001-01-02"),
        ("1899-12-31", "1900-01-02"),
        ("2200-12-31", "2201-01-02"),
        ("9999-12-01", "9999-12-31"),
    ],
)
def test_days_at_the_ends_of_the_calendar_are_refused(start, end):
    period = Period(date.fromisoformat(start), date.fromisoformat(end))
    with pytest.raises(ValueError, match=f"{start} to {end} must lie between 1900-01-01 and"):
        Usage("Europe/Berlin", period, 60, {})


@pytest.mark.parametrize("flow", ["import", "export"])
def test_load_beside_import_or_export_is_refused(flow):
    with pytest.raises(ValueError, match="load already implies"):
        with_net({"load": np.array([1]), flow: np.array([1])})
