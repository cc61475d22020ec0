"""What a route asks for: the functions that it depends on, also through others."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute


def calls_of(route: object) -> set[object]:
    """The functions that a route depends on; none for what is no route of ours."""
    return set(_calls(route.dependant)) if isinstance(route, APIRoute) else set()


def _calls(dependant: Dependant) -> Iterator[object]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)
