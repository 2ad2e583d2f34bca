# mypy: ignore-errors
"""Bare Django on granian: one INSERT for each request, native pool, no middleware."""

import json
import os
import uuid
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

THREADS = int(os.environ["BENCH_POOL"])
parts = urlsplit(os.environ["BENCH_DATABASE_URL"])
settings.configure(
    SECRET_KEY="a bare endpoint has none",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.lstrip("/"),
            "USER": parts.username,
            "PASSWORD": unquote(parts.password),
            "HOST": parts.hostname,
            "PORT": parts.port,
            "OPTIONS": {"pool": {"min_size": THREADS, "max_size": THREADS}},
        }
    },
)
django.setup()


def sms(request):
    """One row."""
    text = json.loads(request.body)
    key = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bench_text (id, sender, body) VALUES (%s, %s, %s)", (key, text["sender"], text["body"])
        )
    answer = HttpResponse(json.dumps({"id": str(key)}), content_type="application/json")
    answer["Content-Length"] = len(answer.content)
    return answer


urlpatterns = [path("sms", sms)]
application = get_wsgi_application()
