"""Webhooks as Twilio signs them: the official validator makes the signatures, ours never."""

import base64
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from tests.acceptance import http
from tests.acceptance.http import FORM, Answered
from tests.acceptance.system import System

SMS: Final = "/carriers/twilio/sms"


def message_sid() -> str:
    return "SM" + secrets.token_hex(16)


def call_sid() -> str:
    return "CA" + secrets.token_hex(16)


def sms(system: System, body: str, *, sender: str, sid: str | None = None, **more: str) -> Answered:
    """One message's webhook."""
    fields = {
        "MessageSid": sid or message_sid(),
        "AccountSid": system.interface["account_sid"],
        "From": sender,
        "To": system.interface["service_number"],
        "Body": body,
        "FromCity": "",
        **more,
    }
    return signed(system, SMS, fields)


def signed(system: System, path: str, fields: Mapping[str, str]) -> Answered:
    """A form with the signature that Twilio's own validator computes."""
    validator = RequestValidator(system.interface["auth_token"])
    signature = validator.compute_signature(system.interface["public_base"] + path, dict(fields))
    return sent(system, path, urlencode(fields).encode(), signature=signature)


def signed_bytes(system: System, path: str, fields: Mapping[str, bytes]) -> Answered:
    """A form of bytes that are no text: signed over the bytes, which Twilio's validator cannot take."""
    said = (system.interface["public_base"] + path).encode()
    said += b"".join(name.encode() + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(system.interface["auth_token"].encode(), said, "sha1")).decode()
    return sent(system, path, urlencode(fields).encode(), signature=signature)


def sent(system: System, path: str, body: bytes, *, signature: str | None, content_type: str | None = FORM) -> Answered:
    """One POST, with whatever signature and type."""
    headers = {"Content-Type": content_type} if content_type else {}
    if signature is not None:
        headers["X-Twilio-Signature"] = signature
    return http.request("POST", system.interface["web"] + path, body=body, headers=headers)
