"""What a request costs, in points: the one table of cost classes of every route of every service.

A point is what reading one resource costs, some 5 ms of a core. Most routes say by their form what
they are: a GET of one resource by its id, a page, a file, a change, a creation, a batch. `NAMED`
has all others, so that nobody adds a route that works for seconds as if it were a read: a route
that neither says it nor is named here fails `tests/architecture`.
"""

from dataclasses import dataclass

from fastapi.routing import APIRoute, APIWebSocketRoute

from gridtally.http.dependants import calls_of
from gridtally.http.idempotency import idempotent_request
from gridtally.http.paging import page_request


@dataclass(frozen=True, slots=True)
class CostClass:
    """A kind of work; `points` are taken from what a key and its tenant may spend."""

    name: str
    points: int


READ = CostClass("read", 1)
"""One resource, or a few rows by their key."""
LISTING = CostClass("listing", 2)
"""A page, or a figure that is summed from rows of one customer, property or meter."""
WRITE = CostClass("write", 2)
"""A change of one thing, in one transaction."""
BULK_WRITE = CostClass("bulk write", 50)
"""Hundreds of things at once, or work that goes on in the background."""
CALCULATION = CostClass("calculation", 50)
"""Bills worked out, trees summed, documents drawn. Of one tenant some are at work at once."""
EXPORT = CostClass("export", 50)
"""A file as long as the tenant's data. `gridtally.http.exports` bounds how many are under way."""
STREAM = CostClass("stream", 20)
"""Events for half an hour, of what is published anyway."""
CLASSES = (READ, LISTING, WRITE, BULK_WRITE, CALCULATION, EXPORT, STREAM)
UNNAMED = CALCULATION
"""What a route counts as that is of no class: the tests refuse it, a running service does not."""

NAMED: dict[str, CostClass] = {
    # of every service
    "GET /v1/me": READ,
    "GET /v1/dead-letters/counts": LISTING,
    "GET /v1/reconciliation": CALCULATION,
    "POST /v1/dead-letters/{dead_letter_id}/discard": WRITE,
    "POST /v1/dead-letters/{dead_letter_id}/replay": WRITE,
    "POST /v1/keys": WRITE,
    # billing
    "GET /v1/agreements/{agreement_id}/periods/{start_on}/bill": CALCULATION,
    "GET /v1/agreements/{agreement_id}/preview": CALCULATION,
    "GET /v1/billing-runs/{run_id}": CALCULATION,
    "GET /v1/billing-runs/{run_id}/findings": CALCULATION,
    "GET /v1/credit-notes/{credit_note_id}/document": CALCULATION,
    "GET /v1/customers/{customer_id}/bills": LISTING,
    "GET /v1/customers/{customer_id}/offers": LISTING,
    "GET /v1/customers/{customer_id}/prepayment": CALCULATION,
    "GET /v1/customers/{customer_id}/prepayment/days": CALCULATION,
    "GET /v1/customers/{customer_id}/registers": LISTING,
    "GET /v1/fleet/customers/{customer_id}/cost": CALCULATION,
    "GET /v1/fleet/customers/{customer_id}/cost/hours-without-tariff": CALCULATION,
    "GET /v1/invoice-documents": EXPORT,
    "GET /v1/invoices/{invoice_id}/document": CALCULATION,
    "GET /v1/invoices/{invoice_id}/evidence": LISTING,
    "GET /v1/invoices/{invoice_id}/explanation": CALCULATION,
    "GET /v1/invoices/{invoice_id}/proof": CALCULATION,
    "GET /v1/invoices/{invoice_id}/recalculation": CALCULATION,
    "GET /v1/meters/{meter_id}/register-sums": CALCULATION,
    "GET /v1/invoicing-terms": READ,
    "GET /v1/meters/{meter_id}/daily-costs": LISTING,
    "GET /v1/seller": READ,
    "GET /v1/webhook-messages/{message_id}/attempts": LISTING,
    "POST /v1/agreements/{agreement_id}/preview": CALCULATION,
    "POST /v1/agreements/{agreement_id}/rebilling": BULK_WRITE,
    "POST /v1/agreements/{agreement_id}/rebilling/preview": CALCULATION,
    "POST /v1/billing-runs": CALCULATION,
    "POST /v1/billing-runs/{run_id}/approve": BULK_WRITE,
    "POST /v1/billing-runs/{run_id}/cancel": WRITE,
    "POST /v1/bills/calculate-and-store": CALCULATION,
    "POST /v1/corrections/preview": CALCULATION,
    "POST /v1/customers/{customer_id}/erase": BULK_WRITE,
    "POST /v1/customers/{customer_id}/merge": BULK_WRITE,
    "POST /v1/customers/{customer_id}/merge/preview": BULK_WRITE,
    "POST /v1/held-invoices/{agreement_id}/{start_on}/dismiss": WRITE,
    "POST /v1/held-invoices/{agreement_id}/{start_on}/recall": WRITE,
    "POST /v1/invoice-drafts/approve": BULK_WRITE,
    "POST /v1/invoice-drafts/{draft_id}/approve": WRITE,
    "POST /v1/invoice-drafts/{draft_id}/reject": WRITE,
    "POST /v1/pending-collective-invoices/release": WRITE,
    "POST /v1/webhook-endpoints": WRITE,
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": BULK_WRITE,
    "POST /v1/webhook-endpoints/{endpoint_id}/rotation": WRITE,
    "POST /v1/webhook-endpoints/{endpoint_id}/test": WRITE,
    "POST /v1/webhook-messages/{message_id}/redelivery": WRITE,
    # ingest
    "GET /v1/meters/{meter_id}/completeness": LISTING,
    "GET /v1/meters/{meter_id}/series": LISTING,
    "GET /v1/alert-rules": READ,
    "GET /v1/estimates/accuracy": LISTING,
    "GET /v1/archive-settings": READ,
    "GET /v1/estimation-settings": READ,
    "GET /v1/readings/stream": STREAM,
    "GET /v1/validation-rules": READ,
    "POST /v1/agreements/{agreement_id}/periods/{start_on}/close": WRITE,
    "POST /v1/alerts/{alert_id}/acknowledge": WRITE,
    "POST /v1/device-events": WRITE,
    "POST /v1/imports": BULK_WRITE,
    "POST /v1/imports/{import_id}/check": BULK_WRITE,
    "POST /v1/imports/{import_id}/replay": BULK_WRITE,
    "POST /v1/imports/{import_id}/run": BULK_WRITE,
    "POST /v1/imports/{import_id}/undo": BULK_WRITE,
    "POST /v1/quarantine/{quarantine_id}/replay": WRITE,
    "POST /v1/readings": WRITE,
    "POST /v1/series/completeness": CALCULATION,
    "POST /v1/series/query": CALCULATION,
    # ledger
    "GET /v1/ageing": CALCULATION,
    "GET /v1/budget-plans/proposal": LISTING,
    "GET /v1/customers/{customer_id}/balance": READ,
    "GET /v1/customers/{customer_id}/statement": CALCULATION,
    "GET /v1/customers/{customer_id}/dunning-stop": READ,
    "GET /v1/dunning-notices/{notice_id}/document": CALCULATION,
    "GET /v1/dunning-rules": READ,
    "GET /v1/dunning-runs/preview": CALCULATION,
    "GET /v1/customers/{customer_id}/mandate": READ,
    "GET /v1/direct-debit-settings": READ,
    "GET /v1/direct-debits/{batch_id}": CALCULATION,
    "GET /v1/direct-debits/{batch_id}/file": EXPORT,
    "GET /v1/ledger/checkpoint": LISTING,
    "GET /v1/ledger/entries/{seq}/proof": LISTING,
    "GET /v1/ledger/status": LISTING,
    "GET /v1/meters/{meter_id}/definitions": LISTING,
    "GET /v1/meters/{meter_id}/stats": LISTING,
    "GET /v1/meters/{meter_id}/value": LISTING,
    "GET /v1/payees": CALCULATION,
    "GET /v1/payees/{payee_id}/statement": CALCULATION,
    "GET /v1/payment-terms": READ,
    "GET /v1/properties/{property_id}/conservation": CALCULATION,
    "GET /v1/properties/{property_id}/consumption": CALCULATION,
    "GET /v1/properties/{property_id}/consumption/table": CALCULATION,
    "GET /v1/properties/{property_id}/current-readings": LISTING,
    "GET /v1/properties/{property_id}/meters": LISTING,
    "GET /v1/readings/{reading_id}/history": LISTING,
    "GET /v1/tenant-defaults": READ,
    "GET /v1/trial-balance": CALCULATION,
    "POST /v1/budget-plans/{budget_plan_id}/amount": WRITE,
    "POST /v1/budget-plans/{budget_plan_id}/end": WRITE,
    "POST /v1/customers/{customer_id}/readings": BULK_WRITE,
    "POST /v1/budget-plans/{budget_plan_id}/settlement": WRITE,
    "POST /v1/dunning-notices/{notice_id}/withdraw": WRITE,
    "POST /v1/dunning-runs": BULK_WRITE,
    "POST /v1/direct-debits": BULK_WRITE,
    "POST /v1/direct-debits/{batch_id}/cancel": CALCULATION,
    "POST /v1/payment-files": BULK_WRITE,
    "POST /v1/payment-plans/preview": CALCULATION,
    "POST /v1/ledger/entries/{seq}/erase": WRITE,
    "POST /v1/properties/{property_id}/initialize-meters": BULK_WRITE,
    # simulation
    "GET /v1/simulation-comparisons/{comparison_id}/results": LISTING,
    "GET /v1/simulation-runs/{run_id}/totals": LISTING,
    "POST /v1/simulation-comparisons/{comparison_id}/cancel": WRITE,
    "POST /v1/simulation-comparisons/{comparison_id}/start": BULK_WRITE,
    "POST /v1/simulation-policies": WRITE,
    "POST /v1/simulation-runs/{run_id}/cancel": WRITE,
    "POST /v1/simulation-runs/{run_id}/start": BULK_WRITE,
    # tariff
    "GET /v1/calendars/{calendar_id}/days": LISTING,
    "GET /v1/tariffs/{tariff_id}/versions/in-force": READ,
    "POST /v1/calendars": WRITE,
    "POST /v1/calendars/{calendar_id}/versions": WRITE,
    "POST /v1/calendars/{calendar_id}/versions/{number}/publish": WRITE,
    "POST /v1/compare": CALCULATION,
    "POST /v1/price-series": WRITE,
    "POST /v1/price-series/{series_id}/prices": BULK_WRITE,
    "POST /v1/quotes": CALCULATION,
    "POST /v1/regions": WRITE,
    "POST /v1/tariffs": WRITE,
    "POST /v1/tariffs/{tariff_id}/versions": WRITE,
    "POST /v1/tariffs/{tariff_id}/versions/import": WRITE,
    "POST /v1/tariffs/{tariff_id}/versions/validate": WRITE,
    "POST /v1/tariffs/{tariff_id}/versions/{number}/publish": WRITE,
    "POST /v1/tariffs/{tariff_id}/versions/{number}/quote": CALCULATION,
    "POST /v1/tariffs/{tariff_id}/versions/{number}/withdraw": WRITE,
}


def cost_of(route: object, method: str) -> CostClass | None:
    """The class of a route's work; None where neither its form nor the table says it."""
    if not isinstance(route, APIRoute | APIWebSocketRoute):
        return None
    named = NAMED.get(f"{method} {route.path}")
    return named or _by_form(route.path, method, calls_of(route))


def _by_form(path: str, method: str, calls: set[object]) -> CostClass | None:
    last = path.rpartition("/")[2]
    match method:
        case "PUT" | "PATCH" | "DELETE":
            return WRITE
        case "POST" if last == "batch":
            return BULK_WRITE
        case "POST" if last == "export":
            return EXPORT
        case "POST" if idempotent_request in calls:
            return WRITE
        case "GET" | "HEAD" if last == "export" or last.endswith((".csv", ".zip")):
            return EXPORT
        case "GET" | "HEAD" if page_request in calls:
            return LISTING
        case "GET" | "HEAD" if last.endswith("}"):
            return READ
    return None
