"""Corrections before they are made: `/v1/corrections/preview`."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from gridtally.billing.api.callers import Reader, WriteCause
from gridtally.billing.api.corrections.answers import answer_of
from gridtally.billing.api.corrections.models import (
    CorrectionPreview,
    MadeBy,
    NewCorrectionPreview,
    StoredCorrectionPreview,
)
from gridtally.billing.handlers import corrections as handlers
from gridtally.billing.store import corrections as store
from gridtally.database import snapshot, transaction
from gridtally.http.context import Db, Now
from gridtally.http.idempotency import Idempotent
from gridtally.http.json_bodies import Router
from gridtally.kernel.errors import NotFound
from gridtally.kernel.ids import new_id

router = Router(prefix="/v1/corrections/preview", tags=["corrections"])


@router.post("", status_code=201, response_model=CorrectionPreview)
async def preview_correction(
    new: NewCorrectionPreview, db: Db, cause: WriteCause, now: Now, request: Idempotent
) -> Response:
    """What corrected readings would change: days, costs, invoices and open periods, by how much,
    and what would be issued. Nothing is changed; the answer is stored, so that the correction can
    name it."""
    found = await handlers.preview_correction(db, cause.tenant_id, new.blocks(), now)
    body = answer_of(found, new_id(), now)
    async with transaction(db, tenant=cause.tenant_id) as tx:
        if (stored_answer := await request.fetch_answer(tx)) is not None:
            return stored_answer
        document = body.model_dump_json()
        await store.insert_preview(tx, cause.tenant_id, body.preview_id, document, now)
        return await request.store_answer(tx, 201, body)


@router.get("/{preview_id}")
async def get_correction_preview(
    preview_id: Annotated[UUID, Path(description="The preview's id")], db: Db, caller: Reader
) -> StoredCorrectionPreview:
    """A preview as it was answered, and what was issued by the correction that named it."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        document = await store.fetch_preview(read, caller.tenant_id, preview_id)
        if document is None:
            raise NotFound("correction_preview_unknown", f"there is no preview {preview_id}")
        preview = CorrectionPreview.model_validate(document)
        made = await store.fetch_made_by(
            read,
            caller.tenant_id,
            str(preview_id),
            [changed.invoice_id for changed in preview.invoices],
            [
                *((changed.agreement_id, changed.start_on) for changed in preview.invoices),
                *((period.agreement_id, period.start_on) for period in preview.open_periods),
            ],
        )
    return StoredCorrectionPreview(
        **dict(preview), made=[MadeBy.model_validate(dict(row)) for row in made]
    )
