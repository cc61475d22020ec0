"""State files: what a bill hands to the next, for `gridtally rate --state`.

JSON: the local day that the next bill begins on, the currency, the components that carry something
forward, and their states in the form that billing stores; one that has nothing to carry has none. A
file is replaced as a whole, or left as it was.
"""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gridtally.cli.errors import CommandError
from gridtally.cli.interval_file import read_text
from gridtally.files.json_text import read_json
from gridtally.kernel.errors import Rejected
from gridtally.kernel.periods import Period
from gridtally.rating.state import State, read_state, state_document
from gridtally.rating.tariff import TariffVersion, carrying

BYTES_MAX = 10_000_000
FIELDS = frozenset({"next_start", "currency", "carrying", "components"})


@dataclass(frozen=True, slots=True)
class StateBefore:
    """What a bill begins with, and the components that its file does not know yet."""

    state: State
    added: tuple[str, ...] = ()


def read_state_file(path: Path, version: TariffVersion, period: Period) -> StateBefore:
    """The state before a period; nothing where there is no such file yet.

    CommandError where the file cannot be read, is none, or does not go with the tariff and the
    period.
    """
    if not path.exists():
        return StateBefore({})
    text = read_text(path, "json", BYTES_MAX)
    try:
        return _state(text, version, period)
    except (Rejected, ValueError) as error:
        raise CommandError(f"{path}: {error}") from None


def _state(text: str, version: TariffVersion, period: Period) -> StateBefore:
    match document := _document(text):
        case {"next_start": str(next_start), "currency": str(currency), "components": dict(states)}:
            next_start_on = _date(next_start)
            state = read_state(states)
        case _:
            raise ValueError(
                "is no state file: it has next_start, currency and components, as --state writes "
                "them"
            )
    match known := document.get("carrying"):
        case None | list():
            pass
        case _:
            raise ValueError("is no state file: carrying is a list of components")
    if others := sorted(set(document) - FIELDS):
        raise ValueError(f"has the field {others[0][:40]!r}, which no state file has")
    if currency != version.currency:
        raise ValueError(f"is of a tariff in {currency[:3]}, not in {version.currency}")
    own = carrying(version)
    if unknown := sorted(set(state) - set(own)):
        raise ValueError(
            f"is of another tariff: nothing is carried forward by a component {unknown[0]!r} here"
        )
    if period.start_on < next_start_on:
        raise ValueError(
            f"has the bills before {next_start_on} in it, and the usage begins on "
            f"{period.start_on}: give the state from before, or another --period"
        )
    if period.start_on > next_start_on:
        raise ValueError(
            f"continues on {next_start_on}, and the usage begins on {period.start_on}: rate the "
            "days between first"
        )
    added = () if known is None else tuple(name for name in own if name not in known)
    return StateBefore(state, added)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"next_start {text[:40]!r} is no date (2025-02-01)") from None


def _document(text: str) -> Any:
    try:
        return read_json(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"is no JSON from row {error.lineno} on ({error.msg}): give the file as --state wrote "
            "it, or the name of none, which begins with nothing"
        ) from None


def write_state_file(path: Path, version: TariffVersion, period: Period, state: State) -> None:
    """Replace the file by the state after a period; CommandError where it cannot be written."""
    document = {
        "next_start": period.end_on.isoformat(),
        "currency": version.currency,
        "carrying": carrying(version),
        "components": state_document(state),
    }
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.write_text(json.dumps(document, indent=2) + "\n")
        draft.replace(path)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
