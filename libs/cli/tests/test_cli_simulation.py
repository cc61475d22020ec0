"""Runs that take too long: the command says how far they are, and what can be done."""

import pytest

from gridtally.cli.errors import CommandError
from gridtally.cli.report import simulation_tables
from gridtally.cli.simulation import SimulationOutcome, simulate


class Api:
    """A simulation whose run never ends."""

    def __init__(self, done):
        self.run = {"id": "r1", "status": "RUNNING", "error": None,
                    "progress": {"houses": 400, "houses_done": done}}  # fmt: skip

    async def post(self, _service, _path, _body=None):
        return self.run

    async def get(self, _service, _path, **_params):
        return self.run


@pytest.mark.parametrize(
    ("done", "says"),
    [
        (200, "200 of 400 houses are done; it goes on: GET /v1/simulation-runs/r1"),
        (0, "0 of 400 houses are done; is a process up that works"),
    ],
)
async def test_a_run_that_takes_too_long(done, says):
    heard = []
    with pytest.raises(CommandError, match=f"run r1 is not complete after 0 s, {says}"):
        await simulate(Api(done), {}, lambda *progress: heard.append(progress), patience_s=0.4)
    assert heard[0] == (done, 400)


@pytest.mark.parametrize(
    ("currency", "heading", "total"),
    [("EUR", "bill in EUR", "12.00 EUR"), ("XXX", "bill", "12.00")],
)
def test_a_policy_that_names_no_currency_has_bills_in_none(currency, heading, total):
    energy = dict.fromkeys(
        ("total_energy_imported_kwh", "total_energy_exported_kwh", "net_energy_balance_kwh"), "1"
    )
    totals = energy | {"currency": currency, "houses": 1, "total_amount": "12.00"}
    outcome = SimulationOutcome({"name": "May"}, totals, [], [], 1.0)
    summary, extremes = simulation_tables(outcome)
    assert [str(column.header) for column in extremes.columns][-1] == heading
    assert [*summary.columns[1].cells][-1] == total
