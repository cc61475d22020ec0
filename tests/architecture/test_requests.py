"""Requests are answered on the event loop, and what they ask for is handed to them there: a plain
function would be called in a thread, and each request would wait for several, one after another."""

import importlib
from inspect import isasyncgenfunction, isclass, iscoroutinefunction

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from doubles.console import those_that
from gridtally.console.app import build
from gridtally.console.settings import Settings
from gridtally.contracts.topics import SERVICES
from gridtally.http.dependants import calls_of
from gridtally.observability.health import Health
from gridtally.observability.metrics import Metrics
from gridtally.service.process import idle_app

ROUTES_MIN = 5


def console_app():
    urls = {f"{name}_url": f"http://{name}.test" for name in SERVICES}
    app, _ = build(
        Settings(**urls), health=Health(), metrics=Metrics("console"), transports=those_that()
    )
    return app


def app_of(service):
    if service == "console":
        return console_app()
    return idle_app(importlib.import_module(f"gridtally.{service}.app").SERVICE)


def waits_in_a_thread(call):
    if isclass(call):  # gathers the parameters of a stream, which goes on for half an hour
        return False
    is_awaited = iscoroutinefunction(call) or isasyncgenfunction(call)
    return not is_awaited and not iscoroutinefunction(type(call).__call__)


@pytest.mark.parametrize("service", [*SERVICES, "console"])
def test_nothing_of_a_request_is_called_in_a_thread(service):
    routes = [
        context.original_route
        for context in iter_route_contexts(app_of(service).routes)
        if isinstance(context.original_route, APIRoute)
    ]
    assert len(routes) > ROUTES_MIN
    calls = {call for route in routes for call in (*calls_of(route), route.endpoint)}
    assert sorted(str(call) for call in calls if waits_in_a_thread(call)) == []
