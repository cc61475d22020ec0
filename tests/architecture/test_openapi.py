"""The generated OpenAPI documents are valid, and say what a caller needs.

That they are those of the code is `make docs-check`'s business.
"""

import json
import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from contracts.topics import SERVICES

ROOT = Path(__file__).parents[2]
METHODS = {"get", "put", "post", "delete", "patch"}
OPEN = {"/health/live", "/health/ready"}


@pytest.fixture(params=SERVICES)
def openapi(request):
    return json.loads((ROOT / f"docs/openapi/{request.param}.json").read_text())


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield path, f"{method} {path}", item[method]


def test_it_is_valid(openapi):
    validate(openapi)
    assert openapi["openapi"].startswith("3.1")


def test_what_it_refers_to_is_there(openapi):
    found = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(openapi)))
    assert "Problem" in found
    assert found <= openapi["components"]["schemas"].keys()


def test_every_operation_says_what_it_does_and_needs_a_key(openapi):
    for path, name, operation in operations(openapi):
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert operation.get("security") or path in OPEN, name


def test_every_path_is_versioned_and_every_no_is_a_problem(openapi):
    for path, name, operation in operations(openapi):
        assert path.startswith("/v1/") or path in OPEN, name
        assert "application/problem+json" in operation["responses"]["default"]["content"], name
