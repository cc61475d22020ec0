"""Files of readings ↔ domain: layouts and mappings as JSON, and channels as submissions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter

from gridtally.contracts.metering import ReadingsReceived
from gridtally.ingest.domain.imports import (
    QUALITIES,
    VALUES_MAX,
    ChannelSummary,
    MappedChannel,
    RefusedBlock,
    event_id_of,
    mapped,
    summary_of,
    unit_of,
)
from gridtally.ingest.domain.meters import Flow
from gridtally.ingest.domain.submissions import Submission
from gridtally.ingest.events import SOURCE_IMPORTS
from gridtally.ingest.events.blocks import block_of
from gridtally.meter_files.channels import FileChannel, FileError, Run, runs
from gridtally.meter_files.csv_layout import CsvLayout
from gridtally.meter_files.green_button import GreenButtonLayout
from gridtally.meter_files.local_clock import instant
from gridtally.meter_files.nem import Nem12Layout
from gridtally.meter_files.reader import guess_layout, read_file

LAYOUT: TypeAdapter[CsvLayout | Nem12Layout | GreenButtonLayout] = TypeAdapter(
    Annotated[CsvLayout | Nem12Layout | GreenButtonLayout, Field(discriminator="kind")]
)
SUMMARIES = TypeAdapter(list[ChannelSummary])
MAPPING = TypeAdapter(dict[str, MappedChannel])
REFUSALS = TypeAdapter(list[RefusedBlock])
Json = dict[str, Any]


def proposal_of(content: bytes, zone: str) -> tuple[Json, bool]:
    """What a file seems to be, as JSON (`layout`, `notes`, `channels`, `detail`), and whether it
    can be read so. Takes seconds of a large file: run it in a thread."""
    proposal: Json = {"layout": None, "notes": [], "channels": [], "detail": None}
    try:
        guess = guess_layout(content, zone)
        proposal |= {
            "layout": LAYOUT.dump_python(guess.layout, mode="json"), "notes": list(guess.notes),
        }  # fmt: skip
        file = read_file(content, guess.layout)
    except FileError as error:
        return proposal | {"detail": str(error)}, False
    summaries = [summary_of(channel) for channel in file.channels]
    proposal["notes"] += file.notes
    return proposal | {"channels": SUMMARIES.dump_python(summaries, mode="json")}, True


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One run of an import: which file, how it is declared to be read, and when it was begun.

    `declaration` has `layout`, `mapping` and `left_out`; `number` counts runs from 1, each after
    the one before was undone.
    """

    import_id: UUID
    number: int
    content: bytes
    declaration: Json
    run_at: datetime
    correlation_id: str


def submissions_of(run: ImportRun) -> list[tuple[str, Submission]]:
    """The blocks of a file as it is declared, each with the channel that it is of.

    When they were read is not known: they are as of the run, so a later import counts. FileError
    where the file is not laid out so, Rejected where its channels are not all mapped. Takes seconds
    of a large file: run it in a thread.
    """
    declaration = run.declaration
    file = read_file(run.content, LAYOUT.validate_python(declaration["layout"]))
    mapping = MAPPING.validate_python(declaration["mapping"])
    return [
        (channel.name, _submission(run, channel, meter_id, flow, values))
        for channel, meter_id, flow in mapped(file, mapping, declaration["left_out"])
        for values in runs(channel, VALUES_MAX)
    ]


def _submission(
    run: ImportRun, channel: FileChannel, meter_id: UUID, flow: Flow, values: Run
) -> Submission:
    source = f"{SOURCE_IMPORTS}/{run.import_id}"
    event = ReadingsReceived(
        meter_id=meter_id,
        flow=flow,
        start_at=instant(values.start),
        minutes=channel.minutes,
        unit=unit_of(flow),
        values=list[int | None](values.values),
        quality=QUALITIES[values.quality],
        source=source,
    )
    return Submission(
        block_of(event),
        event.model_dump_json().encode(),
        source,
        run.correlation_id,
        event_id_of(run.import_id, run.number, channel.name, values),
        run.run_at,
    )
