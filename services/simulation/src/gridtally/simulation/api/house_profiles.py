"""`/v1/house-profiles`: where a house stands, what it uses and what its panels are."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from gridtally.contracts.model import READ_EXACTLY, SHOWN_AS_DECIMAL, WRITTEN_PLAINLY
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel, Body
from gridtally.kernel.errors import NotFound
from gridtally.simulation.api.callers import HouseId, Reader, WriteCause
from gridtally.simulation.domain import houses as domain
from gridtally.simulation.store import house_profiles as store

router = Router(prefix="/v1/house-profiles", tags=["house profiles"])
_EXACT = (READ_EXACTLY, WRITTEN_PLAINLY, SHOWN_AS_DECIMAL)
Latitude = Annotated[Decimal, Field(ge=-90, le=90, decimal_places=8), *_EXACT]
Longitude = Annotated[Decimal, Field(ge=-180, le=180, decimal_places=8), *_EXACT]
Tilt = Annotated[Decimal, Field(ge=0, le=90, decimal_places=3), *_EXACT]
Azimuth = Annotated[Decimal, Field(ge=0, lt=360, decimal_places=3), *_EXACT]
Peak = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=6), *_EXACT]
Annual = Annotated[Decimal, Field(ge=0, le=100_000_000, decimal_places=6), *_EXACT]


class ProfileTerms(Body):
    """A profile; what is null is said elsewhere: a run's profile holds for all its houses."""

    latitude: Latitude | None = None
    """Degrees north of the equator."""
    longitude: Longitude | None = None
    """Degrees east of Greenwich."""
    tilt_degrees: Tilt | None = None
    """The panels' tilt; 0 lies flat."""
    azimuth_degrees: Azimuth | None = None
    """Where the panels face: 0 is north, 90 east, 180 south."""
    kwp: Peak | None = None
    """The panels' peak power in kW; 0 or null for none."""
    annual_kwh: Annual | None = None
    """What the house uses in a year, in kWh."""

    def to_domain(self) -> domain.HouseProfile:
        """The profile."""
        return domain.HouseProfile(**{name: getattr(self, name) for name in domain.PROFILE_FIELDS})

    @classmethod
    def of(cls, profile: domain.HouseProfile) -> "ProfileTerms":
        """The profile as the API shows it."""
        return cls(**{name: getattr(profile, name) for name in domain.PROFILE_FIELDS})


class HouseProfile(AnswerModel):
    """A house's own profile, which goes before that of a run."""

    house_node_id: UUID
    """The house: a property of the registry."""
    profile: ProfileTerms
    """What is said of it."""


@router.get("/{house_node_id}")
async def get_house_profile(house_node_id: HouseId, db: Db, caller: Reader) -> HouseProfile:
    """The house's own profile."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        profile = await store.fetch_profile(read, caller.tenant_id, house_node_id)
    if profile is None:
        raise _unknown()
    return HouseProfile(house_node_id=house_node_id, profile=ProfileTerms.of(profile))


@router.put("/{house_node_id}")
async def replace_house_profile(
    house_node_id: HouseId, terms: ProfileTerms, db: Db, cause: WriteCause
) -> HouseProfile:
    """Set the house's own profile, in the place of the one before; runs that were started before
    stay as they are."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if not await store.is_property(tx, cause.tenant_id, house_node_id):
            raise NotFound("house_unknown", "there is no property with this id")
        await store.upsert_profile(tx, cause.tenant_id, house_node_id, terms.to_domain())
    return HouseProfile(house_node_id=house_node_id, profile=terms)


@router.delete("/{house_node_id}", status_code=204)
async def delete_house_profile(house_node_id: HouseId, db: Db, cause: WriteCause) -> None:
    """Delete the house's own profile."""
    async with transaction(db, tenant=cause.tenant_id) as tx:
        was_there = await store.delete_profile(tx, cause.tenant_id, house_node_id)
    if not was_there:
        raise _unknown()


def _unknown() -> NotFound:
    return NotFound("house_profile_unknown", "this house has no profile of its own")
