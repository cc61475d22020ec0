"""The generated OpenAPI documents are valid, and say what a caller needs.

That they are those of the code is `make docs-check`'s business.
"""

import ast
import json
import re
from pathlib import Path

import jsonschema
import pytest
from openapi_spec_validator import validate

from gridtally.contracts.topics import SERVICES
from gridtally.http.field_formats import DECIMALS
from gridtally.http.problem_meanings import MEANINGS
from gridtally.http.problem_types import markdown
from syntax_trees import nodes

ROOT = Path(__file__).parents[2]
METHODS = {"get", "put", "post", "delete", "patch"}
OPEN = {"/health/live", "/health/ready"}
OPERATION_ID_CHARS_MAX = 40
RAISED = {"Rejected": 0, "Conflict": 0, "NotFound": 0, "Refusal": 0, "HttpRefusal": 1, "Rule": 0,
          "Unreadable": 0}  # fmt: skip
"""What is raised with a problem code, and which argument it is."""
MADE_ELSEWHERE = {
    "bad_request", "internal_error", "method_not_allowed", "unavailable",
    "region_unknown", "tariff_unknown", "calendar_unknown", "price_series_unknown",
    "region_exists", "tariff_exists", "calendar_exists", "price_series_exists",
    "unknown_property", "readings_refused", "payments_refused",
}  # fmt: skip
"""Codes that are put together from a status or a resource's name."""


@pytest.fixture(params=[*SERVICES, "gridtally"], scope="module")
def openapi(request):
    return json.loads((ROOT / f"docs/openapi/{request.param}.json").read_text())


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield path, f"{method} {path}", item[method]


def test_they_are_valid():
    """The merged one, which holds every operation and schema of the others."""
    merged = json.loads((ROOT / "docs/openapi/gridtally.json").read_text())
    assert merged["openapi"].startswith("3.1")
    validate(merged)


def test_what_it_refers_to_is_there(openapi):
    found = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(openapi)))
    assert "Problem" in found
    assert found <= openapi["components"]["schemas"].keys()


def test_fields_are_documented_under_the_names_that_answers_have():
    """The documents have one form for what is read and what is answered, with the names of what is
    read: a field that is read under another name would be documented under one that no answer
    has."""
    for path in ROOT.glob("services/*/src/**/api/**/*.py"):
        assert "validation_alias" not in path.read_text(), path.relative_to(ROOT)


def test_every_operation_says_what_it_does_and_needs_a_key(openapi):
    for path, name, operation in operations(openapi):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert operation.get("security") or path in OPEN, name


def test_every_path_is_versioned_and_every_no_is_a_problem(openapi):
    shared = openapi["components"]["responses"]
    for path, name, operation in operations(openapi):
        assert path.startswith("/v1/") or path in OPEN, name
        for status, answer in operation["responses"].items():
            known = shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            if not status.startswith(("1", "2")):
                assert "application/problem+json" in known["content"], (name, status)
        assert {"default"} <= operation["responses"].keys(), name


def test_every_operation_has_a_short_name_of_its_own(openapi):
    names = [operation["operationId"] for _, _, operation in operations(openapi)]
    assert len(set(names)) == len(names)
    assert [name for name in names if "_v1_" in name or len(name) > OPERATION_ID_CHARS_MAX] == []


def test_every_area_is_described(openapi):
    described = {tag["name"] for tag in openapi["tags"] if tag["description"]}
    used = {tag for _, _, operation in operations(openapi) for tag in operation["tags"]}
    assert used == described


def test_every_field_and_parameter_says_what_it_holds(openapi):
    schemas = openapi["components"]["schemas"]
    silent = {
        f"{schema}.{name}"
        for schema, content in schemas.items()
        for name, field in content.get("properties", {}).items()
        if "description" not in field and "$ref" not in field
    } | {
        f"{name}: {parameter['name']}"
        for _, name, operation in operations(openapi)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    }
    assert not silent


def test_no_parameter_is_null_and_no_model_is_split(openapi):
    for _, name, operation in operations(openapi):
        for parameter in operation.get("parameters", []):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", []), name
    split = [name for name in openapi["components"]["schemas"] if re.search(r"-(In|Out)put$", name)]
    assert not split


def test_amounts_and_prices_are_decimals(openapi):
    for schema, content in openapi["components"]["schemas"].items():
        for name, field in content.get("properties", {}).items():
            if name in DECIMALS:
                kinds = [kind for kind in (field, *field.get("anyOf", [])) if "type" in kind]
                texts = [kind for kind in kinds if kind["type"] == "string"]
                assert all(kind.get("format") for kind in texts), f"{schema}.{name}"


def test_examples_fit_what_they_are_examples_of(openapi):
    """They come from the golden messages; most schemas have some."""
    with_examples = 0
    for schema, content in openapi["components"]["schemas"].items():
        for name, field in content.get("properties", {}).items():
            for example in field.get("examples", []):
                with_examples += 1
                bare = {key: value for key, value in field.items() if key != "description"}
                whole = bare | {"components": openapi["components"]}
                jsonschema.Draft202012Validator(whole).validate(example)
                assert name, schema
    assert with_examples > len(openapi["components"]["schemas"])


def raised_codes():
    """Every problem code that the sources name: the first text of what is raised."""
    for path in ROOT.glob("*/*/src/**/*.py"):
        for node in nodes(path.read_text(), ast.Call):
            if isinstance(node.func, ast.Name):
                position = RAISED.get(node.func.id)
                if position is not None and len(node.args) > position:
                    argument = node.args[position]
                    if isinstance(argument, ast.Constant):
                        yield argument.value


def test_every_problem_code_is_explained_and_none_is_made_up():
    raised = set(raised_codes())
    assert raised - MEANINGS.keys() == set(), "explain them in gridtally.http.problem_meanings"
    assert MEANINGS.keys() - raised - MADE_ELSEWHERE == set(), "nothing raises these any more"


def test_the_page_of_problem_codes_is_that_of_the_code():
    assert (ROOT / "docs/problems.md").read_text() == markdown()
