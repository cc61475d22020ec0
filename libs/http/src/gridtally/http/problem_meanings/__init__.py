"""What each problem code means, and what to do.

One code means one thing throughout Gridtally, so one table serves all services. A test holds it to
the codes that the sources raise.
"""

from gridtally.http.problem_meanings import commerce, general, metering, tariffs

MEANINGS: dict[str, str] = (
    general.MEANINGS | metering.MEANINGS | tariffs.MEANINGS | commerce.MEANINGS
)
