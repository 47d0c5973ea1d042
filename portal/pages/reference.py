"""The API: how it is asked, and every operation with a request to copy."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from organizations.models import User
from organizations.roles import Scope
from organizations.tenancy import Caller
from portal import first_key
from portal.reading import reference as reading
from portal.registry import Entry, Group, page
from portal.showing import Showing


@page(Entry("reference", "reference/", Scope.USAGE_READ, label="API reference", group=Group.BUILD, place=3))
def reference(request: HttpRequest, user: User, caller: Caller) -> HttpResponse:
    """Show the reference."""
    showing = Showing(request, user, caller, "reference")
    base = request.build_absolute_uri("/").rstrip("/")
    context = {
        "sections": reading.read(base, {"members": [user.email], "channel": "CHANNEL_ID"}),
        "base": f"{base}/api/v1",
        "command": first_key.command(request, None),
        "export": f"export {first_key.PLACEHOLDER.removeprefix('$')}=hr_…",
        "document": reverse("schema"),
        "try_out": reverse("docs"),
        "problems": reverse("problems"),
        "new_key": showing.to("key-new") if Scope.KEYS_WRITE in caller.scopes else "",
    }
    return showing.render("portal/reference.html", context)
