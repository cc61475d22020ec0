"""Who calls, and on whose behalf something changes."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request

from gridtally.http.auth import Principal
from gridtally.http.callers import reader, write_cause
from gridtally.kernel.resources import Cause
from gridtally.simulation.store.services import Services

Reader = Annotated[Principal, reader("simulation")]
RunId = Annotated[UUID, Path(description="The simulation run")]
ComparisonId = Annotated[UUID, Path(description="The simulation comparison")]
PolicyId = Annotated[UUID, Path(description="The simulation policy")]
HouseId = Annotated[UUID, Path(description="The house: a property of the registry")]
WriteCause = Annotated[Cause, write_cause("simulation")]
"""Whose change this is, for callers who may write."""


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


OtherServices = Annotated[Services, Depends(_services)]
"""Ingest and tariff, which are read when a run is started."""
