"""Heads of requests are read strictly: what two readers could take differently is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import heads

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def _with(*lines: bytes, first: bytes = b"POST /sms HTTP/1.1", host: bytes = b"Host: x") -> bytes:
    return b"\r\n".join([first, host, *lines, b"", b""])


def test_it_reads_a_request() -> None:
    found = heads.read(
        _with(
            b"Content-Length: 12",
            b"X-Twilio-Signature:  abc= ",
            b"Cookie: a=1",
            b"cookie: b=2",
            b"Accept: x",
            b"Accept: y",
            b"X-Latin: \xe9",
            first=b"POST /a%20b/c?d=%20&e HTTP/1.1",
        )
    )
    assert (found.method, found.path, found.query, found.length) == ("POST", "/a b/c", "d=%20&e", 12)
    assert found.fields["x-twilio-signature"] == "abc="
    assert (found.fields["cookie"], found.fields["accept"]) == ("a=1; b=2", "x,y")
    assert found.fields["x-latin"] == "\xe9"
    assert (found.keeps, found.expects) == (True, False)


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (GET, True),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (_with(b"Connection: close"), False),
        (_with(b"Connection: Keep-Alive, Close"), False),
    ],
)
def test_it_knows_whether_the_connection_goes_on(head: bytes, keeps: bool) -> None:
    assert heads.read(head).keeps is keeps


def test_it_knows_who_waits_to_be_told_that_a_body_is_wanted() -> None:
    assert heads.read(_with(b"Expect: 100-Continue")).expects


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\r\n\r\n", 400),
        (_with(b"Host: y"), 400),
        (_with(b"No-Colon"), 400),
        (_with(b"Space : x"), 400),
        (_with(b" Folded: x"), 400),
        (_with(b"A: b", b" folded"), 400),
        (_with(b"A: \x00"), 400),
        (_with(b"A: b\nB: c"), 400),
        (_with(b": x"), 400),
        (_with(b"Content-Length: 1", b"Content-Length: 1"), 400),
        (_with(b"Content-Length: 1, 1"), 400),
        (_with(b"Content-Length: -1"), 400),
        (_with(b"Content-Length: +1"), 400),
        (_with(b"Content-Length: \xb2"), 400),
        (_with(b"Content-Length: 0x10"), 400),
        (_with(b"Content-Length: " + b"9" * 16), 400),
        (_with(b"Content-Length:"), 400),
        (_with(b"X-Twilio-Signature: a", b"x-twilio-signature: b"), 400),
        (_with(b"Transfer-Encoding: chunked"), 411),
        (_with(b"transfer-encoding: chunked", b"Content-Length: 4"), 411),
        (_with(*[b"A%d: x" % n for n in range(heads.FIELDS_MAX)]), 431),
    ],
)
def test_it_refuses(head: bytes, status: int) -> None:
    with pytest.raises(heads.Refused) as refused:
        heads.read(head)
    assert refused.value.status == status


@given(st.binary(max_size=300))
def test_it_reads_or_refuses_anything(noise: bytes) -> None:
    for head in (noise, b"GET / HTTP/1.1\r\nHost: x\r\n" + noise + b"\r\n\r\n"):
        with suppress(heads.Refused):
            heads.read(head)


def test_it_writes_the_head_of_an_answer() -> None:
    fields = [("Content-Type", "text/plain"), ("Content-Length", "7")]
    told = heads.answer(status=200, fields=fields, length=3, date="now", keeps=True)
    assert told == b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 3\r\ndate: now\r\n\r\n"
    told = heads.answer(status=204, fields=(), length=0, date="now", keeps=False)
    assert told == b"HTTP/1.1 204 No Content\r\ndate: now\r\nconnection: close\r\n\r\n"
