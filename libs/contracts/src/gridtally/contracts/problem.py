"""Problem details (RFC 9457): how every API says no."""

from typing import Annotated

from pydantic import Field

from gridtally.contracts.model import ContractModel

ErrorPart = Annotated[str | None, Field(exclude_if=lambda part: part is None)]
"""Where an error is; of the two an error has one, and the other is left out of what is sent."""


class ProblemError(ContractModel):
    """One thing that is wrong with a request: where, and what is expected there."""

    detail: str
    """What is expected."""
    pointer: ErrorPart = None
    """Where in the body: a JSON pointer in a URI fragment, `#/components/3/rate`."""
    parameter: ErrorPart = None
    """Where outside the body: `query/limit`, `path/meter_id` or `header/If-Match`."""


class Problem(ContractModel):
    """The body of an `application/problem+json` answer; `code` is for programs."""

    type: str = "about:blank"
    """A reference to the explanation of the code."""
    title: str
    """What the code means, in short."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong this time, for people."""
    code: str
    """The kind of problem, for programs."""
    correlation_id: str
    """The id under which logs speak of this request."""
    errors: list[ProblemError] = Field(default_factory=list)
    """What is wrong with the parts of the request."""
