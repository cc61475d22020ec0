"""Tariff documents: the JSON form of a tariff version. Refuses what is not understood."""

from collections.abc import Mapping
from typing import get_args
from uuid import UUID

from gridtally.kernel.errors import Fault
from gridtally.kernel.money import minor_decimals
from gridtally.rating.json_form import read_fields
from gridtally.rating.tariff import Component, TariffVersion, invalid_tariff

KINDS: dict[str, type[Component]] = {kind.kind: kind for kind in get_args(Component)}
"""The components by the `kind` that a document names."""
NOT_IN_DOCUMENT = frozenset({"id"})
"""The fields of a version that are given beside its document."""


def tariff_version(version_id: UUID, document: Mapping[str, object]) -> TariffVersion:
    """The version that a document describes; Rejected with the path of every fault."""
    faults: list[Fault] = []
    fields = read_fields(
        TariffVersion, _with_decimals(document), "", faults, left_out=NOT_IN_DOCUMENT
    )
    if faults:
        raise invalid_tariff(tuple(faults))
    return TariffVersion(id=version_id, **fields)


def _with_decimals(document: object) -> object:
    """The document with its currency's decimals in its rounding, where that names none."""
    if not isinstance(document, Mapping):
        return document  # a fault, as the next are, that the reader of the fields names
    currency, rounding = document.get("currency"), document.get("rounding", {})
    if not isinstance(currency, str) or not isinstance(rounding, Mapping):
        return document
    if rounding.get("decimals") is not None:
        return document
    return {**document, "rounding": {**rounding, "decimals": minor_decimals(currency)}}
