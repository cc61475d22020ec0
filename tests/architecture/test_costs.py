"""Every route of every service has a class of cost, by its form or by the one table of `costs`.

Made from the routes that the services' applications have, so that a new one is asked too.
"""

import importlib

import pytest
from fastapi.routing import iter_route_contexts

from gridtally.contracts.topics import SERVICES
from gridtally.http.auth import authenticate, authenticate_operator_too
from gridtally.http.costs import CLASSES, NAMED, cost_of
from gridtally.http.dependants import calls_of
from gridtally.http.json_bodies import JsonRoute, Router
from gridtally.http.paging import Paging
from gridtally.service.process import idle_app

ROUTES_MIN = 200
CHARGED = {authenticate, authenticate_operator_too}


def routes(app):
    """Method and route of all that an application answers."""
    for context in iter_route_contexts(app.routes):
        for method in (context.methods or set()) - {"HEAD", "OPTIONS"}:
            yield method, context.original_route


def without_class(taken):
    return [f"{method} {route.path}" for method, route in taken if cost_of(route, method) is None]


@pytest.fixture(scope="module")
def charged():
    """The routes of all services that a key pays for."""
    return [
        (method, route)
        for service in SERVICES
        for method, route in routes(
            idle_app(importlib.import_module(f"gridtally.{service}.app").SERVICE)
        )
        if CHARGED & calls_of(route)
    ]


def test_every_route_takes_large_bodies_apart_beside_the_event_loop(charged):
    plain = [route.path for _, route in charged if not isinstance(route, JsonRoute)]
    assert plain == [], "make their router by gridtally.http.json_bodies.Router"


def test_every_route_has_a_class(charged):
    assert len(charged) > ROUTES_MIN
    assert without_class(charged) == [], "say in gridtally.http.costs what these cost"


def test_the_table_names_no_route_that_is_gone(charged):
    there = {f"{method} {route.path}" for method, route in charged}
    assert NAMED.keys() - there == {"POST /v1/keys"}, "the operator's token pays for no key"


def test_every_class_is_some_route(charged):
    assert {cost_of(route, method) for method, route in charged} == set(CLASSES)


@pytest.mark.parametrize(
    ("method", "path", "is_found"),
    [
        ("GET", "/v1/orders/first", True),
        ("POST", "/v1/orders/guess", True),
        ("GET", "/v1/orders/{order_id}", False),
        ("DELETE", "/v1/orders/{order_id}", False),
    ],
)
def test_a_planted_route_without_a_class_is_found(method, path, is_found):
    router = Router()

    async def answer() -> None: ...

    router.add_api_route(path, answer, methods=[method])
    assert without_class([(method, router.routes[0])]) == [f"{method} {path}"] * is_found


def test_a_page_is_a_listing_whatever_it_is_called():
    router = Router()

    async def answer(paging: Paging) -> None: ...

    router.add_api_route("/v1/orders/late", answer, methods=["GET"])
    assert cost_of(router.routes[0], "GET").name == "listing"
