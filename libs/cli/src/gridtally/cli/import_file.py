"""A file of readings on its way into an installation: proposed, declared, checked, run.

Owns what a person is shown before anything is imported, and how a channel is mapped on the command
line. How a file is read is ingest's business.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridtally.cli.api import Api, Json
from gridtally.cli.errors import CommandError
from gridtally.files.json_text import read_json

FILE = "application/octet-stream"
POLL_S = 0.5
FLOWS = ("import", "export", "load", "generation", "reactive_import", "reactive_export")


@dataclass(frozen=True, slots=True)
class Goals:
    """Which meter each channel of a file is: by name, or `alone` for the only one."""

    by_channel: dict[str, Json]
    left_out: tuple[str, ...]
    alone: Json | None = None

    def mapping(self, channels: Sequence[Json]) -> dict[str, Json]:
        """The mapping of a file's channels; CommandError where one is not mapped."""
        left = [c["name"] for c in channels if c["name"] not in self.left_out]
        if self.alone is not None:
            if len(left) != 1:
                raise CommandError(
                    f"--meter is for one channel, and the file has {len(left)}: use --map"
                )
            return {left[0]: self.alone}
        if missing := [name for name in left if name not in self.by_channel]:
            raise CommandError(
                f"map each channel to a meter, or leave it out: --map '{missing[0]}=METER_ID:FLOW' "
                f"or --leave-out '{missing[0]}'"
            )
        return self.by_channel


def parse_goals(
    mapped: Sequence[str], left_out: Sequence[str], meter: str | None, flow: str | None
) -> Goals:
    """What `--map`, `--leave-out`, `--meter` and `--flow` say; CommandError where they say nothing
    that can be."""
    by_channel: dict[str, Json] = {}
    for text in mapped:
        name, mark, goal = text.rpartition("=")
        meter_id, _, of_flow = goal.partition(":")
        if not mark or not name or not meter_id:
            raise CommandError(f"--map {text!r} is not CHANNEL=METER_ID or CHANNEL=METER_ID:FLOW")
        by_channel[name] = _goal(meter_id, of_flow or None)
    if meter is not None and by_channel:
        raise CommandError("give either --meter, for a file of one channel, or --map")
    alone = None if meter is None else _goal(meter, flow)
    return Goals(by_channel, tuple(left_out), alone)


def described(channel: Json) -> str:
    """What a file has of one channel, in a line; reactive energy is in kvarh."""
    flow = channel["flow"] or "flow unknown"
    unit = "kvarh" if flow.startswith("reactive") else "kWh"
    return (
        f"channel {channel['name']}: {flow}, {channel['minutes']} min, "
        f"{channel['start_at']} to {channel['end_at']}, "
        f"{channel['values']} values, {channel['missing']} missing, "
        f"{channel['energy_wh'] / 1000:.3f} {unit}"
    )


def _goal(meter_id: str, flow: str | None) -> Json:
    if flow is not None and flow not in FLOWS:
        raise CommandError(f"{flow!r} is no flow: choose from {', '.join(FLOWS)}")
    return {"meter_id": meter_id, "flow": flow}


def read_layout(path: Path) -> Any:
    """A layout in a JSON file; CommandError where it is none."""
    try:
        return read_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CommandError(f"{path}: is no JSON: {error}") from None


def read_content(path: Path) -> bytes:
    """A file's bytes; CommandError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


async def propose(api: Api, name: str, content: bytes, zone: str) -> Json:
    """Send a file and see what it seems to be."""
    return await api.call(
        "ingest", "POST", "/v1/imports", content=content,
        query={"name": name, "zone": zone}, content_type=FILE,
    )  # fmt: skip


async def check(api: Api, import_id: str, declaration: Json) -> Json:
    """What would become of the file, as declared."""
    return await api.post("ingest", f"/v1/imports/{import_id}/check", declaration)


async def run(
    api: Api, proposed: Json, declaration: Json, show: Callable[[int, int], None]
) -> Json:
    """Import the file and wait for it; one that is done already is replayed. `show` hears how many
    blocks are done, of how many."""
    path = f"/v1/imports/{proposed['id']}"
    verb = "replay" if proposed["status"] == "done" else "run"
    body = None if verb == "replay" else declaration
    state = await api.post("ingest", f"{path}/{verb}", body)
    while state["status"] == "running":
        show(state["done"], state["blocks"])
        await asyncio.sleep(POLL_S)
        state = await api.get("ingest", path)
    show(state["done"], state["blocks"])
    return state
