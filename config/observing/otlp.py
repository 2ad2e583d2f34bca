"""OTLP as it comes over HTTP (opentelemetry-proto, trace/v1) → the spans that the store keeps. Pure."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from config.observing.spans import Link, Span

BODY_BYTES_MAX: Final = 8 << 20  # inflated
ATTRIBUTES_MAX: Final = 64
TEXT_CHARACTERS_MAX: Final = 512
_ERROR: Final = 2  # StatusCode.STATUS_CODE_ERROR


class Malformed(Exception):
    """The body is no trace export, or a larger one than is taken: it would be refused again."""


def spans(body: bytes, *, gzipped: bool) -> list[Span]:
    """The spans of one export request. Raises Malformed."""
    message = ExportTraceServiceRequest()
    try:
        message.ParseFromString(_inflated(body) if gzipped else body)
    except (DecodeError, zlib.error) as error:
        raise Malformed(str(error)) from None
    return list(_every(message))


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    whole = inflater.decompress(body, BODY_BYTES_MAX)
    if inflater.unconsumed_tail:
        raise Malformed(f"more than {BODY_BYTES_MAX} bytes once inflated")
    return whole


def _every(message: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in message.resource_spans:
        about = _attributes(resource.resource.attributes)
        instance = str(about.get("service.instance.id") or about.get("service.name") or "unknown")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name[:TEXT_CHARACTERS_MAX],
                    instance=instance,
                    start_ns=span.start_time_unix_nano,
                    end_ns=span.end_time_unix_nano,
                    error=(span.status.message[:TEXT_CHARACTERS_MAX] or "error") if span.status.code == _ERROR else "",
                    attributes=_attributes(span.attributes),
                    links=tuple(Link(trace_id=link.trace_id.hex(), span_id=link.span_id.hex()) for link in span.links),
                )


def _attributes(pairs: Iterable[Any]) -> dict[str, str | int | float | bool]:
    found = {}
    for pair in list(pairs)[:ATTRIBUTES_MAX]:
        kind = pair.value.WhichOneof("value")
        value = getattr(pair.value, kind) if kind in ("string_value", "int_value", "double_value", "bool_value") else ""
        found[pair.key] = value[:TEXT_CHARACTERS_MAX] if isinstance(value, str) else value
    return found
