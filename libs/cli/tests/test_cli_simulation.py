"""Runs that take too long: the command says how far they are, and what can be done."""

import pytest

from gridtally.cli.errors import CommandError
from gridtally.cli.simulation import simulate


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
