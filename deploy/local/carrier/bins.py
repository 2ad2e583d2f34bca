"""A document that the carrier keeps itself, so that it answers where the service does not.

As a TwiML Bin at Twilio whose text is WAITING, with `again` from its address:
https://www.twilio.com/docs/serverless/twiml-bins
"""

from __future__ import annotations

from html import escape
from typing import Final

from aiohttp import web

from deploy.local.carrier import WAITING_PATH

WAITING: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Pause length="1"/><Redirect>{again}</Redirect></Response>'
)


def routes() -> list[web.RouteDef]:
    """The documents' addresses."""
    return [web.get(WAITING_PATH, waiting), web.post(WAITING_PATH, waiting)]


async def waiting(request: web.Request) -> web.StreamResponse:
    """`?again=URL`: hold the line for a second, then ask there again."""
    again = request.query.get("again", "")
    if not again.startswith(("http://", "https://")):
        return web.Response(status=400, text="again is missing")
    return web.Response(text=WAITING.format(again=escape(again)), content_type="text/xml")
