"""The carriers' webhooks. Each view bounds and checks its input, calls one operation, and answers."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from billing.deadline import within
from reminders import (
    dispatch,
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
from reminders.spool import Full, Spooled

log = structlog.get_logger()

FORM: Final = "application/x-www-form-urlencoded"
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


View = Callable[[Webhook], HttpResponse]


def webhook(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse what is not a bounded, signed form of the carrier's, before any work: 405, 415, 413, 422, 403."""

    @csrf_exempt
    @wraps(view)
    def refuse_or_answer(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _refuse(405, "not_a_form", "Only POST is answered here.", Allow="POST")
        if request.content_type != FORM:
            return _refuse(415, "not_a_form", f"Only {FORM} is read here.")
        body = _body(request)
        if body is None:
            return _refuse(413, "too_large", f"A body of at most {limits.BODY_BYTES_MAX} bytes is read.")
        try:
            pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=limits.FIELDS_MAX, errors="surrogatepass")
            form: dict[str, list[str]] = {}
            for name, value in pairs:
                form.setdefault(name, []).append(value)
        except ValueError:
            return _refuse(422, "fields", f"The form must be UTF-8 and have at most {limits.FIELDS_MAX} fields.")
        path = request.get_full_path()
        try:
            carrier, token = wiring.signer(form.get("AccountSid", [""])[-1])
            twilio.verify(
                url=settings.RINGBACK_PUBLIC_BASE + path,
                form=form,
                signature=request.META.get("HTTP_X_TWILIO_SIGNATURE"),
                auth_token=token,
            )
            last = {name: values[-1] for name, values in form.items()}
            hook = Webhook(form=last, query=request.GET.dict(), carrier=carrier)
            with within(seconds=limits.CALLBACK_SECONDS) if drainer.spool() else nullcontext(), _span(view, hook):
                return view(hook)
        except Forged:
            return _refuse(403, "signature", "The signature is missing or wrong.")
        except twilio.Malformed as error:
            return _refuse(422, "malformed", f"{error} is missing or malformed.")
        except (DatabaseError, intake.Contended) as error:
            metrics.INTAKE.labels("unavailable").inc()
            log.warning("webhook.unavailable", error=type(error).__name__)
            return _text(503, "Not now; nothing was changed.", **{"Retry-After": "1"})

    return refuse_or_answer


@webhook
def sms(hook: Webhook) -> HttpResponse:
    """An SMS came in: accept it durably, answer with what was understood."""
    message = twilio.inbound(hook.form, carrier=hook.carrier)
    now = timezone.now()
    tracing.note(**tracing.person(number=message.sender))
    text = Spooled(message=message, received_at=now, trace_context=tracing.current())
    with metrics.INTAKE_SECONDS.time():
        try:
            answer = door.take_in(text=text)
        except intake.Conflict:
            metrics.INTAKE.labels("conflict").inc()
            tracing.note(outcome="conflict")
            return _text(409, "This MessageSid came before with other content; nothing was changed.")
        except (Full, door.Busy) as error:
            metrics.INTAKE.labels("unavailable").inc()
            tracing.failed(reason=type(error).__name__)
            return _text(503, "Not now; nothing was changed.", **{"Retry-After": "1"})
    if answer is None:
        metrics.INTAKE.labels("spooled").inc()
        tracing.note(outcome="spooled")
        return _twiml(twilio.answer(message=None, callback=None))
    metrics.INTAKE.labels(answer.outcome).inc()
    tracing.note(outcome=answer.outcome, **tracing.ids(reminder=answer.reminder_id))
    if answer.due_at is not None and dispatch.needs_notice(due_at=answer.due_at, now=now):
        dispatch.notify()
    callback = None
    if answer.reply_id is not None:
        callback = f"{settings.RINGBACK_PUBLIC_BASE}/carriers/{NAME}/message-status?reply={answer.reply_id}"
        callback += tracing.carried()
    return _twiml(twilio.answer(message=answer.body, callback=callback))


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
    if key in KEYS:
        _fold(hook, attempt_id, Evidence(carrier_sid=call, answered_at=timezone.now(), pressed=key))
    language = hook.query.get("language", "en")  # ours: the address is signed
    said = replies.key_words(key=key, snooze_minutes=_snooze_minutes(), language=language)
    return _twiml(twilio.say(sentences=[said], language=LOCALES.get(language, "en-US")))


@webhook
def call_status(hook: Webhook) -> HttpResponse:
    """A call of ours moved on: fold what the carrier says."""
    attempt_id = hook.id("attempt")
    twilio.call_sid(hook.form)
    return _fold(hook, attempt_id, twilio.evidence(hook.form, now=timezone.now()))


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


def _fold(hook: Webhook, attempt_id: UUID, evidence: Evidence) -> HttpResponse:
    try:
        outcomes.fold(
            attempt_id=attempt_id, evidence=evidence, policy=wiring.policy(), carrier=hook.carrier, now=timezone.now()
        )
    except outcomes.NoSuchAttempt:
        metrics.CALLBACKS.labels("unknown_call").inc()
        tracing.note(outcome="unknown_call")
        return _text(404, "No such attempt, or another call is bound to it; nothing was changed.")
    metrics.CALLBACKS.labels("folded").inc()
    return HttpResponse(status=204)


def _span(view: View, hook: Webhook) -> AbstractContextManager[str]:
    """A span around what a signed webhook does. A text begins its own; what is about a call goes on with the call's."""
    attempt, reply = _id(hook.query.get("attempt")), _id(hook.query.get("reply"))
    name, about = SPANS.get(view.__name__, view.__name__), tracing.ids(attempt=attempt, reply=reply)
    return tracing.called(name, brought=hook.query, of=attempt or reply, about=about)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None  # the view says so


def _body(request: HttpRequest) -> str | None:
    """The whole body, or None where it is over the bound: neither read nor kept beyond it."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limits.BODY_BYTES_MAX:
        return None
    return request.read(limits.BODY_BYTES_MAX + 1).decode("latin-1")


def _snooze_minutes() -> int:
    return max(1, round(settings.RINGBACK_SNOOZE_SECONDS / 60))


def _refuse(status: int, reason: str, text: str, **headers: str) -> HttpResponse:
    metrics.REFUSED.labels(reason).inc()
    return _text(status, text, **headers)


def _text(status: int, text: str, **headers: str) -> HttpResponse:
    return HttpResponse(text + "\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _twiml(document: str) -> HttpResponse:
    return HttpResponse(document, content_type="text/xml; charset=utf-8")
