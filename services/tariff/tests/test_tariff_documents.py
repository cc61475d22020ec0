"""The published shape of documents: that of the rating engine's dataclasses, in all its parts."""

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from gridtally.contracts.model import Amount
from gridtally.kernel import money
from gridtally.kernel.errors import Rejected
from gridtally.rating.document import KINDS, tariff_version
from gridtally.rating.field_types import Kilowatts, Rate, TaxRate, UpperLimit
from gridtally.rating.tariff import Component
from gridtally.tariff.documents import (
    CALENDAR_DOCUMENT,
    TARIFF_DOCUMENT,
    Rounding,
    check_calendar_shape,
    check_tariff_shape,
    model_of,
)

DOCS = Path(__file__).parents[3] / "docs" / "tariffs.md"
EXAMPLES = [
    json.loads(text)
    for text in re.findall(r"^```json\n(.+?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
]
NUMBERS = ["0", "1.50", "007", "12.3456789", "-0.25", "-0"]
NO_NUMBERS = [
    "1e5", "1E-2", "1_0", "+1", ".5", "5.", " 1", "1 ", "1\n", "1,5", "１", "NaN", "Infinity", "",
]  # fmt: skip
SCHEMA = TARIFF_DOCUMENT.model_json_schema()
PARTS = {"TariffDocument": SCHEMA} | SCHEMA["$defs"]


def reads(form, text):
    @dataclass(frozen=True)
    class Part:
        number: form

    return is_valid(model_of(Part), {"number": text})


def is_valid(shape, value):
    try:
        TypeAdapter(shape).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("document", EXAMPLES)
def test_the_documents_of_the_manual_have_the_published_shape(document):
    check_tariff_shape(document)


@pytest.mark.parametrize("document", EXAMPLES)
def test_a_document_with_all_its_defaults_means_the_same(document):
    complete = TARIFF_DOCUMENT.model_validate(document).model_dump(mode="json")
    version_id = UUID(int=1)
    assert tariff_version(version_id, complete) == tariff_version(version_id, document)


def test_every_kind_is_published_and_known_by_its_name():
    components = PARTS["TariffDocument"]["properties"]["components"]["items"]
    assert components["discriminator"]["propertyName"] == "kind"
    named = {
        kind: ref.rsplit("/", 1)[1] for kind, ref in components["discriminator"]["mapping"].items()
    }
    assert named == {kind: charge.__name__ for kind, charge in KINDS.items()}
    assert len(components["oneOf"]) == len(get_args(Component))


def test_a_published_part_has_the_fields_of_its_dataclass():
    for kind in get_args(Component):
        assert set(PARTS[kind.__name__]["properties"]) == {
            "kind",
            *(field.name for field in fields(kind)),
        }
    assert set(PARTS["Rounding"]["properties"]) == {field.name for field in fields(money.Rounding)}


@pytest.mark.parametrize("name", sorted(PARTS))
def test_every_part_and_field_is_described_and_closed(name):
    part = PARTS[name]
    assert part["description"]
    assert part["additionalProperties"] is False
    for field, shape in part["properties"].items():
        assert shape.get("description", "").endswith("."), f"{name}.{field} has no sentence"


def test_decimals_are_texts_with_a_pattern():
    def decimals(node):
        if isinstance(node, dict):
            if node.get("format") == "decimal":
                yield node
            for value in node.values():
                yield from decimals(value)
        elif isinstance(node, list):
            for value in node:
                yield from decimals(value)

    found = list(decimals(SCHEMA))
    assert len(found) > 20
    for shape in found:
        assert shape["type"] == "string"
        assert "pattern" in shape


@pytest.mark.parametrize("text", NUMBERS + NO_NUMBERS)
def test_documents_and_amounts_have_numbers_in_one_form(text):
    assert is_valid(Amount, text) is reads(Rate, text) is (text in NUMBERS)
    assert reads(UpperLimit, text) is (text in NUMBERS and not text.startswith("-"))
    assert not reads(Kilowatts, text) or text in NUMBERS
    assert not reads(TaxRate, text) or text in NUMBERS


@pytest.mark.parametrize("mode", ["half_even", "half_up", "down", "up"])
def test_a_published_rounding_is_one_of_the_kernel(mode):
    assert money.Rounding(mode).mode == Rounding(mode=mode).mode


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"discount": "0.5"}, "/document/components/0/discount"),
        ({"rate": 1}, "/document/components/0/rate"),
        ({"per": "week"}, "/document/components/0/per"),
        ({"id": "a b"}, "/document/components/0/id"),
        ({"kind": "magic"}, "/document/components/0"),
    ],
)
def test_a_fault_of_shape_is_pointed_at(change, path):
    charge = {"kind": "fixed", "id": "base", "rate": "1", "per": "month"}
    document = {"currency": "EUR", "zone": "UTC", "components": [charge | change]}
    with pytest.raises(Rejected) as refused:
        check_tariff_shape(document)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_a_calendar_is_a_document_of_its_own():
    check_calendar_shape({"seasons": [{"name": "all", "start": "01-01"}]})
    assert CALENDAR_DOCUMENT.__name__ == "CalendarDocument"
    with pytest.raises(Rejected) as refused:
        check_calendar_shape({"seasons": [{"name": "all", "start": "tomorrow"}]})
    assert [fault.path for fault in refused.value.faults] == ["/document/seasons/0/start"]


def test_a_type_without_a_form_in_documents_is_a_defect():
    @dataclass(frozen=True)
    class Odd:
        ratio: float

    with pytest.raises(TypeError, match="ratio: <class 'float'> has no form in a document"):
        model_of(Odd)


def test_a_field_is_described_where_it_is_declared():
    assert issubclass(model_of(KINDS["adjustment"]), BaseModel)
    described = PARTS["Adjustment"]["properties"]
    assert described["rate"]["description"].startswith("Money per kWh")  # of the per-kWh charges
    assert described["id"]["description"].startswith("Stands on each")  # of every charge
