"""The services' processes, as the system shows them."""

from pathlib import Path

from gridtally.local_stack.stack import Stack


def process_of(running: Stack, service: str) -> Path:
    """The folder in /proc of the process that serves it."""
    pid = running.services[service].pid
    assert pid, f"{service} does not run"
    return Path(f"/proc/{pid}")
