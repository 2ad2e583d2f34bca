"""The canary: a synthetic person who texts, is rung, answers and presses 1, through the real path.

It makes low traffic measurable: where nobody is rung, it still tells whether a phone would ring. While others are rung
it keeps quiet: that says as much, and whoever counts calls or charges counts none of its own. Where its phone does not
ring it texts once more soon after, since one text may meet a process that is being replaced. Only on the simulated
carrier: a real one needs a number of its own that answers, which nothing here provides.
"""

import http.client
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

NUMBER: Final = "+12025550199"
BODY: Final = "Remind in 5 seconds about the canary"
DUE_SECONDS: Final = 5.0  # what the text asks for
AGAIN_SECONDS: Final = 15.0  # after the first text that nothing came of; then twice as long each time, up to
AGAIN_SECONDS_MAX: Final = 60.0
GOES_ON: Final = ("queued", "ringing", "in-progress")
SECONDS_MAX: Final = 1.0
NO_ANSWER: Final = (OSError, http.client.HTTPException, ValueError, KeyError)


@dataclass
class Canary:
    """One canary; it begins with a quiet round. `look` moves it on and never waits for longer than a few requests."""

    carrier: str
    every_seconds: float
    heard_at: float | None = None
    _began_at: float | None = None
    _others_at: float | None = None  # when a call of somebody else's was placed
    _texted_at: float | None = None
    _owed_at: float | None = None  # when the first of its reminders was due that it has not heard
    _again_seconds: float = AGAIN_SECONDS
    _heard: set[str] = field(default_factory=set)

    def look(self, at: float, *, placed: float) -> float:
        """Answer where it rings, text where it is time. `placed`: the calls that the carrier took since the last look.

        Seconds since it last heard its reminder, or others were rung.
        """
        self._began_at = at if self._began_at is None else self._began_at
        if placed and not self._is_rung():
            self._others_at = at
        is_rung = False
        with suppress(*NO_ANSWER):  # told by what it is owed
            is_rung = self._answer(at)
        if not is_rung and self._is_time(at):
            with suppress(*NO_ANSWER):
                self._text(at)
        return at - max(one for one in (self._began_at, self._others_at, self.heard_at) if one is not None)

    def overdue_seconds(self, at: float) -> float:
        """For how long it should have been rung and has not heard its reminder; 0 where nothing is owed to it."""
        return 0.0 if self._owed_at is None else max(0.0, at - self._owed_at)

    def _is_time(self, at: float) -> bool:
        if self._owed_at is not None and self._texted_at is not None:
            return at - self._texted_at >= min(self.every_seconds, self._again_seconds)
        quiet_since = max(one for one in (self._began_at, self._others_at, self._texted_at) if one is not None)
        return at - quiet_since >= self.every_seconds

    def _text(self, at: float) -> None:
        self._texted_at = at
        if self._owed_at is None:
            self._owed_at, self._again_seconds = at + DUE_SECONDS, AGAIN_SECONDS
        else:
            self._again_seconds = min(2 * self._again_seconds, AGAIN_SECONDS_MAX)
        self._ask("POST", "/sim/sms", {"from": NUMBER, "body": BODY})

    def _is_rung(self) -> bool:
        """Whether a call that is placed now may be its own."""
        return self._texted_at is not None and (self.heard_at is None or self.heard_at <= self._texted_at)

    def _answer(self, at: float) -> bool:
        """Answer what rings and press 1. Heard is heard, also where the carrier answered and pressed by itself.

        Whether a call of its own goes on.
        """
        calls = self._ask("GET", f"/sim/phones/{quote(NUMBER, safe='')}")["calls"]
        for call in calls:
            heard = _has_heard(call)
            if call["state"] == "ringing":
                self._ask("POST", f"/sim/calls/{call['sid']}/answer", {})
            elif call["state"] == "in-progress" and heard and not call["pressed"]:
                self._ask("POST", f"/sim/calls/{call['sid']}/press", {"digits": "1"})
            if heard and call["sid"] not in self._heard:
                self.heard_at, self._owed_at = at, None
        self._heard = {call["sid"] for call in calls if _has_heard(call)}
        return any(call["state"] in GOES_ON for call in calls)

    def _ask(self, method: str, path: str, told: dict[str, str] | None = None) -> Any:
        parts = urlsplit(self.carrier)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS_MAX)
        try:
            body = None if told is None else json.dumps(told)
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            return json.loads(connection.getresponse().read() or b"null")
        finally:
            connection.close()


def _has_heard(call: Mapping[str, Any]) -> bool:
    """Whether its reminder was spoken, and not the greeting alone."""
    return any("canary" in one for one in call["heard"])
