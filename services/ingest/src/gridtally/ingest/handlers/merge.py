"""Contested days: those in which values compete, merged from their stored blocks."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gridtally.database import WriteConnection, copy
from gridtally.ingest.domain.merge import (
    Days,
    Index,
    RankedPiece,
    agrees,
    is_known,
    overlay,
    rebuild_day,
    repeats,
)
from gridtally.ingest.domain.readings import DayPieces, ReceivedBlocks
from gridtally.ingest.events import SOURCE_UNNAMED
from gridtally.ingest.store import readings


@dataclass(slots=True)
class Contest:
    """What the pieces of contested days come to: those that are stored for the first time, by index
    and by day, and the blocks that have the event id of a stored one and other content."""

    fresh: list[int] = field(default_factory=list)
    added: dict[int, list[RankedPiece]] = field(default_factory=dict)
    conflicts: set[int] = field(default_factory=set)


async def merge_contested(
    tx: WriteConnection,
    received: ReceivedBlocks,
    batch: DayPieces,
    days: Days,
    disputed: Index,
) -> Contest:
    """Merge the disputed pieces into their days.

    `disputed` are the indexes of all pieces of contested days, which `domain.merge.fill` has left
    alone. A message is named by its event id: one that is stored already, or came earlier in this
    batch, changes nothing, so that it cannot bring back a value that was corrected since. A block
    that came without an id (`SOURCE_UNNAMED`) has nothing to be recognized by: where it says what
    is in force it is a repetition, else it is a correction. One query finds the pieces that are
    stored; the rest is merged day by day, in Python, since few days are contested.

    A piece that agrees with its day where both have values can be written over it whatever it
    ranks: the common case of a repeated value, without a query. Only where they differ does the
    rank decide, and ranks are stored with the blocks: one query fetches all blocks of all such
    days. What `overlay` has written into such a day before is dropped by the rebuilding.
    """
    identities = [
        readings.PieceKey(
            batch.keys[day], received.event_ids[batch.blocks[index]], batch.starts_at[index]
        )
        for index, day in zip(disputed.tolist(), batch.pieces.days[disputed].tolist(), strict=True)
    ]
    seen = await readings.fetch_stored_pieces(tx, identities)
    pieces = _ranked_pieces(received, batch, disputed)
    stored = await _stored_repetitions(tx, received, batch, days, disputed, pieces)
    contest, rebuilt = Contest(), set[int]()
    for index, identity, piece in zip(disputed.tolist(), identities, pieces, strict=True):
        day, block = int(batch.pieces.days[index]), batch.blocks[index]
        if identity in seen:
            if not piece.has_content_of(seen[identity]):
                contest.conflicts.add(block)
            continue
        part = days.part(day)
        values, quality = days.values[part], days.quality[part]
        added = contest.added.setdefault(day, [])
        if (
            received.sources[block] == SOURCE_UNNAMED
            and day not in rebuilt
            and repeats(values, quality, piece)
            and (received.blocks[block].read_at is None or is_known(piece, [*stored[day], *added]))
        ):
            continue
        seen[identity] = piece
        contest.fresh.append(index)
        added.append(piece)
        if day not in rebuilt and agrees(values, quality, piece):
            overlay(values, quality, piece)
        else:
            rebuilt.add(day)
    await _rebuild(tx, batch, days, sorted(rebuilt), contest.added)
    return contest


def _ranked_pieces(received: ReceivedBlocks, batch: DayPieces, indexes: Index) -> list[RankedPiece]:
    """The pieces at these indexes, one by one."""
    pieces, begins = batch.pieces, batch.pieces.begins
    blocks = [batch.blocks[index] for index in indexes.tolist()]
    return [
        RankedPiece(
            int(pieces.slots[index]),
            pieces.values[begins[index] : begins[index] + pieces.counts[index]],
            int(pieces.quality[index]),
            copy.microseconds(received.read_at[block]),
            received.event_ids[block].bytes,
        )
        for index, block in zip(indexes.tolist(), blocks, strict=True)
    ]


async def _stored_repetitions(
    tx: WriteConnection,
    received: ReceivedBlocks,
    batch: DayPieces,
    days: Days,
    disputed: Index,
    pieces: Sequence[RankedPiece],
) -> defaultdict[int, list[RankedPiece]]:
    """All stored pieces of those days that a block without an id seems to repeat with a `read_at`,
    by day: a later reading of the same values is no repetition."""
    wanted = sorted(
        {
            day
            for index, day, piece in zip(
                disputed.tolist(), batch.pieces.days[disputed].tolist(), pieces, strict=True
            )
            if received.sources[batch.blocks[index]] == SOURCE_UNNAMED
            and received.blocks[batch.blocks[index]].read_at is not None
            and repeats(days.values[days.part(day)], days.quality[days.part(day)], piece)
        }
    )
    stored: defaultdict[int, list[RankedPiece]] = defaultdict(list)
    if wanted:
        keys = [batch.keys[day] for day in wanted]
        found = await readings.fetch_ranked_pieces(tx, keys)
        stored.update(zip(wanted, found, strict=True))
    return stored


async def _rebuild(
    tx: WriteConnection,
    batch: DayPieces,
    days: Days,
    rebuilt: Sequence[int],
    added: Mapping[int, list[RankedPiece]],
) -> None:
    """Make days again from their stored pieces and those that are added."""
    if not rebuilt:
        return
    stored = await readings.fetch_ranked_pieces(tx, [batch.keys[day] for day in rebuilt])
    for day, pieces in zip(rebuilt, stored, strict=True):
        part = days.part(day)
        rebuild_day(days.values[part], days.quality[part], [*pieces, *added[day]])
