"""Simulations: what moves by itself, the rows of a form, refusals at their fields, comparisons."""

import json
import re

import httpx
import pytest

from doubles.console import KEY, Service, console, page

RUN = {
    "id": "r1", "name": "April", "billing_cycle_month": 12, "billing_cycle_year": 2025,
    "source": "generated", "policy": {"type": "SIMPLE_NET"}, "status": "RUNNING", "error": None,
    "progress": {"houses": 5, "houses_done": 2}, "started_at": "2026-01-02T10:00:00Z",
    "ended_at": None, "tariff_document": {"components": []},
}  # fmt: skip
BILL = {
    "house_node_id": "h1", "house_name": "Home", "total_energy_imported_kwh": "142.000",
    "total_energy_exported_kwh": "643.000", "net_energy_balance_kwh": "-501.000",
    "calculated_bill_amount": "144.00", "currency": "XXX",
    "bill_details": {
        "total": "144.00",
        "lines": [
            {"component_id": "fixed", "band": None, "kind": "fixed", "quantity": "15",
             "unit": "kW", "rate": "210", "amount_exact": "3150", "amount": "3150.00"},
            {"component_id": "energy", "band": None, "kind": "credit", "quantity": "501",
             "unit": "kWh", "rate": "-6", "amount_exact": "-3006", "amount": "-3006.00"},
        ],
    },
}  # fmt: skip
TOTALS = {
    "total_amount": "144.00", "least_amount": "144.00", "greatest_amount": "144.00",
    "currency": "XXX", "total_energy_imported_kwh": "142.000",
    "total_energy_exported_kwh": "643.000",
}  # fmt: skip
PART = {"houses": 1, "difference": "-12.00"}
SCENARIO = {
    "label": "draft", "revenue": "332.00", "difference": "38.00", "winners": PART,
    "losers": {"houses": 1, "difference": "50.00"}, "unchanged": 1, "peak_kw": "320.000",
    "load_factor": "0.0021", "shifted": None,
    "deciles": [{"decile": 1, "houses": 1, "least": "-12.00", "greatest": "-12.00",
                 "difference": "-12.00"}],
    "histogram": [{"from_difference": "-12.00", "to_difference": "3.5", "houses": 2},
                  {"from_difference": "3.5", "to_difference": "50.00", "houses": 1}],
    "most_gaining": [{"house_node_id": "h2", "house_name": "Gainer", "amount": "48.00",
                      "difference": "-12.00"}],
    "most_losing": [],
    "by_component": [{"component_id": "energy", "kind": "energy", "amount": "332.00"}],
    "by_month": [{"month_on": "2025-04-01", "amount": "332.00"}],
}  # fmt: skip
COMPARISON = RUN | {
    "id": "c1", "name": "Spring", "months": 2, "status": "COMPLETED",
    "scenarios": [{"label": "today"}, {"label": "draft"}],
}  # fmt: skip
TREE = page(
    {"id": "street", "name": "Street", "parent_id": None},
    {"id": "h1", "name": "Home", "parent_id": "street"},
)
PERIODS = {
    "label-0": "peak", "start_time-0": "17:00", "end_time-0": "21:00",
    "import_retail_rate_per_kwh-0": "8", "label-1": "rest", "start_time-1": "21:00",
    "end_time-1": "17:00", "import_retail_rate_per_kwh-1": "4",
}  # fmt: skip
FORM = {
    "type": "TOU_RATE", "rows": "2", "name": "Evening", "month": "2025-04",
    "topology_root_node_id": "street", "source": "stored", "missing": "refused",
    "idempotency_key": "k1", "credit_policy": "lost", "currency": "EUR",
} | PERIODS  # fmt: skip


class Simulation(Service):
    """Answers a POST of a run with it, or with the problem that it is given."""

    problem = None

    async def handle_async_request(self, request):
        is_new = (request.method, request.url.path) == ("POST", "/v1/simulation-runs")
        if not is_new:
            return await super().handle_async_request(request)
        self.asked.append(request)
        if self.problem is not None:
            return self._problem(422, self.problem)
        return httpx.Response(201, json=RUN)


@pytest.fixture
def services():
    empty = {name: Service({}) for name in ("ingest", "tariff", "billing")}
    results = {
        "currency": "XXX", "repeated": None, "status": "COMPLETED",
        "scenarios": [SCENARIO | {"label": "today"}, SCENARIO],
    }  # fmt: skip
    return empty | {
        "ledger": Service({"/v1/properties": TREE}),
        "simulation": Simulation(
            {
                "/v1/simulation-runs": page(RUN),
                "/v1/simulation-comparisons": page(COMPARISON),
                "/v1/simulation-runs/r1": RUN,
                "/v1/simulation-runs/r1/start": RUN,
                "/v1/simulation-runs/r1/totals": TOTALS,
                "/v1/simulation-runs/r1/house-bills": page(BILL),
                "/v1/simulation-runs/r1/house-bills/h1": BILL,
                "/v1/simulation-comparisons/c1": COMPARISON,
                "/v1/simulation-comparisons/c1/results": results,
            }
        ),
    }


@pytest.fixture
async def browser(services):
    async with console(services) as opened:
        await opened.post("/sign-in", data={"key": KEY})
        yield opened


async def text_of(browser, path):
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_run_at_work_moves_by_itself_and_one_that_is_over_does_not(services, browser):
    for path in ("/simulations", "/simulations/runs/r1"):
        assert 'hx-trigger="every 2s"' in await text_of(browser, path)
    assert "2 of 5" in await text_of(browser, "/simulations/runs/r1")
    assert "Dec 2025" in await text_of(browser, "/simulations")
    over = RUN | {"status": "FAILED", "error": {"code": "x", "detail": "house 7 lacks readings"}}
    services["simulation"].answers["/v1/simulation-runs/r1"] = over
    text = await text_of(browser, "/simulations/runs/r1")
    assert "house 7 lacks readings" in text
    assert "hx-trigger" not in text
    assert "house-bills.csv" not in text


async def test_a_house_bill_shows_every_part_of_the_calculation(services, browser):
    complete = RUN | {"status": "COMPLETED"}
    services["simulation"].answers["/v1/simulation-runs/r1"] = complete
    text = await text_of(browser, "/simulations/runs/r1")
    for link in ("house-bills.csv", "profiles.zip", "houses/h1"):
        assert f"/simulations/runs/r1/{link}" in text
    text = await text_of(browser, "/simulations/runs/r1/houses/h1")
    for figure in ("144.00", "3,150.00", "−3,006.00", "142", "643", "−501", "210"):
        assert figure in text
    assert "profile.csv" in text


async def test_periods_are_added_and_removed_without_javascript(browser):
    text = await text_of(browser, "/simulations/new?policy=TOU_RATE&node=h1")
    assert text.count('name="start_time-') == 3
    assert '<option value="h1" selected>\u2003Home</option>' in text
    answer = await browser.post("/simulations/new", data=FORM | {"action": "add"})
    assert answer.text.count('name="start_time-') == 3
    assert 'value="rest"' in answer.text
    answer = await browser.post("/simulations/new", data=FORM | {"action": "remove:0"})
    assert answer.text.count('name="start_time-') == 1
    assert 'name="label-0" type="text" value="rest"' in answer.text
    assert "k1" in answer.text


async def test_a_run_is_created_and_started(services, browser):
    answer = await browser.post("/simulations/new", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/simulations/runs/r1")
    new, started = services["simulation"].asked[-2:]
    assert started.url.path == "/v1/simulation-runs/r1/start"
    assert new.headers["idempotency-key"] == "k1"
    sent = json.loads(new.content)
    assert (sent["billing_cycle_year"], sent["billing_cycle_month"]) == (2025, 4)
    assert sent["policy"]["tou_periods"] == [
        {"label": "peak", "start_time": "17:00", "end_time": "21:00",
         "import_retail_rate_per_kwh": "8"},
        {"label": "rest", "start_time": "21:00", "end_time": "17:00",
         "import_retail_rate_per_kwh": "4"},
    ]  # fmt: skip


async def test_a_refusal_stands_at_its_field(services, browser):
    fault = {"pointer": "#/policy/tou_periods/1/start_time", "detail": "overlaps with peak"}
    services["simulation"].problem = {
        "code": "invalid_policy", "detail": "periods overlap", "errors": [fault],
    }  # fmt: skip
    answer = await browser.post("/simulations/new", data=FORM)
    assert answer.status_code == 422
    field = re.search(r'<div class="field wrong">.*?</div>', answer.text, re.DOTALL).group()
    assert "overlaps with peak" in field
    assert 'name="start_time-1"' in field
    assert 'value="17:00"' in answer.text  # nothing that was filled in is lost


async def test_a_comparison_shows_who_gains_and_who_loses(browser):
    text = await text_of(browser, "/simulations/comparisons/c1")
    for shown in ("Gainer", "−12.00", "332.00", "load factor 0.0021", "houses.parquet",
                  "Pay less: 1 house, together −12.00.", "winners and losers"):  # fmt: skip
        assert shown in text, shown
    assert text.count("<rect") >= 3
    assert "hx-trigger" not in text


async def test_a_dead_service_costs_its_panels_only(services, browser):
    services["simulation"].is_away = True
    assert "Simulation does not answer" in await text_of(browser, "/simulations")
    services["simulation"].is_away = False
    services["ledger"].is_away = True
    text = await text_of(browser, "/simulations/new")
    assert "Ledger does not answer" in text
