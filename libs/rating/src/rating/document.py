"""Tariff documents: the JSON form of a tariff version. Refuses what is not understood."""

from collections.abc import Mapping
from typing import get_args
from uuid import UUID

from kernel.errors import Fault
from kernel.money import minor_decimals
from rating.json_form import read_fields
from rating.tariff import Component, TariffVersion, invalid_tariff

KINDS: dict[str, type[Component]] = {kind.kind: kind for kind in get_args(Component)}
"""The components by the `kind` that a document names."""
_GIVEN_BY_CALLER = frozenset({"id"})


def tariff_version(version_id: UUID, document: Mapping[str, object]) -> TariffVersion:
    """The version that a document describes; Rejected with the path of every fault."""
    faults: list[Fault] = []
    fields = read_fields(
        TariffVersion, _with_decimals(document), "", faults, left_out=_GIVEN_BY_CALLER
    )
    if faults:
        raise invalid_tariff(tuple(faults))
    return TariffVersion(id=version_id, **fields)


def _with_decimals(document: object) -> object:
    """The document, whose rounding has the decimals of its currency where it names none."""
    if not isinstance(document, Mapping):
        return document  # a fault, as the next are, that the reader of the fields names
    currency, rounding = document.get("currency"), document.get("rounding", {})
    if not isinstance(currency, str) or not isinstance(rounding, Mapping):
        return document
    if rounding.get("decimals") is not None:
        return document
    return {**document, "rounding": {**rounding, "decimals": minor_decimals(currency)}}
