"""`python -m gridtally` and the `gridtally` command."""

import logging
import sys

from gridtally.errors import CommandError


def main() -> None:
    """Run a command; what a person can put right is one message and exit status 1."""
    from gridtally.cli import app

    logging.getLogger().addHandler(logging.NullHandler())  # libraries' logs are not for a terminal
    try:
        app()
    except CommandError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
