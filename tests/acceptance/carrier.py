"""The simulated carrier as a test holds it: its behaviour, its truth about calls, and the phones of people."""

from collections.abc import Iterator
from itertools import count
from typing import Any, Final
from urllib.parse import quote

from tests.acceptance import http
from tests.acceptance.waiting import PATIENCE_SECONDS, until

ENDED: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
# What a test may change, as it is before each test. Speech takes no time.
USUAL: Final[dict[str, Any]] = {
    "answer": "manual",
    "answer_after_seconds": 0.2,
    "ring_after_seconds": 0.05,
    "calls_per_second": 50,
    "press": None,
    "busy": 0,
    "decline": 0,
    "fail": 0,
    "voicemail": 0,
    "undelivered": 0,
    "words_per_second": 0,
    "callbacks": 1,
    "sms_url": "",
    "faults": {
        "create_reply_lost": 0,
        "create_5xx_after_placing": 0,
        "create_hang_seconds": 0,
        "create_hold_seconds": 0,
        "create_429": 0,
        "list_lag_seconds": 0,
        "callbacks_duplicate": 0,
        "callbacks_delay_seconds": 0,
        "callbacks_reverse": 0,
        "callbacks_drop": 0,
        "webhook_twice": 0,
        "bad_signature": 0,
    },
}


class Carrier:
    """The control interface of one running carrier."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._numbers = count(1)

    def usual(self) -> None:
        """Behave as before every test."""
        self.behave(**USUAL)

    def behave(self, **wanted: Any) -> None:
        answered = http.post_json(f"{self.base}/sim/behaviour", wanted)
        assert answered.status == 200, answered.text

    def fault(self, **faults: float) -> None:
        self.behave(faults=faults)

    def calls(self, to: str | None = None) -> list[dict[str, Any]]:
        """The carrier's own truth, oldest first."""
        found: list[dict[str, Any]] = http.get(f"{self.base}/sim/calls" + (f"?to={quote(to, safe='')}" if to else ""))
        return found

    def text(self, *, sender: str, body: str) -> str:
        """A text goes out; its webhook follows by itself."""
        answered = http.post_json(f"{self.base}/sim/sms", {"from": sender, "body": body})
        assert answered.status == 200, answered.text
        return str(answered.json()["sid"])

    def webhooks(self, sid: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = http.get(f"{self.base}/sim/messages/{sid}")["webhooks"]
        return found

    def await_webhooks(self, sid: str) -> list[dict[str, Any]]:
        """What the webhooks of a text brought, once they have ended."""
        return until(lambda: self.webhooks(sid), what=f"the webhook of {sid}")

    def phone(self) -> "Phone":
        """A phone that nobody had before."""
        return Phone(self, f"+1202{next(self._numbers) + 5_550_200:07d}")

    def phones(self, wanted: int) -> Iterator["Phone"]:
        return (self.phone() for _ in range(wanted))


class Phone:
    """One person's phone: what they text, what rings, what they hear and press."""

    def __init__(self, carrier: Carrier, number: str) -> None:
        self.carrier = carrier
        self.number = number

    def __repr__(self) -> str:
        return f"Phone({self.number})"

    @property
    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = http.get(f"{self.carrier.base}/sim/phones/{quote(self.number, safe='')}")
        return found

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every call that the carrier made to this phone, oldest first."""
        return self.carrier.calls(self.number)

    def texts(self, body: str) -> str:
        """Text, and see that it was accepted; the body of the webhook's answer."""
        answers = self.carrier.await_webhooks(self.carrier.text(sender=self.number, body=body))
        assert answers[-1]["status"] == 200, answers
        return str(answers[-1]["body"])

    def received(self) -> list[str]:
        """The texts that reached the phone."""
        return [message["body"] for message in self.shown["messages"] if message["direction"] == "out"]

    def awaits_text(self, words: str, *, seconds: float = PATIENCE_SECONDS) -> str:
        """The text that holds these words, once it has come."""
        what = f"{self.number} gets a text with {words!r}"
        found = until(lambda: [t for t in self.received() if words in t], seconds=seconds, what=what)
        return found[-1]

    def rings(self, nth: int = 1, *, seconds: float = PATIENCE_SECONDS) -> str:
        """The id of its nth call, once that rings."""
        what = f"call {nth} of {self.number} rings"
        calls = until(
            lambda: [c for c in self.calls[nth - 1 : nth] if c["ringing_at"] is not None],
            seconds=seconds,
            what=what,
        )
        return str(calls[0]["sid"])

    def answers(self, sid: str) -> None:
        self._deed(sid, "answer")

    def declines(self, sid: str) -> None:
        self._deed(sid, "decline")

    def presses(self, sid: str, digits: str) -> None:
        self._deed(sid, "press", {"digits": digits})

    def hears(self, sid: str, words: str) -> str:
        """Everything that was said in a call, once it holds these words."""
        return (
            until(
                lambda: words in self.heard(sid) and self.heard(sid),
                what=f"{self.number} hears {words!r}",
            )
            or ""
        )

    def heard(self, sid: str) -> str:
        return " ".join(next((c["heard"] for c in self.shown["calls"] if c["sid"] == sid), []))

    def awaits_end(self, sid: str, state: str = "completed") -> None:
        call = until(
            lambda: next((c for c in self.calls if c["sid"] == sid and c["state"] in ENDED), None),
            what=f"the call {sid} ends",
        )
        assert call is not None and call["state"] == state, call

    def calls_back(self) -> str:
        """Call the service number; the call's id."""
        answered = http.post_json(f"{self.carrier.base}/sim/calls", {"from": self.number})
        assert answered.status == 200, answered.text
        return str(answered.json()["sid"])

    def _deed(self, sid: str, deed: str, wanted: object = None) -> None:
        answered = http.post_json(f"{self.carrier.base}/sim/calls/{sid}/{deed}", wanted or {})
        assert answered.status == 200, answered.text
