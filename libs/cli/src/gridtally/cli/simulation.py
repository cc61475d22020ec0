"""Simulation runs as the command and the demo make them: create, start, follow, and what came out.

Meets the service over HTTP only.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from gridtally.cli.api import Api, Json
from gridtally.cli.errors import CommandError

POLL_S = 0.3
EXTREMES = 3
"""So many of the highest and of the lowest bills are shown."""
PATH = "/v1/simulation-runs"


@dataclass(frozen=True, slots=True)
class SimulationOutcome:
    """A complete run, what its bills come to together, and the extremes among them."""

    run: Json
    totals: Json
    highest: list[Json]
    lowest: list[Json]
    took_s: float


async def simulate(
    api: Api, run: Json, advance: Callable[[int, int], None], *, patience_s: float
) -> SimulationOutcome:
    """Create the run, start it and wait for its end; `advance` takes how many houses are done, and
    of how many. CommandError where it fails, or takes longer than `patience_s`."""
    begun_s = time.monotonic()
    created = await api.post("simulation", PATH, run)
    path = f"{PATH}/{created['id']}"
    state = await api.post("simulation", f"{path}/start")
    while state["status"] == "RUNNING":
        if time.monotonic() - begun_s > patience_s:
            raise CommandError(_too_long(state, patience_s))
        await asyncio.sleep(POLL_S)
        state = await api.get("simulation", path)
        advance(state["progress"]["houses_done"], state["progress"]["houses"])
    if state["status"] != "COMPLETED":
        error = state["error"] or {"detail": "it was cancelled"}
        raise CommandError(f"run {state['id']} is {state['status']}: {error['detail']}")
    bills = f"{path}/house-bills"
    highest, lowest = [
        (await api.get("simulation", bills, sort=sort, limit=EXTREMES))["items"]
        for sort in ("-calculated_bill_amount", "calculated_bill_amount")
    ]
    totals = await api.get("simulation", f"{path}/totals")
    return SimulationOutcome(state, totals, highest, lowest, time.monotonic() - begun_s)


def _too_long(state: Json, patience_s: float) -> str:
    """What to do about a run that goes on; none of its houses means that nobody works."""
    done, houses = state["progress"]["houses_done"], state["progress"]["houses"]
    advice = (
        f"it goes on: GET {PATH}/{state['id']} of simulation says how far it is"
        if done
        else "is a process up that works, `python -m gridtally.simulation work` or `serve`?"
    )
    return (
        f"run {state['id']} is not complete after {patience_s:.0f} s, {done} of {houses} houses "
        f"are done; {advice}"
    )
