"""The API's description names operations that there are, and every problem code of the service."""

import re
from pathlib import Path

from gridtally.http.problem_meanings import MEANINGS
from gridtally.tariff.api import API, ROUTERS

SOURCES = Path(__file__).parents[1] / "src"
RAISED = re.compile(r'\b(?:Rejected|Conflict|NotFound)\(\s*"([a-z_]+)"')
NOUNS = ("region", "tariff", "calendar", "price_series")
DESCRIBED = {
    code for by_status in API.problems.values() for codes in by_status.values() for code in codes
}


def raised():
    """The codes that the service itself raises; those of nouns are put together from them."""
    texts = [path.read_text() for path in SOURCES.rglob("*.py")]
    codes = {code for text in texts for code in RAISED.findall(text)} - {"invalid_request"}
    return codes | {f"{noun}_{what}" for noun in NOUNS for what in ("unknown", "exists")}


def test_every_code_of_the_service_is_named_by_an_operation():
    assert raised() - DESCRIBED == set()


def test_every_code_that_an_operation_names_is_explained():
    assert DESCRIBED - MEANINGS.keys() == set()


def test_the_operations_and_areas_are_those_of_the_routers():
    routes = [route for router in ROUTERS for route in router.routes]
    assert set(API.problems) <= {route.name for route in routes}
    assert set(API.areas) == {tag for route in routes for tag in route.tags}


def test_an_operation_on_one_resource_answers_404():
    for router in ROUTERS:
        for route in router.routes:
            if "{" in route.path:
                assert 404 in API.problems[route.name], route.name
