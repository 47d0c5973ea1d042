"""The settings of the bare view: the application's own connection, nothing that a request passes through."""

from __future__ import annotations

from config import settings

SECRET_KEY = settings.SECRET_KEY
ALLOWED_HOSTS = settings.ALLOWED_HOSTS
ROOT_URLCONF = "benchmarks.bare.view"
MIDDLEWARE: list[str] = []
INSTALLED_APPS: list[str] = []
USE_TZ = True
DATABASES = {"default": {**settings.DATABASES["default"], "CONN_HEALTH_CHECKS": False}}
