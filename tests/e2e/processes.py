"""The services' processes, as the system shows them."""

import os
from pathlib import Path


def process_of(service: str) -> Path:
    """The folder in /proc of the child of ours that serves it."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid() and f"gridtally.{service}".encode() in command:
            return folder
    raise AssertionError(f"{service} does not run")
