"""TwiML read into steps. Pure: what the steps do is done by the call or by the message desk."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

TEXT_MAX = 64 * 1024
STEPS_MAX = 500


class TwimlError(ValueError):
    """The document cannot be run; the text says why (Twilio's 12100, 12200, 12300)."""


@dataclass(frozen=True, kw_only=True)
class Say:
    """Words spoken, loop times (0 stands for 100 at most: an endless loop is bounded here)."""

    text: str
    loop: int = 1
    language: str = ""
    voice: str = ""


@dataclass(frozen=True, kw_only=True)
class Play:
    """A recording: noted, not fetched. Or keys pressed by us."""

    url: str
    digits: str = ""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Silence."""

    seconds: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Gather:
    """Wait for keys while the prompts are spoken and timeout seconds after them or after each key."""

    prompts: tuple[Say | Play | Pause, ...] = ()
    num_digits: int | None = None
    timeout: float = 5.0
    action: str = ""
    method: str = "POST"
    action_on_empty: bool = False
    finish_on_key: str = "#"


@dataclass(frozen=True, kw_only=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, kw_only=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, kw_only=True)
class Reject:
    """Refuse an incoming call before it costs anything."""

    reason: str = "rejected"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An SMS in answer: <Message> or <Sms>."""

    body: str
    to: str = ""
    callbacks: tuple[str, ...] = ()


Step = Say | Play | Pause | Gather | Redirect | Hangup | Reject | Reply


def read(text: str) -> tuple[Step, ...]:
    """The steps of a document, unknown verbs left out as Twilio does; raises TwimlError."""
    if len(text) > TEXT_MAX:
        raise TwimlError("12100 the document is larger than 64 KB")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TwimlError("12100 a document type is not TwiML")
    try:
        # Safe: no document type, so no entities; at most 64 KB; it comes from our own service.
        root = ET.fromstring(text.encode("utf-8", "replace"))  # noqa: S314
    except ET.ParseError as problem:
        raise TwimlError(f"12100 the document cannot be parsed: {problem}") from problem
    if root.tag != "Response":
        raise TwimlError(f"12100 the document begins with <{root.tag}>, not <Response>")
    if len(root) > STEPS_MAX:
        raise TwimlError(f"12100 more than {STEPS_MAX} verbs")
    steps = (_step(element) for element in root)
    return tuple(step for step in steps if step is not None)


def _step(element: ET.Element) -> Step | None:
    match element.tag:
        case "Gather":
            return _gather(element)
        case "Redirect":
            return Redirect(url=_words(element), method=_method(element))
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject(reason=element.get("reason", "rejected"))
        case "Message" | "Sms":
            return _reply(element)
        case _:
            return _prompt(element)


def _prompt(element: ET.Element) -> Say | Play | Pause | None:
    match element.tag:
        case "Say":
            loop = _whole(element.get("loop"), 1)
            return Say(
                text=_words(element),
                loop=min(loop, 100) or 100,
                language=element.get("language", ""),
                voice=element.get("voice", ""),
            )
        case "Play":
            return Play(url=_words(element), digits=element.get("digits", ""))
        case "Pause":
            return Pause(seconds=float(_whole(element.get("length"), 1)))
    return None


def _gather(element: ET.Element) -> Gather:
    prompts = (_prompt(child) for child in element)
    digits = element.get("numDigits")
    return Gather(
        prompts=tuple(prompt for prompt in prompts if prompt is not None),
        num_digits=None if digits is None else max(1, _whole(digits, 1)),
        timeout=float(_whole(element.get("timeout"), 5)),
        action=element.get("action", ""),
        method=_method(element),
        action_on_empty=element.get("actionOnEmptyResult", "false").lower() == "true",
        finish_on_key=element.get("finishOnKey", "#"),
    )


def _reply(element: ET.Element) -> Reply:
    body = element.find("Body")
    callbacks = tuple(filter(None, (element.get("statusCallback"), element.get("action"))))
    return Reply(body=_words(element if body is None else body), to=element.get("to", ""), callbacks=callbacks)


def _words(element: ET.Element) -> str:
    """The element's text with the text of its own marks (SSML), white space joined at the ends."""
    return "".join(element.itertext()).strip()


def _method(element: ET.Element) -> str:
    return "GET" if element.get("method", "POST").upper() == "GET" else "POST"


def _whole(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
