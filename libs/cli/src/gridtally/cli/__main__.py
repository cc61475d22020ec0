"""`python -m gridtally` and the `gridtally` command."""

import logging
import sys
from errno import EACCES, EDQUOT, ENAMETOOLONG, ENOSPC, EPERM, EROFS

from gridtally.cli.errors import CommandError

REFUSALS = {EACCES, EDQUOT, ENAMETOOLONG, ENOSPC, EPERM, EROFS}
"""What a file system says when its owner, not the program, has something to put right."""


def main() -> None:
    """Run a command; what a person can put right is one message and exit status 1."""
    from gridtally.cli.app import app

    logging.getLogger().addHandler(logging.NullHandler())  # libraries' logs are not for a terminal
    try:
        app()
    except CommandError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if error.errno not in REFUSALS:
            raise
        sys.exit(f"error: {error.filename or 'a file'}: {error.strerror}")


if __name__ == "__main__":
    main()
