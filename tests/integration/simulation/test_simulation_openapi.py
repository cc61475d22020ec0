"""Whatever the API document allows, and much that it does not, is answered without a crash."""

import json
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from integration.simulation.runs import made, run_of
from integration.simulation.test_simulation_comparisons import comparison_of, created

OPENAPI = json.loads((Path(__file__).parents[3] / "docs/openapi/simulation.json").read_text())
CASES_PER_OPERATION = 10
SKIPPED = ("/health/", "/v1/keys")


def cases(operation, count):
    """Requests that the operation's description allows; the same ones in every run."""
    requests = []

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
        requests.append(case)

    collect()
    return requests


async def resources(simulation, client):
    """The id of a resource of each kind, by its name in a path."""
    house_id, _ = await simulation.house()
    policy = {"name": "Net", "policy": {"type": "SIMPLE_NET", "retail_price_per_kwh": "0.30"}}
    return {
        "run_id": (await made(client, run_of(house_id)))["id"],
        "comparison_id": (await created(client, comparison_of(house_id)))["id"],
        "policy_id": (await client.post("/v1/simulation-policies", json=policy)).json()["id"],
        "house_node_id": str(house_id),
    }


async def test_no_request_crashes_the_service(simulation, clients, tariff_client):
    del tariff_client  # which the simulation asks for versions
    acme = await clients("acme")
    known = await resources(simulation, acme)
    schema = schemathesis.openapi.from_dict(OPENAPI)
    crashed, answered = [], 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path.startswith(SKIPPED):
            continue
        for case in cases(operation, CASES_PER_OPERATION):
            case.path_parameters = {
                name: known.get(name, given) for name, given in (case.path_parameters or {}).items()
            }
            sent = case.as_transport_kwargs(base_url="http://simulation")
            headers = {"If-Match": "*", "Content-Type": sent["headers"].get("Content-Type", "")}
            body = {name: sent[name] for name in ("params", "json", "data") if name in sent}
            if isinstance(body.get("data"), bytes | str):
                body["content"] = body.pop("data")
            answer = await acme.request(sent["method"], sent["url"], headers=headers, **body)
            answered += answer.status_code < 300
            if answer.status_code >= 500:
                crashed.append((operation.label, body, answer.text))
    assert not crashed
    assert answered > 0
