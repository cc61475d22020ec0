"""Tariff documents: the JSON form of a tariff version, read by the fields of its dataclasses.

A field of a dataclass is a field of the document: decimals and dates are strings, a component says
its `kind`. Refuses unknown fields, since one would mean a wrong bill, and names every fault.
"""

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field
from datetime import date, time
from decimal import Decimal
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from kernel.errors import Fault
from kernel.money import parse_decimal
from rating.tariff import Component, TariffVersion, invalid_tariff

KINDS: dict[str, type[Component]] = {kind.kind: kind for kind in get_args(Component)}
"""The components by the `kind` that a document names."""
_GIVEN_BY_CALLER = frozenset({"id"})
T = TypeVar("T")


def tariff_version(version_id: UUID, document: Mapping[str, object]) -> TariffVersion:
    """The version that a document describes; Rejected with the path of every fault."""
    faults: list[Fault] = []
    fields = _fields(TariffVersion, document, "", faults, left_out=_GIVEN_BY_CALLER)
    if faults:
        raise invalid_tariff(tuple(faults))
    return TariffVersion(id=version_id, **fields)


def _fields(
    kind: type[Any],
    document: object,
    path: str,
    faults: list[Fault],
    left_out: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The constructor's arguments for a dataclass."""
    if not isinstance(document, Mapping):
        faults.append(Fault(path, "must be an object"))
        return {}
    hints = get_type_hints(kind)
    known = {field.name: field for field in dataclasses.fields(kind) if field.name not in left_out}
    tags = {"kind"} if get_origin(hints.get("kind")) is ClassVar else set()
    faults.extend(
        Fault(f"{path}/{name}", "is not a field here")
        for name in document
        if name not in known and name not in tags
    )
    faults.extend(
        Fault(f"{path}/{name}", "is required")
        for name, field in known.items()
        if name not in document and _is_required(field)
    )
    return {
        name: _value(hints[name], document[name], f"{path}/{name}", faults)
        for name in known
        if name in document
    }


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value(hint: Any, value: object, path: str, faults: list[Fault]) -> Any:
    """`value` as the annotated type `hint`; None where there is a fault."""
    if hint == Component:
        return _component(value, path, faults)
    if get_origin(hint) in (Union, types.UnionType):  # only `X | None` besides Component
        inner = next(arg for arg in get_args(hint) if arg is not types.NoneType)
        return None if value is None else _value(inner, value, path, faults)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            faults.append(Fault(path, "must be a list"))
            return None
        element = get_args(hint)[0]
        return tuple(
            _value(element, each, f"{path}/{place}", faults) for place, each in enumerate(value)
        )
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)  # noqa: S101 - an annotation names a class
        return _built(hint, value, path, faults)
    try:
        return _scalar(hint, value)
    except ValueError as error:
        faults.append(Fault(path, str(error)))
        return None


def _component(value: object, path: str, faults: list[Fault]) -> Any:
    name = value.get("kind") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or name not in KINDS:
        faults.append(Fault(f"{path}/kind", f"{name!r} is none of {', '.join(KINDS)}"))
        return None
    return _built(KINDS[name], value, path, faults)


def _built(kind: type[T], value: object, path: str, faults: list[Fault]) -> T | None:
    before = len(faults)
    fields = _fields(kind, value, path, faults)
    if len(faults) > before:
        return None
    try:
        return kind(**fields)
    except ValueError as error:
        faults.append(Fault(path, str(error)))
        return None


def _scalar(hint: Any, value: object) -> object:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{value!r} is none of {', '.join(get_args(hint))}")
        return value
    if hint is bool or hint is int:
        if type(value) is not hint:
            raise ValueError(f"{value!r} is no {hint.__name__}")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} must be a string")  # noqa: TRY004 - a fault of the document
    if hint is Decimal:
        return parse_decimal(value)
    if hint is date:
        return date.fromisoformat(value)
    if hint is time:
        return time() if value == "24:00" else time.fromisoformat(value)
    return value
