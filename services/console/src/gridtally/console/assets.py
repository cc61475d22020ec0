"""The files that browsers get as they are: style, scripts, and what others have made.

Owns their addresses, which change with their content, so that a browser keeps them for good. All
are read once, and served from memory, compressed beforehand.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).with_name("static")
TYPES = {
    ".woff2": "font/woff2",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
COMPRESSED = {".js", ".css", ".svg"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file; `compressed` is None where that would not make it smaller."""

    content: bytes
    compressed: bytes | None
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file by its name; `digest` is of all of them."""

    files: Mapping[str, Asset]
    digest: str

    @classmethod
    def load(cls) -> "Assets":
        """What lies in `static`, but for licences and lists."""
        files = {}
        digest = hashlib.sha256()
        for path in sorted(path for path in STATIC.rglob("*") if path.suffix in TYPES):
            content = path.read_bytes()
            name = path.relative_to(STATIC).as_posix()
            digest.update(name.encode() + content)
            packed = gzip.compress(content, mtime=0) if path.suffix in COMPRESSED else None
            kind = TYPES[path.suffix]
            files[name] = Asset(content, packed, kind)
        return cls(files, digest.hexdigest()[:16])

    def path(self, name: str) -> str:
        """The address of a file; KeyError where there is none."""
        if name not in self.files:
            raise KeyError(name)
        return f"/assets/{self.digest}/{name}"
