"""Importing a file of readings: from a proposal, over its confirmation, to blocks of readings.

Owns which channel of a file is which flow of which meter, and what an import may do in each state.
Refuses a channel that is neither mapped nor left out: nothing in a file is passed over silently.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from gridtally.ingest.domain.meters import REACTIVE_FLOWS, Flow
from gridtally.kernel.errors import Conflict, Fault, Rejected
from gridtally.kernel.ids import derive_id
from gridtally.meter_files.channels import FileChannel, MeterFile, Run
from gridtally.meter_files.local_clock import instant

Status = Literal["proposed", "unreadable", "running", "done", "undoing", "undone"]
Quality = Literal["actual", "estimated", "substituted"]
VALUES_MAX = 1_000
"""Of one block: ten days of quarter-hours, so that a wrong value keeps few others out."""
REFUSALS_KEPT_MAX = 1_000
QUALITIES: dict[int, Quality] = {ord("A"): "actual", ord("E"): "estimated", ord("S"): "substituted"}


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """What a file has of one channel, to be looked at before it is imported."""

    name: str
    flow: Flow | None
    minutes: int
    start_at: datetime | None
    end_at: datetime | None
    values: int
    missing: int
    energy_wh: int


def summary_of(channel: FileChannel) -> ChannelSummary:
    """The summary of a channel: what lies between its first and its last interval."""
    starts, step = channel.starts, channel.minutes
    is_empty = not len(starts)
    span = 0 if is_empty else (int(starts[-1]) - int(starts[0])) // step + 1
    return ChannelSummary(
        name=channel.name,
        flow=channel.flow,
        minutes=step,
        start_at=None if is_empty else instant(int(starts[0])),
        end_at=None if is_empty else instant(int(starts[-1])) + timedelta(minutes=step),
        values=channel.present,
        missing=span - channel.present,
        energy_wh=channel.energy_wh,
    )


@dataclass(frozen=True, slots=True)
class MappedChannel:
    """The meter and the flow that a channel of a file is; `flow` None is the one the file says."""

    meter_id: UUID
    flow: Flow | None = None


def mapped(
    file: MeterFile, mapping: Mapping[str, MappedChannel], left_out: Collection[str]
) -> list[tuple[FileChannel, UUID, Flow]]:
    """The channels that are imported, each with its meter and flow.

    Rejected (`channels_unmapped`) for a channel that is neither mapped nor left out, a name that
    the file does not have, a channel without a flow or in the unit of other flows, and two channels
    for one flow of a meter.
    """
    names = {channel.name for channel in file.channels}
    faults = [
        Fault(f"/{where}/{name}", "the file has no such channel")
        for where, given in (("mapping", mapping), ("left_out", left_out))
        for name in given
        if name not in names
    ]
    chosen: list[tuple[FileChannel, UUID, Flow]] = []
    taken: dict[tuple[UUID, str], str] = {}
    for channel in file.channels:
        if channel.name in left_out:
            continue
        goal = mapping.get(channel.name)
        if goal is None:
            faults.append(Fault("/mapping", f"{channel.name}: map it to a meter, or leave it out"))
            continue
        flow = goal.flow or channel.flow
        if flow is None:
            faults.append(Fault(f"/mapping/{channel.name}", "say its flow: the file does not"))
            continue
        if (flow in REACTIVE_FLOWS) != channel.is_reactive:
            own, wanted = ("varh" if channel.is_reactive else "Wh"), unit_of(flow)
            detail = f"is in {own}, and {flow} is measured in {wanted}"
            faults.append(Fault(f"/mapping/{channel.name}", detail))
            continue
        other = taken.setdefault((goal.meter_id, flow), channel.name)
        if other != channel.name:
            faults.append(
                Fault(f"/mapping/{channel.name}", f"is {flow} of the same meter as {other}")
            )
            continue
        chosen.append((channel, goal.meter_id, flow))
    if faults:
        raise Rejected(
            "channels_unmapped", "the channels of the file are not all mapped", (*faults,)
        )
    return chosen


def unit_of(flow: Flow) -> str:
    """What values of a flow are in."""
    return "varh" if flow in REACTIVE_FLOWS else "Wh"


def event_id_of(import_id: UUID, runs: int, channel: str, run: Run) -> UUID:
    """The id of a block: the same whenever this run of the import is taken up again, and another
    one for other values or after it was undone."""
    values = ",".join(map(str, run.values))
    return derive_id("import.block", import_id, runs, channel.encode().hex(), run.start, values)


@dataclass(frozen=True, slots=True)
class RefusedBlock:
    """A block of an import that was not published, and why."""

    channel: str
    start_at: datetime
    values: int
    reason: str
    detail: str


def check_startable(status: Status) -> None:
    """Conflict where an import cannot be run, again or for the first time."""
    if status in ("running", "undoing"):
        raise Conflict("import_at_work", "the import is at work: wait until it is done")
    if status == "done":
        raise Conflict("import_done", "the import is done: replay it, or undo it first")


def check_done(status: Status) -> None:
    """Conflict where an import is not done, so that there is nothing to replay or undo."""
    if status != "done":
        raise Conflict("import_not_done", f"the import is {status}: only one that is done can be")


def kept(refusals: Sequence[RefusedBlock], more: Sequence[RefusedBlock]) -> list[RefusedBlock]:
    """The first refusals of both: a file of a million wrong values gets a report of some length."""
    return [*refusals, *more][:REFUSALS_KEPT_MAX]
