"""`GET /v1/me`: whose key this is and what it may do, for programs that sign people in with one."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import Field

from gridtally.http.auth import Principal, any_key
from gridtally.http.json_bodies import Router
from gridtally.http.resources import AnswerModel

router = Router(prefix="/v1/me", tags=["keys"])


class Identity(AnswerModel):
    """The key that a request shows, as this service knows it."""

    tenant_id: str
    key_id: str
    scopes: list[str]
    customer_id: Annotated[
        UUID | None,
        Field(description="The customer whose rows alone this request sees; null for all rows"),
    ]


@router.get("")
async def get_identity(caller: Annotated[Principal, Depends(any_key)]) -> Identity:
    """Show the tenant and the scopes of the caller's key, and the customer to whom the request is
    bound; any key in force may ask."""
    return Identity(
        tenant_id=caller.tenant_id,
        key_id=caller.key_id,
        scopes=sorted(caller.scopes),
        customer_id=caller.customer_id,
    )
