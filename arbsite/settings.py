"""Django settings, read from the environment through `env.py`; `.env.example` lists every one."""

from datetime import datetime
from pathlib import Path

import plotly

from arbsite import clock, pinned, servers
from arbsite.env import BASE_DIR, SettingError, read_environment

_env = read_environment()

# --- what this process works on
DATASET = _env.text("DATASET", "demo")
DATA_DIR = Path(_env.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DEMO = DATASET == "demo"
DEBUG = _env.flag("DEBUG", default=False)

# --- clock (arbsite.clock reads the same three; here they are checked)
DATASET_DIR = DATA_DIR / DATASET
pinned.adopt(DATASET_DIR)
CLOCK_ORIGIN = _env.moment("CLOCK_ORIGIN")
CLOCK_START = _env.moment("CLOCK_START")
CLOCK_SPEED = _env.decimal("CLOCK_SPEED", "1", "0.01", "10000")
clock.restart()
# Recorded data is shown as of its own date: `sync --from` keeps it here.
AS_OF_FILE = DATASET_DIR / "as_of"
if DATASET == "recorded" and AS_OF_FILE.is_file():
    clock.settle(datetime.fromisoformat(AS_OF_FILE.read_text()))

# --- servers
SERVER_CONFIG = servers.ServerConfig(
    dataset=DATASET,
    database_url=_env.url("DATABASE_URL", schemes=("postgresql", "postgres")),
    redis_url=_env.url("REDIS_URL", schemes=("redis", "rediss", "unix")),
    way=_env.choice("SERVERS", ("auto", "installed", "wheel"), "auto"),
    data_dir=DATA_DIR,
)
DATABASES = {"default": servers.database_settings(SERVER_CONFIG)}
DATABASES["default"].setdefault("CONN_MAX_AGE", 600)
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
REDIS_URL = servers.redis_url(SERVER_CONFIG)
REDIS_PREFIX = f"arbsite:{DATASET}:"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- secrets are made on first use and kept beside the data
SECRET_KEY = servers.secret(SERVER_CONFIG, "django", _env.secret("SECRET_KEY"))

ALLOWED_HOSTS = [
    host for host in _env.text("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if host
]
CSRF_TRUSTED_ORIGINS = [origin for origin in _env.text("CSRF_TRUSTED_ORIGINS").split(",") if origin]
WEB_HOST = _env.text("WEB_HOST", "127.0.0.1")
WEB_PORT = _env.integer("WEB_PORT", 8600, 1, 65535)
WEB_WORKERS = _env.integer("WEB_WORKERS", 2, 1, 64)
BEHIND_TLS = _env.flag("BEHIND_TLS", default=False)

INSTALLED_APPS = [
    "arbsite.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "django_htmx",
    "django_celery_beat",
    "analytics",
    "markets",
    "arbsite",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "arbsite.middleware.refuse_nul",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "arbsite.urls"
ASGI_APPLICATION = "arbsite.asgi.application"
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
                "arbsite.views.shell",
            ]
        },
    }
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# --- static files: served by the application itself, found without a collect step
STATIC_URL = "/static/"
STATIC_ROOT = _env.text("STATIC_ROOT") or None
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("plotly", Path(plotly.__file__).parent / "package_data"),
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0 if DEBUG else 3600

# --- security
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # Plotly and htmx set element styles at run time; scripts stay strict.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_HSTS_SECONDS = 31536000 if BEHIND_TLS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# --- venues and sandbox
SANDBOX_URL = _env.url("SANDBOX_URL", "http://127.0.0.1:8601")
SANDBOX_SEED = _env.integer("SANDBOX_SEED", 7, 0, 2**31)
SANDBOX_MARKETS = _env.integer("SANDBOX_MARKETS", 1200, 10, 300_000)
FAULTS = _env.text("FAULTS")
_venue_root = (lambda slug: f"{SANDBOX_URL}/{slug}") if DEMO else (lambda slug: "")
VENUE_URLS = {
    slug: _env.url(f"{slug.upper()}_URL", _venue_root(slug))
    for slug in ("kalshi", "polymarket", "predictit")
}
KALSHI_KEY_ID = _env.text("KALSHI_KEY_ID")
KALSHI_KEY_FILE = _env.text("KALSHI_KEY_FILE")
POLYMARKET_PRIVATE_KEY = _env.secret("POLYMARKET_PRIVATE_KEY")
POLYMARKET_FUNDER = _env.text("POLYMARKET_FUNDER")

# --- collection
TRACKED_MAX = _env.integer("TRACKED_MAX", 5000, 1, 100_000)
QUOTE_SECONDS = _env.integer("QUOTE_SECONDS", 15, 1, 3600)
MARKETS_SECONDS = _env.integer("MARKETS_SECONDS", 900, 10, 86_400)
STALE_STREAMED_S = _env.integer("STALE_STREAMED_S", 5, 1, 3600)
RATE_SHARES = _env.integer("RATE_SHARES", 4, 1, 64)
RETENTION_DAYS = _env.integer("RETENTION_DAYS", 14, 1, 3650)
RESTART_BUDGET = _env.integer("RESTART_BUDGET", 3, 0, 1000)
DEADMAN_URL = _env.url("DEADMAN_URL")
RECORDINGS_DIR = _env.folder("RECORDINGS_DIR")

# --- trading (paper until three switches say otherwise)
TRADING_MODE = _env.choice("TRADING_MODE", ("paper", "approve", "live"), "paper")

# --- Celery: see celery.py for what each choice guards against
CELERY_DB_REUSE_MAX = 1000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname:7} {name} {message}", "style": "{"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": _env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
    },
    "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}

if DATASET in {"", "postgres"} or not DATASET.replace("_", "").isalnum():
    raise SettingError(f"DATASET={DATASET!r} is not allowed; allowed: demo, run, recorded")
