"""Pauses of Python's cyclic garbage collector, for stretches of work that make no cycles."""

import gc


# A batch keeps some hundred thousand objects alive at once and makes hardly a cycle; the collector,
# which is woken by the number of new objects, looked through them again and again and took 40 % of
# ingest's time. It is only paused: memory is freed by reference counts as ever.
class GarbageCollectionPause:
    """While this context is open nobody looks for cyclic garbage; `end` closes it early.

    Of two that overlap, the one that found the collector running owns the pause and ends it.
    """

    def __init__(self) -> None:
        self._is_paused = False

    def __enter__(self) -> None:
        self._is_paused = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """The collector is as it was before."""
        if self._is_paused:
            self._is_paused = False
            gc.enable()
