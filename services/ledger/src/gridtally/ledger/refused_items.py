"""Refusals of items of a request's list, each by the place where the item stands."""

from collections.abc import Sequence
from typing import Literal

from gridtally.kernel.errors import Fault, Rejected

BatchMode = Literal["all_or_nothing", "item_by_item"]
"""What happens where some items of a list are refused."""


def at_item(refused: Rejected, index: int) -> Rejected:
    """A refusal of one item, as one of the list that it is in."""
    faults = refused.faults or (Fault("", refused.detail),)
    within = tuple(Fault(f"/items/{index}{own.path}", own.detail) for own in faults)
    return Rejected(refused.code, refused.detail, within)


def refused_list(refused: Sequence[Rejected], count: int, what: str, mode: BatchMode) -> Rejected:
    """The refusal of a list of `count` items of which nothing is done, from those of its items; its
    code is that of all of them, where they have the same, else `<what>_refused`."""
    reason = "nothing is entered" if mode == "all_or_nothing" else "none could be entered"
    codes = {own.code for own in refused}
    return Rejected(
        codes.pop() if len(codes) == 1 else f"{what}_refused",
        f"{len(refused)} of {count} {what} are refused: {reason}",
        tuple(fault for own in refused for fault in own.faults),
    )
