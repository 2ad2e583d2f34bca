"""The product in one process, driven by hand: its dispatcher, workers and webhooks, a stopped clock, a carrier.

Nothing sleeps and nothing runs by itself: `run` steps the clock to whatever is due next, at the carrier or in the
timers, until nothing but recurring work is left. A `Crash` ends the process: its connection is dropped, its memory is
gone, and the next step is made by a new one.
"""

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID
from xml.etree import ElementTree as ET

import psycopg
import pytest
from django.db import connection, connections
from django.test import RequestFactory

from billing import charges
from billing.charges import NewHold
from reminders import dispatch, housekeeping, limits, tasks, urls, wiring
from reminders.dispatch import Claimer, Doorbell, Pacing
from reminders.poison import Record
from reminders.retry import Policy
from reminders.states import Kind
from tests.environment import AUTH_TOKEN, PUBLIC_BASE, SERVICE_NUMBER
from tests.world.carrier import ObedientCarrier, Text
from tests.world.clock import Clock
from tests.world.points import Crash, Points

POLICY: Final = Policy(
    attempts=3,
    retry_seconds=300,
    snooze_seconds=600,
    ring_timeout_seconds=30,
    lookup_horizon_seconds=20,
    freshness_seconds=60,
    lease_seconds=15,
)
CLAIMABLE_AT: Final = "greatest(wake_at, CASE WHEN token IS NOT NULL THEN leased_until END)"
STEPS_MAX: Final = 600
RECURRING: Final = ("reconcile", "partitions", "seal")
VIEWS: Final = {f"/carriers/{pattern.pattern}": pattern.callback for pattern in urls.urlpatterns}


class World:
    """One running product with its carrier."""

    def __init__(self, superuser: psycopg.Connection[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
        self.see = superuser
        self.clock = Clock(superuser, monkeypatch)
        self.points = Points()
        self.carrier = ObedientCarrier(clock=self.clock, points=self.points, post=self.post)
        self.crashes: list[str] = []
        self.lose_doorbell: Callable[[Doorbell], bool] = lambda _: False
        self.twice_doorbell: Callable[[Doorbell], bool] = lambda _: False
        self.fails: Callable[[NewHold], bool] = lambda _: False
        self._requests = RequestFactory()
        self.points.install(monkeypatch)
        monkeypatch.setattr(wiring, "carrier", lambda: self.carrier)
        monkeypatch.setattr(wiring, "policy", lambda: POLICY)
        monkeypatch.setattr(wiring, "looker", self.clock.looker)
        self._break_intents(monkeypatch)
        self._forget()
        dispatch.open_account(account="world")
        self.claimer = self._claimer()

    # ---- the carrier's side ------------------------------------------------------------------------
    def text(self, number: str, body: str, *, sid: str | None = None, opt_out: str | None = None) -> Text:
        """A person texts: the carrier keeps it and calls the webhook once."""
        text = Text(
            sid=sid or self.carrier.sid("SM"),
            sender=number,
            to=SERVICE_NUMBER,
            body=body,
            created_at=self.clock.now.replace(microsecond=0),
            listed_at=self.clock.now,
            inbound=True,
            status="received",
        )
        self.carrier.texts.append(text)
        self.deliver_text(text, opt_out=opt_out)
        return text

    def deliver_text(self, text: Text, *, opt_out: str | None = None) -> str | None:
        """The webhook of a text, once (more): its reply is taken by the carrier where there is one."""
        form = {"MessageSid": text.sid, "From": text.sender, "To": text.to, "Body": text.body}
        if opt_out:
            form["OptOutType"] = opt_out
        answer = self.post("/carriers/twilio/sms", form)
        if answer is None:
            return None
        text.answered = 200
        for message in ET.fromstring(answer).iter("Message"):
            found = re.search(r"reply=([0-9a-f-]{36})(.*)", message.get("statusCallback", ""))
            reply = UUID(found[1]) if found else None
            if not any(taken.reply == reply for taken in self.carrier.texts if reply):
                carried = found[2] if found else ""
                self.carrier.take_text(to=text.sender, body=message.text or "", reply=reply, carried=carried)
        return answer

    def post(self, path: str, form: dict[str, str]) -> str | None:
        """A signed webhook; the body of a 2xx answer, None for any other, and where the process died."""
        payload = PUBLIC_BASE + path + "".join(name + form[name] for name in sorted(form))
        signature = base64.b64encode(hmac.digest(AUTH_TOKEN.encode(), payload.encode(), "sha1")).decode()
        request = self._requests.post(
            path,
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )
        answered: list[str | None] = [None]

        def serve() -> None:
            response = VIEWS[path.partition("?")[0]](request)
            answered[0] = response.content.decode() if response.status_code < 300 else None

        return answered[0] if self.live(serve) else None

    # ---- our side ----------------------------------------------------------------------------------
    def live(self, do: Callable[[], object]) -> bool:
        """Do something in the present process; False where it died of it."""
        try:
            do()
        except Crash as crash:
            self.die(str(crash))
            return False
        except Exception:
            if not self.points.dead:  # else it stumbled over its own death: Django's transaction does
                raise
        if self.points.dead:
            self.die("in a commit")
            return False
        return True

    def die(self, why: str) -> None:
        """The process is gone, with its connection and its memory; a new one begins."""
        self.crashes.append(why)
        self.points.dead = False
        if (raw := connection.connection) is not None:
            raw.close()
        del connections["default"]
        self.claimer = self._claimer()
        self._forget()

    def dispatch(self) -> list[Doorbell]:
        """One turn of the dispatcher: the doorbells that it rang."""
        token, claimed = self.claimer.claim(monotonic=self.clock.monotonic())
        buried = dispatch.bury(claimed=claimed, token=token, now=self.clock.now)
        return list(dispatch.doorbells(claimed=[row for row in claimed if row.id not in buried], token=token))

    def attend(self, bell: Doorbell) -> None:
        """A worker hears one doorbell."""
        tasks.attend(bell.kind.value, [str(i) for i in bell.ids], str(bell.token), "")

    def turn(self) -> None:
        """Whatever is due now: at the carrier, then in the timers, each in a process that may die."""
        self.carrier.act()
        bells: list[Doorbell] = []
        if self._nothing_due():
            return
        self.live(lambda: bells.extend(self.dispatch()))
        for bell in bells:
            if self.lose_doorbell(bell):
                continue
            self.live(lambda bell=bell: self.attend(bell))  # type: ignore[misc]
            if self.twice_doorbell(bell):
                self.live(lambda bell=bell: self.attend(bell))  # type: ignore[misc]

    def run(self, *, seconds: float | None = None) -> None:
        """Until nothing is left to do but recurring work, or (with `seconds`) until that long from now."""
        until = self.clock.now + timedelta(seconds=seconds) if seconds is not None else None
        for _ in range(STEPS_MAX):
            self.turn()
            if until is None and self.is_at_rest():
                return
            following = self._next_at()
            if until is not None and following >= until:
                self.clock.set(until)
                return
            # What is due and was not claimed lies behind the low-water mark: a dispatcher polls each second.
            self.clock.set(following if following > self.clock.now else self.clock.now + timedelta(seconds=1))
        raise AssertionError(f"not at rest after {STEPS_MAX} steps: {self._waiting()}")

    def _reconcile(self) -> None:
        housekeeping.attend(kind=Kind.RECONCILE, carrier=self.carrier, policy=POLICY, now=self.clock.now)

    def reconcile(self) -> None:
        """One pass of the recurring work that fetches what our webhook missed, a while later."""
        self.clock.step(limits.WEBHOOK_SECONDS + 1)
        self.live(self._reconcile)

    def is_at_rest(self) -> bool:
        """Whether neither the carrier nor a timer has anything left to do."""
        return not self.carrier.agenda and not self._waiting()

    def rows(self, query: str, *params: object) -> list[tuple[Any, ...]]:
        """What is in the database, as its superuser sees it."""
        return self.see.execute(query, params).fetchall()

    def _break_intents(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An intent meets an error where `fails` says so: for one person it is a poisonous row, for all a bug."""
        reserve = charges.reserve

        def reserve_(*, holds: Sequence[NewHold]) -> None:
            if any(self.fails(hold) for hold in holds):
                raise RuntimeError("broken")
            reserve(holds=holds)

        monkeypatch.setattr(charges, "reserve", reserve_)

    def _forget(self) -> None:
        """What the workers' process knew of itself is gone with it."""
        tasks._records.update({kind: Record() for kind in tasks._records})

    def _claimer(self) -> Claimer:
        pacing = Pacing(account="world", calls_per_second=0, concurrent_calls=1000)
        return Claimer(pacing=pacing, lease_seconds=POLICY.lease_seconds)

    def _waiting(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT kind, key, wake_at, claims, parked FROM reminders_timer WHERE kind <> ALL (%s)", list(RECURRING)
        )

    def _nothing_due(self) -> bool:
        return self.rows(f"SELECT FROM reminders_timer WHERE {CLAIMABLE_AT} <= %s LIMIT 1", self.clock.now) == []

    def _next_at(self) -> datetime:
        timers = self.rows(f"SELECT min({CLAIMABLE_AT}) FROM reminders_timer")[0][0]
        times = [at for at in (timers, self.carrier.next_at()) if at is not None]
        return min(times, default=self.clock.now + timedelta(seconds=60))
