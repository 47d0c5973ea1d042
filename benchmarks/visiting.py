"""Sign a user in and write the session's key (`python -m benchmarks.visiting EMAIL ORGANIZATION`)."""

from __future__ import annotations

import sys
from importlib import import_module

import django


def main(email: str, organization: str) -> None:
    """Make a session of the user in which the organization is chosen."""
    django.setup()
    from django.conf import settings
    from django.contrib.auth import login
    from django.http import HttpRequest

    from organizations.door import choose_organization
    from organizations.models import User

    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    user = User.objects.get(email=email)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.user = user
    choose_organization(request, organization)
    request.session.save()
    sys.stdout.write(request.session.session_key or "")


if __name__ == "__main__":
    main(*sys.argv[1:])
