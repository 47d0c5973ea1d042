"""The WSGI application, which doesn't serve under a database role that is too strong."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application

# Nothing of what is loaded is garbage.
gc.disable()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from django.conf import settings  # noqa: E402 (all of these need the settings, or log as they say)
from django.urls import get_resolver  # noqa: E402

from config import guard  # noqa: E402
from core.garbage import collect_seldom  # noqa: E402
from usage.pipeline import load_stages  # noqa: E402

guard.install()

# The first request need not wait until all pages and stages have been imported.
get_resolver().url_patterns  # noqa: B018
load_stages(tuple(settings.USAGE_PIPELINE))

# What the application consists of stays: a collection that walks it again and again finds nothing.
gc.enable()
gc.collect()
gc.freeze()
collect_seldom()
