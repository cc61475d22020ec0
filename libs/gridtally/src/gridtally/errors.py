"""What a command says when it cannot go on: one plain sentence for the person at the terminal."""


class CommandError(Exception):
    """Something that the person can put right; the command ends with exit status 1."""
