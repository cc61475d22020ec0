"""Every problem code, what it means and what to do: the types of our problem details (RFC 9457).

A problem's `type` is `/problems/{code}`, which each service answers with what is said here;
docs/problems.md lists them all. A test holds the list to the codes that the sources raise.
"""

import sys
from dataclasses import dataclass

MEANINGS: dict[str, str] = {
    # HTTP: the same in every service
    "bad_request": "The request is not HTTP as it must be. Correct it.",
    "body_too_large": "The body is larger than the service takes. Send it in parts.",
    "body_too_slow": "The body did not arrive in time. Send it again, without pauses.",
    "broken_body": "The body cannot be decompressed. Compress it again.",
    "busy": "The service has as many large bodies at hand as it takes. Send it again shortly.",
    "dead_letter_resolved": "The dead letter was replayed or discarded already.",
    "dead_letter_unknown": "No dead letter that this key may see has this id.",
    "duplicate_key": "A JSON object has a key twice. Keep one of them.",
    "erased": "What this answer named was erased since; the request was done when it first came.",
    "forbidden": "The key lacks the scope for this. Use a key that has it.",
    "idempotency_key_reused": "The Idempotency-Key came with another request. Use a fresh one.",
    "internal_error": "The service failed. Report the correlation id to its operator.",
    "invalid_cursor": "The cursor is not of this list in this order. Start at the first page.",
    "invalid_json": "The body is not JSON. The detail says where it breaks off.",
    "invalid_request": "Parts of the request are not as they must be; `errors` names each.",
    "key_exists": "An API key with this id is there with other particulars. Use another id.",
    "key_unknown": "No API key has this id.",
    "method_not_allowed": "The path does not take this method; `Allow` names those it does.",
    "not_acceptable": "The answer has none of the formats in `Accept`. The detail names those.",
    "not_found": "Nothing is at this path.",
    "operator_token_unset": "This installation has no operator's token, so nobody makes keys here.",
    "request_in_flight": "A request with this Idempotency-Key is at work. Try again shortly.",
    "too_many_exports": "Too many exports are under way. Try again when some are fetched.",
    "too_many_requests": "The key is over its rate limit. Wait as long as `Retry-After` says.",
    "unauthorized": "There is no valid API key. Send `Authorization: Bearer gt_…`.",
    "unavailable": "Something the service needs is away for now. Try again.",
    "unstorable_text": "A text holds a character that cannot be stored (U+0000). Leave it out.",
    "unsupported_encoding": "The body's Content-Encoding is unknown. Use gzip or zstd, or none.",
    "unsupported_media_type": "The body's Content-Type is not taken here. The detail names one.",
    "version_moved": "The resource has changed since. Read it again and repeat the change.",
    "version_required": "A change needs `If-Match` with the ETag that was read.",
    # metering and intake
    "already_replayed": "The block has left quarantine already.",
    "channels_unmapped": "The file's channels are not all mapped or left out; `errors` names each.",
    "derived_meter": "The meter is computed from others and takes no readings of its own.",
    "empty_window": "The window ends before it begins. `to` must be later than `from`.",
    "file_unreadable": "The file is not laid out as declared. The detail says where.",
    "flow_unknown": "The meter has no such flow.",
    "future": "The time lies in the future. Check the clock that made it.",
    "import_at_work": "The import is at work. Wait until it is done.",
    "import_done": "The import is done. Replay it, or undo it first.",
    "import_not_done": "The import is not done, so there is nothing to replay or undo.",
    "import_unknown": "No import has this id.",
    "invalid_items": "Some items are wrong, and all or nothing was asked for; `errors` names them.",
    "malformed": "The item is not a block of readings.",
    "meter_unknown": "No meter has this id.",
    "event_id_reused": "Another block has this event id. Send other values under their own.",
    "outside_channel": "The meter did not measure this flow then, by its channel's times.",
    "misaligned": "The block does not begin where intervals of this length begin.",
    "negative": "The energy is negative. Use the flow that it belongs to.",
    "nothing_accepted": "No item of the batch was accepted; the answer says why for each.",
    "nul_character": "A text holds U+0000. Leave it out.",
    "over_maximum": "A value is more than the meter can measure in an interval.",
    "period_closed": "The period is closed already.",
    "period_not_ended": "The period has not ended yet, so it cannot be closed.",
    "period_unknown": "No period of this agreement begins on this day.",
    "quarantine_unknown": "No block in quarantine has this id.",
    "resolution_too_fine": "The series has coarser intervals than asked for.",
    "still_refused": "What was replayed is refused again; its reason is in the detail.",
    "too_old": "The time lies before the year 2000. Check it.",
    "unknown_meter": "The meter is not registered, or its key is of another tenant.",
    "window": "The window is too wide for this resolution. Ask for less at once.",
    "withdrawn": "The block's import was undone. Import the file again.",
    "wrong_flow": "The meter does not measure this flow.",
    "wrong_resolution": "The channel has intervals of another length.",
    "wrong_unit": "The unit is not that of the channel.",
    # tariffs and rating
    "calendar_exists": "Another calendar has this id. Use another one.",
    "calendar_unknown": "No calendar has this id.",
    "calendar_unpublished": "The calendar has no published version.",
    "code_taken": "Another resource has this code. Use another one.",
    "compare_currencies": "Tariffs of different currencies cannot be compared.",
    "compare_empty": "There is no tariff to compare.",
    "coincident_peak_missing": "The kW at one of the system's peaks are not known.",
    "connected_kw_missing": "The tariff charges per connected kW, and none is given.",
    "distant_date": "The date is too far away to be meant. Check it.",
    "duplicate_name": "Two tariffs of the comparison have the same name.",
    "day_unknown": "The calendar names the day in no day type, and refuses such days.",
    "edge_inside_interval": "A window's edge lies inside an interval. Use finer intervals.",
    "edge_inside_window": "A band's edge lies inside a demand window.",
    "empty_period": "The period ends before it begins.",
    "energy_out_of_range": "The energy is too large to be rated exactly.",
    "flow_missing": "The tariff needs a flow that the usage does not have.",
    "foreign_document": "The document's currency or zone is not the tariff's.",
    "in_use": "Other resources refer to this one. Change or remove them first.",
    "incomplete_urdb": "The URDB record has charges that cannot be imported; each is named.",
    "intervals_too_coarse": "Demand is measured over shorter windows than the intervals.",
    "invalid_calendar": "The calendar is not as it must be; `errors` names each part.",
    "invalid_csv": "The file is not CSV as described; the detail names the row.",
    "invalid_prices": "The prices are not as they must be; `errors` names each.",
    "invalid_state": "The state of an earlier bill cannot be read.",
    "invalid_tariff": "The tariff is not as it must be; `errors` names each part.",
    "invalid_urdb": "The URDB record is not as it must be; the detail names the field.",
    "invalid_usage": "The usage is not as it must be; `errors` names each part.",
    "long_period": "The period is longer than is rated at once.",
    "negative_energy": "The energy in tiers would fall below zero.",
    "no_version_in_force": "No published version of the tariff is in force on this day.",
    "not_exact": "The amount cannot be computed exactly within the declared digits.",
    "price_series_exists": "Another price series has this id. Use another one.",
    "price_series_unknown": "No price series has this id.",
    "prices_currency": "The prices are in another currency than the tariff.",
    "prices_missing": "Prices are missing for a part of the period.",
    "prices_resolution": "The prices are for intervals of another length.",
    "quote_empty": "There is no usage to rate.",
    "quote_order": "The periods of a quote must follow one another.",
    "region_cycle": "The region would lie within itself.",
    "region_depth": "Regions would be nested too deep.",
    "region_exists": "Another region has this id. Use another one.",
    "region_unknown": "No region has this id.",
    "rounding_resolution": "Energy is rounded in intervals of another length than the usage has.",
    "state_kind": "The state is of another kind of component.",
    "state_mismatch": "The state is not of this tariff.",
    "tariff_parts": "The tariff has more parts in this period than are rated at once.",
    "tariff_exists": "Another tariff has this id. Use another one.",
    "tariff_unknown": "No tariff has this id.",
    "too_many_days": "There are more days than are taken at once. Send them in parts.",
    "too_many_prices": "There are more prices than are taken at once. Send them in parts.",
    "unknown_region": "The region that is named does not exist.",
    "usage_gap": "The usage has no row for some intervals.",
    "values_missing": "Values are missing in the usage.",
    "version_exists": "Another version has this id. Use another one.",
    "version_immutable": "A published version does not change. Make a new one.",
    "version_unknown": "No version has this number.",
    "version_unpublished": "The version is a draft; publish it first.",
    "version_withdrawn": "The version is withdrawn.",
    "withdrawn_too_late": "The version has ended by the date from which it is to be withdrawn.",
    # customers, agreements and invoices
    "agreement_differs": "The period is of other terms than the agreement has now.",
    "agreement_exists": "Another agreement has this id. Use another one.",
    "agreement_in_force": "An agreement of the customer has not ended yet. End it first.",
    "agreement_missing": "No agreement covers the period.",
    "agreement_overlap": "Another agreement of the meter covers some of these days.",
    "agreement_unknown": "No agreement has this id.",
    "already_invoiced": "These days are on an invoice, so the agreement cannot change there.",
    "credit_note_unknown": "No credit note has this id.",
    "currency_differs": "The tariff is in another currency than the customer.",
    "currency_in_use": "The customer has invoices in its currency, so the currency cannot change.",
    "customer_erased": "The customer was erased, and does not change any more.",
    "customer_exists": "Another customer has this id. Use another one.",
    "customer_missing": "The customer does not exist.",
    "customer_number_taken": "Another customer has this number. Use another one.",
    "customer_unknown": "No customer has this id.",
    "einvoice_fine": "An e-invoice has no amounts finer than hundredths of its currency.",
    "einvoice_incomplete": "The seller lacks what an e-invoice must name; `errors` names it.",
    "einvoice_taxes": "The invoice's taxes are no rate of what they are levied on.",
    "evidence_incomplete": "What the invoice was computed from is not complete.",
    "invalid_customer": "The customer contradicts itself; the detail says where.",
    "invalid_agreement": "The agreement is not as it must be; `errors` names each part.",
    "invalid_logo": "The logo is no image that can be drawn. Send a whole PNG or JPEG.",
    "invalid_window": "The window is too wide or ends before it begins.",
    "invoice_unknown": "No invoice has this id.",
    "meter_missing": "The agreement's meter is not registered yet.",
    "previous_period_missing": "The bill needs what the period before left, which is not there.",
    "previous_period_open": "The bill needs the period before, which is not closed yet.",
    "seller_missing": "A document names its seller. Say who sells: PUT /v1/seller.",
    "seller_moved": "The seller was changed just now. Read it again and repeat the change.",
    "tariff_version_unknown": "No published tariff version has this id.",
    "version_not_in_force": "The tariff version is not in force on all of the days.",
    "line_unknown": "The invoice has no line at this position.",
    "version_ambiguous": "Several tariff versions apply. Name the one that is meant.",
    "calculation_too_large": "The customer has more meters than one calculation takes.",
    "tariff_missing": "No published tariff version covers the period.",
    "usage_impossible": "The usage cannot be rated; the detail says why.",
    "invalid_url": "Messages never go to this address; the detail says why.",
    "webhook_endpoint_exists": "Another endpoint has this id. Use another one.",
    "webhook_endpoint_unknown": "No webhook endpoint has this id.",
    "webhook_message_unknown": "No webhook message has this id.",
    "webhooks_unset": "This installation has no WEBHOOK_SECRET_KEY, so it signs no messages.",
    # registry and reading ledger
    "beyond_register": "The value is more than the register can show.",
    "circular_definition": "The meter's sum would contain itself.",
    "circular_tree": "The property would stand below itself.",
    "duplicate_id": "An id is given twice.",
    "email_taken": "Another user has this e-mail address.",
    "exchange_has_readings": "The new meter was read since. Withdraw those readings first.",
    "exchange_moves_whole": "An exchange's two readings are changed together.",
    "foreign_meter": "The meter is of another property.",
    "future_reading": "The reading was taken in the future. Check the clock that made it.",
    "has_children": "Other properties stand below this one. Move or delete them first.",
    "input_removed": "A meter of the sum has been removed.",
    "invalid_meter": "The meter is not as it must be; `errors` names each part.",
    "invalid_terms": "The terms of the sum are not as they must be.",
    "meter_exists": "Another meter has this id or type at the property.",
    "meter_in_use": "Other meters are computed from this one.",
    "meter_unnamed": "The reading names no meter, and the property has several.",
    "negative_value": "A register shows no negative value.",
    "no_register": "A meter of the sum has no register for the flow.",
    "not_derived": "The meter is read itself, so it has no definition.",
    "nothing_to_compare": "The property has no meters that can be compared.",
    "property_exists": "Another property has this id.",
    "property_unknown": "No property has this id.",
    "reading_exists": "Another value was read at this moment. Correct that reading.",
    "reading_unknown": "No reading has this id.",
    "readings_after_exchange": "Readings that are later than the exchange exist already.",
    "readings_refused": "Readings are refused for several reasons; `errors` names each.",
    "register_in_use": "Readings of the register exist, so it cannot change.",
    "register_unknown": "The meter has no register for this flow.",
    "sum_too_deep": "Sums stand within sums deeper than is computed.",
    "sum_too_large": "The sum has more meters than are computed.",
    "too_many_decimals": "The value has more decimals than the register.",
    "too_many_meters": "The property has as many meters as it may.",
    "too_many_versions": "The definition has as many versions as it may.",
    "undefined": "The value is not defined at this time.",
    "unknown_parent": "The parent property does not exist.",
    "unknown_property": "The property does not exist.",
    "user_exists": "Another user has this id.",
    "user_unknown": "No user has this id.",
    "window_too_far": "The window lies outside the years that are taken.",
    "window_too_wide": "The window is wider than is answered at once.",
    # accounts and audit
    "above_open_amount": "More is allocated than the item has open.",
    "account_unknown": "No account has this code.",
    "allocation_refused": "The allocation does not fit the payment or the items.",
    "already_reversed": "The transaction has been reversed already.",
    "amount_missing": "The command needs an amount.",
    "balance_too_large": "The balance would be larger than can be kept.",
    "before_original": "A reversal cannot be earlier than what it reverses.",
    "chain_broken": "The stored chain does not agree with itself: it was tampered with.",
    "checkpoint_unknown": "There is no checkpoint of this size.",
    "credit_exceeded": "More credit is used than the customer has.",
    "deallocated_since": "The allocation has been taken back already.",
    "due_refused": "The due date does not fit this kind of command.",
    "entry_unknown": "The chain has no entry with this number.",
    "finer_than_currency": "The amount is finer than the currency's smallest unit.",
    "id_taken": "Another transaction has this id.",
    "not_reversible": "Transactions of this kind are not reversed; the detail says what to do.",
    "not_sealed_yet": "The chain is not as long as that yet.",
    "nothing_to_allocate": "The customer has no open items in this currency.",
    "payment_resolved": "The unmatched payment was assigned to a customer or paid back.",
    "payment_unknown": "No payment that was unmatched has this id.",
    "seal_unknown": "No seal has this number.",
    "too_early": "The date lies before the books begin.",
    "transaction_unknown": "No transaction has this id.",
    # simulation
    "house_profile_unknown": "This house has no profile of its own.",
    "house_unknown": "The run has no such house, or no bill of it.",
    "invalid_policy": "The policy is not whole; `errors` names each part that is wrong.",
    "no_houses": "There is no house with a meter at or below the node.",
    "not_generated": "Profiles are of runs with generated readings.",
    "policy_exists": "Another simulation policy has this id.",
    "policy_unknown": "No simulation policy has this id.",
    "profile_incomplete": "A house's profile lacks something. The detail names house and fields.",
    "readings_unfit": "A house's readings do not fit together. The detail says how.",
    "run_exists": "Another simulation run has this id.",
    "run_not_pending": "Only a run that was not started can be changed or started. Copy it.",
    "run_not_started": "The run was not started yet.",
    "run_over": "The run is over.",
    "run_running": "The run is at work. Cancel it first.",
    "run_stalled": "Nothing was done of the run for long. See that workers are up, and copy it.",
    "run_unknown": "No simulation run has this id.",
    "service_token_unset": "The service has no SERVICE_TOKEN, so it can read no other service.",
    "source_refused": "Another service refuses what the run needs. The detail says why.",
    "unknown_node": "No property has this id.",
}


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A code with what it means and what to do about it."""

    code: str
    meaning: str

    @property
    def uri(self) -> str:
        """The problem's `type`, a reference that each service resolves."""
        return f"/problems/{self.code}"

    @property
    def title(self) -> str:
        """The first sentence, without its full stop."""
        return self.meaning.split(". ")[0].rstrip(".")


def problem_type(code: str) -> ProblemType | None:
    """The type with this code; None where there is none."""
    meaning = MEANINGS.get(code)
    return None if meaning is None else ProblemType(code, meaning)


def markdown() -> str:
    """docs/problems.md: every code with its meaning."""
    rows = "\n".join(f"| `{code}` | {MEANINGS[code]} |" for code in sorted(MEANINGS))
    return f"""<!-- Generated by `make docs`; do not edit. -->
# Problem codes

Every refusal of an API is a problem (RFC 9457) with a `code` for programs, a `detail` for people,
and in `errors` a `pointer` to each part of the body that is wrong (or the `parameter`). Its `type`
is `/problems/<code>`, which every service explains at that path.

| code | meaning, and what to do |
|---|---|
{rows}
"""


if __name__ == "__main__":
    sys.stdout.write(markdown())
