"""`/v1/tenant-defaults`: what new resources have where nothing else is said."""

from gridtally.database import snapshot, transaction
from gridtally.http.context import Db
from gridtally.http.json_bodies import Router
from gridtally.ledger.callers import Reader, WriteCause
from gridtally.ledger.registry.handlers import tenant_defaults as handlers
from gridtally.ledger.registry.schemas.tenant_defaults import NewTenantDefaults, TenantDefaults
from gridtally.ledger.registry.store import tenant_defaults as store

router = Router(prefix="/v1/tenant-defaults", tags=["properties"])


@router.get("")
async def get_tenant_defaults(db: Db, caller: Reader) -> TenantDefaults:
    """What the tenant's new resources have where nothing else is said."""
    async with snapshot(db, tenant=caller.tenant_id) as read:
        return TenantDefaults.of(await store.fetch_defaults(read, caller.tenant_id))


@router.put("")
async def put_tenant_defaults(body: NewTenantDefaults, db: Db, cause: WriteCause) -> TenantDefaults:
    """Set all of them; what is left out is none. What is there already stays as it is."""
    wanted = body.to_domain()
    async with transaction(db, tenant=cause.tenant_id) as tx:
        await handlers.change_defaults(tx, cause, wanted)
    return TenantDefaults.of(wanted)
