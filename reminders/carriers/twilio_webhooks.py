"""Twilio's webhooks: who signed them, what they say, and the TwiML that answers them.

https://www.twilio.com/docs/usage/webhooks/webhooks-security and https://www.twilio.com/docs/voice/twiml
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import unquote
from xml.sax.saxutils import escape, quoteattr

from reminders import limits
from reminders.carriers.base import Evidence, Forged, Inbound
from reminders.carriers.twilio import CALL_ENDS, instant

MESSAGE_SID: Final = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
CALL_SID: Final = re.compile(r"CA[0-9a-fA-F]{32}")
# https://www.w3.org/TR/xml/#charsets: what may not stand in XML 1.0, with what no carrier speaks.
NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEX: Final = "0123456789abcdefABCDEF"
# What "2B" behind a percent sign is, where that is ASCII: all that most forms have.
_ESCAPED: Final = {a + b: chr(int(a + b, 16)) for a in "01234567" for b in _HEX}


class Malformed(Exception):
    """A webhook's fields are missing or not what they must be; the message names the field."""


def fields(body: str) -> dict[str, list[str]]:
    """A form's fields, blank ones too, as `urllib.parse.parse_qsl` reads them; that takes four times as long.

    `body` is its bytes as Latin-1. Raises ValueError where it is not UTF-8, or has over limits.FIELDS_MAX fields.
    """
    parts = body.split("&")
    if len(parts) > limits.FIELDS_MAX:
        raise ValueError(f"over {limits.FIELDS_MAX} fields")
    form: dict[str, list[str]] = {}
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition("=")
        if "+" in part or "%" in part:
            name, value = _unescaped(name), _unescaped(value)
        if name in form:
            form[name].append(value)
        else:
            form[name] = [value]
    return form


def _unescaped(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    first, *parts = text.split("%")
    try:
        return "".join([first, *[_ESCAPED[part[:2]] + part[2:] for part in parts]])
    except KeyError:
        return unquote(text, errors="surrogatepass")


def verify(*, url: str, form: Mapping[str, Sequence[str]], signature: str | None, auth_token: str) -> None:
    """Raise Forged unless `signature` is Twilio's for this address and form.

    Base64 of HMAC-SHA1 under the account's token over the address and each field's name and distinct sorted values.
    """
    payload = "".join([url, *[name + value for name in sorted(form) for value in _distinct(form[name])]])
    digest = hmac.digest(auth_token.encode(), payload.encode("utf-8", "surrogatepass"), "sha1")
    expected = base64.b64encode(digest)
    if not signature or not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
        raise Forged


def inbound(form: Mapping[str, str], *, carrier: str) -> Inbound:
    """An SMS from its form; `carrier` is the account that signed it. Raises Malformed."""
    sid, sender, to = form.get("MessageSid", ""), form.get("From", ""), form.get("To", "")
    if not MESSAGE_SID.fullmatch(sid):
        raise Malformed("MessageSid")
    if not 3 <= len(sender) <= 64 or not sender.isprintable():
        raise Malformed("From")
    if not 3 <= len(to) <= 64 or not to.isprintable():
        raise Malformed("To")
    return Inbound(
        carrier=carrier,
        carrier_sid=sid,
        sender=sender,
        body=storable(form.get("Body", ""))[: limits.TEXT_CHARACTERS_MAX],
        opt_out=form.get("OptOutType") or None,
    )


def evidence(form: Mapping[str, str], *, now: datetime) -> Evidence:
    """What a status callback says. Raises Malformed where it names no call."""
    status = form.get("CallStatus", "")
    at = instant(form.get("Timestamp")) or now
    end = CALL_ENDS.get(status)
    duration = form.get("CallDuration", "")
    return Evidence(
        carrier_sid=call_sid(form),
        ringing_at=at if status == "ringing" else None,
        answered_at=at if status == "in-progress" else None,
        call_ended_at=at if end else None,
        call_status=end,
        answered_by=form.get("AnsweredBy") or None,
        duration_seconds=int(duration) if duration.isascii() and duration.isdigit() and len(duration) < 7 else None,
    )


def call_sid(form: Mapping[str, str]) -> str:
    """The call's id. Raises Malformed."""
    sid = form.get("CallSid", "")
    if not CALL_SID.fullmatch(sid):
        raise Malformed("CallSid")
    return sid


def storable(text: str) -> str:
    """Text as Postgres can keep it: without NUL, lone surrogates as the replacement character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode() if not text.isascii() or "\0" in text else text


def answer(*, message: str | None, callback: str | None) -> str:
    """The TwiML that answers an SMS: with one message, or with none."""
    if message is None:
        return _response()
    attribute = f" statusCallback={quoteattr(callback)}" if callback else ""
    return _response(f"<Message{attribute}>{_text(message)}</Message>")


def words(*, sentences: Sequence[str], again: Sequence[str], keys_url: str, language: str, goodbye: str) -> str:
    """The TwiML of a reminder: said, then repeated, a key awaited after each; `language` as BCP 47."""
    gather = (
        f'<Gather input="dtmf" numDigits="1" timeout="5" method="POST" action={quoteattr(keys_url)}>'
        f"{_say(sentences, language)}</Gather>"
    )
    repeat = (
        f'<Gather input="dtmf" numDigits="1" timeout="5" method="POST" action={quoteattr(keys_url)}>'
        f"{_say(again, language)}</Gather>"
    )
    return _response(gather + repeat + _say([goodbye], language) + "<Hangup/>")


def say(*, sentences: Sequence[str], language: str) -> str:
    """The TwiML that says something and hangs up."""
    return _response(_say(sentences, language) + "<Hangup/>")


def hang_up() -> str:
    """The TwiML that says nothing and hangs up."""
    return _response("<Hangup/>")


def _distinct(values: Sequence[str]) -> Sequence[str]:
    return values if len(values) == 1 else sorted(set(values))


def _say(sentences: Iterable[str], language: str) -> str:
    return "".join(f"<Say language={quoteattr(language)}>{_text(s)}</Say>" for s in sentences)


def _text(text: str) -> str:
    return escape(NOT_XML.sub("", text))


def _response(inner: str = "") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'
