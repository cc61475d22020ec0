"""Of a million faults some are described, quickly; of few all are."""

import json

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gridtally.contracts.faults import DESCRIBED_MAX, faults_of


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount: int
    note: str


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Item] = Field(default_factory=list)
    sizes: list[int] = Field(default_factory=list)
    anything: dict[str, int] = Field(default_factory=dict)


def faults(value):
    with pytest.raises(ValidationError) as refused:
        Order.model_validate(value)
    direct = faults_of(refused.value, value, Order.model_validate)
    body = json.dumps(value).encode()
    with pytest.raises(ValidationError) as refused:
        Order.model_validate_json(body)
    assert faults_of(refused.value, body, Order.model_validate_json) == direct
    return direct


MANY = DESCRIBED_MAX + 1


@pytest.mark.parametrize(
    ("value", "count", "known"),
    [
        ({"items": [{"amount": 1}]}, 1, ("items", 0, "note")),
        ({"sizes": ["x"] * DESCRIBED_MAX}, DESCRIBED_MAX, ("sizes", DESCRIBED_MAX - 1)),
        ({"sizes": ["x"] * MANY}, MANY, ("sizes", 0)),
        ({f"f{n}": 1 for n in range(100_000)}, 100_000, ("f7",)),
        ({"items": [{}] * 50_000}, 100_000, ("items", 3, "amount")),
        ({"anything": {str(n): "x" for n in range(MANY)}}, MANY, ("anything", "5")),
        ({"sizes": [1] * 5000 + ["x"] * MANY}, MANY, None),
    ],
)
def test_faults(value, count, known):
    found = faults(value)
    locations = {fault["loc"] for fault in found}
    if count <= DESCRIBED_MAX:
        assert len(found) == count
    else:
        assert found[0]["msg"] == f"has {count} faults; some are described"
        assert len(found) <= 2 * DESCRIBED_MAX + 1
    if known is not None:
        assert known in locations


def test_what_was_cut_off_is_not_called_missing():
    """The object has both fields, after two thousand that nobody knows."""
    item = {f"f{n}": 1 for n in range(2000)} | {"amount": 1, "note": "x"}
    found = faults({"items": [item]})
    assert {fault["type"] for fault in found} == {"too_many_faults", "extra_forbidden"}
