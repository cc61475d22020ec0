"""The JSON form of frozen dataclasses: a field of the dataclass is a field of the document.

Decimals and dates are strings; where several dataclasses are possible, `kind` names the one.
Refuses unknown fields, since one would mean a wrong bill, and names every fault by its path.
"""

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from gridtally.kernel.errors import Fault
from gridtally.kernel.money import parse_decimal

T = TypeVar("T")
FAULTS_MAX = 100
"""The most faults that are named; what comes after them in a list is not read any more."""
ENTRIES_MAX = 20_000
"""The most entries of a list: units of a hundred bands in the bank of ten years are fewer."""


def as_json(value: object) -> object:
    """The JSON form of a dataclass and what it holds."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        tag = {"kind": value.kind} if hasattr(value, "kind") else {}
        return tag | {
            field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, tuple):
        return [as_json(entry) for entry in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return value


def read_fields(
    kind: type[Any],
    document: object,
    path: str,
    faults: list[Fault],
    left_out: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The constructor's arguments for a dataclass; what is wrong is added to `faults`."""
    if not isinstance(document, Mapping):
        faults.append(Fault(path, "must be an object"))
        return {}
    hints = _hints(kind)  # type: ignore[arg-type] # a class is hashable
    known = {field.name: field for field in dataclasses.fields(kind) if field.name not in left_out}
    tags = {"kind"} if get_origin(hints.get("kind")) is ClassVar else set()
    unknown = (name for name in document if name not in known and name not in tags)
    faults.extend(
        Fault(f"{path}/{name}", "is not a field here") for name in islice(unknown, FAULTS_MAX)
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


def read_tagged(
    kinds: Mapping[str, type[T]], document: object, path: str, faults: list[Fault]
) -> Any:
    """The one of `kinds` that the document names by its `kind`; None where there is a fault."""
    name = document.get("kind") if isinstance(document, Mapping) else None
    if not isinstance(name, str) or name not in kinds:
        faults.append(Fault(f"{path}/kind", f"{name!r} is none of {', '.join(kinds)}"))
        return None
    return _built(kinds[name], document, path, faults)


@cache
def _hints(kind: type[Any]) -> Mapping[str, Any]:
    """The annotations of a dataclass, without their constraints; there are only so many classes."""
    return get_type_hints(kind)


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _value(hint: Any, value: object, path: str, faults: list[Fault]) -> Any:
    """`value` as the annotated type `hint`; None where there is a fault."""
    if get_origin(hint) in (Union, types.UnionType):
        return _one_of(hint, value, path, faults)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            faults.append(Fault(path, "must be a list"))
            return None
        if len(value) > ENTRIES_MAX:
            faults.append(Fault(path, f"holds {len(value)} entries, at most {ENTRIES_MAX}"))
            return None
        element = get_args(hint)[0]
        entries = []
        for index, entry in enumerate(value):
            if len(faults) >= FAULTS_MAX:
                break
            entries.append(_value(element, entry, f"{path}/{index}", faults))
        return tuple(entries)
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)  # noqa: S101 - an annotation names a class
        return _built(hint, value, path, faults)
    try:
        return _scalar(hint, value)
    except ValueError as error:
        faults.append(Fault(path, str(error)))
        return None


def _one_of(union: Any, value: object, path: str, faults: list[Fault]) -> Any:
    """A value of `X | None`, or of one of several dataclasses that `kind` tells apart."""
    choices = [arg for arg in get_args(union) if arg is not types.NoneType]
    if value is None and len(choices) < len(get_args(union)):
        return None
    if len(choices) == 1:
        return _value(choices[0], value, path, faults)
    return read_tagged({choice.kind: choice for choice in choices}, value, path, faults)


def _built(kind: type[T], value: object, path: str, faults: list[Fault]) -> T | None:
    """The dataclass that an object describes; None where there is a fault."""
    before = len(faults)
    fields = read_fields(kind, value, path, faults)
    if len(faults) > before:
        return None
    try:
        return kind(**fields)
    except ValueError as error:
        faults.append(Fault(path, str(error)))
        return None


def _scalar(hint: Any, value: object) -> object:
    """A text, number, date or time as the annotated type; ValueError where it is none."""
    if get_origin(hint) is Literal:
        if not any(type(value) is type(arg) and value == arg for arg in get_args(hint)):
            raise ValueError(f"{value!r} is none of {', '.join(map(str, get_args(hint)))}")
        return value
    if hint is bool or hint is int:
        if type(value) is not hint:
            raise ValueError(f"{value!r} is no {hint.__name__}")
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} must be a string")  # noqa: TRY004 - a fault of the document
    if hint is Decimal:
        return parse_decimal(value)
    if hint is datetime:
        return _instant(value)
    if hint is date:
        return date.fromisoformat(value)
    if hint is time:
        return time() if value == "24:00" else time.fromisoformat(value)
    return value


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} needs an offset from UTC, as in 2025-07-15T17:00-04:00")
    return at
