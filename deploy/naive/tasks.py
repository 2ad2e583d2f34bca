"""The reminder itself: a task that waits in Redis for its time, and is tried again when anything goes wrong."""

import base64
import json
import os
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from celery import Celery

from deploy.naive import settings

os.environ["DJANGO_SETTINGS_MODULE"] = "deploy.naive.settings"

app = Celery("naive")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task(autoretry_for=(Exception,), retry_backoff=2, max_retries=5)
def ring(reminder_id: int) -> None:
    """Call the person and charge them."""
    from deploy.naive.models import Charge, Reminder

    reminder = Reminder.objects.get(pk=reminder_id)
    call = _post_call(reminder.number, reminder_id)
    Charge.objects.create(number=reminder.number, kind="call", amount=settings.CALL_PRICE, sid=call["sid"])
    reminder.status = "called"
    reminder.save()


def _post_call(number: str, reminder_id: int) -> Any:
    hooks = f"{settings.PUBLIC_BASE}/carriers/twilio"
    form = {
        "To": number,
        "From": settings.SERVICE_NUMBER,
        "Url": f"{hooks}/words?reminder={reminder_id}",
        "StatusCallback": f"{hooks}/call-status?reminder={reminder_id}",
    }
    login = base64.b64encode(f"{settings.ACCOUNT_SID}:{settings.AUTH_TOKEN}".encode()).decode()
    asked = Request(  # noqa: S310 (the carrier's address is a setting)
        f"{settings.CARRIER}/2010-04-01/Accounts/{settings.ACCOUNT_SID}/Calls.json",
        data=urlencode(form).encode(),
        headers={"Authorization": f"Basic {login}"},
    )
    with urlopen(asked, timeout=10) as answer:  # noqa: S310
        return json.loads(answer.read())
