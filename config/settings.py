"""Django's settings, read from the environment; `.env.example` explains every variable."""

from __future__ import annotations

import os
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF

from config import databases, env, logs, outside, secret
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
PUBLIC_URL = _env.url(
    "PUBLIC_URL",
    ("https", "http"),
    outside.public_url(ALLOWED_HOSTS, https=HTTPS, port=_env.integer("PORT", 8000, least=1, most=65535)),
).rstrip("/")
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
TRUST_PROXY = _env.boolean("TRUST_PROXY", False)
if TRUST_PROXY:
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "config.operator.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "config.health.Probes",
    "config.metrics.middleware.Metrics",
    "config.middleware.RequestContext",
    "config.maintenance.Maintenance",
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
    "allauth.account.middleware.AccountMiddleware",
    "portal.errors.FormAddresses",
]

# The write path and the gate are plain views that find their caller themselves; see config.middleware.
DIRECT_PATHS = {
    ("POST", "/api/v1/records"): "usage.receive.receive",
    ("POST", "/api/v1/authorize"): "billing.api.authorize.authorize",
    ("*", "/api/v1/gateway/forward"): "billing.api.gateway.forward",
    ("*", "/api/v1/gateway/envoy/"): "billing.api.gateway.envoy",
    ("*", "/api/v1/gateway/nginx"): "billing.api.gateway.nginx",
}

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "organizations.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/sign-in/"
CSRF_FAILURE_VIEW = "portal.errors.csrf_failure"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Accounts: nobody signs up; operators and invitations make them, and addresses are known by them

ACCOUNT_ADAPTER = "portal.accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "portal.accounts.forms.SignInForm",
    "reauthenticate": "portal.accounts.forms.ConfirmPasswordForm",
    "change_password": "portal.accounts.forms.ChangePasswordForm",
    "set_password": "portal.accounts.forms.SetPasswordForm",
    "reset_password": "portal.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "portal.accounts.forms.NewPasswordForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Headroom: "
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if TRUST_PROXY else 0

MFA_ADAPTER = "portal.accounts.adapters.FactorAdapter"
MFA_FORMS = {
    "authenticate": "portal.accounts.forms.CodeForm",
    "reauthenticate": "portal.accounts.forms.ConfirmCodeForm",
    "activate_totp": "portal.accounts.forms.ActivateForm",
    "add_webauthn": "portal.accounts.forms.AddPasskeyForm",
    "edit_webauthn": "portal.accounts.forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_TRACK_ACTIVITY = False

SOCIALACCOUNT_ADAPTER = "portal.accounts.adapters.SocialAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = outside.single_sign_on(_env)

# Mail

EMAIL_URL = _env.url("EMAIL_URL", outside.MAIL_SCHEMES, "")
EMAIL_BACKEND = outside.mail_backend(EMAIL_URL, production=PRODUCTION)
DEFAULT_FROM_EMAIL = _env.text("EMAIL_FROM", "Headroom <headroom@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10
_mail = outside.mail_server(EMAIL_URL)
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starttls, _mail.tls

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["portal.templatetags.addresses"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.accounts.zone.account_zone",
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
FORMAT_MODULE_PATH = "config.formats"

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
            databases.parse_address(DATABASE_URL, variable="DATABASE_URL"),
            role=DATABASE_APP_ROLE,
            pooled=_env.boolean("DATABASE_POOLED", False),
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

USAGE_PIPELINE = [
    "usage.stages.Complete",
    "billing.stages.Rate",
    "usage.stages.Store",
    "billing.ledger.stage.Burn",
    "billing.charging.Charge",
    "alerts.rules.wake.Wake",
]
# Who knows what was granted of a meter, and what is left of it.
USAGE_ALLOWANCES = "billing.ledger.queries.left"
# Who keeps the rules by which something is told of a key.
USAGE_KEY_RULES = "alerts.rules.keys.key_rules"
# Who knows at which pace spending will go on, and what a billing period will come to.
BILLING_PACE = "alerts.forecasts.pace.pace"
BILLING_FORECAST = "alerts.forecasts.costs.outlook"
# What the gate does where it can't know; docs/limits.md says why these are the defaults.

GATE_HOLD_WITHOUT_ESTIMATE = _env.amount("GATE_HOLD_WITHOUT_ESTIMATE", 0)
GATE_UNPRICED_MODEL = _env.choice("GATE_UNPRICED_MODEL", ("deny", "allow", "hold"), "deny")
GATE_UNPRICED_HOLD = _env.amount("GATE_UNPRICED_HOLD", 10**9)
GATE_WITHOUT_DATABASE = _env.choice("GATE_WITHOUT_DATABASE", ("closed", "open"), "closed")
GATE_SEEN_WITHIN = _env.duration("GATE_SEEN_WITHIN", timedelta(minutes=10))
GATE_HOLD_TTL = _env.duration("GATE_HOLD_TTL", timedelta(minutes=10))
GATE_HOLD_TTL_MOST = _env.duration("GATE_HOLD_TTL_MOST", timedelta(hours=24))

DATA_UPLOAD_MAX_MEMORY_SIZE = None  # the ingest view caps its own body, also unpacked

# What can be taken out, and where its files are: in a directory that web and workers share.

EXPORT_DATASETS = [
    "usage.exports.datasets.RECORDS",
    "usage.exports.datasets.DAILY",
    "usage.exports.datasets.COSTS",
    "billing.focus.datasets.FOCUS",
    "billing.focus.datasets.FOCUS_1_2",
]
EXPORT_DIR = Path(_env.text("EXPORT_DIR", str(DATA_DIR / "exports"))).expanduser().resolve()
EXPORT_WORK_DIR = EXPORT_DIR / "unfinished"
EXPORTS_AT_ONCE = _env.integer("EXPORTS_AT_ONCE", 1, least=1, most=64)

# What can be brought in by the portal, and where its files are: in a directory that web and workers share.
# Forms of other pages have no files.

IMPORT_DIR = Path(_env.text("IMPORT_DIR", str(DATA_DIR / "imports"))).expanduser().resolve()
IMPORT_WORK_DIR = IMPORT_DIR / "unfinished"
IMPORTS_AT_ONCE = _env.integer("IMPORTS_AT_ONCE", 1, least=1, most=64)
IMPORT_MAX_BYTES = _env.integer("IMPORT_MAX_MB", 256, least=1, most=65536) * 10**6
FILE_UPLOAD_HANDLERS = [
    "portal.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
UPLOAD_VIEWS = {"portal:imports"}

# Invoices: who they are from, and when they are issued and due.

INVOICE_ISSUER = _env.listing("INVOICE_ISSUER", ("Headroom",))
INVOICE_GRACE = _env.duration("INVOICE_GRACE", timedelta(days=3))
INVOICE_DUE = _env.duration("INVOICE_DUE", timedelta(days=14))

# Who is told. Requests to addresses that organizations give go to no private network but these, and by plain
# HTTP nowhere else.

ALERT_ALLOWED_NETWORKS = _env.networks("ALERT_ALLOWED_NETWORKS")
# How long what was told is kept at least, where the plan's history is shorter.
ALERT_HISTORY = _env.duration("ALERT_HISTORY", timedelta(days=90))

# The pages that mails lead to.
ALERT_PAGES = {
    "unsubscribe": "portal:unsubscribe",
    "confirm": "portal:confirm-address",
    "reports": "portal:exports",
}

# Pages and their files

DATA_FILES = BASE_DIR / "static"
STATIC_URL = "/static/"
STATIC_ROOT = Path(_env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [DATA_FILES] if DATA_FILES.is_dir() else []
STATIC_MANIFEST = _env.boolean("STATIC_MANIFEST", not DEBUG)
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
# Without the manifest files are looked for when they are asked for, not read through at every start.
WHITENOISE_AUTOREFRESH = not STATIC_MANIFEST
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
    "imports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": IMPORT_DIR,
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
    # A link within each operation's button could not be reached by keyboard. What is written is JavaScript.
    "SWAGGER_UI_SETTINGS": "{deepLinking: false, plugins: [HeadroomPlugin]}",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # What several components call alike, and is not.
    "ENUM_NAME_OVERRIDES": {
        "ServiceTierEnum": "usage.tiers.Tier",
        "AlertChannelKindEnum": "alerts.models.Kind",
        "AlertDeliveryStateEnum": "alerts.models.DeliveryState",
        "AlertScopeKindEnum": "alerts.models.ScopeKind",
        "AlertWindowEnum": "alerts.models.Span",
        "AlertSeverityEnum": "alerts.models.Severity",
        "AlertConditionEnum": "alerts.models.Condition",
        "AlertRuleConditionEnum": "alerts.rules.serializers.CHOSEN",
        "SpendLimitWindowEnum": "billing.models.Window",
        "ExportStateEnum": "usage.models.ExportState",
        "GrantStateEnum": "billing.ledger.queries.GrantState",
        "InvoiceStateEnum": "billing.models.InvoiceState",
        "InvoiceKindEnum": "billing.models.InvoiceKind",
        "MovementKindEnum": "billing.models.Movement",
        "LineBasisEnum": "billing.models.Basis",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "usage.schema.add_record_inputs",
        "organizations.schema.add_rate_limits",
        "config.examples.add_examples",
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

METRICS_TOKEN = _env.text("METRICS_TOKEN", "")
LOG_FORMAT = _env.choice("LOG_FORMAT", logs.FORMATS, "json" if PRODUCTION else "console")
LOG_LEVEL = _env.choice("LOG_LEVEL", logs.LEVELS, "INFO")
logs.configure_structlog()
LOGGING = logs.logging_settings(form=LOG_FORMAT, level=LOG_LEVEL)
