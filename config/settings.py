"""Django's settings, read from the environment; `.env.example` explains every variable."""

from __future__ import annotations

import os
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF

from config import databases, env, logs, secret
from config.embedded import paths
from config.schedule import BEAT_SCHEDULE

# Django's classes take their type parameters only for the type checker: this makes them do so when they run.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

env.load_file(Path(os.environ.get("HEADROOM_ENV_FILE", BASE_DIR / ".env")))
_env = env.Env()

PROFILE = _env.choice("HEADROOM_PROFILE", ("development", "production"), "development")
PRODUCTION = PROFILE == "production"
DATA_DIR = Path(_env.text("HEADROOM_DATA", str(BASE_DIR / ".data"))).expanduser().resolve()

# Who may ask, and how answers are protected

SECRET_KEY = (
    _env.required("SECRET_KEY", "production needs one of at least 50 random characters")
    if PRODUCTION
    else _env.text("SECRET_KEY") or secret.development_key(DATA_DIR)
)
SECRET_KEY_FALLBACKS = _env.listing("SECRET_KEY_FALLBACKS")
DEBUG = _env.boolean("DEBUG", False)
ALLOWED_HOSTS = _env.listing("ALLOWED_HOSTS", () if PRODUCTION else ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = _env.listing("CSRF_TRUSTED_ORIGINS")

HTTPS = _env.boolean("HTTPS", PRODUCTION)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = int(_env.duration("HSTS", timedelta(days=365)).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(_env.duration("SESSION_AGE", timedelta(days=14)).total_seconds())
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
if _env.boolean("TRUST_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# What it is made of

INSTALLED_APPS = [
    "config",
    "core",
    "organizations",
    "usage",
    "billing",
    "alerts",
    "portal",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "pghistory",
    "django_htmx",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "config.health.Probes",
    "config.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.DirectPaths",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "organizations.middleware.OperatorScope",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

# The write path is a plain view that finds its caller itself; see config.middleware.DirectPaths.
DIRECT_PATHS = {("POST", "/api/v1/records"): "usage.receive.receive"}

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "organizations.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Every moment is UTC inside; a page shows the organization's own zone.

USE_TZ = True
# Every machine has the zones of the locked package, not whichever its system has.
zoneinfo.reset_tzpath(())
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False

# Where the data is

DATABASE_OWNER_ROLE = _env.text("DATABASE_OWNER_ROLE", "headroom_owner")
DATABASE_APP_ROLE = _env.text("DATABASE_APP_ROLE", "headroom_app")
DATABASE_LOOKUP_ROLE = _env.text("DATABASE_LOOKUP_ROLE", "headroom_lookup")

EMBEDDED_POSTGRES = _env.text("DATABASE_URL") is None
EMBEDDED_REDIS = _env.text("REDIS_URL") is None

DATABASE_URL = _env.url(
    "DATABASE_URL", databases.SCHEMES, paths.postgres_url(DATA_DIR, user=DATABASE_APP_ROLE)
)
DATABASE_OWNER_URL = _env.url(
    "DATABASE_OWNER_URL",
    databases.SCHEMES,
    paths.postgres_url(DATA_DIR, user=DATABASE_OWNER_ROLE) if EMBEDDED_POSTGRES else DATABASE_URL,
)
DATABASE_ADMIN_URL = _env.url(
    "DATABASE_ADMIN_URL",
    databases.SCHEMES,
    paths.postgres_url(DATA_DIR, user=paths.SUPERUSER, database=paths.SUPERUSER)
    if EMBEDDED_POSTGRES
    else DATABASE_OWNER_URL,
)
DATABASES = {
    "default": {
        **databases.connection_settings(
            databases.parse_address(DATABASE_URL, variable="DATABASE_URL"), role=DATABASE_APP_ROLE
        ),
        "TEST": {"MIRROR": "owner"},
    },
    "owner": databases.connection_settings(
        databases.parse_address(DATABASE_OWNER_URL, variable="DATABASE_OWNER_URL"), role=DATABASE_OWNER_ROLE
    ),
}

REDIS_URL = _env.url("REDIS_URL", ("redis", "rediss", "unix"), paths.redis_url(DATA_DIR))
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "headroom",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

# How records come in: each stage is one class, in the order in which it sees a batch.

USAGE_PIPELINE = ["usage.stages.Complete", "usage.stages.Store"]
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # the ingest view caps its own body, also unpacked

# What can be taken out, and where its files are: in a directory that web and workers share.

EXPORT_DATASETS = [
    "usage.exports.datasets.RECORDS",
    "usage.exports.datasets.DAILY",
    "usage.exports.datasets.COSTS",
]
EXPORT_DIR = Path(_env.text("EXPORT_DIR", str(DATA_DIR / "exports"))).expanduser().resolve()
EXPORT_WORK_DIR = EXPORT_DIR / "unfinished"
EXPORTS_AT_ONCE = _env.integer("EXPORTS_AT_ONCE", 1, least=1, most=64)

# Pages and their files

DATA_FILES = BASE_DIR / "static"
STATIC_URL = "/static/"
STATIC_ROOT = Path(_env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [DATA_FILES] if DATA_FILES.is_dir() else []
STATIC_MANIFEST = _env.boolean("STATIC_MANIFEST", not DEBUG)
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_MANIFEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
    "exports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": EXPORT_DIR,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
MEDIA_ROOT = DATA_DIR / "files"

# The API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "core.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Headroom",
    "DESCRIPTION": "What was consumed, what it costs, and how much is left.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "organizations.schema.add_rate_limits",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Work in the background

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
}
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

# What it says of itself

LOG_FORMAT = _env.choice("LOG_FORMAT", logs.FORMATS, "json" if PRODUCTION else "console")
LOG_LEVEL = _env.choice("LOG_LEVEL", logs.LEVELS, "INFO")
logs.configure_structlog()
LOGGING = logs.logging_settings(form=LOG_FORMAT, level=LOG_LEVEL)
