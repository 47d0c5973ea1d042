"""The reference's page of problems: what each code means, at the address that a problem's `type` names."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

# Whole requests: the `code` of a problem.
PROBLEMS: Final[dict[str, str]] = {
    "already_a_member": "The person is a member of the organization, or invited to it, already.",
    "built_in_rule": "Every organization has this rule; it can be switched off, but not deleted.",
    "conflict": "The object's present state does not permit this.",
    "credential_revoked": "The key's credential was revoked; it will not work again.",
    "csrf_failed": "A request with a session has to carry the CSRF token that the page was given.",
    "export_expired": "The export's file was kept for as long as files are kept; ask for the export again.",
    "export_failed": "The export has no file; the detail says why. Ask for it again.",
    "export_not_ready": "The export is not done yet; `Retry-After` says when to look again.",
    "forbidden": "Whoever asks is known, and not entitled to this.",
    "has_account": "The invited person has an account already: they accept by signing in.",
    "internal_error": "Something went wrong on the server; what was not acknowledged did not happen.",
    "invalid": "The body is well formed, but not acceptable; `errors` says what is wrong and where.",
    "invalid_cursor": "The cursor was altered, or belongs to a question with other filters.",
    "invalid_key": "The key is not one of ours: it was mistyped, shortened, replaced or never issued.",
    "invalid_parameter": "A query parameter is unknown, or its value not accepted; the detail lists what is.",
    "invalid_request": "The request can't be understood.",
    "last_owner": "An organization keeps at least one owner.",
    "maintenance": "The server is being worked on; `Retry-After` says when to try again.",
    "malformed_body": "The body can't be read in the form that its Content-Type announces.",
    "method_not_allowed": "The address exists, but not for this method; `Allow` lists those it takes.",
    "no_confirmation_needed": "The channel is not waiting for the owner of its address to agree.",
    "no_secret": "Channels of this kind have no secret: nothing that is sent to them is signed.",
    "not_a_member": "The session's user belongs to no such organization.",
    "not_acceptable": "The answer can't be given in a form that `Accept` allows; it is JSON.",
    "not_found": "There is no such object, at least not in this organization.",
    "plan_required": "The organization's plan does not include this; the detail names plans that do.",
    "price_ended": "The price or discount has ended; what has been is not changed.",
    "rate_limited": "The plan's requests of this minute are used up; `Retry-After` says when there are more.",
    "records_refused": "Every record of the request was refused; `errors` says why, one by one.",
    "repricing_under_way": "These records are being repriced already; wait until that is done.",
    "reservation_settled": "A record has come for the reservation; there is nothing left to give back.",
    "repeated_parameter": "A query parameter is given more than once.",
    "role_required": "The member's role does not permit this.",
    "scope_required": "The key lacks the scope that the detail names.",
    "spend_limit_full": "What a spend limit leaves is held for other calls, or too little for this one.",
    "spend_limit_reached": "A spend limit is reached; `resetsAt` says when there may be room again.",
    "second_factor_required": "The organization requires a second factor, and the session's user has none.",
    "too_large": "The body, as sent or as unpacked, is larger than is taken in one request.",
    "too_many_channels": "The organization has as many channels as it can have; delete one of them.",
    "too_many_exports": "As many exports as an organization can have are under way; wait for one of them.",
    "too_many_records": "The request has more records than are taken in one request.",
    "too_many_reports": "The organization has as many reports as it can have; delete one of them.",
    "too_many_rows": "The answer has too many rows: ask for a shorter period, longer buckets, fewer groups.",
    "too_many_tests": "There were as many tests of channels within the hour as there may be.",
    "too_many_rules": "The organization has as many rules of its own as it can have; delete one of them.",
    "unauthorized": "A key is needed, or a session.",
    "unavailable": "A part the answer needs is away for the moment; `Retry-After` says when to try again.",
    "unpriced_model": "A spend limit applies, and the model has no price by which to count the call.",
    "unconfirmed": "The owner of the channel's address has not agreed to be told, or unsubscribed.",
    "unknown_parameter": "There is no such query parameter; the detail lists those there are.",
    "unsupported_encoding": "The Content-Encoding is not one that is unpacked; gzip is.",
    "unsupported_media_type": "The Content-Type is not read here; `Accept-Post` lists those that are.",
}

# Single faults: the `code` of an entry in `errors`.
FAULTS: Final[dict[str, str]] = {
    "blank": "The text has nothing to read in it.",
    "empty": "The list needs at least one entry.",
    "invalid": "The value is not acceptable here; the detail says what is.",
    "invalid_choice": "The value is none of those that the detail lists.",
    "invalid_currency": "The value is no ISO 4217 code of three letters.",
    "invalid_moment": "The value is no ISO 8601 time with an offset, and no number of Unix milliseconds.",
    "invalid_money": "The value is no plain decimal string of at most nine places.",
    "invalid_parameter": "The query parameter is unknown, or its value is not accepted.",
    "invalid_timezone": "The value is no IANA time zone.",
    "invalid_window": "The window ends before it starts.",
    "malformed_json": "The record or line is not JSON.",
    "malformed_line": "The line can't be read.",
    "max_length": "The text or list is longer than the detail says.",
    "max_value": "The number is larger than the detail says.",
    "min_value": "The number is smaller than the detail says.",
    "missing_field": "The field is required.",
    "not_a_list": "The value is no list.",
    "null": "The value must not be null.",
    "null_characters_not_allowed": "The text holds the character U+0000, which no text can have.",
    "no_second_factor": "Who requires a second factor of others needs one.",
    "required": "The field is required.",
    "timestamp_before_history": "The time lies before the plan's history begins.",
    "timestamp_in_future": "The time lies more than five minutes ahead.",
    "unknown_channel": "There is no such channel in the organization.",
    "unknown_client": "There is no such credential in the organization.",
    "unknown_field": "There is no such field; the detail lists those there are.",
    "unknown_plan": "There is no such plan.",
    "unknown_scope": "There is no such scope; the detail lists those there are.",
}


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """Show what every code means; an entry's anchor is its code."""
    context: dict[str, Any] = {
        "problems": PROBLEMS.items(),
        "faults": [(code, text) for code, text in FAULTS.items() if code not in PROBLEMS],
    }
    return render(request, "config/problems.html", context)
