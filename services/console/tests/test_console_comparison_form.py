"""The form of a comparison: choices, rows without JavaScript, refusals at their fields."""

import json
import re

import httpx
import pytest

from doubles.console import KEY, Service, console, page

HERE = "/simulations/compare"
PATH = "/v1/simulation-comparisons"
COMPARISON = {"id": "c1", "name": "Lab", "version": 3, "status": "RUNNING"}
TREE = page(
    {"id": "street", "name": "Street", "parent_id": None},
    {"id": "h1", "name": "Home", "parent_id": "street"},
)
FORM = {
    "name": "Evening", "month": "2025-04", "months": "2", "topology_root_node_id": "street",
    "source": "stored", "missing": "refused", "idempotency_key": "k1", "scenarios": "3",
    "shift": "none", "currency": "EUR",
    "label-0": "today", "choice-0": "SIMPLE_NET", "import_price-0": "0.30",
    "label-1": "named", "choice-1": "policy:p1", "import_price-1": "9",
    "label-2": "draft", "choice-2": "version:v2",
}  # fmt: skip
SHARE = {
    "shift": "fixed_share", "share": "0.1", "from_start": "17:00", "from_end": "21:00",
    "to_start": "00:00", "to_end": "04:00",
}  # fmt: skip
ELASTIC = {
    "shift": "elasticity", "bands": "2", "band-0": "peak", "start-0": "17:00", "end-0": "21:00",
    "elasticity-0": "-0.2", "band-1": "rest", "start-1": "21:00", "end-1": "17:00",
    "elasticity-1": "-0.1",
}  # fmt: skip


class Simulation(Service):
    """Answers a POST of a comparison, and that of its start, with it or with a problem."""

    problem = None
    not_started = None

    async def handle_async_request(self, request):
        path = request.url.path
        if (request.method, path) == ("POST", PATH):
            self.asked.append(request)
            if self.problem is not None:
                return self._problem(422, self.problem)
            return httpx.Response(201, json=COMPARISON)
        if path == f"{PATH}/c1/start" and self.not_started is not None:
            self.asked.append(request)
            return self._problem(422, self.not_started)
        if request.method == "DELETE":
            self.asked.append(request)
            return httpx.Response(204)
        return await super().handle_async_request(request)


@pytest.fixture
def services():
    versions = page(
        {"id": "v1", "number": 1, "status": "published"},
        {"id": "v2", "number": 2, "status": "draft"},
    )
    return {
        "ingest": Service({}),
        "billing": Service({}),
        "ledger": Service({"/v1/properties": TREE}),
        "tariff": Service(
            {
                "/v1/tariffs": page({"id": "t1", "name": "Night and day"}),
                "/v1/tariffs/t1/versions": versions,
            }
        ),
        "simulation": Simulation(
            {
                "/v1/simulation-policies": page({"id": "p1", "name": "Evening peak"}),
                f"{PATH}/c1/start": COMPARISON,
            }
        ),
    }


@pytest.fixture
async def browser(services):
    async with console(services) as opened:
        await opened.post("/sign-in", data={"key": KEY})
        yield opened


async def test_houses_policies_and_tariffs_are_chosen_from_what_is_there(browser):
    text = (await browser.get(f"{HERE}?node=h1")).text
    assert '<option value="h1" selected>\u2003Home</option>' in text
    assert text.count('<option value="policy:p1">Evening peak</option>') == 2
    assert text.count('<option value="version:v2">Night and day, version 2, draft</option>') == 2
    assert text.count('<option value="version:v1">Night and day, version 1</option>') == 2
    for shift, fields in (("none", ()), ("fixed_share", SHARE), ("elasticity", ("band-0",))):
        text = (await browser.get(f"{HERE}?shift={shift}")).text
        for name in fields:
            assert f'name="{name}"' in text, (shift, name)
    assert 'name="share"' not in (await browser.get(f"{HERE}?shift=other")).text


async def test_scenarios_and_bands_are_added_and_removed_without_javascript(browser):
    async def after(action, form=FORM):
        return (await browser.post(HERE, data=form | {"action": action})).text

    assert (await after("add")).count('name="choice-') == 4
    text = await after("remove:0")
    assert text.count('name="choice-') == 2
    assert 'name="label-0" type="text" value="named"' in text
    assert '<option value="version:v2" selected>' in text
    assert "k1" in text
    assert (await after("remove:0", FORM | {"scenarios": "2"})).count('name="choice-') == 2
    assert (await after("add", FORM | {"scenarios": "99999999999"})).count('name="choice-') == 3
    text = await after("add-band", FORM | ELASTIC)
    assert text.count('name="elasticity-') == 3
    text = await after("remove-band:0", FORM | ELASTIC)
    assert text.count('name="elasticity-') == 1
    assert 'name="band-0" type="text" value="rest"' in text


async def test_a_comparison_is_created_and_started(services, browser):
    answer = await browser.post(HERE, data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/simulations/comparisons/c1")
    new, started = services["simulation"].asked[-2:]
    assert started.url.path == f"{PATH}/c1/start"
    assert new.headers["idempotency-key"] == "k1"
    assert json.loads(new.content) == {
        "name": "Evening", "topology_root_node_id": "street", "billing_cycle_year": 2025,
        "billing_cycle_month": 4, "months": 2, "source": "stored", "missing": "refused",
        "shift": None,
        "scenarios": [
            {"label": "today", "policy": {"type": "SIMPLE_NET", "currency": "EUR",
                                          "retail_price_per_kwh": "0.30"}},
            {"label": "named", "policy_id": "p1"},
            {"label": "draft", "policy": {"type": "TARIFF", "tariff_version_id": "v2"}},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        (
            SHARE,
            {"kind": "fixed_share", "share": "0.1",
             "from_times": {"start_time": "17:00", "end_time": "21:00"},
             "to_times": {"start_time": "00:00", "end_time": "04:00"}},
        ),
        (
            ELASTIC,
            {"kind": "elasticity", "bands": [
                {"label": "peak", "start_time": "17:00", "end_time": "21:00", "elasticity": "-0.2"},
                {"label": "rest", "start_time": "21:00", "end_time": "17:00", "elasticity": "-0.1"},
            ]},
        ),
        ({"shift": "none"} | {name: SHARE[name] for name in SHARE if name != "shift"}, None),
    ],
)  # fmt: skip
async def test_use_moves_by_a_share_or_by_elasticity(services, browser, fields, sent):
    await browser.post(HERE, data=FORM | fields)
    assert json.loads(services["simulation"].asked[-2].content)["shift"] == sent


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("#/name", "name"),
        ("#/months", "months"),
        ("#/billing_cycle_month", "month"),
        ("#/topology_root_node_id", "topology_root_node_id"),
        ("#/scenarios/1/label", "label-1"),
        ("#/scenarios/0/policy/retail_price_per_kwh", "import_price-0"),
        ("#/scenarios/0/policy/export_wholesale_price_per_kwh", "export_price-0"),
        ("#/scenarios/2/policy_id", "choice-2"),
        ("#/scenarios/2", "choice-2"),
        ("#/shift/share", "share"),
        ("#/shift/to_times/end_time", "to_end"),
        ("#/shift/to_times", "to_start"),
    ],
)
async def test_a_refusal_stands_at_its_field(services, browser, pointer, name):
    services["simulation"].problem = {
        "code": "invalid_request", "detail": "one value is wrong",
        "errors": [{"pointer": pointer, "detail": "must be something else"}],
    }  # fmt: skip
    answer = await browser.post(HERE, data=FORM | SHARE)
    assert answer.status_code == 422
    [field] = re.findall(r'<div class="field wrong">.*?</div>', answer.text, re.DOTALL)
    assert "must be something else" in field
    assert f'name="{name}"' in field
    assert 'value="Evening"' in answer.text  # nothing that was filled in is lost
    assert "k1" in answer.text


@pytest.mark.parametrize(
    ("pointer", "name"),
    [("#/shift/bands/1/elasticity", "elasticity-1"), ("#/shift/bands/1", "band-1"),
     ("#/shift/bands", "band-0")],
)  # fmt: skip
async def test_a_refusal_stands_at_its_band(services, browser, pointer, name):
    services["simulation"].problem = {
        "code": "invalid_shift", "detail": "bands overlap",
        "errors": [{"pointer": pointer, "detail": "overlaps with peak"}],
    }  # fmt: skip
    answer = await browser.post(HERE, data=FORM | ELASTIC)
    [field] = re.findall(r'<div class="field wrong">.*?</div>', answer.text, re.DOTALL)
    assert f'name="{name}"' in field


async def test_what_cannot_be_started_leaves_nothing(services, browser):
    services["simulation"].not_started = {
        "code": "compare_currencies", "detail": "tariffs in several currencies: EUR, XXX",
    }  # fmt: skip
    answer = await browser.post(HERE, data=FORM)
    assert answer.status_code == 422
    assert "tariffs in several currencies" in answer.text
    deleted = next(item for item in services["simulation"].asked if item.method == "DELETE")
    assert (deleted.url.path, deleted.headers["if-match"]) == (f"{PATH}/c1", '"3"')
    assert "k1" not in answer.text  # another comparison, should it be sent again


async def test_a_dead_service_costs_its_choices_only(services, browser):
    services["tariff"].is_away = True
    text = (await browser.get(HERE)).text
    assert "Tariff does not answer" in text
    assert "policy:p1" in text
    assert "version:v1" not in text
