"""The primary is killed, the next one frozen, while people text: nothing accepted is lost, and it goes on by itself.

Three servers made by hand, where the test promotes: the application's half of the tier `replicated`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tests import replicas
from tests.acceptance import http
from tests.acceptance.system import QUICK, System
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

MORE: Final = 15
BACK_SECONDS: Final = 60.0  # on a loaded machine; what it took is printed
TEXT_EVERY_SECONDS: Final = 0.05
KNOWN: Final = "SELECT carrier_sid FROM reminders_messagekey"


@pytest.fixture(scope="module")
def cluster() -> Iterator[replicas.Cluster]:
    with replicas.started(3) as started:
        yield started


@pytest.fixture(scope="module")
def system(cluster: replicas.Cluster) -> Iterator[System]:
    addresses = {
        "DATABASE_URL": cluster.app_url(),
        "RINGBACK_OWNER_DATABASE_URL": cluster.owner_url(),
        "RINGBACK_REPLICA_DATABASE_URL": cluster.app_url("target_session_attrs=prefer-standby&connect_timeout=2"),
        "RINGBACK_STATEMENT_SECONDS": "1",
    }
    own = System({**QUICK, **addresses})
    try:
        own.start()
        yield own
    finally:
        own.close()


class Texts:
    """What people texted, all the time, and what became of it."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.sids: list[str] = []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        ended = threading.Event()

        def text() -> None:
            while not ended.wait(TEXT_EVERY_SECONDS):
                phone = self._system.carrier.phone()
                self.sids.append(
                    self._system.carrier.text(sender=phone.number, body="Remind in 3 hours about the failover")
                )

        thread = threading.Thread(target=text)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def accepted(self, sids: list[str]) -> list[str]:
        """Those whose webhook was answered 2xx."""
        found = ((sid, self._system.carrier.webhooks(sid)) for sid in sids)
        return [sid for sid, hooks in found if any(200 <= (hook["status"] or 0) < 300 for hook in hooks)]

    def await_more(self, what: str) -> float:
        """Wait until so many that are texted from now on were accepted; the seconds to the first."""
        start, begin = time.monotonic(), len(self.sids)
        until(lambda: self.accepted(self.sids[begin : begin + 200]), seconds=BACK_SECONDS, what=what)
        first = time.monotonic() - start
        begin = len(self.sids)
        until(lambda: len(self.accepted(self.sids[begin : begin + 100])) >= MORE, seconds=BACK_SECONDS, what=what)
        return first


def ready(system: System) -> bool:
    return http.request("GET", f"{system.interface['web']}/readyz").status == 200


def rings_and_is_charged(system: System) -> None:
    """The dispatcher, the worker and the web all work: one reminder from its text to its charge."""
    phone = system.carrier.phone()
    phone.texts("Remind in 1 second about the new primary")
    call = phone.rings(seconds=BACK_SECONDS)
    phone.answers(call)
    phone.hears(call, "the new primary")
    phone.presses(call, "1")
    phone.awaits_end(call)
    system.oracle.await_quiet([phone], seconds=BACK_SECONDS)
    system.oracle.judge([phone])


def test_it_goes_on_by_itself_when_the_primary_dies_and_when_the_next_one_freezes(
    system: System, cluster: replicas.Cluster
) -> None:
    texts = Texts(system)
    took: dict[str, float] = {}
    with texts.going_on():
        until(lambda: len(texts.accepted(texts.sids[:100])) >= MORE, seconds=BACK_SECONDS, what="texts are accepted")

        cluster[0].kill()
        cluster.promote(1, followed_by=(2,))
        took["killed"] = texts.await_more("texts are accepted by the second")
        until(lambda: ready(system), seconds=BACK_SECONDS, what="it says that it is ready")
        rings_and_is_charged(system)

        cluster.await_streaming(1, from_=1)
        cluster[1].freeze()
        until(lambda: not ready(system), seconds=BACK_SECONDS, what="it says that it is not ready")
        cluster.promote(2)
        took["frozen"] = texts.await_more("texts are accepted by the third")
        cluster[1].kill()  # fenced, as whoever promotes must
        until(lambda: ready(system), seconds=BACK_SECONDS, what="it says that it is ready again")
        rings_and_is_charged(system)

    kept = {sid for (sid,) in cluster[2].run(KNOWN, database="ringback")}
    accepted = texts.accepted(texts.sids)
    print(f"accepted {len(accepted)} of {len(texts.sids)}; seconds from the promotion to the first accepted: {took}")
    assert [sid for sid in accepted if sid not in kept] == []
    assert len(accepted) >= 3 * MORE
