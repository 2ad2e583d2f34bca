"""Nobody gets in: what is forged, oversized or malformed is refused with a clear answer, and changes nothing."""

import http.client
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from html import unescape
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import pytest
from twilio.request_validator import RequestValidator

from tests.acceptance import http as web
from tests.acceptance import signing
from tests.acceptance.carrier import Phone
from tests.acceptance.http import FORM, Answered
from tests.acceptance.system import QUICK, System, Systems

pytestmark = pytest.mark.acceptance

ADDRESSES = ("sms", "words", "keys", "call-status", "message-status", "voice-in")
TEA = "Remind tomorrow at 9am about tea"


@pytest.fixture
def system(systems: Systems) -> System:
    """One where nothing else goes on, so that a count tells what a request changed."""
    return systems.running("refusals", QUICK)


@pytest.fixture
def phone(system: System) -> Phone:
    return system.carrier.phone()


@contextmanager
def unchanged(system: System) -> Iterator[None]:
    """Every table has as many rows after as before, and nothing but a request could have changed that."""
    system.oracle.await_still()
    before = system.oracle.counts()
    yield
    assert system.oracle.counts() == before


def accepted(system: System, phone: Phone, sid: str) -> Answered:
    """A text that was taken, and whose reply the carrier says it delivered."""
    answered = signing.sms(system, TEA, sender=phone.number, sid=sid)
    called = re.search(r'statusCallback="([^"]+)"', answered.text)
    assert called is not None, answered.text
    path = unescape(called[1]).removeprefix(system.interface["public_base"])
    fields = {"MessageSid": signing.message_sid(), "MessageStatus": "delivered"}
    assert signing.signed(system, path, fields).status == 204
    return answered


def untraced(answered: Answered) -> str:
    """The answer without the trace that its callback's address carries: each request has its own."""
    return re.sub(r"&amp;(trace|keep)=[^&\"]*", "", answered.text)


def form(system: System, **changed: str | None) -> dict[str, str]:
    fields: dict[str, str | None] = {
        "MessageSid": signing.message_sid(),
        "From": "+12025550177",
        "To": system.interface["service_number"],
        "Body": TEA,
        "CallSid": signing.call_sid(),
        **changed,
    }
    return {name: value for name, value in fields.items() if value is not None}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("signature", [None, "", "AAAA", "\u00e9", "qqqqqqqqqqqqqqqqqqqqqqqqqqo="])
def test_it_refuses_a_missing_or_wrong_signature(system: System, address: str, signature: str | None) -> None:
    path = f"/carriers/twilio/{address}"
    with unchanged(system):
        answered = signing.sent(system, path, urlencode(form(system)).encode(), signature=signature)
    assert (answered.status, "signature" in answered.text) == (403, True)


def test_it_refuses_the_signature_of_another_token_address_or_form(system: System) -> None:
    fields = form(system)
    good = RequestValidator(system.interface["auth_token"])
    base = system.interface["public_base"]
    forged = [
        RequestValidator("another-token").compute_signature(base + signing.SMS, fields),
        good.compute_signature(base + "/carriers/twilio/voice-in", fields),
        good.compute_signature("https://example.com" + signing.SMS, fields),
        good.compute_signature(base + signing.SMS, {**fields, "Body": "Remind tomorrow at 9am about coffee"}),
        good.compute_signature(base + signing.SMS, {**fields, "Extra": ""}),
    ]
    with unchanged(system):
        statuses = [
            signing.sent(system, signing.SMS, urlencode(fields).encode(), signature=one).status for one in forged
        ]
    assert statuses == [403] * len(forged)


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_answers_only_posted_forms(system: System, address: str) -> None:
    url = f"{system.interface['web']}/carriers/twilio/{address}"
    with unchanged(system):
        got = {method: web.request(method, url) for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS")}
        types = [
            signing.sent(system, f"/carriers/twilio/{address}", b"{}", signature="x", content_type=kind).status
            for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", None)
        ]
    assert {answered.status for answered in got.values()} == {405}
    assert {answered.headers["allow"] for answered in got.values()} == {"POST"}
    assert types == [415] * 4


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_refuses_what_is_over_64_kib_or_100_fields(system: System, address: str) -> None:
    path = f"/carriers/twilio/{address}"
    large = form(system, Body="x" * 65_536)
    with unchanged(system):
        assert signing.signed(system, path, large).status == 413
        many = signing.signed(system, path, form(system) | {f"Field{n}": "" for n in range(100)})
        assert (many.status, "100 fields" in many.text) == (422, True)
        broken = signing.sent(system, path, b"Body=%FF%FE", signature="x")
        assert (broken.status, "UTF-8" in broken.text) == (422, True)


def test_it_does_not_wait_for_the_end_of_an_endless_body(system: System) -> None:
    """Sent in pieces without a length, or with a length that is a lie."""
    parts = urlsplit(system.interface["web"])
    with unchanged(system):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            pieces = iter([b"Body=" + b"x" * 4096] * 32)
            connection.request(
                "POST", signing.SMS, body=pieces, headers={"Content-Type": FORM, "X-Twilio-Signature": "x"},
                encode_chunked=True,
            )  # fmt: skip
            assert connection.getresponse().status in (403, 411, 413)
        except (BrokenPipeError, ConnectionResetError):
            pass  # hung up on, which is an answer too
        finally:
            connection.close()
    for length in ("9999999999999", "-1", "abc"):
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            connection.putrequest("POST", signing.SMS)
            connection.putheader("Content-Type", FORM)
            connection.putheader("Content-Length", length)
            connection.endheaders()
            assert connection.getresponse().status in (400, 413)
        except (ConnectionResetError, http.client.RemoteDisconnected):
            pass
        finally:
            connection.close()


def test_it_serves_others_while_many_clients_keep_their_bodies_back(system: System, phone: Phone) -> None:
    """Twice as many as there are threads."""
    parts = urlsplit(system.interface["web"])
    with ExitStack() as stack:
        for _ in range(64):
            connection = stack.enter_context(closing(http.client.HTTPConnection(parts.hostname or "", parts.port)))
            connection.putrequest("POST", signing.SMS)
            connection.putheader("Content-Type", FORM)
            connection.putheader("Content-Length", "100")
            connection.endheaders(b"Body=")
        assert accepted(system, phone, signing.message_sid()).status == 200
        assert web.request("GET", f"{system.interface['web']}/readyz").status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"MessageSid": None}, {"MessageSid": ""}, {"MessageSid": "SM12"}, {"MessageSid": "XX" + "0" * 32},
        {"MessageSid": "SM" + "z" * 32}, {"From": None}, {"From": ""}, {"From": "+1\n2025550123"},
        {"From": "+" + "1" * 80}, {"To": None}, {"To": ""}, {"To": "x"}, {"To": "+1\x002025550123"},
    ],
    ids=str,
)  # fmt: skip
def test_it_refuses_a_message_without_its_id_sender_or_receiver(system: System, changed: dict[str, str | None]) -> None:
    with unchanged(system):
        answered = signing.signed(system, signing.SMS, form(system, **changed))
    assert answered.status == 422
    assert next(iter(changed)) in answered.text


def test_it_refuses_a_message_id_that_comes_again_with_other_content(system: System, phone: Phone) -> None:
    sid = signing.message_sid()
    assert accepted(system, phone, sid).status == 200
    with unchanged(system):
        assert signing.sms(system, TEA + " and cake", sender=phone.number, sid=sid).status == 409
        assert signing.sms(system, TEA, sender=system.carrier.phone().number, sid=sid).status == 409


def test_it_answers_a_repeated_delivery_as_before_and_changes_nothing(system: System, phone: Phone) -> None:
    sid = signing.message_sid()
    first = accepted(system, phone, sid)
    with unchanged(system):
        again = [signing.sms(system, TEA, sender=phone.number, sid=sid) for _ in range(3)]
    assert {(one.status, untraced(one)) for one in again} == {(200, untraced(first))}
    assert system.oracle.charges([phone]) == {"sms": 1}


@pytest.mark.parametrize("address", ["words", "keys", "call-status"])
def test_it_changes_nothing_for_a_call_that_it_does_not_know(system: System, address: str) -> None:
    fields = {"CallSid": signing.call_sid(), "CallStatus": "completed", "CallDuration": "9", "Digits": "9"}
    with unchanged(system):
        unknown = signing.signed(system, f"/carriers/twilio/{address}?attempt={uuid4()}", fields)
        nonsense = signing.signed(system, f"/carriers/twilio/{address}?attempt=7", fields)
        missing = signing.signed(system, f"/carriers/twilio/{address}", fields)
        nameless = signing.signed(system, f"/carriers/twilio/{address}?attempt={uuid4()}", {"CallSid": "CA7"})
    assert unknown.status == (404 if address == "call-status" else 200)
    assert "Hangup" in unknown.text or address == "call-status"
    assert [one.status for one in (nonsense, missing, nameless)] == [422] * 3


def test_it_changes_nothing_for_a_text_of_ours_that_it_does_not_know(system: System) -> None:
    fields = {"MessageSid": signing.message_sid(), "MessageStatus": "delivered"}
    with unchanged(system):
        assert signing.signed(system, f"/carriers/twilio/message-status?reply={uuid4()}", fields).status == 204
        assert signing.signed(system, "/carriers/twilio/message-status?reply=7", fields).status == 422


def test_it_changes_nothing_for_callbacks_after_the_end(system: System, phone: Phone) -> None:
    system.carrier.behave(answer="always", press="1")
    phone.texts("Remind in 1 second about tea")
    call = phone.rings()
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    ((attempt, row),) = system.rows("SELECT id, to_jsonb(a) - 'look_ups' FROM reminders_attempt a"
                                    " WHERE carrier_sid = %s", call)  # fmt: skip
    path = f"/carriers/twilio/call-status?attempt={attempt}"
    with unchanged(system):
        for status in (
            "initiated",
            "ringing",
            "in-progress",
            "completed",
            "completed",
            "busy",
            "no-answer",
            "nonsense",
        ):
            fields = {"CallSid": call, "CallStatus": status, "CallDuration": "1", "SequenceNumber": "0"}
            assert signing.signed(system, path, fields).status == 204
        other = {"CallSid": signing.call_sid(), "CallStatus": "completed", "CallDuration": "9"}
        assert signing.signed(system, path, other).status == 404, "another call is bound to the attempt"
        keys = f"/carriers/twilio/keys?attempt={attempt}&language={quote('../x')}"
        assert signing.signed(system, keys, {"CallSid": call, "Digits": "7"}).status == 200
        words = signing.signed(system, f"/carriers/twilio/words?attempt={attempt}", {"CallSid": call})
        assert "<Hangup/>" in words.text and "<Say" not in words.text
    ((after,),) = system.rows("SELECT to_jsonb(a) - 'look_ups' FROM reminders_attempt a WHERE carrier_sid = %s", call)
    assert {name for name in row if row[name] != after[name]} <= {"duration_seconds"}
    system.oracle.judge([phone])


def test_it_says_at_once_that_it_takes_nothing_it_cannot_keep(system: System) -> None:
    """A number that nobody serves, a page that is not there: an answer, not a crash."""
    for path in ("/", "/carriers/", "/carriers/twilio/", "/carriers/other/sms", "/carriers/twilio/sms/", "/x" * 4000):
        assert 400 <= web.request("POST", system.interface["web"] + path).status < 500
