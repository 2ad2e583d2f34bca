"""Signatures, forms and TwiML, judged by Twilio's own validator and by an XML parser."""

import base64
import hmac
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as ET

import pytest
from django.utils.datastructures import MultiValueDict
from hypothesis import example, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from reminders import limits
from reminders.carriers import twilio_webhooks as webhooks
from reminders.carriers.base import Forged
from reminders.states import Outcome

TOKEN: Final = "12345"
NOW: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SMS: Final = {"MessageSid": "SM" + "a" * 32, "From": "+12025550101", "To": "+12025550100", "Body": "LIST"}
URLS: Final = (
    "http://127.0.0.1:8000/carriers/twilio/sms",
    "https://ringback.example/carriers/twilio/words?attempt=0190",
    "https://ringback.example:8443/carriers/twilio/sms",
    "https://ringback.example/carriers/twilio/sms?a=1&b=%2B",
)
NASTY: Final = "a<b>&\"'\0\ud800\u202eאב\U0001f600\x0b\ufffe]]>"
texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)


def _judge(url: str, form: dict[str, list[str]], signature: str) -> bool:
    try:
        webhooks.verify(url=url, form=form, signature=signature, auth_token=TOKEN)
    except Forged:
        return False
    return True


def _of_twilio(url: str, form: dict[str, Any]) -> str:
    return str(RequestValidator(TOKEN).compute_signature(url, form))


@pytest.mark.parametrize("url", URLS)
def test_it_takes_what_twilio_signs(url: str) -> None:
    assert _judge(url, {name: [value] for name, value in SMS.items()}, _of_twilio(url, SMS))


@pytest.mark.parametrize("url", URLS)
def test_it_agrees_with_twilios_validator_on_what_it_takes(url: str) -> None:
    payload = url + "".join(name + SMS[name] for name in sorted(SMS))
    ours = base64.b64encode(hmac.digest(TOKEN.encode(), payload.encode(), "sha1")).decode()
    assert _judge(url, {name: [value] for name, value in SMS.items()}, ours)
    assert RequestValidator(TOKEN).validate(url, SMS, ours)


@given(st.dictionaries(st.text("abAB", min_size=1, max_size=3), st.text(max_size=8), max_size=5))
def test_it_agrees_with_twilio_on_any_form(form: dict[str, str]) -> None:
    signature = _of_twilio(URLS[0], form)
    try:
        assert _judge(URLS[0], {name: [value] for name, value in form.items()}, signature)
    except UnicodeEncodeError:  # pragma: no cover - Twilio sends no surrogates
        pytest.fail("a form broke the check")


@pytest.mark.parametrize("field", SMS)
def test_it_refuses_a_changed_field(field: str) -> None:
    signature = _of_twilio(URLS[0], SMS)
    assert not _judge(URLS[0], {name: [value] for name, value in (SMS | {field: "x"}).items()}, signature)


def test_it_refuses_an_added_and_a_missing_field() -> None:
    form = {name: [value] for name, value in SMS.items()}
    signature = _of_twilio(URLS[0], SMS)
    assert not _judge(URLS[0], form | {"Extra": [""]} | {"More": ["x"]}, signature)
    del form["Body"]
    assert not _judge(URLS[0], form, signature)


def test_it_refuses_another_address_token_and_none_at_all() -> None:
    form = {name: [value] for name, value in SMS.items()}
    signature = _of_twilio(URLS[0], SMS)
    assert not _judge(URLS[0] + "?x=1", form, signature)
    assert not _judge(URLS[0].replace("http:", "https:"), form, signature)
    for wrong in ("", "x", "é", signature[:-1], signature.lower(), signature + "="):
        assert not _judge(URLS[0], form, wrong)
    with pytest.raises(Forged):
        webhooks.verify(url=URLS[0], form=form, signature=None, auth_token=TOKEN)
    with pytest.raises(Forged):
        webhooks.verify(url=URLS[0], form=form, signature=signature, auth_token="other")


def test_it_counts_a_blank_value_and_a_repeated_field_as_twilio_does() -> None:
    form = {name: [value] for name, value in SMS.items()} | {"Body": [""], "MediaUrl": ["b", "a", "b"]}
    assert _judge(URLS[0], form, str(RequestValidator(TOKEN).compute_signature(URLS[0], MultiValueDict(form))))


def test_it_judges_https_behind_a_proxy_by_the_public_base() -> None:
    public = "https://ringback.example/carriers/twilio/sms"
    form = {name: [value] for name, value in SMS.items()}
    assert _judge(public, form, _of_twilio(public, SMS))
    assert not _judge("http://10.0.0.5:8000/carriers/twilio/sms", form, _of_twilio(public, SMS))


@given(texts)
@example(NASTY)
def test_it_answers_any_text_with_well_formed_twiml(text: str) -> None:
    document = webhooks.answer(message=text, callback='http://x/?a=1&b="2"')
    (message,) = ET.fromstring(document.encode()).iter("Message")
    assert message.get("statusCallback") == 'http://x/?a=1&b="2"'
    assert (message.text or "") == _speakable(text)


@given(texts)
@example(NASTY)
def test_it_says_any_text_in_well_formed_twiml(text: str) -> None:
    document = webhooks.words(
        sentences=[text], again=[text], keys_url="http://x/?a=1&b=2", language="en-US", goodbye=text
    )
    root = ET.fromstring(document.encode())
    assert [child.tag for child in root] == ["Gather", "Gather", "Say", "Hangup"]
    assert [gather.get("action") for gather in root.iter("Gather")] == ["http://x/?a=1&b=2"] * 2
    assert {(say.text or "") for say in root.iter("Say")} == {_speakable(text)}


def test_it_answers_nothing_and_hangs_up_in_well_formed_twiml() -> None:
    assert [child.tag for child in ET.fromstring(webhooks.answer(message=None, callback=None).encode())] == []
    assert [child.tag for child in ET.fromstring(webhooks.hang_up().encode())] == ["Hangup"]


@given(texts)
@example(NASTY)
def test_it_stores_any_text_without_what_postgres_cannot_keep(text: str) -> None:
    kept = webhooks.storable(text)
    assert "\0" not in kept
    assert kept.encode() is not None
    assert webhooks.storable(kept) == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MessageSid", ""),
        ("MessageSid", "SM1"),
        ("MessageSid", "SM" + "a" * 32 + "\n"),
        ("MessageSid", "CA" + "a" * 32),
        ("From", ""),
        ("From", "+1"),
        ("From", "+" + "1" * 64),
        ("From", "+1202555\x000101"),
        ("To", ""),
    ],
)
def test_it_refuses_a_form_that_names_no_message(field: str, value: str) -> None:
    with pytest.raises(webhooks.Malformed, match=field):
        webhooks.inbound(SMS | {field: value}, carrier="twilio")


def test_it_bounds_the_text() -> None:
    assert len(webhooks.inbound(SMS | {"Body": "x" * 10_000}, carrier="twilio").body) == limits.TEXT_CHARACTERS_MAX
    assert webhooks.inbound({name: SMS[name] for name in ("MessageSid", "From", "To")}, carrier="twilio").body == ""


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("completed", Outcome.ANSWERED),
        ("busy", Outcome.BUSY),
        ("no-answer", Outcome.NO_ANSWER),
        ("failed", Outcome.FAILED),
        ("canceled", Outcome.CANCELLED),
        ("queued", None),
        ("ringing", None),
        ("in-progress", None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_it_reads_the_end_of_a_call(status: str, end: Outcome | None) -> None:
    found = webhooks.evidence({"CallSid": "CA" + "b" * 32, "CallStatus": status}, now=NOW)
    assert (found.call_status, found.call_ended_at) == (end, NOW if end else None)
    assert found.ringing_at == (NOW if status == "ringing" else None)
    assert found.answered_at == (NOW if status == "in-progress" else None)


@given(st.text(max_size=12), st.text(max_size=30))
def test_it_reads_any_duration_and_time_stamp(duration: str, stamp: str) -> None:
    form = {"CallSid": "CA" + "b" * 32, "CallStatus": "completed", "CallDuration": duration, "Timestamp": stamp}
    found = webhooks.evidence(form, now=NOW)
    assert found.duration_seconds is None or 0 <= found.duration_seconds < 1_000_000


def test_it_refuses_a_callback_that_names_no_call() -> None:
    with pytest.raises(webhooks.Malformed, match="CallSid"):
        webhooks.evidence(dict(parse_qsl("CallStatus=completed")), now=NOW)


def _speakable(text: str) -> str:
    """What an XML parser gives back: line ends are one character, https://www.w3.org/TR/xml/#sec-line-ends."""
    return webhooks.NOT_XML.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


pieces = st.text(st.sampled_from("ab&=+%20Ff;\x00\xe9\xff,?#"), max_size=60)


@given(
    pieces | st.lists(st.tuples(texts, texts), max_size=5).map(lambda pairs: urlencode(pairs, errors="surrogatepass"))
)
@example("")
@example("&&a&=b&c=&a=1=2&%zz=%e2%82%ac+%2B")
@example("a=%ED%A0%80")
def test_it_reads_a_form_as_the_standard_library_does(body: str) -> None:
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=limits.FIELDS_MAX, errors="surrogatepass")
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  # of whatever text
            webhooks.fields(body)
        return
    expected: dict[str, list[str]] = {}
    for name, value in pairs:
        expected.setdefault(name, []).append(value)
    assert webhooks.fields(body) == expected


@pytest.mark.parametrize("body", ["&" * limits.FIELDS_MAX, "a=%FF%FE"])
def test_it_reads_no_form_that_has_too_many_fields_or_is_no_text(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever text
        webhooks.fields(body)
