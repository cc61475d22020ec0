"""The archive's directory: a folder for each shard and generation, and what is open of them.

Owns how a folder appears, whole and on disk or not at all, and that what is read is what was
written: the SHA-256 of a file is compared before it is first used and whenever it has changed.
Everything here blocks; one thread of the process does it all (`Folders.run`), since what Arrow has
freed stays with the thread that had taken it.
"""

import asyncio
import hashlib
import os
import shutil
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import orjson

from gridtally.contracts.envelope import TENANT
from gridtally.ingest.domain.archive import ArchivedShard, FileFacts
from gridtally.kernel.errors import Unreadable

if TYPE_CHECKING:
    from gridtally.ingest.store.archive.parquet import OpenFile

T = TypeVar("T")
OPEN_FILES_MAX = 256
"""Whose ends are in memory, some 100 kB each."""
_CHUNK_BYTES = 1024 * 1024


class _Seen(NamedTuple):
    """A file's state when its SHA-256 was found right."""

    inode: int
    bytes: int
    changed_ns: int


class Folders:
    """The directory as one process sees it; None where the installation has no archive."""

    def __init__(self, directory: Path | None) -> None:
        self.directory = directory
        self._thread = ThreadPoolExecutor(1, "archive")
        self._seen: dict[str, _Seen] = {}
        self._open: OrderedDict[str, OpenFile] = OrderedDict()

    async def run(self, work: Callable[..., T], *given: Any) -> T:
        """What `work` returns, from the thread of the archive.

        A caller that is cancelled leaves it to end by itself.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *given)

    def path(self, shard: ArchivedShard, name: str = "") -> Path:
        """A shard's folder, or a file of it; its tenant's name is one that tenants have."""
        if self.directory is None:
            raise Unreadable(
                "archive_unreadable",
                f"{shard.folder} is in an archive, and ARCHIVE_DIRECTORY names none here",
            )
        if not TENANT.match(shard.shard.tenant_id):
            raise ValueError("no folder can have the name of this tenant")
        folder = self.directory / shard.folder
        return folder / f"{name}.parquet" if name else folder

    @contextmanager
    def opened(self, shard: ArchivedShard, name: str) -> "Iterator[OpenFile]":
        """A file of a shard, to be read in the block.

        Unreadable where it is not there, is not what was written, or cannot be read.
        """
        facts = shard.files[name]
        path = self.path(shard, name)
        where = f"{shard.folder}/{path.name}"
        try:
            yield self._opened(path, where, facts)
        except FileNotFoundError:
            raise Unreadable("archive_unreadable", f"the archive lacks {where}") from None
        except (OSError, ValueError) as failure:  # Arrow's errors are one or the other
            self._open.pop(where, None)
            self._seen.pop(where, None)
            raise Unreadable(
                "archive_unreadable", f"{where} of the archive cannot be read: {failure}"
            ) from failure

    def _opened(self, path: Path, where: str, facts: FileFacts) -> "OpenFile":
        stat = path.stat()
        state = _Seen(stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if self._seen.get(where) != state:
            self._open.pop(where, None)
            if stat.st_size != facts.bytes or sha256_of(path) != facts.sha256:
                raise Unreadable(
                    "archive_unreadable", f"{where} of the archive is not what was written"
                )
            self._seen[where] = state
        file = self._open.get(where)
        if file is None:
            # Here and not above: Arrow takes tens of megabytes.
            from gridtally.ingest.store.archive.parquet import OpenFile

            file = self._open[where] = OpenFile(path)
            if len(self._open) > OPEN_FILES_MAX:
                self._open.popitem(last=False)
        self._open.move_to_end(where)
        return file

    def put(self, shard: ArchivedShard, fill: Callable[[Path], T]) -> T:
        """Make a shard's folder of what `fill` writes into an empty one; what is there by this
        name is of a run that was cut off, and goes.

        The folder gets its name when all of it is on disk.
        """
        target = self.path(shard)
        made = target.with_name(f"{target.name}.part")
        for left in (target, made):
            shutil.rmtree(left, ignore_errors=True)
        made.mkdir(parents=True)
        filled = fill(made)
        for path in made.iterdir():
            _sync(path)
        _sync(made)
        made.rename(target)
        _sync(target.parent)
        return filled

    def remove_older(self, shard: ArchivedShard) -> int:
        """Remove the folders of a shard's earlier generations, which nothing names any more; how
        many. Folders of no shard that is known are left alone."""
        number, removed = f"{shard.shard.number:04d}", 0
        for folder in self.path(shard).parent.glob(f"{number}-*"):
            generation = folder.name.removeprefix(f"{number}-")
            if generation.isdecimal() and int(generation) < shard.generation:
                shutil.rmtree(folder)
                removed += 1
        return removed


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def facts_of(path: Path, rows: int) -> FileFacts:
    """A file as it is on disk."""
    return FileFacts(rows, path.stat().st_size, sha256_of(path))


def write_manifest(folder: Path, shard: ArchivedShard) -> None:
    """Say beside the files what they are, for whoever has them without the database."""
    manifest = {
        "tenant_id": shard.shard.tenant_id,
        "month_on": shard.shard.month_on,
        "shard": shard.shard.number,
        "generation": shard.generation,
        "meter_from": str(shard.shard.meter_from),
        "meter_to": str(shard.shard.meter_to),
        "archived_at": shard.archived_at,
        "events": shard.events,
        "energy": shard.energy,
        "files": {f"{name}.parquet": facts for name, facts in shard.files.items()},
    }
    text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    (folder / "manifest.json").write_bytes(text)


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
