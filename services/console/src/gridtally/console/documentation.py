"""The documentation site, where one has been built: its files, and what their pages may run."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gridtally.console.content_policy import content_policy

FIRST_PAGE = "index.html"
INLINE = re.compile(
    rb"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>(.+?)</script>", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Documentation:
    """Every file of the site by its name. The pages' own scripts, and no others, may run: the
    content policy names each by its hash."""

    files: Mapping[str, Path]
    content_policy: str

    @classmethod
    def read(cls, directory: Path) -> "Documentation":
        """What `make site` has built into a directory."""
        files = {
            path.relative_to(directory).as_posix(): path
            for path in directory.rglob("*")
            if path.is_file()
        }
        pages = [path for name, path in sorted(files.items()) if name.endswith(".html")]
        scripts = {script for page in pages for script in INLINE.findall(page.read_bytes())}
        hashes = sorted(base64.b64encode(hashlib.sha256(own).digest()).decode() for own in scripts)
        return cls(files, content_policy(hashes))
