"""What a request handler may ask for as a dependency: database, correlation id, exports.

async def create(db: Db, correlation_id: CorrelationId, …) -> …
"""

from typing import Annotated

from fastapi import Depends, Request

from database import Database
from serving.exports import Exporter


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _correlation_id(request: Request) -> str:
    correlation_id: str = request.state.correlation_id
    return correlation_id


def _exporter(request: Request) -> Exporter:
    exporter: Exporter = request.app.state.exporter
    return exporter


Db = Annotated[Database, Depends(_database)]
"""The service's database."""
CorrelationId = Annotated[str, Depends(_correlation_id)]
"""The id that this request's events must carry."""
Exports = Annotated[Exporter, Depends(_exporter)]
"""What makes tables into files."""
