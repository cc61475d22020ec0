"""What ingest does in the background."""

from database import Database
from ingest.handlers.announcing import announce_usage
from ingest.handlers.closing import close_due_periods, plan_periods
from ingest.handlers.keeping import take_up_waiting
from ingest.handlers.recording import Recorder
from ingest.handlers.registers import convert_due
from ingest.settings import Settings
from messaging import Publisher
from serving.passes import Clock, repeated
from serving.service import Loop

IDLE_POLL_S = 0.2


def loops(
    settings: Settings, database: Database, publisher: Publisher, recorder: Recorder, clock: Clock
) -> tuple[Loop, ...]:
    """Announcing, closing, taking up, and turning registers into intervals."""

    async def announce() -> int:
        return await announce_usage(database, publisher, clock())

    async def take_up() -> int:
        return await take_up_waiting(database, recorder, clock())

    async def convert() -> int:
        return await convert_due(database, recorder, clock())

    async def close() -> int:
        planned = await plan_periods(database, clock())
        return planned + await close_due_periods(database, clock(), settings.revision_delay)

    return (
        repeated("ingest.announcing", announce, idle_s=IDLE_POLL_S),
        repeated("ingest.closing", close, idle_s=IDLE_POLL_S),
        repeated("ingest.taking_up", take_up, idle_s=IDLE_POLL_S),
        repeated("ingest.registers", convert, idle_s=IDLE_POLL_S),
    )
