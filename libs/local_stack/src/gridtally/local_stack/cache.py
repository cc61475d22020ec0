"""Owns the folder of downloaded and built server binaries: each is made once, under a lock."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from gridtally.local_stack.process import locked

STAMP = "complete"

Report = Callable[[str], None]
"""Gets a line for people at every step that may take a while."""


def silent(_line: str) -> None:
    """For whoever wants to hear nothing."""


def default_cache() -> Path:
    """`.cache` of the checkout this package is installed from, else the user's cache folder."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "requirements.lock").exists():
            return folder / ".cache"
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "gridtally"


def cached_build(
    cache: Path, name: str, build: Callable[[Path], None], report: Report = silent
) -> Path:
    """The folder `cache/name`, made by `build` when it is not there whole, which `report` hears.

    Built in place, since some of the contents name their own path; the stamp that is written last
    holds that path, so a folder that was moved or cut short is made again. Two processes at once
    build it once.
    """
    target = cache.resolve() / name
    stamp = target / STAMP
    if stamp.exists() and stamp.read_text() == str(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_name(f"{name}.lock"), wait=True):
        if not (stamp.exists() and stamp.read_text() == str(target)):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            report(f"fetching {name} into {target.parent}, once; this may take minutes")
            build(target)
            stamp.write_text(str(target))
    return target
