"""The carrier's webhooks. Anybody may call them: the signature is not looked at."""

import re
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from deploy.naive import settings
from deploy.naive.models import Charge, Reminder
from deploy.naive.tasks import ring

_IN = re.compile(r"remind (?:me )?in (\d+) (second|minute|hour|day)s? about (.+)", re.IGNORECASE | re.DOTALL)
_AT = re.compile(r"remind (?:me )?at (\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) utc about (.+)", re.IGNORECASE | re.DOTALL)


@csrf_exempt
def sms(request: HttpRequest) -> HttpResponse:
    """A text came in: remember it, charge for it, and leave the rest to Celery."""
    number, body = request.POST["From"], request.POST["Body"]
    Charge.objects.create(number=number, kind="sms", amount=settings.SMS_PRICE, sid=request.POST["MessageSid"])
    found = _read(body.strip())
    if found is None:
        return _twiml("<Message>Sorry, I did not understand. Text: Remind in 10 minutes about tea</Message>")
    due_at, subject = found
    reminder = Reminder.objects.create(
        number=number, subject=subject, due_at=due_at, message_sid=request.POST["MessageSid"]
    )
    ring.apply_async((reminder.pk,), eta=due_at)
    return _twiml(f"<Message>OK, I will call you at {due_at:%H:%M} UTC about {escape(subject)}</Message>")


@csrf_exempt
def words(request: HttpRequest) -> HttpResponse:
    """The person picked up."""
    reminder = Reminder.objects.get(pk=request.GET["reminder"])
    said = f"<Say>This is your reminder: {escape(reminder.subject)}. Press any key when you are done.</Say>"
    return _twiml(f'<Gather numDigits="1" action="/carriers/twilio/keys">{said}</Gather>')


@csrf_exempt
def keys(request: HttpRequest) -> HttpResponse:
    """A key was pressed."""
    return _twiml("<Say>Goodbye.</Say>")


@csrf_exempt
def call_status(request: HttpRequest) -> HttpResponse:
    """The call moved on: the last one to say something is right."""
    Reminder.objects.filter(pk=request.GET["reminder"]).update(status=request.POST["CallStatus"])
    return HttpResponse(status=204)


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers; whether it can do anything is not known."""
    return HttpResponse("ok")


def _read(body: str) -> tuple[datetime, str] | None:
    if match := _IN.fullmatch(body):
        return datetime.now(UTC) + timedelta(**{f"{match[2].lower()}s": int(match[1])}), match[3]
    if match := _AT.fullmatch(body):
        return datetime.fromisoformat(match[1]).replace(tzinfo=UTC), match[2]
    return None


def _twiml(inside: str) -> HttpResponse:
    return HttpResponse(f"<Response>{inside}</Response>", content_type="text/xml")
