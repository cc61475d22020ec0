"""What the local stack says to people when it cannot go on."""


class StackError(Exception):
    """One plain sentence for the person at the terminal; log lines may follow it."""


class Unavailable(StackError):
    """A server that cannot be had on this machine, with the reason; another may be taken."""
