"""What only waits, or answers a repeated call, has a loop that deletes it: in every service that
stores it, so that a service which begins to is asked too."""

import importlib

import pytest
from fastapi.routing import iter_route_contexts

from gridtally.contracts.topics import SERVICES
from gridtally.http.dependants import calls_of
from gridtally.http.idempotency import idempotent_request
from gridtally.service.process import idle_app, idle_parts


def service_of(name):
    return importlib.import_module(f"gridtally.{name}.app").SERVICE


def loops_of(name):
    _, parts = idle_parts(service_of(name))
    return {loop.name for loop in parts.loops}


def stores_answers(name):
    contexts = iter_route_contexts(idle_app(service_of(name)).routes)
    return any(idempotent_request in calls_of(context.original_route) for context in contexts)


@pytest.mark.parametrize("name", SERVICES)
def test_answers_to_idempotency_keys_expire_wherever_they_are_stored(name):
    assert stores_answers(name) == (f"{name}.idempotency_keys" in loops_of(name))


@pytest.mark.parametrize("name", SERVICES)
def test_dead_letters_expire_wherever_messages_are_read(name):
    _, parts = idle_parts(service_of(name))
    assert bool(parts.subscriptions) == (f"{name}.dead_letters" in loops_of(name))


def test_some_services_store_each_of_them():
    assert sum(map(stores_answers, SERVICES)) >= 3
    assert "ingest.pending_block_expiry" in loops_of("ingest")
