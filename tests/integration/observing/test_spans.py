"""What the spans of one person tell, over the product in one process: from the text to the charge, without gaps."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, OperationalError
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from psycopg.errors import StringDataRightTruncation

from billing import database
from config import telemetry
from config.tail import TailProcessor
from reminders import arrival, intake, tracing, under_watch
from reminders.carriers.base import Inbound
from tests.world.carrier import Fate
from tests.world.scripts import TEA
from tests.world.world import World

NUMBER = "+12025550151"


class Seen:
    """Every span that ended."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=ALWAYS_ON)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def all(self, name: str = "") -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if not name or span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (found,) = self.all(name)
        return found

    def parent(self, span: ReadableSpan) -> str:
        """The name of a span's parent; empty for a root."""
        if span.parent is None:
            return ""
        return next(one.name for one in self.all() if context(one).span_id == span.parent.span_id)

    def links(self, span: ReadableSpan) -> list[str]:
        """The names of the spans that a span links to."""
        ids = [link.context.span_id for link in span.links]
        return [one.name for one in self.all() if context(one).span_id in ids]


def context(span: ReadableSpan) -> Any:
    assert span.context is not None
    return span.context


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """What a recording process would export."""
    made = Seen()
    monkeypatch.setattr(tracing, "_tracer", made.provider.get_tracer("tests"))
    yield made
    made.provider.shutdown()


def answered(world: World) -> str:
    """One reminder, rung and answered, key 1 pressed; its id."""
    world.carrier.fate_of = lambda _: Fate(press="1")
    world.text(NUMBER, TEA)
    world.run()
    ((reminder, state),) = world.rows("SELECT id, state FROM reminders_reminder")
    assert state == "answered"
    return str(reminder)


def test_they_tell_the_way_from_the_text_to_the_charge(world: World, seen: Seen) -> None:
    reminder = answered(world)
    tree = {(span.name, seen.parent(span)) for span in seen.all()}
    assert tree == {
        ("intake", ""),
        ("commit", "intake"),
        ("message_status", "intake"),
        ("attend ring", ""),
        ("ring", ""),
        ("call_status", "ring"),
        ("words", "ring"),
        ("keys", "ring"),
        ("conclude", "call_status"),
    }
    assert seen.links(seen.one("ring")) == ["intake", "attend ring"]
    concerned = [span for span in seen.all() if span.name not in ("commit", "attend ring", "message_status")]
    assert {(span.attributes or {}).get(tracing.REMINDER) for span in concerned} == {reminder}
    assert (seen.one("conclude").attributes or {})["hold"] == "posted"
    assert [(span.attributes or {})["evidence"] for span in seen.all("call_status")] == ["ringing", "answered", "ended"]


def test_what_the_rows_keep_is_what_was_exported(world: World, seen: Seen) -> None:
    answered(world)
    kept = {row[0] for row in world.rows("SELECT trace_context FROM reminders_event WHERE trace_context <> ''")}
    assert {tracing.trace_id(one) for one in kept} == {
        f"{context(seen.one(name)).trace_id:032x}" for name in ("intake", "ring")
    }


def test_texts_that_are_committed_together_are_linked_to_their_commit(world: World, seen: Seen) -> None:
    texts = [tracing.begin("intake", linked=()) for _ in range(3)]
    with texts[0].within():  # as a batch has it: in the context of its first
        intake.accept_together([arrived(world, last, text.traceparent) for last, text in enumerate(texts)])
    for text in texts:
        text.end()
    commit = seen.one("commit")
    assert seen.parent(commit) == ""
    assert seen.links(commit) == ["intake"] * 3
    assert (commit.attributes or {})[tracing.MEMBERS] == 3
    assert world.rows("SELECT count(*) FROM reminders_reminder") == [(3,)]


def test_a_commit_that_one_text_spoiled_says_so(world: World, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(_: Any) -> list[int]:
        raise DataError("their text") from StringDataRightTruncation()

    monkeypatch.setattr(intake, "_remind", spoilt)
    assert intake.accept_together([arrived(world, last, tracing.new()) for last in range(2)]) == [None, None]
    assert seen.one("commit").status.description == "DataError"


def arrived(world: World, last: int, trace_context: str) -> arrival.Arrival:
    """The text of one of ten people."""
    message = Inbound(
        carrier="twilio", carrier_sid=f"SM{last:032x}", sender=f"+1202555016{last}", body=TEA, opt_out=None
    )
    return arrival.read(
        message=message, received_at=world.clock.now, trace_context=trace_context, snooze_seconds=600, answers=True
    )


def test_a_callback_of_another_day_is_a_trace_of_its_own_with_a_link(seen: Seen) -> None:
    with tracing.span("ring") as ring:
        brought = dict(pair.split("=") for pair in tracing.carried()[1:].split("&"))
    old = UUID(int=UUID("01900000-0000-7000-8000-000000000000").int)
    with tracing.called("call_status", brought=brought, of=old) as own:
        pass
    assert seen.parent(seen.one("call_status")) == ""
    assert seen.links(seen.one("call_status")) == ["ring"]
    assert tracing.trace_id(own) != tracing.trace_id(ring)


@pytest.mark.parametrize("brought", [{}, {"trace": ""}, {"trace": "nonsense"}, {"trace": "00-" + "0" * 32 + "-1-01"}])
def test_a_callback_that_brings_nothing_begins_by_itself(seen: Seen, brought: dict[str, str]) -> None:
    with tracing.called("call_status", brought=brought, of=None):
        pass
    assert (seen.one("call_status").parent, list(seen.one("call_status").links)) == (None, [])


def test_an_unknown_outcome_is_looked_up_in_a_trace_that_points_to_its_ring(world: World, seen: Seen) -> None:
    world.carrier.lose_call = lambda _: True
    world.carrier.fate_of = lambda _: Fate(lose=frozenset({"ringing", "in-progress", "end", "words"}))
    world.text(NUMBER, TEA)
    world.run()
    looked = seen.all("look_up")
    assert looked
    for span in looked:
        assert seen.parent(span) == ""
        assert set(seen.links(span)) == {"ring", "attend look_up"}
        assert (span.attributes or {})[tracing.REMINDER]
        assert (span.attributes or {})["found"]
    # A call that got no words is tried again: each try's ring had no answer.
    assert [ring.status.is_ok for ring in seen.all("ring")] == [False] * len(world.carrier.calls)


def test_a_ring_that_was_not_sent_says_so_and_every_span_ends(world: World, seen: Seen) -> None:
    """One person's second reminder waits for the first call: its ring ends as parked."""
    world.carrier.fate_of = lambda _: Fate()
    world.text(NUMBER, TEA)
    world.text(NUMBER, "Remind me in 1 minute about coffee")
    world.run()
    states = [(span.attributes or {})["state"] for span in seen.all("ring")]
    assert states.count("placed") == 2
    assert set(states) == {"placed", "parked"}


def test_nothing_from_outside_is_read_at_the_edge(world: World, seen: Seen) -> None:
    """Whoever sends a webhook neither joins a trace of ours, nor has one kept, nor puts words into it."""
    outside = {
        "HTTP_TRACEPARENT": f"00-{'ab' * 16}-{'cd' * 8}-01",
        "HTTP_TRACESTATE": "congo=t61rcWkgMzE",
        "HTTP_BAGGAGE": "ringback.keep=true,who=mallory",
    }
    world._requests.defaults.update(outside)
    answered(world)
    for span in seen.all():
        assert f"{context(span).trace_id:032x}" != "ab" * 16
        assert not context(span).trace_state
        assert not any(f"{link.context.trace_id:032x}" == "ab" * 16 for link in span.links)
        assert tracing.KEEP not in (span.attributes or {})
        assert "mallory" not in span.to_json()


def test_an_exception_leaves_its_type_and_no_word_of_what_it_said(seen: Seen) -> None:
    with pytest.raises(ValueError, match="secret"), tracing.span("work"):
        raise ValueError(f"a secret: {NUMBER}")
    span = seen.one("work")
    assert (span.status.description, span.events) == ("ValueError", ())
    assert NUMBER not in span.to_json()


def test_a_person_is_named_by_a_hash_that_needs_the_key(world: World, seen: Seen, monkeypatch: Any) -> None:
    monkeypatch.setattr(tracing, "_known", tracing._Known())
    name = tracing.name_of(number=NUMBER, key="key of this test")
    tracing.know(key="key of this test", is_watched=lambda who: who == name)
    answered(world)
    named = [span for span in seen.all() if span.name in ("intake", "ring")]
    assert {(span.attributes or {}).get(tracing.PERSON) for span in named} == {name}
    kept = {span.name for span in seen.all() if (span.attributes or {}).get(tracing.KEEP)}
    assert kept == {"intake", "message_status", "attend ring", "ring", "call_status", "words", "keys"}
    assert NUMBER not in "".join(span.to_json() for span in seen.all())
    assert name != tracing.name_of(number=NUMBER, key="another key")


def test_statements_are_spans_only_where_somebody_asks_for_it(world: World, seen: Seen, monkeypatch: Any) -> None:
    world.text(NUMBER, TEA)
    assert not [span for span in seen.all() if span.name.startswith("sql ")]
    monkeypatch.setattr(database, "observed", telemetry.statement)
    world.text("+12025550152", TEA)
    asked = [span for span in seen.all() if span.name.startswith("sql ")]
    assert {"sql intake_context", "sql intake_remind"} <= {span.name for span in asked}
    assert {seen.parent(span) for span in asked} <= {"intake", "commit"}
    assert "2025550152" not in "".join(span.to_json() for span in asked)


def test_of_somebody_under_watch_every_trace_is_kept_and_of_others_none(world: World, monkeypatch: Any) -> None:
    """With a share of nothing: the watch is read from the rows, as every process does, and ends."""
    monkeypatch.setattr(tracing, "_known", tracing._Known())
    monkeypatch.setattr(telemetry, "_watched", telemetry._Watched())
    key = "key of this test"
    tracing.know(key=key, is_watched=lambda name: name in telemetry._watched.names)
    kept = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_ON)
    provider.add_span_processor(TailProcessor(SimpleSpanProcessor(kept), ratio=0.0, slow_seconds=60))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("tests"))
    other = "+12025550152"
    world.text(NUMBER, "LIST")
    ((person,),) = world.rows("SELECT id FROM reminders_subscriber")
    name = tracing.name_of(number=NUMBER, key=key)
    now = world.clock.now
    under_watch.begin(name=name, subscriber_id=person, now=now, until=now + timedelta(hours=1))
    assert kept.get_finished_spans() == ()

    telemetry.read_watched()
    for number in (NUMBER, other):
        world.text(number, TEA)
    world.run()
    spans = kept.get_finished_spans()
    assert {span.name for span in spans} == {
        "intake", "commit", "message_status", "attend ring", "ring", "call_status", "words", "conclude",
    }  # fmt: skip
    named = {(span.attributes or {})[tracing.PERSON] for span in spans if tracing.PERSON in (span.attributes or {})}
    assert name in named
    rings = [span for span in spans if span.name == "intake"]
    assert [(span.attributes or {})[tracing.PERSON] for span in rings] == [name]

    kept.clear()
    world.clock.step(seconds=3601)
    telemetry.read_watched()
    world.text(NUMBER, TEA)
    world.run()
    assert kept.get_finished_spans() == ()
    provider.shutdown()


def test_who_is_under_watch_stays_while_the_database_is_away(monkeypatch: Any) -> None:
    monkeypatch.setattr(telemetry, "_watched", telemetry._Watched(names=frozenset({"ab" * 16})))

    def away(**_: object) -> frozenset[str]:
        raise OperationalError("planted")

    monkeypatch.setattr(under_watch, "names", away)
    telemetry.read_watched()
    assert telemetry._watched.names == {"ab" * 16}
