"""Regions within regions, but never within themselves."""

from uuid import UUID

import pytest

from gridtally.kernel.errors import Rejected
from gridtally.tariff.domain.regions import REGION_LEVELS_MAX, check_lineage

IDS = [UUID(int=n) for n in range(1, 30)]


@pytest.mark.parametrize(
    ("above", "levels_below", "expected"),
    [
        ([], 0, None),
        (IDS[1:3], 2, None),
        (IDS[:1], 0, "region_cycle"),
        ([IDS[5], IDS[0]], 0, "region_cycle"),
        (IDS[1:REGION_LEVELS_MAX], 0, None),
        (IDS[1:REGION_LEVELS_MAX], 1, "region_depth"),
        (IDS[1 : REGION_LEVELS_MAX + 1], 0, "region_depth"),
    ],
)
def test_regions_lie_within_regions_but_never_within_themselves(above, levels_below, expected):
    if expected is None:
        check_lineage(IDS[0], above, levels_below)
        return
    with pytest.raises(Rejected) as refused:
        check_lineage(IDS[0], above, levels_below)
    assert refused.value.code == expected
    assert [fault.path for fault in refused.value.faults] == ["/parent_id"]
