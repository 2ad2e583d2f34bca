"""What is left of a message without its date: the subject, as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reminders.grammar.sayings import Voice, match
from reminders.grammar.sentence import STOPS, Cut, Sentence
from reminders.schedule.tokens import spans

LEADING: Final = " \t\r\n,:;.-–—!?…>=|~"
TRAILING: Final = " \t\r\n,;:-–—>"
# The characters at the end of a subject in which it is looked for thanks.
THANKS_MAX: Final = 60


def left_of(sentence: Sentence, opened: int, cuts: Sequence[Cut], voice: Voice) -> str:
    """The subject: the text from word `opened` on without the phrases, byte for byte."""
    at = sentence.ends[opened - 1] if opened < len(sentence.words) and opened else 0
    if opened >= len(sentence.words):
        at = sentence.ends[-1] if sentence.words and opened else 0
    pieces = []
    for cut in cuts:
        piece, taken = sentence.text[at : sentence.starts[cut.start]], at
        at = sentence.ends[cut.end - 1]
        if sentence.has_bracket and piece.endswith("(") and ")" in sentence.text[taken + len(piece) : at]:
            piece = piece[:-1]  # "call dad (7pm) tomorrow"
        pieces.append(piece)
        # "5 p.m." ends with a stop that no token holds.
        if sentence.text[at : at + 1] == "." and sentence.words[cut.end - 1] in sentence.lexicon.half_day:
            at += 1
    pieces.append(sentence.text[at:])
    pieces[-1] = _thankless(pieces[-1], voice, whole=len(pieces) > 1)
    for i, piece in enumerate(pieces[1:]):
        around = pieces[i].rstrip()[-1:] + piece.lstrip()[:1]
        if around in ("()", "[]"):  # "call dad (7pm)"
            pieces[i], pieces[i + 1] = pieces[i].rstrip()[:-1], piece.lstrip()[1:]
    return _joined(pieces, voice)


def _thankless(subject: str, voice: Voice, *, whole: bool) -> str:
    """Without "pls" or "thanks" at its end; `whole`: it may be nothing else."""
    last = subject[-24:].rstrip().lower().rpartition(" ")[2].strip(".!") if whole or " " in subject else ""
    if last not in voice.thanks_ends:
        return subject
    before = max(len(subject) - THANKS_MAX, 0)
    words, starts, _ = spans(subject[before:])
    for size in (4, 3, 2, 1):
        if size < len(words) + whole and tuple(words[-size:]) in voice.thanks:
            return subject[: before + starts[-size]].rstrip(TRAILING)
    return subject


def _joined(pieces: list[str], voice: Voice) -> str:
    subject = ""
    for piece in pieces:
        if not subject:
            subject = _without_joint(_led(piece), voice)
            continue
        if not piece.strip(STOPS + " \t\r\n").strip():
            continue
        rest = piece.lstrip()
        closed = rest[:1] in (*",;:.!?",)
        between = "\n" if "\n" in piece[: len(piece) - len(rest)] or "\n" in subject[len(subject.rstrip()) :] else " "
        subject = (subject.rstrip(" \t\r\n,;:") + rest) if closed else f"{subject.rstrip()}{between}{rest}"
    return _without_stop(subject.strip(), pieces)


def _led(piece: str) -> str:
    """Without the signs that lead to it; a dash that begins a line of a list is the subject's own."""
    rest = piece.lstrip(LEADING)
    before = piece[: len(piece) - len(rest)]
    at = before.rfind("\n") + 1
    return before[at:].lstrip() + rest if at and "\n-" in rest and before[at:].strip() == "-" else rest


def _without_joint(piece: str, voice: Voice) -> str:
    """ "about tea" → "tea"; a joint word alone is no subject."""
    first = piece.partition(" ")[0].lower()
    if first.isascii() and first.isalpha() and first not in voice.joint:
        return piece
    words, _, ends = spans(piece[:60])
    j = match(voice.joint, words, 0) if words else 0
    k = match(voice.short, words, j)
    j = k if k > j and k < len(words) and words[k] in voice.verbs else j
    if not j or (piece[: ends[j - 1]].strip() and not piece[: ends[j - 1]].strip()[0].isalnum()):
        return piece
    return piece[ends[j - 1] :].lstrip(" \t\r\n:,-")


def _without_stop(subject: str, pieces: list[str]) -> str:
    """Dangling punctuation where a phrase was cut off the end: "tea," but not the "?" of a question."""
    if len(pieces) < 2 or pieces[-1].strip(STOPS + " \t\r\n"):
        return subject
    subject = subject if subject.endswith("/-") else subject.rstrip(TRAILING)  # "Rs. 500/-"
    return subject[:-1] if subject.endswith(".") and not subject.endswith("..") else subject
