"""What a command says when it cannot go on: one plain sentence for the person at the terminal."""


class CommandError(Exception):
    """Something that the person can put right; the command ends with exit status 1."""


class ServiceAway(CommandError):
    """A service does not answer: the same may do later."""
