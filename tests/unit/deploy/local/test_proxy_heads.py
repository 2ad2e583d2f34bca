"""The proxy reads heads strictly: whatever two readers might read differently is refused."""

import pytest

from deploy.local.proxy import heads


def head(*lines: str, first: str = "POST /carriers/twilio/sms HTTP/1.1") -> bytes:
    return "\r\n".join([first, "Host: a", *lines, "", ""]).encode("latin-1")


def test_it_passes_a_request_on_for_one_request_with_the_clients_address() -> None:
    request = heads.request(
        head("Content-Length: 3", "X-Forwarded-For: 6.6.6.6", "Connection: keep-alive, X-Odd", "X-Kept: yes")
    )
    assert (request.method, request.length, request.keeps, request.expects) == (b"POST", 3, True, False)
    passed = request.passed_on("127.0.0.1").split(b"\r\n")
    assert passed == [
        b"POST /carriers/twilio/sms HTTP/1.1",
        b"Host: a",
        b"Content-Length: 3",
        b"X-Kept: yes",
        b"X-Forwarded-For: 127.0.0.1",
        b"Connection: close",
        b"",
        b"",
    ]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Transfer-Encoding: chunked"], 411),
        (["Content-Length: 3", "Transfer-Encoding: identity"], 411),
        (["Content-Length: 3", "Content-Length: 3"], 400),
        (["Content-Length: +3"], 400),
        (["Content-Length: 3, 3"], 400),
        (["Content-Length: ٣"], 400),
        (["Content-Length: 1048577"], 413),
        (["Host: b"], 400),
        (["X-Odd : 1"], 400),
        (["X-Odd: 1", " folded"], 400),
        (["X-Odd: 1\nX-Hidden: 2"], 400),
        (["X-Odd: \x00"], 400),
        (["no colon"], 400),
        ([f"X-{number}: 1" for number in range(100)], 431),
    ],
)
def test_it_refuses_what_can_be_read_in_two_ways(lines: list[str], status: int) -> None:
    with pytest.raises(heads.RefusedError) as refused:
        heads.request("\r\n".join(["GET / HTTP/1.1", "Host: a", *lines, "", ""]).encode())
    assert refused.value.status == status


@pytest.mark.parametrize("first", ["GET / HTTP/2", "GET  / HTTP/1.1", "get / HTTP/1.1", "GET http://a/ HTTP/1.1", ""])
def test_it_refuses_a_first_line_that_is_no_request(first: str) -> None:
    with pytest.raises(heads.RefusedError) as refused:
        heads.request(head(first=first))
    assert refused.value.status == 400


def test_it_closes_where_the_client_wants_it() -> None:
    assert not heads.request(head("Connection: Close")).keeps
    assert not heads.request(head(first="GET / HTTP/1.0")).keeps
    assert heads.request(head("Expect: 100-Continue")).expects


@pytest.mark.parametrize(
    ("method", "first", "lines", "length"),
    [
        (b"GET", "HTTP/1.1 200 OK", ["content-length: 22"], 22),
        (b"HEAD", "HTTP/1.1 200 OK", ["content-length: 22"], 0),
        (b"POST", "HTTP/1.1 204 No Content", [], 0),
        (b"GET", "HTTP/1.1 304", ["content-length: 22"], 0),
        (b"GET", "HTTP/1.1 200 OK", ["transfer-encoding: chunked"], None),
        (b"GET", "HTTP/1.0 200 OK", [], None),
    ],
)
def test_it_knows_how_long_an_answer_is(method: bytes, first: str, lines: list[str], length: int | None) -> None:
    response = heads.response(head(*lines, first=first), method=method)
    assert response.length == length
    assert response.passed_on(keeps=False).endswith(b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize("first", ["SSH-2.0-server", "HTTP/1.1 999 Odd", "HTTP/1.1 200 OK\nX: 1"])
def test_it_takes_no_nonsense_for_an_answer(first: str) -> None:
    with pytest.raises(ValueError, match="not a response"):
        heads.response(head(first=first), method=b"GET")
