"""What leaves the running system about one person: every trace of theirs under watch, and never who they are."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from prometheus_client.parser import text_string_to_metric_families

from config.observing.spans import Span, Store
from deploy.local.home import read_environment
from tests.acceptance import http
from tests.acceptance.carrier import Carrier, Phone
from tests.acceptance.system import System
from tests.acceptance.waiting import until

pytestmark = pytest.mark.acceptance

# Words that nobody else says.
SUBJECT = "the quincunx pomander"


def shown(system: System) -> dict[str, str]:
    """The /metrics of every instance, by its name."""
    found = {}
    for target in json.loads((system.home.run / "targets.json").read_text()):
        found[target["labels"]["instance"]] = http.request("GET", f"http://{target['targets'][0]}/metrics").text
    return found


def watching(system: System, people: int) -> bool:
    """Whether every process that does something for people watches so many of them."""
    told = [text for name, text in shown(system).items() if name.partition("-")[0] in ("web", "worker", "dispatch")]
    return bool(told) and all(f"ringback_people_under_watch {float(people)}" in text for text in told)


def attempts_counted(system: System) -> int:
    """The attempts that the workers count, whatever became of them."""
    families = [
        family
        for name, text in shown(system).items()
        if name.startswith("worker-")
        for family in text_string_to_metric_families(text)
        if family.name == "ringback_attempts"
    ]
    told = [one for family in families for one in family.samples if one.name == "ringback_attempts_total"]
    assert told, "series exist at zero"
    return round(sum(one.value for one in told if one.labels["state"] != "parked"))


def attempts_made(system: System) -> int:
    """The attempts that stand in the rows."""
    ((several,),) = system.rows("SELECT count(*) FROM reminders_attempt")
    return int(several)


def left(system: System) -> Iterator[tuple[str, bytes]]:
    """Everything that left our processes: the spans as the receiver keeps them, /metrics, what was logged."""
    for file in [*(system.home.root / "traces").iterdir(), system.home.run / "alerts.json"]:
        yield file.name, file.read_bytes()
    for name, text in shown(system).items():
        yield f"/metrics of {name}", text.encode()
    # The carrier is not ours: it knows its customers.
    ours = [line for line in system.said().splitlines() if not line.startswith("carrier")]
    yield "what `up` shows", "\n".join(ours).encode()


def test_every_trace_of_somebody_under_watch_is_kept_and_nothing_names_them(
    system: System, carrier: Carrier, phone: Phone
) -> None:
    phone.texts("LIST")
    said = system.manage("trace", phone.number, "--watch", "1h")
    assert said.returncode == 0, said.stderr
    until(lambda: watching(system, 1), what="every process knows who is under watch")
    carrier.behave(answer="always", press="1")
    phone.texts(f"Remind in 1 second about {SUBJECT}")
    phone.awaits_end(phone.rings())
    system.oracle.await_quiet([phone])

    events = system.told("trace", phone.number)["events"]
    story = [event for event in events if event["reminder"]]
    traces = {event["trace_id"] for event in story if event["trace_id"]}
    assert len(traces) == 2  # the text's, and the call's
    store = Store(Path(system.home.root / "traces" / "spans.sqlite"))
    wanted = {"intake", "message_status", "ring", "POST Calls", "call_status", "words", "keys", "conclude"}

    def kept() -> list[Span]:
        linked = {other for trace in traces for other in store.linked(trace)}  # a look-up may have concluded the call
        found = [span for trace in traces | linked for span in store.trace(trace)]
        return found if wanted <= {span.name for span in found} else []

    spans = until(kept, what=f"the spans of both traces: {wanted}")
    assert {span.instance.partition("-")[0] for span in spans} >= {"web", "worker"}
    (reminder,) = {event["reminder"] for event in story}
    concerned = wanted - {"message_status", "POST Calls"}
    assert {span.attributes.get("reminder.id") for span in spans if span.name in concerned} == {reminder}
    assert [span.attributes["hold"] for span in spans if span.name == "conclude"] == ["posted"]
    (ring,) = [span for span in spans if span.name == "ring"]
    (text,) = [span for span in spans if span.name == "intake"]
    assert text.trace_id in {link.trace_id for link in ring.links}

    assert system.manage("trace", phone.number, "--watch", "end").returncode == 0
    secrets = [phone.number.lstrip("+"), SUBJECT, SUBJECT.split()[1], SUBJECT.split()[2]]
    for place, body in left(system):
        for secret in secrets:
            assert secret.encode() not in body, f"{secret!r} left by {place}"
    until(lambda: watching(system, 0), what="every process knows that the watch has ended")


def test_the_workers_count_every_attempt_that_they_make(system: System, carrier: Carrier) -> None:
    """No thread of theirs counts where nobody looks: each attempt in the rows is one in what they show."""
    carrier.behave(answer="always", press="1")
    system.oracle.await_still()  # what was made before is counted by now
    made, counted = attempts_made(system), attempts_counted(system)
    phones = list(carrier.phones(24))
    for phone in phones:
        phone.texts("Remind in 1 second about the count")
    for phone in phones:
        phone.rings()
    system.oracle.await_quiet(phones)
    # A batch is counted after it: the rows may be a moment ahead, and never more than that.
    until(
        lambda: attempts_counted(system) - counted == attempts_made(system) - made,
        what="the workers have counted what they made",
    )
    assert attempts_made(system) - made >= len(phones)


def test_no_label_of_a_target_is_a_label_of_a_metric(system: System) -> None:
    """Prometheus puts the target's in place of the metric's, and no rule that asks for the metric's fires any more."""
    targets = json.loads((system.home.run / "targets.json").read_text())
    labels = {label for target in targets for label in target["labels"]} - {"job"}
    used = {
        label
        for text in shown(system).values()
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        for label in sample.labels
    }
    assert {"kind", "outcome", "slo"} <= used
    assert labels == {"process", "instance"}
    assert not labels & used


def test_a_number_that_left_would_be_found(system: System, phone: Phone) -> None:
    """The negative control: a span that names somebody, sent as our processes send theirs."""
    address = read_environment(system.home.run / "env")["OTEL_EXPORTER_OTLP_ENDPOINT"]
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{address}/v1/traces")))
    with provider.get_tracer("tests").start_as_current_span("planted", attributes={"who": phone.number}):
        pass
    provider.shutdown()
    secret = phone.number.lstrip("+").encode()
    assert [place for place, body in left(system) if secret in body] != []
    assert {"/metrics of web-1", "/metrics of worker-1", "what `up` shows"} <= {place for place, _ in left(system)}
