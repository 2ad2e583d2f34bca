"""The heads of HTTP/1.1 requests and answers: read strictly, since two readers who differ can be fooled. Pure.

https://www.rfc-editor.org/rfc/rfc9112
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

HEAD_BYTES_MAX: Final = 32 * 1024
FIELDS_MAX: Final = 100
_DIGITS_MAX: Final = 15
# Every line in one look, which is linear: a name, a colon right behind it, and a value without CR, LF and NUL.
_HEAD: Final = re.compile(
    rb"([A-Z]{1,20}) (/[\x21-\x7e]*|\*) HTTP/1\.([01])\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00\r\n]*\r\n)*)\r\n"
)
_REASONS: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_WITHOUT_BODY: Final = frozenset({204, 304})


class Refused(Exception):
    """What cannot be read as a request; `status` is the answer, after which the connection ends."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """A request's head. Names of `fields` are lower case; several of one name are joined as RFC 9110, 5.3 has it."""

    method: str
    path: str  # decoded
    query: str  # as it came
    fields: dict[str, str]
    length: int  # of the body
    keeps: bool  # whether the client wants to go on with this connection

    @property
    def expects(self) -> bool:
        """Whether the client waits to be told that its body is wanted."""
        return self.fields.get("expect", "").lower() == "100-continue"


def read(head: bytes) -> Head:
    """Read a request's head with the empty line at its end. Raises Refused."""
    found = _HEAD.fullmatch(head)
    if found is None:
        raise Refused(400)
    method, target, minor, lines = found.groups()
    fields = _fields(lines.decode("latin-1").split("\r\n"))
    if "transfer-encoding" in fields:
        raise Refused(411)  # who posts here knows how much
    if "host" not in fields and minor == b"1":
        raise Refused(400)
    path, _, query = target.decode("ascii").partition("?")
    connection = fields.get("connection", "").lower()
    return Head(
        method=method.decode("ascii"),
        path=unquote(path) if "%" in path else path,
        query=query,
        fields=fields,
        length=_length(fields.get("content-length")),
        keeps=minor == b"1" and "close" not in connection,
    )


def answer(*, status: int, fields: Iterable[tuple[str, str]], length: int, date: str, keeps: bool) -> bytes:
    """The head of an answer with a body of `length` bytes."""
    lines = [
        _REASONS.get(status) or f"HTTP/1.1 {status} \r\n",
        *[f"{name}: {value}\r\n" for name, value in fields if name.lower() != "content-length"],
    ]
    if status not in _WITHOUT_BODY:
        lines.append(f"content-length: {length}\r\n")
    lines.append(f"date: {date}\r\n\r\n" if keeps else f"date: {date}\r\nconnection: close\r\n\r\n")
    return "".join(lines).encode("latin-1", "replace")


def _fields(lines: list[str]) -> dict[str, str]:
    if len(lines) - 1 > FIELDS_MAX:
        raise Refused(431)
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            continue  # behind the last one
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name not in fields:
            fields[name] = value
        elif name in ("host", "content-length", "content-type", "x-twilio-signature"):
            raise Refused(400)  # which of them is meant?
        else:
            fields[name] += ("; " if name == "cookie" else ",") + value
    return fields


def _length(told: str | None) -> int:
    if told is None:
        return 0
    if not (told.isascii() and told.isdigit()) or len(told) > _DIGITS_MAX:
        raise Refused(400)
    return int(told)
