"""Every setting of Ringback, typed, in one file. `./manage.py settings` lists those of the environment."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from config import address
from config.environment import REPOSITORY, Register, SettingInvalid, home
from reminders import limits
from reminders.quiet import Quiet
from reminders.quiet import parse as quiet_hours

environment: Final = Register()
_text, _integer, _number, _flag = (
    environment.text,
    environment.integer,
    environment.number,
    environment.flag,
)

# ---- the system ------------------------------------------------------------------------------------
RINGBACK_HOME: Final[Path] = home()
RINGBACK_TIER = _text("RINGBACK_TIER", "durable", "the tier that runs: a file of deploy/tiers/")
RINGBACK_LAB = _flag("RINGBACK_LAB", False, "1: `up` puts the lab's fault proxy between every two processes")
RINGBACK_VERSION = _text("RINGBACK_VERSION", "", "the version that runs, for the marks of deploys; none where empty")
RINGBACK_INSTANCE = _text("RINGBACK_INSTANCE", "", "this process's name, such as worker-1")
RINGBACK_SIMULATED = _flag("RINGBACK_SIMULATED", True, "1 where the carrier is the simulated one")
RINGBACK_MAY_FORGET = _flag("RINGBACK_MAY_FORGET", False, "1: a server without fsync is taken; for tests alone")
DEBUG = False
SECRET_KEY = _text("RINGBACK_SECRET_KEY", "not-secret-and-refused-where-it-serves", "Django's key", secret=True)
RINGBACK_TELEMETRY_KEY = _text("RINGBACK_TELEMETRY_KEY", "telemetry", "keys the hash of numbers", secret=True)

# ---- rows ------------------------------------------------------------------------------------------
DATABASE_URL = _text("DATABASE_URL", "", "Postgres, as the application's role", secret=True)
OWNER_DATABASE_URL = _text("RINGBACK_OWNER_DATABASE_URL", "", "Postgres, as the owner: migrations", secret=True)
REPLICA_DATABASE_URL = _text(
    "RINGBACK_REPLICA_DATABASE_URL", "", "Postgres for reports that may lag; the primary where empty", secret=True
)
REDIS_URL = _text("REDIS_URL", "redis://127.0.0.1:6379/0", "Redis, for doorbells only", secret=True)
RINGBACK_WEB_THREADS = _integer(
    "RINGBACK_WEB_THREADS", 32, "threads of a web instance, for all but batches of texts", at_least=1
)
RINGBACK_WEB_CONNECTIONS = _integer("RINGBACK_WEB_CONNECTIONS", 8, "a web instance's pool of the database", at_least=1)
RINGBACK_WORKER_THREADS = _integer("RINGBACK_WORKER_THREADS", 4, "threads of a worker = its pool", at_least=1)
RINGBACK_POOL_TIMEOUT_SECONDS = _number("RINGBACK_POOL_TIMEOUT_SECONDS", 2.0, "wait for a pooled connection")
RINGBACK_STATEMENT_SECONDS = _number(
    "RINGBACK_STATEMENT_SECONDS", 5, "the longest statement; a server silent for a second more is given up", at_least=1
)

# ---- the promises' times ---------------------------------------------------------------------------
RINGBACK_LEASE_SECONDS = _number("RINGBACK_LEASE_SECONDS", 15, "how long a claim lasts", at_least=0.1)
RINGBACK_RETRY_SECONDS = _number("RINGBACK_RETRY_SECONDS", 300, "wait before the next attempt")
RINGBACK_CALL_ATTEMPTS = _integer("RINGBACK_CALL_ATTEMPTS", 3, "attempts for one occurrence", at_least=1)
RINGBACK_RING_TIMEOUT_SECONDS = _number("RINGBACK_RING_TIMEOUT_SECONDS", 30, "how long a phone rings", at_least=1)
RINGBACK_LOOKUP_HORIZON_SECONDS = _number(
    "RINGBACK_LOOKUP_HORIZON_SECONDS",
    17.5 if RINGBACK_SIMULATED else 300,
    "how long an unknown outcome is looked up before it counts as not placed",
    at_least=0.1,
)
RINGBACK_FRESHNESS_SECONDS = _number("RINGBACK_FRESHNESS_SECONDS", 60, "later than this is late, and free")
RINGBACK_SNOOZE_SECONDS = _number("RINGBACK_SNOOZE_SECONDS", 600, "how long key 2 snoozes", at_least=1)
RINGBACK_MISFIRE_SECONDS = _number("RINGBACK_MISFIRE_SECONDS", 86400, "later than this is told, not rung", at_least=60)
RINGBACK_QUIET_GRACE_SECONDS = _number(
    "RINGBACK_QUIET_GRACE_SECONDS", 900, "how long after its named time a ring may come in quiet hours"
)
_QUIET_HOURS = _text("RINGBACK_QUIET_HOURS", "21:00-08:00", "no late rings then, on the person's clock; empty = never")
try:
    RINGBACK_QUIET_HOURS: Final[Quiet] = quiet_hours(_QUIET_HOURS)
except ValueError as error:
    raise SettingInvalid(f"RINGBACK_QUIET_HOURS must look like 21:00-08:00, not {_QUIET_HOURS!r}.") from error
RINGBACK_DRAIN_SECONDS = _number("RINGBACK_DRAIN_SECONDS", 8, "how long a stop waits for open work")

# ---- the spool -------------------------------------------------------------------------------------
RINGBACK_SPOOL = _flag("RINGBACK_SPOOL", False, "1: texts go to this host's disk while the database is away")
RINGBACK_SPOOL_DIR: Final[Path] = Path(
    _text("RINGBACK_SPOOL_DIR", "", "where; one directory per host, on a disk of its own; empty = spool in the home")
    or RINGBACK_HOME / "spool"
)
RINGBACK_SPOOL_BYTES = _integer("RINGBACK_SPOOL_BYTES", 64 * 1024 * 1024, "its bound; over it texts are answered 503")
RINGBACK_SPOOL_AGE_SECONDS = _number(
    "RINGBACK_SPOOL_AGE_SECONDS", 21600, "how long its oldest text may wait before new ones are answered 503"
)
RINGBACK_ACCEPT_SECONDS = _number(
    "RINGBACK_ACCEPT_SECONDS", 1, "the database's budget for a text where there is a spool", at_least=0.05
)

# ---- admission (each of it per web instance) -------------------------------------------------------
RINGBACK_TEXTS_PER_MINUTE = _number("RINGBACK_TEXTS_PER_MINUTE", 0, "texts of one number; 0 = any number")
RINGBACK_BLOCK_TEXTS_PER_MINUTE = _number(
    "RINGBACK_BLOCK_TEXTS_PER_MINUTE", 0, "texts of a block of ten thousand numbers; 0 = any number"
)
RINGBACK_TEXT_THREADS = _integer(
    "RINGBACK_TEXT_THREADS", 0, "threads that texts may hold at once, batches aside; 0 = every one"
)

# ---- the carrier -----------------------------------------------------------------------------------
RINGBACK_PUBLIC_BASE = _text(
    "RINGBACK_PUBLIC_BASE", "http://127.0.0.1:8000", "our address as the carrier signs it"
).rstrip("/")
RINGBACK_TWILIO_BASE = _text("RINGBACK_TWILIO_BASE", "http://127.0.0.1:8010", "the carrier's REST address").rstrip("/")
RINGBACK_TWILIO_ACCOUNT_SID = _text("RINGBACK_TWILIO_ACCOUNT_SID", "AC" + "0" * 32, "the carrier's account")
RINGBACK_TWILIO_AUTH_TOKEN = _text("RINGBACK_TWILIO_AUTH_TOKEN", "", "its token; signs webhooks", secret=True)
RINGBACK_TWILIO_WAITING = _text(
    "RINGBACK_TWILIO_WAITING", "", "a TwiML Bin there that asks for a call's words again, where we did not answer"
)
RINGBACK_SERVICE_NUMBER = _text("RINGBACK_SERVICE_NUMBER", "+12025550100", "the number that people text")
RINGBACK_TWILIO_2_BASE = _text("RINGBACK_TWILIO_2_BASE", "", "a second account's REST address").rstrip("/")
RINGBACK_TWILIO_2_ACCOUNT_SID = _text("RINGBACK_TWILIO_2_ACCOUNT_SID", "", "a second account; none where empty")
RINGBACK_TWILIO_2_AUTH_TOKEN = _text("RINGBACK_TWILIO_2_AUTH_TOKEN", "", "its token", secret=True)
RINGBACK_TWILIO_2_WAITING = _text("RINGBACK_TWILIO_2_WAITING", "", "its TwiML Bin")
RINGBACK_SERVICE_NUMBER_2 = _text("RINGBACK_SERVICE_NUMBER_2", "", "its number")
RINGBACK_CALLS_PER_SECOND = _number(
    "RINGBACK_CALLS_PER_SECOND", 50, "calls per second and carrier account; 0 = no limit"
)
RINGBACK_CONCURRENT_CALLS = _integer("RINGBACK_CONCURRENT_CALLS", 1000, "open calls per carrier account", at_least=1)
RINGBACK_CALLS_PER_HOUR = _integer("RINGBACK_CALLS_PER_HOUR", 0, "over it nothing is dialled; 0 = no bound")
RINGBACK_SPEND_MINOR_PER_DAY = _integer(
    "RINGBACK_SPEND_MINOR_PER_DAY",
    0,
    "what calls may cost us a day, in minor units; over it nothing is dialled; 0 = any",
)
RINGBACK_CALL_COST_MINOR = _integer("RINGBACK_CALL_COST_MINOR", 2, "what one call costs us at most", at_least=1)
RINGBACK_MACHINE_DETECTION = _flag("RINGBACK_MACHINE_DETECTION", False, "1: the carrier listens for voicemail first")

# ---- looking ---------------------------------------------------------------------------------------
RINGBACK_METRICS = _flag("RINGBACK_METRICS", True, "0: nothing is counted, and the watch is blind: to measure its cost")
SENTRY_DSN = _text("SENTRY_DSN", "", "where errors are reported; nothing is loaded where empty", secret=True)
OTEL_ENDPOINT = _text("OTEL_EXPORTER_OTLP_ENDPOINT", "", "where traces go, as OTLP/HTTP; off where empty")
RINGBACK_TRACE_RATIO = _number("RINGBACK_TRACE_RATIO", 0.1, "share of ordinary traces that is kept; 1 = every one")
RINGBACK_TRACE_SLOW_SECONDS = _number("RINGBACK_TRACE_SLOW_SECONDS", 1.0, "a trace slower than this is always kept")
RINGBACK_TRACE_STATEMENTS = _flag("RINGBACK_TRACE_STATEMENTS", False, "1: a span for each named statement as well")
RINGBACK_TRACE_STORE = _text("RINGBACK_TRACE_STORE", "", "the file of the embedded trace store; none where empty")
RINGBACK_TRACE_PORT = _integer("RINGBACK_TRACE_PORT", 4318, "where the embedded trace store takes OTLP/HTTP")
RINGBACK_TRACE_DAYS = _number("RINGBACK_TRACE_DAYS", 7, "how long the embedded trace store keeps a span")
RINGBACK_TRACE_BYTES = _integer("RINGBACK_TRACE_BYTES", 256 << 20, "how large it may become", at_least=1 << 20)
RINGBACK_WATCH_SECONDS = _number("RINGBACK_WATCH_SECONDS", 5, "how often the watch looks", at_least=0.5)
RINGBACK_CANARY_SECONDS = _number(
    "RINGBACK_CANARY_SECONDS", 0, "where nobody is rung for so long the canary is; 0: none"
)
RINGBACK_PROMETHEUS = _text(
    "RINGBACK_PROMETHEUS", "auto", "1: `up` runs Prometheus and Alertmanager; 0: never; auto: where they are installed"
)
RINGBACK_ETCD = _text(
    "RINGBACK_ETCD", "auto", "1: three Postgres nodes agree by etcd; 0: by Raft; auto: by etcd where it is installed"
)
RINGBACK_HAPROXY = _text(
    "RINGBACK_HAPROXY", "auto", "1: HAProxy stands before the web; 0: a proxy of ours; auto: HAProxy where installed"
)
RINGBACK_ALERTMANAGER_URL = _text(
    "RINGBACK_ALERTMANAGER_URL", "", "whose alerts are shown; where empty the watch alone decides what fires"
)
RINGBACK_STANDBYS = _integer("RINGBACK_STANDBYS", 0, "how many standbys of Postgres this tier has")
RINGBACK_METRICS_PORT = _integer("RINGBACK_METRICS_PORT", 0, "the port of a worker's /metrics; 0 = none")
RINGBACK_LOG_FORMAT = _text("RINGBACK_LOG_FORMAT", "auto", "json, text, or auto (text at a terminal)")
RINGBACK_LOG_LEVEL = _text("RINGBACK_LOG_LEVEL", "INFO", "the least level that is logged")


# ---- Django ----------------------------------------------------------------------------------------
# A text whose row somebody holds must fail of that before its budget ends, or it looks as if the database were silent.
_LOCK_MS = limits.LOCK_TIMEOUT_MS
if RINGBACK_SPOOL:
    _LOCK_MS = min(_LOCK_MS, int(RINGBACK_ACCEPT_SECONDS * 500))


def _database(setting: str, url: str, *, pool: int, statement_seconds: float, more: str = "") -> dict[str, Any]:
    at = address.parse(setting, url or "postgresql://ringback_app@127.0.0.1:8020/ringback")
    statement_ms = round(statement_seconds * 1000)
    options: dict[str, Any] = {
        "connect_timeout": 2,
        "application_name": RINGBACK_INSTANCE or "ringback",
        # Named statements are short and prepared: one generic plan each, and no compiler, save half of their time.
        "options": "-c jit=off -c plan_cache_mode=force_generic_plan "
        f"-c statement_timeout={statement_ms} -c lock_timeout={min(_LOCK_MS, statement_ms or _LOCK_MS)} "
        f"-c idle_in_transaction_session_timeout=10000{more}",
        "tcp_user_timeout": 3000,
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        **at.options,
    }
    if pool:
        options["pool"] = {"size": pool, "wait_seconds": RINGBACK_POOL_TIMEOUT_SECONDS}
    return {
        "ENGINE": "config.postgres",
        "NAME": at.name,
        "USER": at.user,
        "PASSWORD": at.password,
        "HOST": at.hosts,
        "PORT": at.ports,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "STATEMENT_SECONDS": statement_seconds,
        "OPTIONS": options,
    }


_pool = RINGBACK_WORKER_THREADS if RINGBACK_INSTANCE.startswith("worker") else RINGBACK_WEB_CONNECTIONS
_pool += int(RINGBACK_SPOOL)  # the drain's thread has a connection of its own
DATABASES = {
    "default": _database("DATABASE_URL", DATABASE_URL, pool=_pool, statement_seconds=RINGBACK_STATEMENT_SECONDS)
}
if OWNER_DATABASE_URL:
    DATABASES["owner"] = _database("RINGBACK_OWNER_DATABASE_URL", OWNER_DATABASE_URL, pool=0, statement_seconds=0) | {
        "TEST": {"MIRROR": "default"}
    }
if REPLICA_DATABASE_URL:
    DATABASES["replica"] = _database(
        "RINGBACK_REPLICA_DATABASE_URL",
        REPLICA_DATABASE_URL,
        pool=0,
        statement_seconds=RINGBACK_STATEMENT_SECONDS,
        more=" -c default_transaction_read_only=on",
    ) | {"TEST": {"MIRROR": "default"}}

DATABASE_ROUTERS = ["billing.replica.Router"]

_HAS_LOCAL = (REPOSITORY / "deploy/local/apps.py").exists() and RINGBACK_SIMULATED
_LOCAL_APPS = ["deploy.local", "deploy.lab"] if _HAS_LOCAL else []
INSTALLED_APPS = [
    *_LOCAL_APPS,  # first: its `release` does more than ours
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "billing",
    "reminders",
    "config",
    "config.observing",
]
_MEASURED_BEFORE = "django_prometheus.middleware.PrometheusBeforeMiddleware"
_MEASURED_AFTER = "django_prometheus.middleware.PrometheusAfterMiddleware"
# For people, who have sessions, cookies and forms; a carrier's webhooks pass none of it (config/wsgi.py).
MIDDLEWARE = [
    _MEASURED_BEFORE,
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.health.Away",
    _MEASURED_AFTER,
]
ROOT_URLCONF = "config.urls"
RINGBACK_CELERY_APP = "config.celery_app.app"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", urlsplit(RINGBACK_PUBLIC_BASE).hostname or "localhost"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # the admin's files as they are installed: nothing is collected
WHITENOISE_AUTOREFRESH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = limits.BODY_BYTES_MAX
DATA_UPLOAD_MAX_NUMBER_FIELDS = limits.FIELDS_MAX
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
LOGIN_URL = "/admin/login/"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
# Each instance serves its own /metrics, on its own port where it is no web; nothing is migrated or counted elsewhere.
PROMETHEUS_EXPORT_MIGRATIONS = False
LOGGING_CONFIG = None  # config/logs.py, called by every process's entry
