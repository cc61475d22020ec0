"""What the local stack says to people when it cannot go on."""

from gridtally.cli.errors import CommandError


class StackError(CommandError):
    """The local stack cannot go on; log lines may follow the sentence."""


class Unavailable(StackError):
    """A server that cannot be had on this machine, with the reason; another may be taken."""
