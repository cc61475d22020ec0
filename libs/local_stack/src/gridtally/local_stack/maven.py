"""Owns how jars are fetched: by Maven, by the pinned coordinates of a `pom.xml` that copies them
into the folder `jars`."""

import hashlib
import shutil
import subprocess
from functools import partial
from pathlib import Path

from gridtally.local_stack.cache import Report, cached_build
from gridtally.local_stack.errors import Unavailable

FETCH_LIMIT_S = 600.0
REASON_CHARACTERS_MAX = 300


def fetch_jars(cache: Path, name: str, title: str, pom: Path, report: Report) -> Path:
    """The folder of a program's jars below `cache`, fetched when it is not there for this `pom`.

    Raises Unavailable, with the program's title, where there is no Maven or it has a reason not to.
    """
    digest = hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    return cached_build(cache, f"{name}-{digest}", partial(_fetch, title, pom), report)


def _fetch(title: str, pom: Path, target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable(f"{title}'s jars are fetched with Maven, and there is no mvn")
    quiet = ["-q", "-B", "-Dstyle.color=never", "--strict-checksums"]
    try:
        done = subprocess.run(
            [maven, *quiet, "-f", str(pom), f"-Djars={target}", "package"],
            capture_output=True,
            text=True,
            timeout=FETCH_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{title}'s jars took longer than {FETCH_LIMIT_S:.0f} s") from error
    if done.returncode != 0:
        said = done.stdout.partition("[ERROR] ")[2].partition("\n")[0][:REASON_CHARACTERS_MAX]
        raise Unavailable(f"{title}'s jars could not be fetched: {said}")
