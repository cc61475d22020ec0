"""What a request handler may ask for as a dependency: database, instant, correlation id, exports.

async def create(db: Db, correlation_id: CorrelationId, now: Now, …) -> …
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from gridtally.database import Database
from gridtally.http.body_work import BodyReader
from gridtally.http.exports import Exporter
from gridtally.kernel.periods import Clock

ANSWER_BEGINS = {
    "http.response.start": None,
    "websocket.http.response.start": None,
    "websocket.accept": 101,
}
"""The ASGI messages that carry the head of an answer, with the status where they have none."""


def utc_now() -> datetime:
    """The clock of every process; whatever needs an instant is handed it."""
    return datetime.now(UTC)


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock()


async def _clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


async def _correlation_id(request: Request) -> str:
    correlation_id: str = request.state.correlation_id
    return correlation_id


async def _exporter(request: Request) -> Exporter:
    exporter: Exporter = request.app.state.exporter
    return exporter


Db = Annotated[Database, Depends(_database)]
"""The service's database."""


async def _body_reader(request: Request) -> BodyReader:
    reader: BodyReader = request.app.state.body_reader
    return reader


Now = Annotated[datetime, Depends(_now)]
"""The instant of this request, by the process's clock: one for all that it does."""
ProcessClock = Annotated[Clock, Depends(_clock)]
"""The process's clock, for a request that may go on for hours."""
CorrelationId = Annotated[str, Depends(_correlation_id)]
"""The id that this request's events must carry."""
Exports = Annotated[Exporter, Depends(_exporter)]
"""What answers with tables as files."""
Bodies = Annotated[BodyReader, Depends(_body_reader)]
"""What takes large bodies apart, for an endpoint that reads its body itself."""
