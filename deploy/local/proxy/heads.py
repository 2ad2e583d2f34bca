"""The heads of HTTP/1.1 requests and responses: read strictly, because two readers who differ can be fooled."""

import re
from dataclasses import dataclass
from typing import Final

HEAD_BYTES_MAX: Final = 32 * 1024
BODY_BYTES_MAX: Final = 1024 * 1024
_LINES_MAX: Final = 100
_REQUEST: Final = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*|\*) HTTP/1\.([01])")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
# What is between two neighbours only (RFC 9110, 7.6.1), and what is written anew for the backend.
_NOT_PASSED_ON: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect", b"x-forwarded-for"}
)


class RefusedError(Exception):
    """A request that is not passed on; `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request's head. `keeps`: the client wants to go on with this connection."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    length: int
    keeps: bool
    expects: bool

    def passed_on(self, peer: str) -> bytes:
        """The head as a backend gets it: for one request, with the client's address."""
        lines = [b"%s %s HTTP/1.1" % (self.method, self.target)]
        lines += [b"%s: %s" % pair for pair in self.fields if pair[0].lower() not in _NOT_PASSED_ON]
        return b"\r\n".join([*lines, b"X-Forwarded-For: " + peer.encode(), b"Connection: close", b"", b""])


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response's head. `length` is None where only the end of the connection tells."""

    status: int
    lines: tuple[bytes, ...]
    length: int | None

    def passed_on(self, *, keeps: bool) -> bytes:
        """The head as the client gets it."""
        lines = [line for line in self.lines if line.partition(b":")[0].lower() not in (b"connection", b"keep-alive")]
        return b"\r\n".join([*lines, b"Connection: " + (b"keep-alive" if keeps else b"close"), b"", b""])


def request(head: bytes) -> Request:
    """Read a request's head, which ends with an empty line. Raises RefusedError."""
    first, *lines = head[:-4].split(b"\r\n")
    found = _REQUEST.fullmatch(first)
    if not found:
        raise RefusedError(400)
    fields = _fields(lines)
    if _values(fields, b"transfer-encoding"):
        raise RefusedError(411)  # who posts to Ringback knows how much
    if len(_values(fields, b"host")) != 1:
        raise RefusedError(400)
    connection = b",".join(_values(fields, b"connection")).lower()
    return Request(
        method=found[1],
        target=found[2],
        fields=fields,
        length=_length(_values(fields, b"content-length")),
        keeps=found[3] == b"1" and b"close" not in connection,
        expects=b"100-continue" in [value.lower() for value in _values(fields, b"expect")],
    )


def response(head: bytes, *, method: bytes) -> Response:
    """Read a response's head. Raises ValueError where it is none."""
    first, *lines = head[:-4].split(b"\r\n")
    found = _STATUS.fullmatch(first)
    if not found:
        raise ValueError("not a response")
    status = int(found[1])
    try:
        fields = _fields(lines)
        length: int | None = None
        if method == b"HEAD" or status in (204, 304):
            length = 0
        elif not _values(fields, b"transfer-encoding") and _values(fields, b"content-length"):
            length = _length(_values(fields, b"content-length"), most=1 << 40)
    except RefusedError:
        raise ValueError("not a response") from None
    return Response(status=status, lines=(first, *lines), length=length)


def _fields(lines: list[bytes]) -> tuple[tuple[bytes, bytes], ...]:
    if len(lines) > _LINES_MAX:
        raise RefusedError(431)
    fields = []
    for line in lines:
        found = _FIELD.fullmatch(line)
        if not found:
            raise RefusedError(400)
        fields.append((found[1], found[2]))
    return tuple(fields)


def _values(fields: tuple[tuple[bytes, bytes], ...], name: bytes) -> list[bytes]:
    return [value for known, value in fields if known.lower() == name]


def _length(values: list[bytes], *, most: int = BODY_BYTES_MAX) -> int:
    if not values:
        return 0
    if len(values) > 1 or not values[0].isdigit() or len(values[0]) > 15:
        raise RefusedError(400)
    if int(values[0]) > most:
        raise RefusedError(413)
    return int(values[0])
