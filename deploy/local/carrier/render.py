"""Records as Twilio's REST interface and as the control interface show them."""

from __future__ import annotations

import re
import time
from typing import Any

from deploy.local.carrier.behaviour import Behaviour
from deploy.local.carrier.callbacks import API_VERSION, call_parameters, parameters
from deploy.local.carrier.records import Call, Message
from deploy.local.carrier.times import rfc2822, rfc3339

PRICE_PER_MINUTE, PRICE_PER_SEGMENT = 0.0140, 0.0079


def call_resource(call: Call, behaviour: Behaviour) -> dict[str, Any]:
    """A call with every field of Twilio's schema. The price comes a while after the end, or null."""
    base = f"/{API_VERSION}/Accounts/{call.account}/Calls/{call.sid}"
    seconds = call.duration_seconds
    priced = call.ended_at is not None and time.time() - call.ended_at >= behaviour.price_after_seconds
    price = f"{-PRICE_PER_MINUTE * -(-seconds // 60):.5f}" if priced and seconds else None
    return {
        "sid": call.sid,
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(_last(call)),
        "parent_call_sid": None,
        "account_sid": call.account,
        "to": call.to,
        "to_formatted": _formatted(call.to),
        "from": call.sender,
        "from_formatted": _formatted(call.sender),
        "phone_number_sid": "PN" + call.account[2:],
        "status": call.status,
        "start_time": rfc2822(call.dialled_at or call.ringing_at),
        "end_time": rfc2822(call.ended_at),
        "duration": str(seconds) if call.ended else None,
        "price": price,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by if call.machine_detection else None,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(round(((call.dialled_at or call.created_at) - call.created_at) * 1000)),
        "trunk_sid": None,
        "uri": base + ".json",
        "subresource_uris": {name: f"{base}/{path}.json" for name, path in _CALL_PARTS},
    }


_CALL_PARTS = (
    ("user_defined_message_subscriptions", "UserDefinedMessageSubscriptions"),
    ("user_defined_messages", "UserDefinedMessages"),
    ("recordings", "Recordings"),
    ("streams", "Streams"),
    ("payments", "Payments"),
    ("notifications", "Notifications"),
    ("siprec", "Siprec"),
    ("events", "Events"),
    ("transcriptions", "Transcriptions"),
)


def call_events(call: Call) -> list[dict[str, Any]]:
    """The requests about a call, oldest first, with their parameters' names as Twilio shows them: `call_sid`."""
    about = call_parameters(call, "in-progress")
    asked = [(at, url, method, [*about, *more], status) for url, method, more, status, at in call.asked]
    told = [
        (call.events[nth][2], call.callback, call.callback_method, [*parameters(call, nth)], 204)
        for nth in range(call.told)
    ]
    return [
        {
            "request": {"method": method, "url": url, "parameters": {_snake(name): value for name, value in pairs}},
            "response": {
                "response_code": status,
                "request_duration": None,
                "content_type": None,
                "response_body": None,
                "date_created": rfc2822(at),
            },
        }
        for at, url, method, pairs, status in sorted(asked + told, key=lambda one: one[0])
    ]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _last(call: Call) -> float:
    return call.ended_at or call.answered_at or call.ringing_at or call.dialled_at or call.created_at


def _formatted(number: str) -> str:
    if len(number) == 12 and number.startswith("+1"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number


def message_resource(message: Message, behaviour: Behaviour) -> dict[str, Any]:
    """A message with every field of Twilio's schema."""
    base = f"/{API_VERSION}/Accounts/{message.account}/Messages/{message.sid}"
    since = time.time() - (message.sent_at or message.created_at)
    priced = message.sent_at is not None and since >= behaviour.price_after_seconds
    return {
        "body": message.body,
        "num_segments": str(message.segments),
        "direction": message.direction,
        "from": message.sender,
        "to": message.to,
        "date_updated": rfc2822(message.sent_at or message.created_at),
        "price": f"{-PRICE_PER_SEGMENT * message.segments:.5f}" if priced else None,
        "error_message": _ERRORS.get(message.error_code) if message.error_code else None,
        "uri": base + ".json",
        "account_sid": message.account,
        "num_media": "0",
        "status": message.status,
        "messaging_service_sid": None,
        "sid": message.sid,
        "date_sent": rfc2822(message.sent_at),
        "date_created": rfc2822(message.created_at),
        "error_code": message.error_code,
        "price_unit": "USD",
        "api_version": API_VERSION,
        "subresource_uris": {"media": f"{base}/Media.json"},
    }


_ERRORS: dict[int | None, str] = {
    21610: "Attempt to send to unsubscribed recipient",
    30003: "Unreachable destination handset",
}


def call_truth(call: Call) -> dict[str, Any]:
    """A call in the control interface's list: the carrier's own truth, without ids of the service."""
    return {
        "sid": call.sid,
        "to": call.to,
        "from": call.sender,
        "state": call.status,
        "created_at": rfc3339(call.created_at),
        "ringing_at": rfc3339(call.ringing_at),
        "answered_at": rfc3339(call.answered_at),
        "ended_at": rfc3339(call.ended_at),
        "pressed": call.pressed,
    }


def phone_call(call: Call) -> dict[str, Any]:
    """A call as its phone shows it; at is when it was created at the carrier."""
    return {
        "sid": call.sid,
        "state": call.status,
        "at": rfc3339(call.created_at),
        "heard": call.heard,
        "pressed": call.pressed,
        "direction": "in" if call.direction == "inbound" else "out",
        "ringing_at": rfc3339(call.ringing_at),
        "answered_at": rfc3339(call.answered_at),
        "ended_at": rfc3339(call.ended_at),
    }


def phone_message(message: Message) -> dict[str, Any]:
    """A message as its phone shows it: in is from the phone to the service."""
    return {
        "sid": message.sid,
        "direction": "in" if message.direction == "inbound" else "out",
        "body": message.body,
        "at": rfc3339(message.created_at if message.direction == "inbound" else message.sent_at),
    }


def on_phone(message: Message) -> bool:
    """Whether the phone has it: what it sent, and what reached it."""
    return message.direction == "inbound" or message.status == "delivered"
