"""Texts that a person may well send, and some that only a machine would: understood, or refused politely."""

from typing import Any

import pytest

from tests.acceptance import signing
from tests.acceptance.carrier import Phone
from tests.acceptance.system import System
from tests.acceptance.waiting import stays

pytestmark = pytest.mark.acceptance

OF_ONE = """
SELECT (SELECT count(*) FROM reminders_reminder r WHERE r.subscriber_id = s.id),
       (SELECT count(*) FROM reminders_message m WHERE m.subscriber_id = s.id),
       (SELECT count(*) FROM reminders_timer t WHERE t.subscriber_id = s.id AND t.kind = 'ring')
  FROM reminders_subscriber s WHERE s.number = %s
"""


def rows_of(system: System, number: str) -> tuple[Any, ...]:
    """Reminders, messages and ring timers of a person."""
    return next(iter(system.rows(OF_ONE, number)), (0, 0, 0))


NOT_CALLABLE = ("+19005550123", "+18005551234", "+448712345678", "+999123456789", "12345", "Ringback")


def test_it_refuses_politely_who_may_not_be_called(system: System) -> None:
    for sender in NOT_CALLABLE:
        answered = signing.sms(system, "Remind in 1 second about tea", sender=sender)
        assert (sender, answered.status) == (sender, 200)
        assert "We cannot call this number" in answered.text
        assert rows_of(system, sender)[0::2] == (0, 0)
    assert system.rows(
        "SELECT count(*) FROM billing_entry e JOIN reminders_subscriber s ON s.account_id = e.account_id"
        " WHERE s.number = ANY (%s)",
        list(NOT_CALLABLE),
    ) == [(0,)]
    stays(
        lambda: not {call["to"] for call in system.carrier.calls()} & set(NOT_CALLABLE),
        seconds=2,
        what="none of them is called",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Your text was empty"),
        (" \n\t ", "Your text was empty"),
        ("\u200b", None),
        ("?" * 10_000, None),
        ("Remind yesterday at 9am about tea", None),
        ("Remind on 1 January 2020 at 9am about tea", "already past"),
        ("Remind on 1 January 2126 at 9am about tea", "more than 10 years"),
        ("Remind on 30 February at 9am about tea", None),
        ("Remind in 999999999999999999999 days about tea", None),
        ("DELETE 99999999999999999999", None),
        ("LIST " * 2_000, None),
        ("(" * 5_000 + ")" * 5_000, None),
        ("' OR 1=1; DROP TABLE reminders_reminder; --", None),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_it_sets_nothing_and_says_so(system: System, phone: Phone, text: str, told: str | None) -> None:
    answered = signing.sms(system, text, sender=phone.number)
    assert answered.status == 200
    assert answered.text.count("<Message") == 1, answered.text
    assert told is None or told in answered.text, answered.text
    assert rows_of(system, phone.number) == (0, 1, 0)
    assert system.oracle.charges([phone]) == {"sms": 1}


@pytest.mark.parametrize(
    ("subject", "echoed"),
    [
        ("\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"),
        ("\u202eabc\u202c", "abc"),
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467 tea", "\U0001f469\u200d\U0001f469\u200d\U0001f467 tea"),
        ("te\0a", "tea"),
        ("<Say>x</Say> & <Hangup/>", "&lt;Say&gt;x&lt;/Say&gt; &amp; &lt;Hangup/&gt;"),
        ("\x07bell\x1b[31m", "bell"),
        ("x" * 10_000, "xxx..."),
    ],
    ids=["right to left", "override", "emoji", "NUL", "marks", "controls", "10,000 characters"],
)
def test_it_takes_any_text_as_a_subject(system: System, phone: Phone, subject: str, echoed: str) -> None:
    answered = signing.sms(system, f"Remind tomorrow at 9am about {subject}", sender=phone.number)
    assert answered.status == 200
    assert echoed in answered.text
    assert "\0" not in answered.text
    assert rows_of(system, phone.number) == (1, 1, 1)
    ((kept,),) = system.rows("SELECT length(body) FROM reminders_message m JOIN reminders_subscriber s"
                             " ON s.id = m.subscriber_id WHERE s.number = %s", phone.number)  # fmt: skip
    assert kept <= 1_600
    listed = system.manage("trace", phone.number)
    assert listed.returncode == 0, listed.stderr


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xed\xb0\x80 tea", b"tea \xed\xa0\xbd"], ids=repr)
def test_it_takes_lone_surrogates_or_refuses_them(system: System, phone: Phone, raw: bytes) -> None:
    fields = {
        "MessageSid": signing.message_sid().encode(),
        "From": phone.number.encode(),
        "To": system.interface["service_number"].encode(),
        "Body": b"Remind tomorrow at 9am about " + raw,
    }
    answered = signing.signed_bytes(system, signing.SMS, fields)
    assert answered.status == 200
    assert rows_of(system, phone.number) == (1, 1, 1)


def test_it_rings_with_an_emoji_and_right_to_left_words(system: System, phone: Phone) -> None:
    phone.texts("Remind in 1 second about \U0001f375 \u05ea\u05d4")
    call = phone.rings()
    phone.answers(call)
    phone.hears(call, "\U0001f375 \u05ea\u05d4")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone])
    system.oracle.judge([phone])
