"""Whatever the API document allows, and much that it does not, is answered without a crash."""

import json
from datetime import UTC, datetime
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

OPENAPI = json.loads((Path(__file__).parents[3] / "docs/openapi/billing.json").read_text())
CASES_PER_OPERATION = 10
SKIPPED = ("/health/", "/v1/keys")
ENDING = {"POST /v1/agreements/{agreement_id}/rebilling", "DELETE /v1/agreements/{agreement_id}"}
"""After which an agreement is no more."""


def cases(operation, count):
    """Requests that the operation's description allows; the same ones in every run."""
    collected = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy())
    def collect(case):
        collected.append(case)

    collect()
    return collected


async def resources(world, make):
    """Something of each kind, by the name of its place in a path: an invoice that was replaced and
    its credit note, an agreement with a held period, a day with its cost."""
    home = await world.home()
    await world.close(make.closed(home), make.closed(home, revision=2, wh=90))
    today = datetime.now(UTC).date()
    await world.use(*(make.used(home.meter_id, day) for day in (make.MARCH.start_on, today)))
    waiting = await world.agree(tariff_id=home.tariff_id)
    await world.close(make.closed(waiting))
    (old, _) = await world.invoices()
    return {
        "customer_id": str(home.customer_id),
        "agreement_id": str(home.id),
        "meter_id": str(home.meter_id),
        "invoice_id": str(old["id"]),
        "ended_agreement_id": str(waiting.id),
    }


async def test_no_request_crashes_the_service(clients, world, make):
    known = await resources(world, make)
    client = await clients(world.tenant)
    schema = schemathesis.openapi.from_dict(OPENAPI)
    crashed, answered = [], set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith(SKIPPED):
            continue
        for case in cases(operation, CASES_PER_OPERATION):
            case.path_parameters = {
                name: known.get(name, made_up)
                for name, made_up in (case.path_parameters or {}).items()
            }
            if operation.label in ENDING:
                case.path_parameters["agreement_id"] = known["ended_agreement_id"]
            sent = case.as_transport_kwargs(base_url="http://billing")
            headers = {"If-Match": "*", "Content-Type": sent["headers"].get("Content-Type", "")}
            body = {name: sent[name] for name in ("params", "json", "data") if name in sent}
            if isinstance(body.get("data"), bytes | str):
                body["content"] = body.pop("data")
            answer = await client.request(sent["method"], sent["url"], headers=headers, **body)
            if answer.status_code < 300:
                answered.add(operation.label)
            if answer.status_code >= 500:
                crashed.append((operation.label, body, answer.text))
    assert not crashed
    assert {
        "GET /v1/invoices/{invoice_id}",
        "POST /v1/customers",
        "GET /v1/agreements/{agreement_id}/preview",
        "POST /v1/agreements/{agreement_id}/preview",
    } <= answered
