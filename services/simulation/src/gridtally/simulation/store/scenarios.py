"""Scenarios, shifts and the tariffs of comparisons ↔ their JSON forms, decimals as texts."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from gridtally.kernel.money import plain
from gridtally.simulation.domain.comparisons import UsedTariff, document_sha256
from gridtally.simulation.domain.shifts import (
    ElasticBand,
    Elasticity,
    FixedShare,
    LocalTimes,
    Shift,
)


def shift_json(shift: Shift) -> dict[str, Any]:
    """The shift's JSON form."""
    match shift:
        case FixedShare():
            return {
                "kind": shift.kind,
                "share": plain(shift.share),
                "from_times": _times_json(shift.from_times),
                "to_times": _times_json(shift.to_times),
            }
        case Elasticity():
            bands = [
                {
                    "label": band.label,
                    "times": _times_json(band.times),
                    "elasticity": plain(band.elasticity),
                }
                for band in shift.bands
            ]
            return {"kind": shift.kind, "bands": bands}


def shift_of(stored: Mapping[str, Any] | None) -> Shift | None:
    """The shift of its JSON form, None for none."""
    if stored is None:
        return None
    if stored["kind"] == FixedShare.kind:
        return FixedShare(
            Decimal(stored["share"]),
            LocalTimes(*stored["from_times"]),
            LocalTimes(*stored["to_times"]),
        )
    return Elasticity(
        tuple(
            ElasticBand(band["label"], LocalTimes(*band["times"]), Decimal(band["elasticity"]))
            for band in stored["bands"]
        )
    )


def _times_json(times: LocalTimes) -> list[int]:
    return [times.start_minute, times.end_minute]


def tariffs_json(tariffs: Sequence[UsedTariff]) -> list[dict[str, Any]]:
    """The tariffs that a comparison uses, with the digest of each document."""
    return [
        {
            "document": dict(tariff.document),
            "document_sha256": document_sha256(tariff.document),
            "version": None if tariff.version is None else dict(tariff.version),
        }
        for tariff in tariffs
    ]


def used_tariffs(stored: Sequence[Mapping[str, Any]]) -> list[UsedTariff]:
    """The tariffs of their JSON form."""
    return [UsedTariff(tariff["document"], tariff["version"]) for tariff in stored]
