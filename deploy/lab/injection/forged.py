"""A webhook of an SMS with a valid signature: what somebody who has seen one can send again."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from deploy.local.home import Home

_PATH: Final = "/carriers/twilio/sms"
_SECONDS: Final = 5.0


def signed(home: Home, form: dict[str, str]) -> int:
    """Post it as the carrier would; the status of the answer. OSError where there is none."""
    interface: dict[str, Any] = json.loads((home.run / "interface.json").read_text())
    said = interface["public_base"] + _PATH + "".join(name + form[name] for name in sorted(form))
    # Twilio's own scheme: https://www.twilio.com/docs/usage/security
    signature = base64.b64encode(hmac.digest(interface["auth_token"].encode(), said.encode(), "sha1")).decode()
    parts = urlsplit(interface["web"])
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        connection.request("POST", _PATH, body=urlencode(form), headers=headers)
        reply = connection.getresponse()
        reply.read()
        return reply.status
    except http.client.HTTPException as problem:
        raise OSError(str(problem)) from problem
    finally:
        connection.close()
