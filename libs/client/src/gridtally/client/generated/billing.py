"""The operations of billing. Generated from docs/openapi/billing.json by `make docs`."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from gridtally.client.downloads import AsyncDownload, Download
from gridtally.client.generated import billing_models as models
from gridtally.client.transports import AsyncOperations, Operations


class Billing(Operations):
    """The operations of billing."""

    def create_customer(
        self, body: models.NewCustomer, *, idempotency_key: str | None = None
    ) -> models.Customer:
        """Make a customer. 200 when it exists already just as it is, 409 when it is another."""
        return self._call(
            models.Customer,
            "POST",
            "/v1/customers",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_customers(
        self,
        *,
        text: str | None = None,
        number: str | None = None,
        email: str | None = None,
        merged_into: UUID | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Customer]:
        """Customers by name. A duplicate is listed too, and `merged_into` names who goes on."""
        return self._pages(
            models.PageOfCustomer,
            "GET",
            "/v1/customers",
            query={
                "text": text,
                "number": number,
                "email": email,
                "merged_into": merged_into,
                "limit": limit,
            },
        )

    def create_customers(
        self, body: models.NewCustomers, *, idempotency_key: str | None = None
    ) -> models.Customers:
        """Make many customers at once, all or none; 200 when all of them exist already."""
        return self._call(
            models.Customers,
            "POST",
            "/v1/customers/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_customer(self, customer_id: UUID) -> models.Customer:
        """One customer."""
        return self._call(
            models.Customer,
            "GET",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
        )

    def change_customer(
        self, customer_id: UUID, body: models.CustomerChange, *, if_match: int | str | None = None
    ) -> models.Customer:
        """Change some of what is known of a customer; `If-Match` names the version that was
        read.
        """
        return self._call(
            models.Customer,
            "PATCH",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
            body=body,
            if_match=if_match,
        )

    def replace_customer(
        self,
        customer_id: UUID,
        body: models.CustomerReplacement,
        *,
        if_match: int | str | None = None,
    ) -> models.Customer:
        """Replace all that is known of a customer; what is left out is empty from then on."""
        return self._call(
            models.Customer,
            "PUT",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
            body=body,
            if_match=if_match,
        )

    def delete_customer(self, customer_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete a customer for whom there was never an agreement; 409 for others, who can be
        erased.
        """
        self._do(
            "DELETE",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
            if_match=if_match,
        )

    def erase_customer(
        self, customer_id: UUID, body: models.NewErasure, *, if_match: int | str | None = None
    ) -> models.Customer:
        """Replace what names a customer everywhere, for good; amounts and numbers stay.

        Once erased, the same again answers what is left. 409 while an agreement has not
        ended.
        """
        return self._call(
            models.Customer,
            "POST",
            "/v1/customers/{customer_id}/erase",
            parts={"customer_id": customer_id},
            body=body,
            if_match=if_match,
        )

    def list_erasures(self, *, limit: int | None = None) -> Iterator[models.Erasure]:
        """Who was erased, the newest first."""
        return self._pages(models.PageOfErasure, "GET", "/v1/erasures", query={"limit": limit})

    def preview_merge(
        self, customer_id: UUID, body: models.NewCustomerMerge
    ) -> models.CustomerMergePreview:
        """What a merge would change: which agreements go over, and what both customers owe.

        It is done by what does it, and taken back: nothing is changed or published.
        """
        return self._call(
            models.CustomerMergePreview,
            "POST",
            "/v1/customers/{customer_id}/merge/preview",
            parts={"customer_id": customer_id},
            body=body,
        )

    def merge_customer(
        self,
        customer_id: UUID,
        body: models.NewCustomerMerge,
        *,
        idempotency_key: str | None = None,
    ) -> models.CustomerMergeDetail:
        """Merge a customer into another one who is the same person or business; 200 the second
        time.

        The agreements are the survivor's from now on, and so are invoices of them; what was
        issued stays as it was issued. What is open, credit or held of the duplicate moves in
        the ledger within seconds, as do payment plans, and what is paid or credited later
        follows. A merge is not undone: an agreement that belongs elsewhere after all is put
        right by its rebilling.
        """
        return self._call(
            models.CustomerMergeDetail,
            "POST",
            "/v1/customers/{customer_id}/merge",
            parts={"customer_id": customer_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_customer_merges(self, *, limit: int | None = None) -> Iterator[models.CustomerMerge]:
        """Who was merged into whom, by whom and why, the newest first."""
        return self._pages(
            models.PageOfCustomerMerge, "GET", "/v1/customer-merges", query={"limit": limit}
        )

    def create_agreement(
        self, body: models.NewAgreement, *, idempotency_key: str | None = None
    ) -> models.Agreement:
        """Make an agreement.

        200 when it exists already just as it is; 409 when it is another, or when the meter
        has another agreement on some of its days.
        """
        return self._call(
            models.Agreement,
            "POST",
            "/v1/agreements",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_agreements(
        self,
        *,
        customer_id: UUID | None = None,
        meter_id: UUID | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Agreement]:
        """Agreements by their id."""
        return self._pages(
            models.PageOfAgreement,
            "GET",
            "/v1/agreements",
            query={"customer_id": customer_id, "meter_id": meter_id, "limit": limit},
        )

    def create_agreements(
        self, body: models.NewAgreements, *, idempotency_key: str | None = None
    ) -> models.Agreements:
        """Make many agreements at once, all or none; 200 when all of them exist already."""
        return self._call(
            models.Agreements,
            "POST",
            "/v1/agreements/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_agreement(self, agreement_id: UUID) -> models.Agreement:
        """One agreement."""
        return self._call(
            models.Agreement,
            "GET",
            "/v1/agreements/{agreement_id}",
            parts={"agreement_id": agreement_id},
        )

    def change_agreement(
        self, agreement_id: UUID, body: models.AgreementChange, *, if_match: int | str | None = None
    ) -> models.Agreement:
        """Change the end, the way its periods close or its billing calendar; `If-Match` names
        the version that was read.

        409 when invoices cover days after the new end, closed periods days after the change
        of the calendar, or another agreement of the meter is in the way.
        """
        return self._call(
            models.Agreement,
            "PATCH",
            "/v1/agreements/{agreement_id}",
            parts={"agreement_id": agreement_id},
            body=body,
            if_match=if_match,
        )

    def delete_agreement(self, agreement_id: UUID, *, if_match: int | str | None = None) -> None:
        """Delete an agreement by which nothing was ever billed; `If-Match` names the version
        that was read.

        Its closed, held and waiting periods go with it, and its days have no cost any more.
        409 `agreement_billed` when an invoice was issued by it: then cancel and rebill it.
        """
        self._do(
            "DELETE",
            "/v1/agreements/{agreement_id}",
            parts={"agreement_id": agreement_id},
            if_match=if_match,
        )

    def list_incomplete_agreements(
        self,
        *,
        missing: Literal["meter", "tariff"] | None = None,
        customer_id: UUID | None = None,
        limit: int | None = None,
    ) -> Iterator[models.IncompleteAgreement]:
        """Agreements whose meter or tariff nobody knows yet, the oldest first.

        They were accepted since both may arrive late. One that names the wrong thing is
        deleted, or rebilled.
        """
        return self._pages(
            models.PageOfIncompleteAgreement,
            "GET",
            "/v1/incomplete-agreements",
            query={"missing": missing, "customer_id": customer_id, "limit": limit},
        )

    def preview_rebilling(
        self, agreement_id: UUID, body: models.NewRebilling
    ) -> models.RebillingPreview:
        """What a rebilling would change: which invoices are credited, and which bills follow.

        It is done by what does it, and taken back: nothing is changed, numbered or published.
        """
        return self._call(
            models.RebillingPreview,
            "POST",
            "/v1/agreements/{agreement_id}/rebilling/preview",
            parts={"agreement_id": agreement_id},
            body=body,
        )

    def create_rebilling(
        self,
        agreement_id: UUID,
        body: models.NewRebilling,
        *,
        if_match: int | str | None = None,
        idempotency_key: str | None = None,
    ) -> models.RebillingDetail:
        """Cancel an agreement from a day on that may be billed already, and bill it by another
        one.

        What was issued of these days is credited at once, with the reason; the new invoices
        follow within seconds, when ingest has closed their periods. Drafts and held periods
        of these days are withdrawn. `If-Match` names the version of the agreement that was
        read. 409 when another agreement of the meter is in the way, or nothing would change.
        """
        return self._call(
            models.RebillingDetail,
            "POST",
            "/v1/agreements/{agreement_id}/rebilling",
            parts={"agreement_id": agreement_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
            if_match=if_match,
        )

    def list_rebillings(
        self, *, agreement_id: UUID | None = None, limit: int | None = None
    ) -> Iterator[models.Rebilling]:
        """Rebillings, the newest first."""
        return self._pages(
            models.PageOfRebilling,
            "GET",
            "/v1/rebillings",
            query={"agreement_id": agreement_id, "limit": limit},
        )

    def get_rebilling(self, rebilling_id: UUID) -> models.RebillingDetail:
        """A rebilling with its credit notes."""
        return self._call(
            models.RebillingDetail,
            "GET",
            "/v1/rebillings/{rebilling_id}",
            parts={"rebilling_id": rebilling_id},
        )

    def list_read_cycles(self, *, limit: int | None = None) -> Iterator[models.ReadCycle]:
        """Read cycles by name."""
        return self._pages(models.PageOfReadCycle, "GET", "/v1/read-cycles", query={"limit": limit})

    def get_read_cycle(self, name: str) -> models.ReadCycle:
        """One read cycle."""
        return self._call(models.ReadCycle, "GET", "/v1/read-cycles/{name}", parts={"name": name})

    def replace_read_cycle(
        self, name: str, body: models.ReadCycleReplacement, *, if_match: int | str | None = None
    ) -> models.ReadCycle:
        """Make a read cycle, or say all of its dates again, such as with the next one.

        Agreements that name it follow within moments: periods that are closed stay as they
        are, and the days after them are billed by the new dates.
        """
        return self._call(
            models.ReadCycle,
            "PUT",
            "/v1/read-cycles/{name}",
            parts={"name": name},
            body=body,
            if_match=if_match,
        )

    def list_invoices(
        self,
        *,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        state: Literal["issued", "void"] | None = None,
        number: str | None = None,
        limit: int | None = None,
    ) -> Iterator[models.Invoice]:
        """Invoices, the newest first; `from` and `to` bound their periods."""
        return self._pages(
            models.PageOfInvoice,
            "GET",
            "/v1/invoices",
            query={
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "from": from_,
                "to": to,
                "state": state,
                "number": number,
                "limit": limit,
            },
        )

    def get_invoice(self, invoice_id: UUID) -> models.InvoiceDetail:
        """An invoice with its lines, what it rests on, and what became of it."""
        return self._call(
            models.InvoiceDetail,
            "GET",
            "/v1/invoices/{invoice_id}",
            parts={"invoice_id": invoice_id},
        )

    def get_evidence(self, invoice_id: UUID) -> models.Evidence:
        """The usage that the invoice billed, interval by interval, with its quality."""
        return self._call(
            models.Evidence,
            "GET",
            "/v1/invoices/{invoice_id}/evidence",
            parts={"invoice_id": invoice_id},
        )

    def recalculate_invoice(self, invoice_id: UUID) -> models.Recalculation:
        """The invoice computed once more from its evidence, and whether that agrees with what
        was issued: every line, and the state that it carries forward.
        """
        return self._call(
            models.Recalculation,
            "GET",
            "/v1/invoices/{invoice_id}/recalculation",
            parts={"invoice_id": invoice_id},
        )

    def create_credit_note(
        self, invoice_id: UUID, body: models.NewCreditNote, *, idempotency_key: str | None = None
    ) -> models.CreditNoteDetail:
        """Credit a part of an invoice, by hand and for good: lines of it with their taxes, or an
        amount of which each tax class has its share.

        The invoice stays live. A later correction credits what is left of it, and this part
        once more on the invoice that it issues, unless `repeat_on_correction` is false. 409
        when it is void or nothing is left; 422 for more than what is left.
        """
        return self._call(
            models.CreditNoteDetail,
            "POST",
            "/v1/invoices/{invoice_id}/credit-notes",
            parts={"invoice_id": invoice_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_credit_notes(
        self,
        *,
        invoice_id: UUID | None = None,
        customer_id: UUID | None = None,
        extent: Literal["whole", "part", "rest"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.CreditNote]:
        """Credit notes, the newest first."""
        return self._pages(
            models.PageOfCreditNote,
            "GET",
            "/v1/credit-notes",
            query={
                "invoice_id": invoice_id,
                "customer_id": customer_id,
                "extent": extent,
                "limit": limit,
            },
        )

    def get_credit_note(self, credit_note_id: UUID) -> models.CreditNoteDetail:
        """A credit note with its lines."""
        return self._call(
            models.CreditNoteDetail,
            "GET",
            "/v1/credit-notes/{credit_note_id}",
            parts={"credit_note_id": credit_note_id},
        )

    def get_invoicing_terms(self) -> models.InvoicingTerms:
        """Whether the tenant approves its invoices before they are issued."""
        return self._call(models.InvoicingTerms, "GET", "/v1/invoicing-terms")

    def put_invoicing_terms(self, body: models.NewInvoicingTerms) -> models.InvoicingTerms:
        """Have invoices approved from now on, or not any more: then what waits is issued within
        seconds.
        """
        return self._call(models.InvoicingTerms, "PUT", "/v1/invoicing-terms", body=body)

    def list_invoice_drafts(
        self,
        *,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        state: Literal["pending", "approved", "rejected"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.InvoiceDraft]:
        """Drafts, those of the earliest periods first; `from` and `to` bound their periods."""
        return self._pages(
            models.PageOfInvoiceDraft,
            "GET",
            "/v1/invoice-drafts",
            query={
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "from": from_,
                "to": to,
                "state": state,
                "limit": limit,
            },
        )

    def approve_invoice_drafts(self, body: models.DraftApprovals) -> models.ApprovedDrafts:
        """Approve many drafts; those that were changed or decided meanwhile are left out."""
        return self._call(models.ApprovedDrafts, "POST", "/v1/invoice-drafts/approve", body=body)

    def get_invoice_draft(self, draft_id: UUID) -> models.InvoiceDraftDetail:
        """A draft with its lines."""
        return self._call(
            models.InvoiceDraftDetail,
            "GET",
            "/v1/invoice-drafts/{draft_id}",
            parts={"draft_id": draft_id},
        )

    def approve_invoice_draft(
        self, draft_id: UUID, *, if_match: int | str | None = None
    ) -> models.InvoiceDraft:
        """Approve a draft: it is issued within a second, if it still comes to the same lines.
        The same again changes nothing; 409 once it is issued.
        """
        return self._call(
            models.InvoiceDraft,
            "POST",
            "/v1/invoice-drafts/{draft_id}/approve",
            parts={"draft_id": draft_id},
            if_match=if_match,
        )

    def reject_invoice_draft(
        self, draft_id: UUID, body: models.DraftRejection, *, if_match: int | str | None = None
    ) -> models.InvoiceDraft:
        """Reject a draft: its period is held until a correction changes its bill, which is a new
        draft, or until it is approved after all. 409 once it was approved.
        """
        return self._call(
            models.InvoiceDraft,
            "POST",
            "/v1/invoice-drafts/{draft_id}/reject",
            parts={"draft_id": draft_id},
            body=body,
            if_match=if_match,
        )

    def create_billing_run(
        self, body: models.NewBillingRun, *, idempotency_key: str | None = None
    ) -> models.BillingRunReport:
        """Make a run: a dry run, that issues nothing.

        409 `approval_not_required` where the tenant's invoices are issued as readings
        complete.
        """
        return self._call(
            models.BillingRunReport,
            "POST",
            "/v1/billing-runs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_billing_runs(
        self,
        *,
        state: Literal["proposed", "approved", "issued", "cancelled"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.BillingRun]:
        """Runs, the newest first."""
        return self._pages(
            models.PageOfBillingRun,
            "GET",
            "/v1/billing-runs",
            query={"state": state, "limit": limit},
        )

    def get_billing_run(self, run_id: UUID) -> models.BillingRunReport:
        """A run, what its bills come to now, and how far it has come."""
        return self._call(
            models.BillingRunReport, "GET", "/v1/billing-runs/{run_id}", parts={"run_id": run_id}
        )

    def list_run_findings(
        self,
        run_id: UUID,
        *,
        kind: Literal["bill_shock", "no_use", "estimated", "held"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.RunFinding]:
        """What stands out among the bills of a run, the earliest periods first."""
        return self._pages(
            models.PageOfRunFinding,
            "GET",
            "/v1/billing-runs/{run_id}/findings",
            parts={"run_id": run_id},
            query={"kind": kind, "limit": limit},
        )

    def approve_billing_run(
        self, run_id: UUID, body: models.RunApproval
    ) -> models.BillingRunReport:
        """Have all its bills issued, which goes on by itself; the same again changes nothing.

        409 `billing_run_changed` where its drafts are not those of the digest, `same_person`
        where the tenant wants another key to approve it than that which made it.
        """
        return self._call(
            models.BillingRunReport,
            "POST",
            "/v1/billing-runs/{run_id}/approve",
            parts={"run_id": run_id},
            body=body,
        )

    def cancel_billing_run(self, run_id: UUID) -> models.BillingRunReport:
        """Let nothing come of it; its drafts stay as they are. 409 once it was approved."""
        return self._call(
            models.BillingRunReport,
            "POST",
            "/v1/billing-runs/{run_id}/cancel",
            parts={"run_id": run_id},
        )

    def list_pending_collective_invoices(
        self, *, customer_id: UUID | None = None, limit: int | None = None
    ) -> Iterator[models.PendingCollectiveInvoice]:
        """Collective invoices that wait for their sections, by customer and day."""
        return self._pages(
            models.PageOfPendingCollectiveInvoice,
            "GET",
            "/v1/pending-collective-invoices",
            query={"customer_id": customer_id, "limit": limit},
        )

    def release_collective_invoice(
        self, body: models.CollectiveInvoiceRelease
    ) -> models.ReleasedCollectiveInvoice:
        """Have a collective invoice issued with what is there, within seconds; what comes later
        follows on an invoice of its own. The same again changes nothing. 404 where nothing
        waits.
        """
        return self._call(
            models.ReleasedCollectiveInvoice,
            "POST",
            "/v1/pending-collective-invoices/release",
            body=body,
        )

    def explain_invoice(
        self, invoice_id: UUID, *, line: int | None = None
    ) -> models.InvoiceExplanation:
        """Each line down to its intervals: start, energy, quality, rate and unrounded amount,
        which add up to the line to the last digit; how it was rounded; and what was carried
        forward.
        """
        return self._call(
            models.InvoiceExplanation,
            "GET",
            "/v1/invoices/{invoice_id}/explanation",
            parts={"invoice_id": invoice_id},
            query={"line": line},
        )

    def prove_invoice(self, invoice_id: UUID) -> models.InvoiceProof:
        """The proof of an invoice: readings, tariff, prices, states and lines, under a root that
        is on the invoice and in the ledger. `gridtally verify invoice FILE` checks it without
        a server.
        """
        return self._call(
            models.InvoiceProof,
            "GET",
            "/v1/invoices/{invoice_id}/proof",
            parts={"invoice_id": invoice_id},
        )

    def get_bill_of_period(
        self, agreement_id: UUID, start_on: date, *, as_known_at: datetime | None = None
    ) -> models.PeriodBill:
        """The bill of the period that begins on the day, computed again from the readings, the
        tariff, the prices and the state that were billed by the moment: the invoice that was
        in force then.
        """
        return self._call(
            models.PeriodBill,
            "GET",
            "/v1/agreements/{agreement_id}/periods/{start_on}/bill",
            parts={"agreement_id": agreement_id, "start_on": start_on},
            query={"as_known_at": as_known_at},
        )

    def get_invoice_document(
        self, invoice_id: UUID, *, format: Literal["html", "pdf", "cii", "ubl"] | None = None
    ) -> AbstractContextManager[Download]:
        """The invoice as a page or as PDF/A-3, in the customer's language, or as e-invoice by EN
        16931 in CII or UBL; a PDF has the one in CII within it (Factur-X). Made when it is
        first asked for, the same bytes from then on.
        """
        return self._download(
            "GET",
            "/v1/invoices/{invoice_id}/document",
            parts={"invoice_id": invoice_id},
            query={"format": format},
        )

    def get_credit_note_document(
        self, credit_note_id: UUID, *, format: Literal["html", "pdf", "cii", "ubl"] | None = None
    ) -> AbstractContextManager[Download]:
        """The credit note in the formats of an invoice's document."""
        return self._download(
            "GET",
            "/v1/credit-notes/{credit_note_id}/document",
            parts={"credit_note_id": credit_note_id},
            query={"format": format},
        )

    def export_invoice_documents(
        self,
        *,
        format: Literal["html", "pdf", "cii", "ubl"] | None = None,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        state: Literal["issued", "void"] | None = None,
    ) -> AbstractContextManager[Download]:
        """The documents of all invoices that fit, in one ZIP archive that is sent while it is
        made; `from` and `to` bound their periods.
        """
        return self._download(
            "GET",
            "/v1/invoice-documents",
            query={
                "format": format,
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "from": from_,
                "to": to,
                "state": state,
            },
        )

    def get_seller(self) -> models.Seller:
        """Who sells, as set last."""
        return self._call(models.Seller, "GET", "/v1/seller")

    def replace_seller(
        self, body: models.NewSeller, *, if_match: int | str | None = None
    ) -> models.Seller:
        """Say who sells, all of it. What was issued before keeps the letterhead of its day."""
        return self._call(models.Seller, "PUT", "/v1/seller", body=body, if_match=if_match)

    def create_webhook_endpoint(
        self, body: models.NewWebhookEndpoint
    ) -> models.WebhookEndpointSecret:
        """Name an endpoint. The answer shows its secret, once; the same again answers 200
        without.
        """
        return self._call(models.WebhookEndpointSecret, "POST", "/v1/webhook-endpoints", body=body)

    def list_webhook_endpoints(
        self, *, limit: int | None = None
    ) -> Iterator[models.WebhookEndpoint]:
        """Endpoints, the oldest first."""
        return self._pages(
            models.PageOfWebhookEndpoint, "GET", "/v1/webhook-endpoints", query={"limit": limit}
        )

    def get_webhook_endpoint(self, endpoint_id: UUID) -> models.WebhookEndpoint:
        """One endpoint."""
        return self._call(
            models.WebhookEndpoint,
            "GET",
            "/v1/webhook-endpoints/{endpoint_id}",
            parts={"endpoint_id": endpoint_id},
        )

    def change_webhook_endpoint(
        self,
        endpoint_id: UUID,
        body: models.WebhookEndpointChange,
        *,
        if_match: int | str | None = None,
    ) -> models.WebhookEndpoint:
        """Change what is named; one that was disabled may be made active again."""
        return self._call(
            models.WebhookEndpoint,
            "PATCH",
            "/v1/webhook-endpoints/{endpoint_id}",
            parts={"endpoint_id": endpoint_id},
            body=body,
            if_match=if_match,
        )

    def delete_webhook_endpoint(self, endpoint_id: UUID) -> None:
        """Delete an endpoint with its messages."""
        self._do(
            "DELETE", "/v1/webhook-endpoints/{endpoint_id}", parts={"endpoint_id": endpoint_id}
        )

    def rotate_webhook_secret(self, endpoint_id: UUID) -> models.WebhookEndpointSecret:
        """Give the endpoint a new secret; for a day, messages are signed with the one before
        too.
        """
        return self._call(
            models.WebhookEndpointSecret,
            "POST",
            "/v1/webhook-endpoints/{endpoint_id}/rotation",
            parts={"endpoint_id": endpoint_id},
        )

    def test_webhook_endpoint(self, endpoint_id: UUID) -> models.TestMessage:
        """Post a message of the type `webhook.test` to the endpoint."""
        return self._call(
            models.TestMessage,
            "POST",
            "/v1/webhook-endpoints/{endpoint_id}/test",
            parts={"endpoint_id": endpoint_id},
        )

    def replay_webhook_messages(self, endpoint_id: UUID, body: models.NewReplay) -> models.Queued:
        """Post again what happened since an instant, also what was taken; messages keep their
        ids.
        """
        return self._call(
            models.Queued,
            "POST",
            "/v1/webhook-endpoints/{endpoint_id}/replay",
            parts={"endpoint_id": endpoint_id},
            body=body,
        )

    def list_webhook_messages(
        self,
        *,
        endpoint_id: UUID | None = None,
        state: Literal["pending", "delivered", "failed"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.WebhookMessage]:
        """Messages of the last 30 days, the newest first."""
        return self._pages(
            models.PageOfWebhookMessage,
            "GET",
            "/v1/webhook-messages",
            query={"endpoint_id": endpoint_id, "state": state, "limit": limit},
        )

    def list_webhook_attempts(self, message_id: UUID) -> models.WebhookAttempts:
        """What each attempt to post a message came to."""
        return self._call(
            models.WebhookAttempts,
            "GET",
            "/v1/webhook-messages/{message_id}/attempts",
            parts={"message_id": message_id},
        )

    def redeliver_webhook_message(self, message_id: UUID) -> models.Queued:
        """Post a message again, whatever became of it."""
        return self._call(
            models.Queued,
            "POST",
            "/v1/webhook-messages/{message_id}/redelivery",
            parts={"message_id": message_id},
        )

    def list_held_periods(
        self,
        *,
        reason: str | None = None,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        ended_by: date | None = None,
        held_before: datetime | None = None,
        state: Literal["held", "dismissed"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.HeldPeriod]:
        """Closed periods without an invoice, with the reason; billed when what they lack
        arrives.
        """
        return self._pages(
            models.PageOfHeldPeriod,
            "GET",
            "/v1/held-invoices",
            query={
                "reason": reason,
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "ended_by": ended_by,
                "held_before": held_before,
                "state": state,
                "limit": limit,
            },
        )

    def dismiss_held_period(
        self, agreement_id: UUID, start_on: date, body: models.Dismissal
    ) -> None:
        """Bill nothing of a held period, for a reason. A newer revision of it, after its
        readings have changed, is billed or held again; a live invoice of an older one stays.
        """
        self._do(
            "POST",
            "/v1/held-invoices/{agreement_id}/{start_on}/dismiss",
            parts={"agreement_id": agreement_id, "start_on": start_on},
            body=body,
        )

    def recall_held_period(self, agreement_id: UUID, start_on: date) -> None:
        """Try a dismissed period again, as any that is held."""
        self._do(
            "POST",
            "/v1/held-invoices/{agreement_id}/{start_on}/recall",
            parts={"agreement_id": agreement_id, "start_on": start_on},
        )

    def list_daily_costs(self, meter_id: UUID, *, from_: date, to: date) -> models.DailyCosts:
        """A meter's costs on local days from `from` up to, but without, `to`."""
        return self._call(
            models.DailyCosts,
            "GET",
            "/v1/meters/{meter_id}/daily-costs",
            parts={"meter_id": meter_id},
            query={"from": from_, "to": to},
        )

    def get_fleet_cost(
        self, customer_id: UUID, *, from_: datetime | date, to: datetime | date
    ) -> models.FleetCostAnswer:
        """What the use of all of a customer's meters costs, hour by hour, without standing
        charges.

        The devices are the meters at the customer's sites (`customer_id` of a property) and
        those with an agreement of the customer. Nothing counts twice: parts of a site whose
        whole is measured do not, nor what a derived meter adds that is billed; one without an
        agreement counts with what it adds that neither counts nor is anybody's (`not_counted`
        where that cannot be told). An hour costs what the tariff version says that is in
        force on its local date: that of the meter's agreement, else of the nearest region
        with a tariff in force. Hours under another customer's agreement are that customer's.
        400 unless `to` lies after `from`, at most 366 days.
        """
        return self._call(
            models.FleetCostAnswer,
            "GET",
            "/v1/fleet/customers/{customer_id}/cost",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to},
        )

    def list_hours_without_tariff(
        self, customer_id: UUID, *, from_: datetime | date, to: datetime | date
    ) -> models.HoursWithoutTariffAnswer:
        """Which hours of a fleet have no price, and why; consecutive ones with one reason are
        one.
        """
        return self._call(
            models.HoursWithoutTariffAnswer,
            "GET",
            "/v1/fleet/customers/{customer_id}/cost/hours-without-tariff",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to},
        )

    def export_fleet_cost(
        self,
        customer_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
        by: Literal["day", "device"] | None = None,
    ) -> AbstractContextManager[Download]:
        """What a fleet costs by device, or by UTC day, as a file."""
        return self._download(
            "GET",
            "/v1/fleet/customers/{customer_id}/cost/export",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to, "format": format, "by": by},
        )

    def calculate_and_store_bill(
        self, body: models.NewCalculation, *, idempotency_key: str | None = None
    ) -> models.CalculatedBill:
        """Rate a customer's stored readings of some days by exactly one version, and store the
        result.

        The same request on the same readings answers 200 with what is stored; readings, or a
        customer's meters, that have changed make a new calculation beside the old one.
        Nothing is issued or posted. A caller who is bound to a customer stores calculations
        of its own, which are beside the staff's, by a version that the customer has or is
        offered.
        """
        return self._call(
            models.CalculatedBill,
            "POST",
            "/v1/bills/calculate-and-store",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_customer_bill(
        self, customer_id: UUID, *, start: date, end: date, tariff_version_id: UUID | None = None
    ) -> models.CalculatedBill:
        """The newest stored calculation of these days by a version; where there is none, it is
        made and not stored. Without a version it is the one that prices the meters on the
        first day. A bound caller names a version that the customer has or is offered, and
        sees its own calculations.
        """
        return self._call(
            models.CalculatedBill,
            "GET",
            "/v1/customers/{customer_id}/bills",
            parts={"customer_id": customer_id},
            query={"start": start, "end": end, "tariff_version_id": tariff_version_id},
        )

    def list_customer_calculations(
        self, customer_id: UUID, *, limit: int | None = None
    ) -> Iterator[models.Calculation]:
        """A customer's stored calculations, the newest first, without their lines; for a bound
        caller those that the customer made by itself.
        """
        return self._pages(
            models.PageOfCalculation,
            "GET",
            "/v1/customers/{customer_id}/calculations",
            parts={"customer_id": customer_id},
            query={"limit": limit},
        )

    def get_customer_calculation(
        self, customer_id: UUID, calculation_id: UUID
    ) -> models.Calculation:
        """One of a customer's stored calculations, without its lines."""
        return self._call(
            models.Calculation,
            "GET",
            "/v1/customers/{customer_id}/calculations/{calculation_id}",
            parts={"customer_id": customer_id, "calculation_id": calculation_id},
        )

    def list_offers(self, customer_id: UUID, *, on: date | None = None) -> models.Offers:
        """The tariffs that the seller offers to whoever wants to try one, and the present ones.

        A version of either can be named in `POST /v1/bills/calculate-and-store`.
        """
        return self._call(
            models.Offers,
            "GET",
            "/v1/customers/{customer_id}/offers",
            parts={"customer_id": customer_id},
            query={"on": on},
        )

    def list_prepayments(
        self,
        *,
        alert: Literal["prepayment_low", "prepayment_empty"] | None = None,
        limit: int | None = None,
    ) -> Iterator[models.PrepaymentAlert]:
        """Customers on prepayment, by their ids."""
        return self._pages(
            models.PageOfPrepaymentAlert,
            "GET",
            "/v1/prepayments",
            query={"alert": alert, "limit": limit},
        )

    def get_prepayment(self, customer_id: UUID) -> models.Prepayment:
        """What is left of what a customer has paid in advance, and how long it lasts. 404 where
        the customer is not on prepayment.
        """
        return self._call(
            models.Prepayment,
            "GET",
            "/v1/customers/{customer_id}/prepayment",
            parts={"customer_id": customer_id},
        )

    def put_prepayment(self, customer_id: UUID, body: models.PrepaymentTerms) -> models.Prepayment:
        """Have a customer be on prepayment by these terms, also in the middle of a month: all
        days that no invoice has are drawn. The same again changes nothing. 409 for one who
        pays by a budget plan.
        """
        return self._call(
            models.Prepayment,
            "PUT",
            "/v1/customers/{customer_id}/prepayment",
            parts={"customer_id": customer_id},
            body=body,
        )

    def delete_prepayment(self, customer_id: UUID) -> None:
        """Have a customer be on prepayment no more. What is left stays its credit, which can be
        paid back by `POST /v1/refunds` of the ledger. 404 where it was not on prepayment.
        """
        self._do(
            "DELETE", "/v1/customers/{customer_id}/prepayment", parts={"customer_id": customer_id}
        )

    def list_drawn_days(self, customer_id: UUID, *, from_: date, to: date) -> models.DrawnDays:
        """What the customer's local days from `from` up to, but without, `to` have cost."""
        return self._call(
            models.DrawnDays,
            "GET",
            "/v1/customers/{customer_id}/prepayment/days",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to},
        )

    def preview_bill(self, agreement_id: UUID, *, on: date | None = None) -> models.Preview:
        """The open period's bill so far, and a forecast of the whole period.

        Made by the function that makes invoices, from the newest readings; nothing is stored.
        """
        return self._call(
            models.Preview,
            "GET",
            "/v1/agreements/{agreement_id}/preview",
            parts={"agreement_id": agreement_id},
            query={"on": on},
        )

    def preview_what_if(self, agreement_id: UUID, body: models.WhatIf) -> models.Preview:
        """The same with another tariff version, other readings or other days; nothing is stored."""
        return self._call(
            models.Preview,
            "POST",
            "/v1/agreements/{agreement_id}/preview",
            parts={"agreement_id": agreement_id},
            body=body,
        )

    def preview_correction(
        self, body: models.NewCorrectionPreview, *, idempotency_key: str | None = None
    ) -> models.CorrectionPreview:
        """What corrected readings would change: days, costs, invoices and open periods, by how
        much, and what would be issued. Nothing is changed; the answer is stored, so that the
        correction can name it.
        """
        return self._call(
            models.CorrectionPreview,
            "POST",
            "/v1/corrections/preview",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def get_correction_preview(self, preview_id: UUID) -> models.StoredCorrectionPreview:
        """A preview as it was answered, and what was issued by the correction that named it."""
        return self._call(
            models.StoredCorrectionPreview,
            "GET",
            "/v1/corrections/preview/{preview_id}",
            parts={"preview_id": preview_id},
        )

    def reconcile(self) -> models.Reconciliation:
        """Totals of the tenant's invoices and credit notes, and whether everything agrees."""
        return self._call(models.Reconciliation, "GET", "/v1/reconciliation")

    def list_dead_letters(
        self,
        *,
        topic: str | None = None,
        reason: str | None = None,
        status: Literal["open", "replayed", "discarded"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        limit: int | None = None,
    ) -> Iterator[models.DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message
        was given up.
        """
        return self._pages(
            models.PageOfDeadLetter,
            "GET",
            "/v1/dead-letters",
            query={
                "topic": topic,
                "reason": reason,
                "status": status,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    def count_dead_letters(self) -> models.DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        return self._call(models.DeadLetterCounts, "GET", "/v1/dead-letters/counts")

    def get_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """One letter with its key, headers and value."""
        return self._call(
            models.DeadLetterWithValue,
            "GET",
            "/v1/dead-letters/{dead_letter_id}",
            parts={"dead_letter_id": dead_letter_id},
        )

    def replay_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where
        it is refused again, and then it stays open.
        """
        return self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/replay",
            parts={"dead_letter_id": dead_letter_id},
        )

    def discard_dead_letter(
        self, dead_letter_id: UUID, body: models.Discard
    ) -> models.DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        return self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/discard",
            parts={"dead_letter_id": dead_letter_id},
            body=body,
        )

    def get_identity(self) -> models.Identity:
        """Show the tenant and the scopes of the caller's key, and the customer to whom the
        request is bound; any key in force may ask.
        """
        return self._call(models.Identity, "GET", "/v1/me")

    def register_key(self, body: models.NewKey) -> models.Key:
        """Register a key; the same again answers 200, anything else under its id 409."""
        return self._call(models.Key, "POST", "/v1/keys", body=body)

    def list_keys(
        self, *, tenant_id: str | None = None, limit: int | None = None
    ) -> Iterator[models.Key]:
        """List keys by their id, those that were revoked too."""
        return self._pages(
            models.PageOfKey, "GET", "/v1/keys", query={"tenant_id": tenant_id, "limit": limit}
        )

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
        self._do("DELETE", "/v1/keys/{key_id}", parts={"key_id": key_id})


class AsyncBilling(AsyncOperations):
    """The operations of billing, for an event loop."""

    async def create_customer(
        self, body: models.NewCustomer, *, idempotency_key: str | None = None
    ) -> models.Customer:
        """Make a customer. 200 when it exists already just as it is, 409 when it is another."""
        return await self._call(
            models.Customer,
            "POST",
            "/v1/customers",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_customers(
        self,
        *,
        text: str | None = None,
        number: str | None = None,
        email: str | None = None,
        merged_into: UUID | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Customer]:
        """Customers by name. A duplicate is listed too, and `merged_into` names who goes on."""
        return self._pages(
            models.PageOfCustomer,
            "GET",
            "/v1/customers",
            query={
                "text": text,
                "number": number,
                "email": email,
                "merged_into": merged_into,
                "limit": limit,
            },
        )

    async def create_customers(
        self, body: models.NewCustomers, *, idempotency_key: str | None = None
    ) -> models.Customers:
        """Make many customers at once, all or none; 200 when all of them exist already."""
        return await self._call(
            models.Customers,
            "POST",
            "/v1/customers/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_customer(self, customer_id: UUID) -> models.Customer:
        """One customer."""
        return await self._call(
            models.Customer,
            "GET",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
        )

    async def change_customer(
        self, customer_id: UUID, body: models.CustomerChange, *, if_match: int | str | None = None
    ) -> models.Customer:
        """Change some of what is known of a customer; `If-Match` names the version that was
        read.
        """
        return await self._call(
            models.Customer,
            "PATCH",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
            body=body,
            if_match=if_match,
        )

    async def replace_customer(
        self,
        customer_id: UUID,
        body: models.CustomerReplacement,
        *,
        if_match: int | str | None = None,
    ) -> models.Customer:
        """Replace all that is known of a customer; what is left out is empty from then on."""
        return await self._call(
            models.Customer,
            "PUT",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
            body=body,
            if_match=if_match,
        )

    async def delete_customer(
        self, customer_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete a customer for whom there was never an agreement; 409 for others, who can be
        erased.
        """
        await self._do(
            "DELETE",
            "/v1/customers/{customer_id}",
            parts={"customer_id": customer_id},
            if_match=if_match,
        )

    async def erase_customer(
        self, customer_id: UUID, body: models.NewErasure, *, if_match: int | str | None = None
    ) -> models.Customer:
        """Replace what names a customer everywhere, for good; amounts and numbers stay.

        Once erased, the same again answers what is left. 409 while an agreement has not
        ended.
        """
        return await self._call(
            models.Customer,
            "POST",
            "/v1/customers/{customer_id}/erase",
            parts={"customer_id": customer_id},
            body=body,
            if_match=if_match,
        )

    def list_erasures(self, *, limit: int | None = None) -> AsyncIterator[models.Erasure]:
        """Who was erased, the newest first."""
        return self._pages(models.PageOfErasure, "GET", "/v1/erasures", query={"limit": limit})

    async def preview_merge(
        self, customer_id: UUID, body: models.NewCustomerMerge
    ) -> models.CustomerMergePreview:
        """What a merge would change: which agreements go over, and what both customers owe.

        It is done by what does it, and taken back: nothing is changed or published.
        """
        return await self._call(
            models.CustomerMergePreview,
            "POST",
            "/v1/customers/{customer_id}/merge/preview",
            parts={"customer_id": customer_id},
            body=body,
        )

    async def merge_customer(
        self,
        customer_id: UUID,
        body: models.NewCustomerMerge,
        *,
        idempotency_key: str | None = None,
    ) -> models.CustomerMergeDetail:
        """Merge a customer into another one who is the same person or business; 200 the second
        time.

        The agreements are the survivor's from now on, and so are invoices of them; what was
        issued stays as it was issued. What is open, credit or held of the duplicate moves in
        the ledger within seconds, as do payment plans, and what is paid or credited later
        follows. A merge is not undone: an agreement that belongs elsewhere after all is put
        right by its rebilling.
        """
        return await self._call(
            models.CustomerMergeDetail,
            "POST",
            "/v1/customers/{customer_id}/merge",
            parts={"customer_id": customer_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_customer_merges(
        self, *, limit: int | None = None
    ) -> AsyncIterator[models.CustomerMerge]:
        """Who was merged into whom, by whom and why, the newest first."""
        return self._pages(
            models.PageOfCustomerMerge, "GET", "/v1/customer-merges", query={"limit": limit}
        )

    async def create_agreement(
        self, body: models.NewAgreement, *, idempotency_key: str | None = None
    ) -> models.Agreement:
        """Make an agreement.

        200 when it exists already just as it is; 409 when it is another, or when the meter
        has another agreement on some of its days.
        """
        return await self._call(
            models.Agreement,
            "POST",
            "/v1/agreements",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_agreements(
        self,
        *,
        customer_id: UUID | None = None,
        meter_id: UUID | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Agreement]:
        """Agreements by their id."""
        return self._pages(
            models.PageOfAgreement,
            "GET",
            "/v1/agreements",
            query={"customer_id": customer_id, "meter_id": meter_id, "limit": limit},
        )

    async def create_agreements(
        self, body: models.NewAgreements, *, idempotency_key: str | None = None
    ) -> models.Agreements:
        """Make many agreements at once, all or none; 200 when all of them exist already."""
        return await self._call(
            models.Agreements,
            "POST",
            "/v1/agreements/batch",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_agreement(self, agreement_id: UUID) -> models.Agreement:
        """One agreement."""
        return await self._call(
            models.Agreement,
            "GET",
            "/v1/agreements/{agreement_id}",
            parts={"agreement_id": agreement_id},
        )

    async def change_agreement(
        self, agreement_id: UUID, body: models.AgreementChange, *, if_match: int | str | None = None
    ) -> models.Agreement:
        """Change the end, the way its periods close or its billing calendar; `If-Match` names
        the version that was read.

        409 when invoices cover days after the new end, closed periods days after the change
        of the calendar, or another agreement of the meter is in the way.
        """
        return await self._call(
            models.Agreement,
            "PATCH",
            "/v1/agreements/{agreement_id}",
            parts={"agreement_id": agreement_id},
            body=body,
            if_match=if_match,
        )

    async def delete_agreement(
        self, agreement_id: UUID, *, if_match: int | str | None = None
    ) -> None:
        """Delete an agreement by which nothing was ever billed; `If-Match` names the version
        that was read.

        Its closed, held and waiting periods go with it, and its days have no cost any more.
        409 `agreement_billed` when an invoice was issued by it: then cancel and rebill it.
        """
        await self._do(
            "DELETE",
            "/v1/agreements/{agreement_id}",
            parts={"agreement_id": agreement_id},
            if_match=if_match,
        )

    def list_incomplete_agreements(
        self,
        *,
        missing: Literal["meter", "tariff"] | None = None,
        customer_id: UUID | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.IncompleteAgreement]:
        """Agreements whose meter or tariff nobody knows yet, the oldest first.

        They were accepted since both may arrive late. One that names the wrong thing is
        deleted, or rebilled.
        """
        return self._pages(
            models.PageOfIncompleteAgreement,
            "GET",
            "/v1/incomplete-agreements",
            query={"missing": missing, "customer_id": customer_id, "limit": limit},
        )

    async def preview_rebilling(
        self, agreement_id: UUID, body: models.NewRebilling
    ) -> models.RebillingPreview:
        """What a rebilling would change: which invoices are credited, and which bills follow.

        It is done by what does it, and taken back: nothing is changed, numbered or published.
        """
        return await self._call(
            models.RebillingPreview,
            "POST",
            "/v1/agreements/{agreement_id}/rebilling/preview",
            parts={"agreement_id": agreement_id},
            body=body,
        )

    async def create_rebilling(
        self,
        agreement_id: UUID,
        body: models.NewRebilling,
        *,
        if_match: int | str | None = None,
        idempotency_key: str | None = None,
    ) -> models.RebillingDetail:
        """Cancel an agreement from a day on that may be billed already, and bill it by another
        one.

        What was issued of these days is credited at once, with the reason; the new invoices
        follow within seconds, when ingest has closed their periods. Drafts and held periods
        of these days are withdrawn. `If-Match` names the version of the agreement that was
        read. 409 when another agreement of the meter is in the way, or nothing would change.
        """
        return await self._call(
            models.RebillingDetail,
            "POST",
            "/v1/agreements/{agreement_id}/rebilling",
            parts={"agreement_id": agreement_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
            if_match=if_match,
        )

    def list_rebillings(
        self, *, agreement_id: UUID | None = None, limit: int | None = None
    ) -> AsyncIterator[models.Rebilling]:
        """Rebillings, the newest first."""
        return self._pages(
            models.PageOfRebilling,
            "GET",
            "/v1/rebillings",
            query={"agreement_id": agreement_id, "limit": limit},
        )

    async def get_rebilling(self, rebilling_id: UUID) -> models.RebillingDetail:
        """A rebilling with its credit notes."""
        return await self._call(
            models.RebillingDetail,
            "GET",
            "/v1/rebillings/{rebilling_id}",
            parts={"rebilling_id": rebilling_id},
        )

    def list_read_cycles(self, *, limit: int | None = None) -> AsyncIterator[models.ReadCycle]:
        """Read cycles by name."""
        return self._pages(models.PageOfReadCycle, "GET", "/v1/read-cycles", query={"limit": limit})

    async def get_read_cycle(self, name: str) -> models.ReadCycle:
        """One read cycle."""
        return await self._call(
            models.ReadCycle, "GET", "/v1/read-cycles/{name}", parts={"name": name}
        )

    async def replace_read_cycle(
        self, name: str, body: models.ReadCycleReplacement, *, if_match: int | str | None = None
    ) -> models.ReadCycle:
        """Make a read cycle, or say all of its dates again, such as with the next one.

        Agreements that name it follow within moments: periods that are closed stay as they
        are, and the days after them are billed by the new dates.
        """
        return await self._call(
            models.ReadCycle,
            "PUT",
            "/v1/read-cycles/{name}",
            parts={"name": name},
            body=body,
            if_match=if_match,
        )

    def list_invoices(
        self,
        *,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        state: Literal["issued", "void"] | None = None,
        number: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.Invoice]:
        """Invoices, the newest first; `from` and `to` bound their periods."""
        return self._pages(
            models.PageOfInvoice,
            "GET",
            "/v1/invoices",
            query={
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "from": from_,
                "to": to,
                "state": state,
                "number": number,
                "limit": limit,
            },
        )

    async def get_invoice(self, invoice_id: UUID) -> models.InvoiceDetail:
        """An invoice with its lines, what it rests on, and what became of it."""
        return await self._call(
            models.InvoiceDetail,
            "GET",
            "/v1/invoices/{invoice_id}",
            parts={"invoice_id": invoice_id},
        )

    async def get_evidence(self, invoice_id: UUID) -> models.Evidence:
        """The usage that the invoice billed, interval by interval, with its quality."""
        return await self._call(
            models.Evidence,
            "GET",
            "/v1/invoices/{invoice_id}/evidence",
            parts={"invoice_id": invoice_id},
        )

    async def recalculate_invoice(self, invoice_id: UUID) -> models.Recalculation:
        """The invoice computed once more from its evidence, and whether that agrees with what
        was issued: every line, and the state that it carries forward.
        """
        return await self._call(
            models.Recalculation,
            "GET",
            "/v1/invoices/{invoice_id}/recalculation",
            parts={"invoice_id": invoice_id},
        )

    async def create_credit_note(
        self, invoice_id: UUID, body: models.NewCreditNote, *, idempotency_key: str | None = None
    ) -> models.CreditNoteDetail:
        """Credit a part of an invoice, by hand and for good: lines of it with their taxes, or an
        amount of which each tax class has its share.

        The invoice stays live. A later correction credits what is left of it, and this part
        once more on the invoice that it issues, unless `repeat_on_correction` is false. 409
        when it is void or nothing is left; 422 for more than what is left.
        """
        return await self._call(
            models.CreditNoteDetail,
            "POST",
            "/v1/invoices/{invoice_id}/credit-notes",
            parts={"invoice_id": invoice_id},
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_credit_notes(
        self,
        *,
        invoice_id: UUID | None = None,
        customer_id: UUID | None = None,
        extent: Literal["whole", "part", "rest"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.CreditNote]:
        """Credit notes, the newest first."""
        return self._pages(
            models.PageOfCreditNote,
            "GET",
            "/v1/credit-notes",
            query={
                "invoice_id": invoice_id,
                "customer_id": customer_id,
                "extent": extent,
                "limit": limit,
            },
        )

    async def get_credit_note(self, credit_note_id: UUID) -> models.CreditNoteDetail:
        """A credit note with its lines."""
        return await self._call(
            models.CreditNoteDetail,
            "GET",
            "/v1/credit-notes/{credit_note_id}",
            parts={"credit_note_id": credit_note_id},
        )

    async def get_invoicing_terms(self) -> models.InvoicingTerms:
        """Whether the tenant approves its invoices before they are issued."""
        return await self._call(models.InvoicingTerms, "GET", "/v1/invoicing-terms")

    async def put_invoicing_terms(self, body: models.NewInvoicingTerms) -> models.InvoicingTerms:
        """Have invoices approved from now on, or not any more: then what waits is issued within
        seconds.
        """
        return await self._call(models.InvoicingTerms, "PUT", "/v1/invoicing-terms", body=body)

    def list_invoice_drafts(
        self,
        *,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        state: Literal["pending", "approved", "rejected"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.InvoiceDraft]:
        """Drafts, those of the earliest periods first; `from` and `to` bound their periods."""
        return self._pages(
            models.PageOfInvoiceDraft,
            "GET",
            "/v1/invoice-drafts",
            query={
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "from": from_,
                "to": to,
                "state": state,
                "limit": limit,
            },
        )

    async def approve_invoice_drafts(self, body: models.DraftApprovals) -> models.ApprovedDrafts:
        """Approve many drafts; those that were changed or decided meanwhile are left out."""
        return await self._call(
            models.ApprovedDrafts, "POST", "/v1/invoice-drafts/approve", body=body
        )

    async def get_invoice_draft(self, draft_id: UUID) -> models.InvoiceDraftDetail:
        """A draft with its lines."""
        return await self._call(
            models.InvoiceDraftDetail,
            "GET",
            "/v1/invoice-drafts/{draft_id}",
            parts={"draft_id": draft_id},
        )

    async def approve_invoice_draft(
        self, draft_id: UUID, *, if_match: int | str | None = None
    ) -> models.InvoiceDraft:
        """Approve a draft: it is issued within a second, if it still comes to the same lines.
        The same again changes nothing; 409 once it is issued.
        """
        return await self._call(
            models.InvoiceDraft,
            "POST",
            "/v1/invoice-drafts/{draft_id}/approve",
            parts={"draft_id": draft_id},
            if_match=if_match,
        )

    async def reject_invoice_draft(
        self, draft_id: UUID, body: models.DraftRejection, *, if_match: int | str | None = None
    ) -> models.InvoiceDraft:
        """Reject a draft: its period is held until a correction changes its bill, which is a new
        draft, or until it is approved after all. 409 once it was approved.
        """
        return await self._call(
            models.InvoiceDraft,
            "POST",
            "/v1/invoice-drafts/{draft_id}/reject",
            parts={"draft_id": draft_id},
            body=body,
            if_match=if_match,
        )

    async def create_billing_run(
        self, body: models.NewBillingRun, *, idempotency_key: str | None = None
    ) -> models.BillingRunReport:
        """Make a run: a dry run, that issues nothing.

        409 `approval_not_required` where the tenant's invoices are issued as readings
        complete.
        """
        return await self._call(
            models.BillingRunReport,
            "POST",
            "/v1/billing-runs",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    def list_billing_runs(
        self,
        *,
        state: Literal["proposed", "approved", "issued", "cancelled"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.BillingRun]:
        """Runs, the newest first."""
        return self._pages(
            models.PageOfBillingRun,
            "GET",
            "/v1/billing-runs",
            query={"state": state, "limit": limit},
        )

    async def get_billing_run(self, run_id: UUID) -> models.BillingRunReport:
        """A run, what its bills come to now, and how far it has come."""
        return await self._call(
            models.BillingRunReport, "GET", "/v1/billing-runs/{run_id}", parts={"run_id": run_id}
        )

    def list_run_findings(
        self,
        run_id: UUID,
        *,
        kind: Literal["bill_shock", "no_use", "estimated", "held"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.RunFinding]:
        """What stands out among the bills of a run, the earliest periods first."""
        return self._pages(
            models.PageOfRunFinding,
            "GET",
            "/v1/billing-runs/{run_id}/findings",
            parts={"run_id": run_id},
            query={"kind": kind, "limit": limit},
        )

    async def approve_billing_run(
        self, run_id: UUID, body: models.RunApproval
    ) -> models.BillingRunReport:
        """Have all its bills issued, which goes on by itself; the same again changes nothing.

        409 `billing_run_changed` where its drafts are not those of the digest, `same_person`
        where the tenant wants another key to approve it than that which made it.
        """
        return await self._call(
            models.BillingRunReport,
            "POST",
            "/v1/billing-runs/{run_id}/approve",
            parts={"run_id": run_id},
            body=body,
        )

    async def cancel_billing_run(self, run_id: UUID) -> models.BillingRunReport:
        """Let nothing come of it; its drafts stay as they are. 409 once it was approved."""
        return await self._call(
            models.BillingRunReport,
            "POST",
            "/v1/billing-runs/{run_id}/cancel",
            parts={"run_id": run_id},
        )

    def list_pending_collective_invoices(
        self, *, customer_id: UUID | None = None, limit: int | None = None
    ) -> AsyncIterator[models.PendingCollectiveInvoice]:
        """Collective invoices that wait for their sections, by customer and day."""
        return self._pages(
            models.PageOfPendingCollectiveInvoice,
            "GET",
            "/v1/pending-collective-invoices",
            query={"customer_id": customer_id, "limit": limit},
        )

    async def release_collective_invoice(
        self, body: models.CollectiveInvoiceRelease
    ) -> models.ReleasedCollectiveInvoice:
        """Have a collective invoice issued with what is there, within seconds; what comes later
        follows on an invoice of its own. The same again changes nothing. 404 where nothing
        waits.
        """
        return await self._call(
            models.ReleasedCollectiveInvoice,
            "POST",
            "/v1/pending-collective-invoices/release",
            body=body,
        )

    async def explain_invoice(
        self, invoice_id: UUID, *, line: int | None = None
    ) -> models.InvoiceExplanation:
        """Each line down to its intervals: start, energy, quality, rate and unrounded amount,
        which add up to the line to the last digit; how it was rounded; and what was carried
        forward.
        """
        return await self._call(
            models.InvoiceExplanation,
            "GET",
            "/v1/invoices/{invoice_id}/explanation",
            parts={"invoice_id": invoice_id},
            query={"line": line},
        )

    async def prove_invoice(self, invoice_id: UUID) -> models.InvoiceProof:
        """The proof of an invoice: readings, tariff, prices, states and lines, under a root that
        is on the invoice and in the ledger. `gridtally verify invoice FILE` checks it without
        a server.
        """
        return await self._call(
            models.InvoiceProof,
            "GET",
            "/v1/invoices/{invoice_id}/proof",
            parts={"invoice_id": invoice_id},
        )

    async def get_bill_of_period(
        self, agreement_id: UUID, start_on: date, *, as_known_at: datetime | None = None
    ) -> models.PeriodBill:
        """The bill of the period that begins on the day, computed again from the readings, the
        tariff, the prices and the state that were billed by the moment: the invoice that was
        in force then.
        """
        return await self._call(
            models.PeriodBill,
            "GET",
            "/v1/agreements/{agreement_id}/periods/{start_on}/bill",
            parts={"agreement_id": agreement_id, "start_on": start_on},
            query={"as_known_at": as_known_at},
        )

    def get_invoice_document(
        self, invoice_id: UUID, *, format: Literal["html", "pdf", "cii", "ubl"] | None = None
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """The invoice as a page or as PDF/A-3, in the customer's language, or as e-invoice by EN
        16931 in CII or UBL; a PDF has the one in CII within it (Factur-X). Made when it is
        first asked for, the same bytes from then on.
        """
        return self._download(
            "GET",
            "/v1/invoices/{invoice_id}/document",
            parts={"invoice_id": invoice_id},
            query={"format": format},
        )

    def get_credit_note_document(
        self, credit_note_id: UUID, *, format: Literal["html", "pdf", "cii", "ubl"] | None = None
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """The credit note in the formats of an invoice's document."""
        return self._download(
            "GET",
            "/v1/credit-notes/{credit_note_id}/document",
            parts={"credit_note_id": credit_note_id},
            query={"format": format},
        )

    def export_invoice_documents(
        self,
        *,
        format: Literal["html", "pdf", "cii", "ubl"] | None = None,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        from_: date | None = None,
        to: date | None = None,
        state: Literal["issued", "void"] | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """The documents of all invoices that fit, in one ZIP archive that is sent while it is
        made; `from` and `to` bound their periods.
        """
        return self._download(
            "GET",
            "/v1/invoice-documents",
            query={
                "format": format,
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "from": from_,
                "to": to,
                "state": state,
            },
        )

    async def get_seller(self) -> models.Seller:
        """Who sells, as set last."""
        return await self._call(models.Seller, "GET", "/v1/seller")

    async def replace_seller(
        self, body: models.NewSeller, *, if_match: int | str | None = None
    ) -> models.Seller:
        """Say who sells, all of it. What was issued before keeps the letterhead of its day."""
        return await self._call(models.Seller, "PUT", "/v1/seller", body=body, if_match=if_match)

    async def create_webhook_endpoint(
        self, body: models.NewWebhookEndpoint
    ) -> models.WebhookEndpointSecret:
        """Name an endpoint. The answer shows its secret, once; the same again answers 200
        without.
        """
        return await self._call(
            models.WebhookEndpointSecret, "POST", "/v1/webhook-endpoints", body=body
        )

    def list_webhook_endpoints(
        self, *, limit: int | None = None
    ) -> AsyncIterator[models.WebhookEndpoint]:
        """Endpoints, the oldest first."""
        return self._pages(
            models.PageOfWebhookEndpoint, "GET", "/v1/webhook-endpoints", query={"limit": limit}
        )

    async def get_webhook_endpoint(self, endpoint_id: UUID) -> models.WebhookEndpoint:
        """One endpoint."""
        return await self._call(
            models.WebhookEndpoint,
            "GET",
            "/v1/webhook-endpoints/{endpoint_id}",
            parts={"endpoint_id": endpoint_id},
        )

    async def change_webhook_endpoint(
        self,
        endpoint_id: UUID,
        body: models.WebhookEndpointChange,
        *,
        if_match: int | str | None = None,
    ) -> models.WebhookEndpoint:
        """Change what is named; one that was disabled may be made active again."""
        return await self._call(
            models.WebhookEndpoint,
            "PATCH",
            "/v1/webhook-endpoints/{endpoint_id}",
            parts={"endpoint_id": endpoint_id},
            body=body,
            if_match=if_match,
        )

    async def delete_webhook_endpoint(self, endpoint_id: UUID) -> None:
        """Delete an endpoint with its messages."""
        await self._do(
            "DELETE", "/v1/webhook-endpoints/{endpoint_id}", parts={"endpoint_id": endpoint_id}
        )

    async def rotate_webhook_secret(self, endpoint_id: UUID) -> models.WebhookEndpointSecret:
        """Give the endpoint a new secret; for a day, messages are signed with the one before
        too.
        """
        return await self._call(
            models.WebhookEndpointSecret,
            "POST",
            "/v1/webhook-endpoints/{endpoint_id}/rotation",
            parts={"endpoint_id": endpoint_id},
        )

    async def test_webhook_endpoint(self, endpoint_id: UUID) -> models.TestMessage:
        """Post a message of the type `webhook.test` to the endpoint."""
        return await self._call(
            models.TestMessage,
            "POST",
            "/v1/webhook-endpoints/{endpoint_id}/test",
            parts={"endpoint_id": endpoint_id},
        )

    async def replay_webhook_messages(
        self, endpoint_id: UUID, body: models.NewReplay
    ) -> models.Queued:
        """Post again what happened since an instant, also what was taken; messages keep their
        ids.
        """
        return await self._call(
            models.Queued,
            "POST",
            "/v1/webhook-endpoints/{endpoint_id}/replay",
            parts={"endpoint_id": endpoint_id},
            body=body,
        )

    def list_webhook_messages(
        self,
        *,
        endpoint_id: UUID | None = None,
        state: Literal["pending", "delivered", "failed"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.WebhookMessage]:
        """Messages of the last 30 days, the newest first."""
        return self._pages(
            models.PageOfWebhookMessage,
            "GET",
            "/v1/webhook-messages",
            query={"endpoint_id": endpoint_id, "state": state, "limit": limit},
        )

    async def list_webhook_attempts(self, message_id: UUID) -> models.WebhookAttempts:
        """What each attempt to post a message came to."""
        return await self._call(
            models.WebhookAttempts,
            "GET",
            "/v1/webhook-messages/{message_id}/attempts",
            parts={"message_id": message_id},
        )

    async def redeliver_webhook_message(self, message_id: UUID) -> models.Queued:
        """Post a message again, whatever became of it."""
        return await self._call(
            models.Queued,
            "POST",
            "/v1/webhook-messages/{message_id}/redelivery",
            parts={"message_id": message_id},
        )

    def list_held_periods(
        self,
        *,
        reason: str | None = None,
        customer_id: UUID | None = None,
        agreement_id: UUID | None = None,
        meter_id: UUID | None = None,
        ended_by: date | None = None,
        held_before: datetime | None = None,
        state: Literal["held", "dismissed"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.HeldPeriod]:
        """Closed periods without an invoice, with the reason; billed when what they lack
        arrives.
        """
        return self._pages(
            models.PageOfHeldPeriod,
            "GET",
            "/v1/held-invoices",
            query={
                "reason": reason,
                "customer_id": customer_id,
                "agreement_id": agreement_id,
                "meter_id": meter_id,
                "ended_by": ended_by,
                "held_before": held_before,
                "state": state,
                "limit": limit,
            },
        )

    async def dismiss_held_period(
        self, agreement_id: UUID, start_on: date, body: models.Dismissal
    ) -> None:
        """Bill nothing of a held period, for a reason. A newer revision of it, after its
        readings have changed, is billed or held again; a live invoice of an older one stays.
        """
        await self._do(
            "POST",
            "/v1/held-invoices/{agreement_id}/{start_on}/dismiss",
            parts={"agreement_id": agreement_id, "start_on": start_on},
            body=body,
        )

    async def recall_held_period(self, agreement_id: UUID, start_on: date) -> None:
        """Try a dismissed period again, as any that is held."""
        await self._do(
            "POST",
            "/v1/held-invoices/{agreement_id}/{start_on}/recall",
            parts={"agreement_id": agreement_id, "start_on": start_on},
        )

    async def list_daily_costs(self, meter_id: UUID, *, from_: date, to: date) -> models.DailyCosts:
        """A meter's costs on local days from `from` up to, but without, `to`."""
        return await self._call(
            models.DailyCosts,
            "GET",
            "/v1/meters/{meter_id}/daily-costs",
            parts={"meter_id": meter_id},
            query={"from": from_, "to": to},
        )

    async def get_fleet_cost(
        self, customer_id: UUID, *, from_: datetime | date, to: datetime | date
    ) -> models.FleetCostAnswer:
        """What the use of all of a customer's meters costs, hour by hour, without standing
        charges.

        The devices are the meters at the customer's sites (`customer_id` of a property) and
        those with an agreement of the customer. Nothing counts twice: parts of a site whose
        whole is measured do not, nor what a derived meter adds that is billed; one without an
        agreement counts with what it adds that neither counts nor is anybody's (`not_counted`
        where that cannot be told). An hour costs what the tariff version says that is in
        force on its local date: that of the meter's agreement, else of the nearest region
        with a tariff in force. Hours under another customer's agreement are that customer's.
        400 unless `to` lies after `from`, at most 366 days.
        """
        return await self._call(
            models.FleetCostAnswer,
            "GET",
            "/v1/fleet/customers/{customer_id}/cost",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to},
        )

    async def list_hours_without_tariff(
        self, customer_id: UUID, *, from_: datetime | date, to: datetime | date
    ) -> models.HoursWithoutTariffAnswer:
        """Which hours of a fleet have no price, and why; consecutive ones with one reason are
        one.
        """
        return await self._call(
            models.HoursWithoutTariffAnswer,
            "GET",
            "/v1/fleet/customers/{customer_id}/cost/hours-without-tariff",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to},
        )

    def export_fleet_cost(
        self,
        customer_id: UUID,
        *,
        from_: datetime | date,
        to: datetime | date,
        format: Literal["csv", "parquet", "xlsx"] | None = None,
        by: Literal["day", "device"] | None = None,
    ) -> AbstractAsyncContextManager[AsyncDownload]:
        """What a fleet costs by device, or by UTC day, as a file."""
        return self._download(
            "GET",
            "/v1/fleet/customers/{customer_id}/cost/export",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to, "format": format, "by": by},
        )

    async def calculate_and_store_bill(
        self, body: models.NewCalculation, *, idempotency_key: str | None = None
    ) -> models.CalculatedBill:
        """Rate a customer's stored readings of some days by exactly one version, and store the
        result.

        The same request on the same readings answers 200 with what is stored; readings, or a
        customer's meters, that have changed make a new calculation beside the old one.
        Nothing is issued or posted. A caller who is bound to a customer stores calculations
        of its own, which are beside the staff's, by a version that the customer has or is
        offered.
        """
        return await self._call(
            models.CalculatedBill,
            "POST",
            "/v1/bills/calculate-and-store",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_customer_bill(
        self, customer_id: UUID, *, start: date, end: date, tariff_version_id: UUID | None = None
    ) -> models.CalculatedBill:
        """The newest stored calculation of these days by a version; where there is none, it is
        made and not stored. Without a version it is the one that prices the meters on the
        first day. A bound caller names a version that the customer has or is offered, and
        sees its own calculations.
        """
        return await self._call(
            models.CalculatedBill,
            "GET",
            "/v1/customers/{customer_id}/bills",
            parts={"customer_id": customer_id},
            query={"start": start, "end": end, "tariff_version_id": tariff_version_id},
        )

    def list_customer_calculations(
        self, customer_id: UUID, *, limit: int | None = None
    ) -> AsyncIterator[models.Calculation]:
        """A customer's stored calculations, the newest first, without their lines; for a bound
        caller those that the customer made by itself.
        """
        return self._pages(
            models.PageOfCalculation,
            "GET",
            "/v1/customers/{customer_id}/calculations",
            parts={"customer_id": customer_id},
            query={"limit": limit},
        )

    async def get_customer_calculation(
        self, customer_id: UUID, calculation_id: UUID
    ) -> models.Calculation:
        """One of a customer's stored calculations, without its lines."""
        return await self._call(
            models.Calculation,
            "GET",
            "/v1/customers/{customer_id}/calculations/{calculation_id}",
            parts={"customer_id": customer_id, "calculation_id": calculation_id},
        )

    async def list_offers(self, customer_id: UUID, *, on: date | None = None) -> models.Offers:
        """The tariffs that the seller offers to whoever wants to try one, and the present ones.

        A version of either can be named in `POST /v1/bills/calculate-and-store`.
        """
        return await self._call(
            models.Offers,
            "GET",
            "/v1/customers/{customer_id}/offers",
            parts={"customer_id": customer_id},
            query={"on": on},
        )

    def list_prepayments(
        self,
        *,
        alert: Literal["prepayment_low", "prepayment_empty"] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.PrepaymentAlert]:
        """Customers on prepayment, by their ids."""
        return self._pages(
            models.PageOfPrepaymentAlert,
            "GET",
            "/v1/prepayments",
            query={"alert": alert, "limit": limit},
        )

    async def get_prepayment(self, customer_id: UUID) -> models.Prepayment:
        """What is left of what a customer has paid in advance, and how long it lasts. 404 where
        the customer is not on prepayment.
        """
        return await self._call(
            models.Prepayment,
            "GET",
            "/v1/customers/{customer_id}/prepayment",
            parts={"customer_id": customer_id},
        )

    async def put_prepayment(
        self, customer_id: UUID, body: models.PrepaymentTerms
    ) -> models.Prepayment:
        """Have a customer be on prepayment by these terms, also in the middle of a month: all
        days that no invoice has are drawn. The same again changes nothing. 409 for one who
        pays by a budget plan.
        """
        return await self._call(
            models.Prepayment,
            "PUT",
            "/v1/customers/{customer_id}/prepayment",
            parts={"customer_id": customer_id},
            body=body,
        )

    async def delete_prepayment(self, customer_id: UUID) -> None:
        """Have a customer be on prepayment no more. What is left stays its credit, which can be
        paid back by `POST /v1/refunds` of the ledger. 404 where it was not on prepayment.
        """
        await self._do(
            "DELETE", "/v1/customers/{customer_id}/prepayment", parts={"customer_id": customer_id}
        )

    async def list_drawn_days(
        self, customer_id: UUID, *, from_: date, to: date
    ) -> models.DrawnDays:
        """What the customer's local days from `from` up to, but without, `to` have cost."""
        return await self._call(
            models.DrawnDays,
            "GET",
            "/v1/customers/{customer_id}/prepayment/days",
            parts={"customer_id": customer_id},
            query={"from": from_, "to": to},
        )

    async def preview_bill(self, agreement_id: UUID, *, on: date | None = None) -> models.Preview:
        """The open period's bill so far, and a forecast of the whole period.

        Made by the function that makes invoices, from the newest readings; nothing is stored.
        """
        return await self._call(
            models.Preview,
            "GET",
            "/v1/agreements/{agreement_id}/preview",
            parts={"agreement_id": agreement_id},
            query={"on": on},
        )

    async def preview_what_if(self, agreement_id: UUID, body: models.WhatIf) -> models.Preview:
        """The same with another tariff version, other readings or other days; nothing is stored."""
        return await self._call(
            models.Preview,
            "POST",
            "/v1/agreements/{agreement_id}/preview",
            parts={"agreement_id": agreement_id},
            body=body,
        )

    async def preview_correction(
        self, body: models.NewCorrectionPreview, *, idempotency_key: str | None = None
    ) -> models.CorrectionPreview:
        """What corrected readings would change: days, costs, invoices and open periods, by how
        much, and what would be issued. Nothing is changed; the answer is stored, so that the
        correction can name it.
        """
        return await self._call(
            models.CorrectionPreview,
            "POST",
            "/v1/corrections/preview",
            body=body,
            once=True,
            idempotency_key=idempotency_key,
        )

    async def get_correction_preview(self, preview_id: UUID) -> models.StoredCorrectionPreview:
        """A preview as it was answered, and what was issued by the correction that named it."""
        return await self._call(
            models.StoredCorrectionPreview,
            "GET",
            "/v1/corrections/preview/{preview_id}",
            parts={"preview_id": preview_id},
        )

    async def reconcile(self) -> models.Reconciliation:
        """Totals of the tenant's invoices and credit notes, and whether everything agrees."""
        return await self._call(models.Reconciliation, "GET", "/v1/reconciliation")

    def list_dead_letters(
        self,
        *,
        topic: str | None = None,
        reason: str | None = None,
        status: Literal["open", "replayed", "discarded"] | None = None,
        from_: datetime | date | None = None,
        to: datetime | date | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[models.DeadLetter]:
        """Letters without their values, the newest first; `from` and `to` are of when a message
        was given up.
        """
        return self._pages(
            models.PageOfDeadLetter,
            "GET",
            "/v1/dead-letters",
            query={
                "topic": topic,
                "reason": reason,
                "status": status,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )

    async def count_dead_letters(self) -> models.DeadLetterCounts:
        """How many letters are open, were dropped, or expired, by topic."""
        return await self._call(models.DeadLetterCounts, "GET", "/v1/dead-letters/counts")

    async def get_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """One letter with its key, headers and value."""
        return await self._call(
            models.DeadLetterWithValue,
            "GET",
            "/v1/dead-letters/{dead_letter_id}",
            parts={"dead_letter_id": dead_letter_id},
        )

    async def replay_dead_letter(self, dead_letter_id: UUID) -> models.DeadLetterWithValue:
        """Handle the message once more as its consumer would by now; 409 with the reason where
        it is refused again, and then it stays open.
        """
        return await self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/replay",
            parts={"dead_letter_id": dead_letter_id},
        )

    async def discard_dead_letter(
        self, dead_letter_id: UUID, body: models.Discard
    ) -> models.DeadLetterWithValue:
        """Give a letter up for good. Who did so, when and why stays with it; its value does not."""
        return await self._call(
            models.DeadLetterWithValue,
            "POST",
            "/v1/dead-letters/{dead_letter_id}/discard",
            parts={"dead_letter_id": dead_letter_id},
            body=body,
        )

    async def get_identity(self) -> models.Identity:
        """Show the tenant and the scopes of the caller's key, and the customer to whom the
        request is bound; any key in force may ask.
        """
        return await self._call(models.Identity, "GET", "/v1/me")

    async def register_key(self, body: models.NewKey) -> models.Key:
        """Register a key; the same again answers 200, anything else under its id 409."""
        return await self._call(models.Key, "POST", "/v1/keys", body=body)

    def list_keys(
        self, *, tenant_id: str | None = None, limit: int | None = None
    ) -> AsyncIterator[models.Key]:
        """List keys by their id, those that were revoked too."""
        return self._pages(
            models.PageOfKey, "GET", "/v1/keys", query={"tenant_id": tenant_id, "limit": limit}
        )

    async def revoke_key(self, key_id: str) -> None:
        """Revoke a key for good; other processes notice within `KEY_CACHE_TTL_S`."""
        await self._do("DELETE", "/v1/keys/{key_id}", parts={"key_id": key_id})
