"""The WSGI application, which doesn't serve under a database role that is too strong."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config import guard  # noqa: E402 (it logs, which the settings above have to arrange first)

guard.install()

# What the application consists of stays: a collection that walks it again and again finds nothing.
gc.collect()
gc.freeze()
