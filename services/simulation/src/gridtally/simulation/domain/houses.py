"""Houses: the properties at or below a node of the topology, with what is needed to bill them.

A house is a property without parts of its own, so that no kWh is billed twice: what a building or a
street measures has been measured in its parts. For stored readings it has meters of what it takes
from the grid or feeds into it. Where a property has a main or total meter, that one counts, since
the others lie behind it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from gridtally.kernel.errors import Rejected

Source = Literal["stored", "generated"]
WHOLE_HOUSE = frozenset({"main", "total"})
BEHIND = frozenset({"sub", "device", "derived", "unmetered"})
"""Meters behind others, or computed of them: their energy is counted already."""
GRID_FLOWS = frozenset({"import", "export", "load"})


@dataclass(frozen=True, slots=True)
class MeterAt:
    """A meter at a property, with the flows that it measures."""

    id: UUID
    meter_type: str
    connected_kw: Decimal | None
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PropertyAt:
    """A property of the topology, its meters, and whether other properties are parts of it."""

    id: UUID
    name: str
    zone: str
    connected_kw: Decimal | None
    has_parts: bool
    meters: tuple[MeterAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseProfile:
    """Where a house stands, what it uses and what its panels are; None where nothing is said.

    Latitude and longitude, tilt and azimuth (from north) in degrees; the panels' peak in kW.
    """

    latitude: Decimal | None = None
    longitude: Decimal | None = None
    tilt_degrees: Decimal | None = None
    azimuth_degrees: Decimal | None = None
    kwp: Decimal | None = None
    annual_kwh: Decimal | None = None

    def over(self, general: "HouseProfile") -> "HouseProfile":
        """This profile, and what `general` says where this says nothing."""
        return HouseProfile(
            **{
                name: value
                if (value := getattr(self, name)) is not None
                else getattr(general, name)
                for name in PROFILE_FIELDS
            }
        )

    @property
    def missing(self) -> list[str]:
        """The fields without which nothing can be generated; without panels only the place and the
        yearly use are needed."""
        needed = ["latitude", "longitude", "annual_kwh"]
        if self.kwp:
            needed += ["tilt_degrees", "azimuth_degrees"]
        return [name for name in needed if getattr(self, name) is None]


PROFILE_FIELDS = (
    "latitude", "longitude", "tilt_degrees", "azimuth_degrees", "kwp", "annual_kwh",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class House:
    """A house of a run, as it was when the run was started."""

    number: int
    house_node_id: UUID
    name: str
    zone: str
    connected_kw: Decimal | None
    meter_ids: tuple[UUID, ...]
    profile: HouseProfile | None


def houses_of(
    properties: Sequence[PropertyAt],
    source: Source,
    general: HouseProfile,
    profiles: Mapping[UUID, HouseProfile],
) -> list[House]:
    """The houses among properties, numbered in the order of their ids.

    Rejected where there is none, and for generated readings where a profile lacks something.
    """
    houses: list[House] = []
    for at in sorted(properties, key=lambda at: at.id):
        meters = counted_meters(at.meters)
        if at.has_parts or (source == "stored" and not meters):
            continue
        profile = None
        if source == "generated":
            profile = profiles.get(at.id, HouseProfile()).over(general)
            if missing := profile.missing:
                raise Rejected(
                    "profile_incomplete",
                    f"the profile of house {at.id} ({at.name}) lacks {', '.join(missing)}: set "
                    "them in the run's profile or in the house's own",
                )
        connected_kw = at.connected_kw
        if connected_kw is None:
            known = [meter.connected_kw for meter in meters if meter.connected_kw is not None]
            connected_kw = sum(known, Decimal(0)) if known else None
        houses.append(
            House(
                number=len(houses),
                house_node_id=at.id,
                name=at.name,
                zone=at.zone,
                connected_kw=connected_kw,
                meter_ids=tuple(meter.id for meter in meters),
                profile=profile,
            )
        )
    if not houses:
        raise Rejected("no_houses", "there is no house with a meter at or below this node")
    return houses


def counted_meters(meters: Sequence[MeterAt]) -> list[MeterAt]:
    """The meters whose energy is the house's, each kWh once."""
    measuring = [meter for meter in meters if GRID_FLOWS & set(meter.flows)]
    whole = [meter for meter in measuring if meter.meter_type in WHOLE_HOUSE]
    counted = whole or [meter for meter in measuring if meter.meter_type not in BEHIND]
    return sorted(counted, key=lambda meter: meter.id)
