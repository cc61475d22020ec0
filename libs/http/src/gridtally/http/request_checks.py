"""Checks of every request: no part of one is ignored silently.

A misspelt filter would show everything. Owns what every endpoint's query must be, and refuses the
bodies in which `json_bodies` has found something wrong; what a parameter means is the endpoint's.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection

from gridtally.http.adoption_gate import AdoptionGate
from gridtally.http.json_bodies import JsonRequest
from gridtally.http.problems import FAULTS_MAX, pointer
from gridtally.kernel.errors import Fault, Rejected

GUESSED_CHARS_MAX = 100
"""Of an unknown parameter: a longer one is compared with none that is known."""


class RequestChecks:
    """The dependency of every router that a service brings; a WebSocket has a query and no body."""

    def __init__(self) -> None:
        self._parameters: dict[Callable[..., Any], frozenset[str]] = {}

    async def __call__(self, connection: HTTPConnection) -> None:
        """Rejected for a parameter that the endpoint does not know or that comes twice; the refusal
        of its JSON body; HttpRefusal for a write that must wait for an adoption."""
        gate: AdoptionGate | None = getattr(connection.app.state, "adoption_gate", None)
        if gate is not None and isinstance(connection, Request):
            await gate.check(connection)
        route: APIRoute | APIWebSocketRoute = connection.scope["route"]
        if faults := _faults(connection.query_params, self._known(route)):
            raise Rejected("invalid_request", "the query is not as it must be", faults)
        if isinstance(connection, JsonRequest) and connection.refusal is not None:
            raise connection.refusal

    def _known(self, route: APIRoute | APIWebSocketRoute) -> frozenset[str]:
        if route.endpoint not in self._parameters:
            self._parameters[route.endpoint] = frozenset(_declared(route.dependant))
        return self._parameters[route.endpoint]


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _declared(dependency)


def _faults(parameters: QueryParams, known: Collection[str]) -> tuple[Fault, ...]:
    """No endpoint takes a list, so each name comes once."""
    times = Counter(name for name, _ in parameters.multi_items())
    wrong = [name for name in times if name not in known or times[name] > 1][:FAULTS_MAX]
    return tuple(
        Fault(pointer(["query", name]), "is given twice" if name in known else _unlike(name, known))
        for name in wrong
    )


def _unlike(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, 1) if len(name) <= GUESSED_CHARS_MAX else []
    return f"is not known here; is `{close[0]}` meant?" if close else "is not known here"
