"""Import and export of a meter that knows only what was used and what was generated."""

import numpy as np
import pytest

from rating.usage import MISSING, with_net

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


@pytest.mark.parametrize("flow", ["import", "export"])
def test_load_beside_import_or_export_is_refused(flow):
    with pytest.raises(ValueError, match="load already says"):
        with_net({"load": np.array([1]), flow: np.array([1])})
