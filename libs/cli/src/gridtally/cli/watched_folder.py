"""A folder that is watched: each file that comes to rest in it is imported as the folder declares.

The folder holds `import.json`: `zone`, `mapping` and `left_out`, and a `layout` where files are not
laid out so that they say it themselves; `registers` says whose the registers of NEM13 files are.
What is imported moves to `imported/`, what is not to `refused/` with the reason beside it, so that
nothing is imported twice and nothing is lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridtally.cli.errors import CommandError
from gridtally.files.json_text import read_json

DECLARATION = "import.json"
IMPORTED, REFUSED = "imported", "refused"
KNOWN = frozenset({"zone", "layout", "mapping", "left_out", "registers"})


@dataclass(frozen=True, slots=True)
class FolderDeclaration:
    """How the files of a folder are read: a layout is declared, since nobody is there to confirm
    one."""

    zone: str
    layout: Any
    mapping: dict[str, Any]
    left_out: list[str]
    registers: dict[str, str]


def read_declaration(folder: Path) -> FolderDeclaration:
    """The folder's declaration; CommandError where it is missing or names other things."""
    path = folder / DECLARATION
    try:
        declared = read_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}: it says how the files are read") from None
    except ValueError as error:
        raise CommandError(f"{path}: is no JSON: {error}") from None
    if not isinstance(declared, dict) or not {"zone", "layout", "mapping"} <= set(declared):
        raise CommandError(f"{path}: names zone, layout and mapping")
    if others := sorted(set(declared) - KNOWN):
        raise CommandError(f"{path}: {others[0]!r} is not known")
    registers = declared.get("registers", {})
    if not isinstance(registers, dict) or not all(
        isinstance(own, str) for own in registers.values()
    ):
        raise CommandError(f"{path}: registers name the meter of each, as a reference or an id")
    return FolderDeclaration(
        declared["zone"],
        declared["layout"],
        declared["mapping"],
        declared.get("left_out", []),
        registers,
    )


class Resting:
    """Finds the files that were the same, in size and time, when it looked before: one that is
    still written is left alone."""

    def __init__(self) -> None:
        self._seen: dict[Path, tuple[int, int]] = {}

    def files(self, folder: Path) -> Iterator[Path]:
        """The files that have come to rest, by name; hidden ones and the declaration are none."""
        now = {
            path: (stat.st_size, stat.st_mtime_ns)
            for path in sorted(folder.iterdir())
            if not path.name.startswith(".") and path.name != DECLARATION and path.is_file()
            for stat in (path.stat(),)
        }
        before, self._seen = self._seen, now
        yield from (path for path, state in now.items() if before.get(path) == state)


def move(path: Path, kind: str, report: str | None = None) -> Path:
    """Move a file into a folder beside it, under a name that is free, with a report beside it;
    where it is now."""
    folder = path.parent / kind
    folder.mkdir(exist_ok=True)
    goal, number = folder / path.name, 1
    while goal.exists():
        goal, number = folder / f"{path.stem}.{number}{path.suffix}", number + 1
    path.rename(goal)
    if report is not None:
        goal.with_name(f"{goal.name}.txt").write_text(f"{report}\n", encoding="utf-8")
    return goal
