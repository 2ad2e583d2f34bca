"""The line stream."""

import io
import threading

import pytest

from deploy.local.lines import Lines


class Slow(io.StringIO):
    """A terminal that does not read until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()

    def write(self, text: str) -> int:
        self.reads.wait(10)
        return super().write(text)


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Gone(io.StringIO):
    """A reader that has gone."""

    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_it_names_who_speaks_and_keeps_a_pipe_plain() -> None:
    out = io.StringIO()
    lines = Lines(out)
    lines.say("\x1b[31mup\x1b[0m", name="web-1")
    lines.say("all is well")
    lines.close()
    assert out.getvalue() == "web-1      │ up\nringback   │ all is well\n"


def test_it_colours_a_terminal_unless_asked_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", value)
        out = Terminal()
        lines = Lines(out)
        lines.say("up", name="web-1")
        lines.close()
        assert ("\x1b[" in out.getvalue()) is coloured


def test_it_never_waits_for_a_terminal_that_does_not_read() -> None:
    out = Slow()
    lines = Lines(out)
    for number in range(6_000):
        lines.say(str(number))
    out.reads.set()
    lines.close(seconds=10)
    shown = out.getvalue().splitlines()
    assert shown[0] == "ringback   │ 0"
    assert 5_000 <= len(shown) <= 5_002


def test_it_goes_on_where_nobody_listens_any_more() -> None:
    lines = Lines(Gone())
    lines.say("one")
    lines.say("two")
    lines.close()
