"""Counts the lines that a Python process runs, for `make coverage`.

Python imports a module of this name as it starts, where PYTHONPATH leads here: so pytest's workers,
and the services and commands that tests start as processes, are counted as well. Slipcover takes
its probe out of a line once that was run, so that counting costs a fifth more and not twice as
much, as tracing does before Python 3.12; what was seen is stored as coverage's data, which reports
it. A process that is killed is not counted.
"""

import atexit
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipcover import Slipcover

DIRECTORY = "GRIDTALLY_LINE_COUNTS"
"""The variable that names where to store what was seen; without it nothing is counted."""
ROOT = Path(__file__).parents[2]
COUNTED = (ROOT / "libs", ROOT / "services")


class _OurFiles:
    """What Slipcover asks which files to count. Its own takes `frozen`, the origin of a module of
    Python's, for a file of the folder where a process runs."""

    @staticmethod
    def matches(origin: str) -> bool:
        file = Path(origin)
        is_ours = file.is_absolute() and any(file.is_relative_to(folder) for folder in COUNTED)
        return is_ours and "tests" not in file.parts


def _count(directory: Path) -> None:
    try:
        from slipcover import ImportManager, Slipcover
    except ImportError:
        return  # another environment, such as that of a test which installs the wheels
    counter = Slipcover(exclude_lines=[])  # the report excludes what is not to be counted
    ImportManager(counter, _OurFiles()).__enter__()
    atexit.register(_store, counter, directory)


def _store(counter: "Slipcover", directory: Path) -> None:
    from coverage import CoverageData

    counter.get_coverage()  # which brings `all_seen` up to now
    suffix = f"{os.getpid()}.{os.urandom(4).hex()}"
    data = CoverageData(basename=str(directory / "lines"), suffix=suffix)
    data.add_lines(counter.all_seen)
    data.write()


if DIRECTORY in os.environ:
    _count(Path(os.environ[DIRECTORY]))
