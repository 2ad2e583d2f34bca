"""Requests of the intake measure, made before any clock starts: texts as people write them, signed as Twilio signs."""

import json
import random
import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from deploy.local.carrier.webhooks import encode, sign

# A state's area code and seven digits: valid numbers of the fixed or mobile kind, of nobody in particular here.
FIRST_NUMBER: Final = 12_022_000_000
# Subjects are long enough that no two texts are the same; nothing falls due while a measure runs.
_WHEN: Final = (
    "in {} hours",
    "in {} days",
    "tomorrow at {}:15",
    "tomorrow at {}pm",
    "on friday at {}:30",
    "friday at {}am",
)
_ABOUT: Final = (
    "the dentist", "tea with Ann", "calling mum back", "the car's service", "rent", "to take the pills",
    "the school play", "Bob's birthday present", "watering the plants", "the meeting about the budget",
)  # fmt: skip
_NEW_EVERY: Final = 10


def number(position: int) -> str:
    """The E.164 number of the `position`th person."""
    return f"+{FIRST_NUMBER + position}"


def texts(*, seed: int) -> Iterator[str]:
    """Texts that ask for a reminder, no two the same."""
    draw = random.Random(seed)
    while True:
        when = draw.choice(_WHEN).format(draw.randint(3, 11))
        yield f"Remind {when} about {draw.choice(_ABOUT)} {draw.randrange(16**6):06x}"


def webhooks(
    *,
    count: int,
    known: int,
    new_from: int,
    base: str,
    host: str,
    account_sid: str,
    auth_token: str,
    service_number: str,
    seed: int,
) -> list[bytes]:
    """Signed webhooks as Twilio sends them: one in ten from a new number (`new_from` on), the rest from `known`."""
    draw, bodies = random.Random(seed), texts(seed=seed)
    url = f"{base}/carriers/twilio/sms"
    made = []
    for position in range(count):
        is_new = position % _NEW_EVERY == 0
        sender = number(new_from + position // _NEW_EVERY) if is_new else number(draw.randrange(known))
        form = _form(sender, service_number, account_sid, next(bodies))
        head = {"X-Twilio-Signature": sign(token=auth_token, url=url, params=form)}
        made.append(
            post(
                path="/carriers/twilio/sms",
                host=host,
                kind="application/x-www-form-urlencoded; charset=utf-8",
                body=encode(form).encode(),
                headers=head,
            )
        )
    return made


def rows(*, count: int, host: str, seed: int) -> list[bytes]:
    """What the bare endpoints of the peers take: a number and a text, as JSON."""
    draw, bodies = random.Random(seed), texts(seed=seed)
    return [
        post(
            path="/sms",
            host=host,
            kind="application/json",
            body=json.dumps({"sender": number(draw.randrange(10_000)), "body": next(bodies)}).encode(),
            headers={},
        )
        for _ in range(count)
    ]


def post(*, path: str, host: str, kind: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One HTTP/1.1 request, ready to send."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "User-Agent: TwilioProxy/1.1", "Accept: */*", "", ""]).encode() + body


def _form(sender: str, to: str, account_sid: str, body: str) -> Sequence[tuple[str, str]]:
    sid = "SM" + secrets.token_hex(16)
    return (
        ("ToCountry", "US"), ("ToState", "DC"), ("SmsMessageSid", sid), ("NumMedia", "0"), ("ToCity", ""),
        ("FromZip", "20001"), ("SmsSid", sid), ("FromState", "DC"), ("SmsStatus", "received"),
        ("FromCity", "WASHINGTON"), ("Body", body), ("FromCountry", "US"), ("To", to), ("ToZip", ""),
        ("NumSegments", "1"), ("MessageSid", sid), ("AccountSid", account_sid), ("From", sender),
        ("ApiVersion", "2010-04-01"),
    )  # fmt: skip
