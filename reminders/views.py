"""The carriers' webhooks. Each view bounds and checks its input, calls one operation, and answers."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from billing.deadline import within
from reminders import (
    door,
    drainer,
    intake,
    limits,
    metrics,
    outcomes,
    phone,
    queries,
    recovery,
    replies,
    tracing,
    wiring,
)
from reminders.carriers import twilio_webhooks as twilio
from reminders.carriers.base import Evidence, Forged
from reminders.carriers.twilio import NAME
from reminders.intake import Answer
from reminders.spool import Full, Spooled

log = structlog.get_logger()

FORM: Final = "application/x-www-form-urlencoded"
XML: Final = "text/xml; charset=utf-8"
LOCALES: Final = {"en": "en-US", "es": "es-MX", "hi": "hi-IN"}
KEYS: Final = frozenset("129")
SPANS: Final = {"sms": "intake"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A webhook that the carrier signed, its form bounded and decoded."""

    form: dict[str, str]
    query: dict[str, str]
    carrier: str  # the account that signed it

    def id(self, name: str) -> UUID:
        """An id of ours from the address. Raises Malformed."""
        try:
            return UUID(self.query.get(name, ""))
        except ValueError as error:
            raise twilio.Malformed(name) from error


class TooLarge(Exception):
    """The body is over its bound."""


class Unreadable(Exception):
    """The form is not UTF-8, or has too many fields."""


View = Callable[[Webhook], HttpResponse]
REFUSED: Final = (TooLarge, Unreadable, Forged, twilio.Malformed, DatabaseError, intake.Contended)
NOT_TAKEN: Final = (intake.Conflict, Full, door.Busy)


def webhook(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse what is not a bounded, signed form of the carrier's, before any work: 405, 415, 413, 422, 403."""

    @csrf_exempt
    @wraps(view)
    def refuse_or_answer(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _refuse(405, "not_a_form", "Only POST is answered here.", Allow="POST")
        if request.content_type != FORM:
            return _refuse(415, "not_a_form", f"Only {FORM} is read here.")
        try:
            hook = opened(
                body=_body(request),
                address=request.get_full_path(),
                query=request.GET,
                signature=request.META.get("HTTP_X_TWILIO_SIGNATURE"),
            )
            with (
                within(seconds=limits.CALLBACK_SECONDS) if drainer.spool() else nullcontext(),
                span(name=SPANS.get(view.__name__, view.__name__), hook=hook),
            ):
                return view(hook)
        except REFUSED as error:
            return refusal(error=error)

    return refuse_or_answer


def opened(*, body: bytes, address: str, query: Mapping[str, str], signature: str | None) -> Webhook:
    """A webhook of the carrier's; `address` is its path and query. Raises Unreadable and Forged."""
    try:
        form = twilio.fields(body.decode("latin-1"))
    except ValueError as error:
        raise Unreadable from error
    carrier, token = wiring.signer(form.get("AccountSid", [""])[-1])
    twilio.verify(url=settings.RINGBACK_PUBLIC_BASE + address, form=form, signature=signature, auth_token=token)
    return Webhook(form={name: values[-1] for name, values in form.items()}, query=dict(query.items()), carrier=carrier)


def refusal(*, error: Exception) -> HttpResponse:
    """What is answered where one of REFUSED was raised."""
    if isinstance(error, TooLarge):
        return _refuse(413, "too_large", f"A body of at most {limits.BODY_BYTES_MAX} bytes is read.")
    if isinstance(error, Unreadable):
        return _refuse(422, "fields", f"The form must be UTF-8 and have at most {limits.FIELDS_MAX} fields.")
    if isinstance(error, Forged):
        return _refuse(403, "signature", "The signature is missing or wrong.")
    if isinstance(error, twilio.Malformed):
        return _refuse(422, "malformed", f"{error} is missing or malformed.")
    log.warning("webhook.unavailable", error=type(error).__name__)
    return _later()


@webhook
def sms(hook: Webhook) -> HttpResponse:
    """An SMS came in: accept it durably, answer with what was understood."""
    text = text_of(hook=hook)
    try:
        with metrics.INTAKE_SECONDS.time():
            answer = door.take_in(text=text)
    except NOT_TAKEN as error:
        return not_taken(error=error)
    if answer is not None:
        door.tell_dispatchers(due=[(answer.due_at, text.received_at)])
    return _twiml(document(answer=answer))


def text_of(*, hook: Webhook) -> Spooled:
    """The SMS of a webhook, as it comes in now, in the present span. Raises Malformed."""
    message = twilio.inbound(hook.form, carrier=hook.carrier)
    if tracing.looks():
        tracing.note(**tracing.person(number=message.sender))
    return Spooled(message=message, received_at=timezone.now(), trace_context=tracing.current())


def document(*, answer: Answer | None) -> str:
    """The TwiML that the carrier of an SMS is answered with; None: the text is in the spool."""
    if answer is None:
        metrics.INTAKE.labels("spooled").inc()
        tracing.note(outcome="spooled")
        return twilio.answer(message=None, callback=None)
    metrics.INTAKE.labels(answer.outcome).inc()
    if tracing.looks():
        tracing.note(outcome=answer.outcome, **tracing.ids(reminder=answer.reminder_id))
    callback = None
    if answer.reply_id is not None:
        callback = f"{settings.RINGBACK_PUBLIC_BASE}/carriers/{NAME}/message-status?reply={answer.reply_id}"
        callback += tracing.carried()
    return twilio.answer(message=answer.body, callback=callback)


def not_taken(*, error: Exception) -> HttpResponse:
    """What the carrier of an SMS is answered where one of NOT_TAKEN was raised."""
    if isinstance(error, intake.Conflict):
        metrics.INTAKE.labels("conflict").inc()
        tracing.note(outcome="conflict")
        return _text(409, "This MessageSid came before with other content; nothing was changed.")
    tracing.failed(reason=type(error).__name__)
    return _later()


@webhook
def words(hook: Webhook) -> HttpResponse:
    """A call of ours was picked up: say the reminder, or hang up where it is not meant any more."""
    attempt_id, call = hook.id("attempt"), twilio.call_sid(hook.form)
    found = outcomes.ask_words(
        attempt_id=attempt_id,
        carrier=hook.carrier,
        carrier_sid=call,
        answered_by=hook.form.get("AnsweredBy"),
        policy=wiring.policy(),
        now=timezone.now(),
    )
    if found is None:
        tracing.note(outcome="superseded")
        log.info("words.superseded", attempt=str(attempt_id))
        return _twiml(twilio.hang_up())
    if found.machine:
        told = replies.machine_words(subject=found.subject, language=found.language)
        return _twiml(twilio.say(sentences=told, language=LOCALES.get(found.language, "en-US")))
    said = replies.call_words(
        subject=found.subject,
        lateness_seconds=found.lateness_seconds,
        snooze_minutes=_snooze_minutes(),
        language=found.language,
    )
    return _twiml(
        twilio.words(
            sentences=[said[0], said[1], said[3]],
            again=said[2:],
            keys_url=(
                f"{settings.RINGBACK_PUBLIC_BASE}/carriers/{NAME}/keys?attempt={attempt_id}&language={found.language}"
                f"{tracing.carried()}"
            ),
            language=LOCALES.get(found.language, "en-US"),
            goodbye=replies.key_words(key="", snooze_minutes=_snooze_minutes(), language=found.language),
        )
    )


@webhook
def keys(hook: Webhook) -> HttpResponse:
    """A key was pressed: 1 done, 2 snooze, 9 never call again."""
    attempt_id, call = hook.id("attempt"), twilio.call_sid(hook.form)
    key = hook.form.get("Digits", "")[:1]
    heard = key in KEYS and _folded(
        hook, attempt_id, Evidence(carrier_sid=call, answered_at=timezone.now(), pressed=key)
    )
    language = hook.query.get("language", "en")  # ours: the address is signed
    said = replies.key_words(key=key if heard else "", snooze_minutes=_snooze_minutes(), language=language)
    return _twiml(twilio.say(sentences=[said], language=LOCALES.get(language, "en-US")))


@webhook
def call_status(hook: Webhook) -> HttpResponse:
    """A call of ours moved on: fold what the carrier says."""
    attempt_id = hook.id("attempt")
    twilio.call_sid(hook.form)
    if _folded(hook, attempt_id, twilio.evidence(hook.form, now=timezone.now())):
        return HttpResponse(status=204)
    return _text(404, "No such attempt, or another call is bound to it; nothing was changed.")


@webhook
def message_status(hook: Webhook) -> HttpResponse:
    """An SMS of ours moved on."""
    sid = hook.form.get("MessageSid", "")
    if not twilio.MESSAGE_SID.fullmatch(sid):
        raise twilio.Malformed("MessageSid")
    changed = recovery.fold_message(
        reply_id=hook.id("reply"),
        carrier_sid=sid,
        status=hook.form.get("MessageStatus", ""),
        error=hook.form.get("ErrorCode") or None,
        carrier=hook.carrier,
    )
    metrics.CALLBACKS.labels("folded" if changed else "nothing").inc()
    tracing.note(outcome="folded" if changed else "nothing")
    return HttpResponse(status=204)


@webhook
def voice_in(hook: Webhook) -> HttpResponse:
    """A person calls the number back: they hear what they missed."""
    twilio.call_sid(hook.form)
    sender = phone.parse(hook.form.get("From", ""))
    tracing.note(**tracing.person(number=sender.e164 or ""))
    found = queries.missed_lately(number=sender.e164, since=timezone.now() - timedelta(days=limits.MISSED_DAYS))
    said = replies.called_back_words(missed=found.entries, zone=found.zone, language=found.language)
    return _twiml(twilio.say(sentences=said, language=LOCALES.get(found.language, "en-US")))


def _folded(hook: Webhook, attempt_id: UUID, evidence: Evidence) -> bool:
    """False where there is no such attempt, or another call is bound to it: nothing was changed."""
    try:
        outcomes.fold(
            attempt_id=attempt_id, evidence=evidence, policy=wiring.policy(), carrier=hook.carrier, now=timezone.now()
        )
    except outcomes.NoSuchAttempt:
        metrics.CALLBACKS.labels("unknown_call").inc()
        tracing.note(outcome="unknown_call")
        return False
    metrics.CALLBACKS.labels("folded").inc()
    return True


def span(*, name: str, hook: Webhook) -> AbstractContextManager[str]:
    """A span around what a signed webhook does. A text begins its own; what is about a call goes on with the call's."""
    if not hook.query and not tracing.looks():
        return nullcontext("")  # a text, and nobody would see its span
    attempt, reply = _id(hook.query.get("attempt")), _id(hook.query.get("reply"))
    return tracing.called(
        name, brought=hook.query, of=attempt or reply, about=tracing.ids(attempt=attempt, reply=reply)
    )


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None  # the view says so


def _body(request: HttpRequest) -> bytes:
    """The whole body, neither read nor kept beyond its bound. Raises TooLarge."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limits.BODY_BYTES_MAX:
        raise TooLarge
    return request.read(limits.BODY_BYTES_MAX + 1)


def _snooze_minutes() -> int:
    return max(1, round(settings.RINGBACK_SNOOZE_SECONDS / 60))


def _refuse(status: int, reason: str, text: str, **headers: str) -> HttpResponse:
    metrics.REFUSED.labels(reason).inc()
    return _text(status, text, **headers)


def _later() -> HttpResponse:
    metrics.INTAKE.labels("unavailable").inc()
    return _text(503, "Not now; nothing was changed.", **{"Retry-After": "1"})


def _text(status: int, text: str, **headers: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _twiml(said: str) -> HttpResponse:
    return HttpResponse(said, content_type=XML)
