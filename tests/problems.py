"""What a problem says is wrong, in the one form that tests compare: paths as in `kernel.errors`."""

from urllib.parse import unquote


def path_of(error):
    """`/zone` for the pointer `#/zone`, `/query/limit` for the parameter `query/limit`."""
    if "parameter" in error:
        return f"/{error['parameter']}"
    return unquote(error["pointer"].removeprefix("#"))


def paths(problem):
    """Where each part is that is wrong, in the problem's order."""
    return [path_of(error) for error in problem["errors"]]
