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


def require_doable(outcomes: Sequence[object], what: str, mode: BatchMode) -> int:
    """How many items of a list are refused, where the others are to be done all the same.

    Rejected where nothing is: all are refused, or one is and the mode is all or nothing. Its code
    is that of the refused items, where they have the same, else `<what>_refused`.
    """
    refused = [
        at_item(outcome, index)
        for index, outcome in enumerate(outcomes)
        if isinstance(outcome, Rejected)
    ]
    if not refused or (len(refused) < len(outcomes) and mode == "item_by_item"):
        return len(refused)
    reason = "nothing is entered" if mode == "all_or_nothing" else "none could be entered"
    codes = {own.code for own in refused}
    raise Rejected(
        codes.pop() if len(codes) == 1 else f"{what}_refused",
        f"{len(refused)} of {len(outcomes)} {what} are refused: {reason}",
        tuple(fault for own in refused for fault in own.faults),
    )
