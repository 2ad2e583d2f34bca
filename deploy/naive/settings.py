"""Settings of the naive tier, as a first project has them. Nothing of `config` is read here."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

_database = urlsplit(os.environ.get("RINGBACK_OWNER_DATABASE_URL", ""))

SECRET_KEY = os.environ.get("RINGBACK_SECRET_KEY", "naive")
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "deploy.naive.urls"
INSTALLED_APPS = ["deploy.naive"]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _database.hostname,
        "PORT": _database.port,
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "NAME": _database.path.lstrip("/"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TIME_ZONE = "UTC"
USE_TZ = True

CELERY_BROKER_URL = os.environ.get("REDIS_URL", "")

SERVICE_NUMBER = os.environ.get("RINGBACK_SERVICE_NUMBER", "")
ACCOUNT_SID = os.environ.get("RINGBACK_TWILIO_ACCOUNT_SID", "")
AUTH_TOKEN = os.environ.get("RINGBACK_TWILIO_AUTH_TOKEN", "")
CARRIER = os.environ.get("RINGBACK_TWILIO_BASE", "")
PUBLIC_BASE = os.environ.get("RINGBACK_PUBLIC_BASE", "")
SMS_PRICE, CALL_PRICE = 1, 10
