"""Problem details (RFC 9457): how every API says no."""

from pydantic import Field

from contracts.model import WireModel


class FaultDetail(WireModel):
    """One thing wrong with the input: a JSON pointer and what is expected there."""

    path: str
    detail: str


class Problem(WireModel):
    """The body of an `application/problem+json` answer; `code` is for programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str
    faults: list[FaultDetail] = Field(default_factory=list)
