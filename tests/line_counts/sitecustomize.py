"""Counts the lines that a Python process runs, for `make coverage`.

Python imports a module of this name as it starts, where PYTHONPATH leads here: so pytest's workers,
and the services and commands that tests start as processes, are counted as well. Slipcover takes
its probe out of a line once that was run, so that counting costs a fifth more and not twice as
much, as tracing does before Python 3.12; what was seen is stored as coverage's data, which reports
it. A process that is killed is not counted.
"""

import atexit
import os
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipcover import Slipcover

DIRECTORY = "GRIDTALLY_LINE_COUNTS"
"""The variable that names where to store what was seen; without it nothing is counted."""
ROOT = Path(__file__).parents[2]
COUNTED = (ROOT / "libs", ROOT / "services")


def _count(directory: Path) -> None:
    try:
        from slipcover import Slipcover
    except ImportError:
        return  # another environment, such as that of a test which installs the wheels
    counter = Slipcover(exclude_lines=[])  # the report excludes what is not to be counted
    read, run = SourceFileLoader.get_code, SourceFileLoader.exec_module

    def get_code(loader: SourceFileLoader, name: str) -> CodeType | None:
        code = read(loader, name)
        return counter.instrument(code) if code and _is_ours(code.co_filename) else code

    def exec_module(loader: SourceFileLoader, module: ModuleType) -> None:
        if _is_ours(loader.path):
            counter.register_module(module)
        run(loader, module)

    # Not by Slipcover's finder of modules, which Alembic's migrations and `python -m` pass by.
    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
    SourceFileLoader.exec_module = exec_module  # type: ignore[method-assign]
    atexit.register(_store, counter, directory)


def _is_ours(origin: str) -> bool:
    file = Path(origin)
    return any(file.is_relative_to(folder) for folder in COUNTED) and "tests" not in file.parts


def _store(counter: "Slipcover", directory: Path) -> None:
    from coverage import CoverageData

    counter.get_coverage()  # which brings `all_seen` up to now
    suffix = f"{os.getpid()}.{os.urandom(4).hex()}"
    data = CoverageData(basename=str(directory / "lines"), suffix=suffix)
    data.add_lines(counter.all_seen)
    data.write()


if DIRECTORY in os.environ:
    _count(Path(os.environ[DIRECTORY]))
