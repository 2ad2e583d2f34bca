"""One trial of one experiment: declare, steady state, inject, observe, always undo, quiet, oracle, verdict.

Whatever happens, everything is undone before this returns or raises; the undo journal of the faults is replayed
by the next command of the lab where this process is killed. The steady state after the undoing is part of the
verdict: "nothing broke" and "it is still broken" are never the same.
"""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Final, Protocol

from deploy.lab import books, experiment, load, oracle
from deploy.lab.bench.figures import percentile
from deploy.lab.books import Books
from deploy.lab.experiment import NAIVE, Experiment, Planned
from deploy.lab.load import ACCEPTED, Player, Promise
from deploy.lab.oracle import Judgement
from deploy.lab.subject import Subject
from deploy.lab.watch import Watch

_TICK_SECONDS: Final = 0.2
_STILL_SECONDS: Final = 12.0  # the naive tier says nothing of its work: this long without a call is quiet
_LATE_SECONDS: Final = 5.0
_LAST_ANSWERS_SECONDS: Final = 20.0
# What the phones do in every experiment, unless it says otherwise: they are answered at once and a key is pressed.
PHONES: Final[dict[str, Any]] = {
    "answer": "always", "answer_after_seconds": 0.2, "ring_after_seconds": 0.05, "calls_per_second": 50,
    "press": "1", "words_per_second": 0, "busy": 0, "decline": 0, "fail": 0, "voicemail": 0, "callbacks": 1,
}  # fmt: skip

Tell = Callable[[str, float], None]


class Breaker(Protocol):
    """What injects and heals: `deploy.lab.breaking` in earnest."""

    def inject(self, fault: Planned) -> str:
        """Inject it; how, in words. Raises NotHere where something is lacking, NotInjected."""

    def heal(self, name: str | None = None) -> None:
        """Undo one fault, or everything; to undo nothing is fine. Raises NotHealed."""

    def measures(self) -> dict[str, float]:
        """What it measured itself, by name."""


class NotHere(Exception):
    """The experiment cannot be tried on this machine or tier; the text says why."""


class NotInjected(Exception):
    """The fault could not be injected although it should; the text says why."""


class NotHealed(Exception):
    """Something could not be undone in its time; the text says what. The verdict says so."""


class NotSteady(Exception):
    """The system was not in its steady state before anything was done to it; the text says how."""


@dataclass(kw_only=True)
class Band:
    """One fault as it was: Unix times."""

    name: str
    target: str
    how: str
    began_at: float
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Steadiness:
    """The steady state as it was found: how long it took, how many tries, and what was not so."""

    holds: bool
    seconds: float
    tries: int
    words: str


@dataclass(kw_only=True)
class Found:
    """Everything that a trial has seen; the report is made of it."""

    experiment: Experiment
    tier: str
    seed: int
    started_at: float
    load_at: float = 0.0
    ended_at: float = 0.0
    before: Steadiness | None = None
    after: Steadiness | None = None
    bands: list[Band] = field(default_factory=list)
    watch: Watch | None = None
    promises: list[Promise] = field(default_factory=list)
    books: Books | None = None
    judgement: Judgement | None = None
    quiet: bool = False
    audit: dict[str, Any] = field(default_factory=dict)
    aborted: str = ""
    not_healed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # faults whose time had passed, and nobody texted any more
    measures: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_as_expected(self) -> bool:
        """The verdict."""
        return not self.wrong


class Trial:
    """Runs one experiment on a running system."""

    def __init__(
        self, *, wanted: Experiment, subject: Subject, breaker: Breaker, seed: int, numbers: load.Numbers, tell: Tell
    ) -> None:
        self._wanted = wanted
        self._subject = subject
        self._breaker = breaker
        self._numbers = numbers
        self._tell = tell
        self._seed = seed
        self.found = Found(experiment=wanted, tier=subject.tier, seed=seed, started_at=time.time())

    def run(self) -> Found:
        """The whole of it. Raises NotSteady, NotHere or NotInjected where nothing was tried; all is undone."""
        found = self.found
        found.watch = Watch(self._subject)
        found.watch.start()
        try:
            self._subject.behave({**PHONES, "seed": self._seed})
            found.before = self._await_steady("before")
            if not found.before.holds:
                raise NotSteady(found.before.words)
            try:
                self._under_load()
            finally:
                self._undo()
            found.after = self._await_steady("after")
            self._await_quiet()
            self._judge()
        finally:
            found.watch.stop()
            found.ended_at = time.time()
        return found

    # ---- the load and the faults -------------------------------------------------------------------

    def _under_load(self) -> None:
        wanted, found = self._wanted, self.found
        if wanted.load.behaviour:
            self._subject.behave(wanted.load.behaviour)
        found.load_at = time.time() + 0.5
        texts = load.texts(load=wanted.load, seed=self._seed, numbers=self._numbers, phase="during")
        player = self._player(texts, via=wanted.load.via, starts_at=found.load_at)
        try:
            for at, strikes, deed in self._deeds():
                if not self._watch_until(found.load_at + at, player):
                    return
                if strikes and self._is_over(at):
                    found.left_out.append(strikes)
                else:
                    deed()
            self._watch_until(found.load_at + wanted.seconds, player)
        finally:
            with contextlib.suppress(Exception):  # what is under way is known from the books
                player.join(_LAST_ANSWERS_SECONDS)
            found.promises += player.promises

    def _is_over(self, at: float) -> bool:
        """Whether what was due then comes so late, since healing took so long, that nobody texts any more."""
        now = time.time() - self.found.load_at
        return now > self._wanted.load.seconds and now > at + _LATE_SECONDS

    def _deeds(self) -> list[tuple[float, str, Callable[[], None]]]:
        """What is done when, in order, and which fault strikes with it; what needs no healing is waited for at once."""
        deeds: list[tuple[float, str, Callable[[], None]]] = []
        for fault in self._wanted.faults:
            for nth in range(fault.times):
                at = fault.at + nth * fault.every
                deeds.append((at, fault.name, lambda fault=fault: self._inject(fault)))  # type: ignore[misc]
                deeds.append((at + fault.seconds, "", lambda fault=fault: self._heal(fault)))  # type: ignore[misc]
        return sorted(deeds, key=lambda deed: deed[0])

    def _inject(self, fault: Planned) -> None:
        band = Band(name=fault.name, target=fault.target, how="", began_at=time.time())
        band.how = self._breaker.inject(fault)
        self.found.bands.append(band)

    def _heal(self, fault: Planned) -> None:
        self._healed(fault.name)
        for band in self.found.bands:
            if band.name == fault.name and band.ended_at is None:
                band.ended_at = time.time()

    def _healed(self, name: str | None) -> None:
        try:
            self._breaker.heal(name)
        except NotHealed as problem:
            self.found.not_healed.append(str(problem))

    def _undo(self) -> None:
        """Everything, always."""
        try:
            self._healed(None)
        finally:
            for band in self.found.bands:
                band.ended_at = band.ended_at or time.time()
        with contextlib.suppress(OSError):
            self._subject.behave(PHONES)

    def _watch_until(self, moment: float, player: Player) -> bool:
        """Wait until then; false where the abort condition was met."""
        while time.time() < moment:
            time.sleep(min(_TICK_SECONDS, max(0.0, moment - time.time())))
            self._tell(self._counted(player), self.found.load_at + self._wanted.seconds - time.time())
            self.found.aborted = self._abort(player)
            if self.found.aborted:
                return False
        return True

    def _abort(self, player: Player) -> str:
        limit = self._wanted.abort
        refused = 0
        for promise in reversed([one for one in player.promises if one.answered_at is not None]):
            if promise.answer == ACCEPTED:
                break
            refused += 1
        if refused >= limit.refused_in_a_row:
            return f"{refused} texts in a row were refused"
        unready = self.found.watch.unready_seconds() if self.found.watch else 0.0
        return f"no way was open for {unready:.0f} s" if unready >= limit.unready_seconds else ""

    def _counted(self, player: Player) -> str:
        taken = sum(promise.answer == ACCEPTED for promise in player.promises)
        broken = ", ".join(f"{band.name}" for band in self.found.bands if band.ended_at is None)
        return f"{len(player.promises)} texted, {taken} accepted" + (f" [{broken}]" if broken else "")

    def _player(self, texts: Sequence[load.Text], *, via: str, starts_at: float) -> Player:
        player = Player(interface=self._subject.interface, texts=texts, via=via, starts_at=starts_at)
        player.start()
        return player

    # ---- the steady state --------------------------------------------------------------------------

    def _await_steady(self, phase: str) -> Steadiness:
        """Texts until it is so, within the experiment's bound; what was texted is judged with everything else."""
        began, tries, words = time.monotonic(), 0, ""
        bound = self._wanted.steady.within_seconds
        while not tries or time.monotonic() - began < bound:
            tries += 1
            self._tell(f"steady state {phase}", bound - (time.monotonic() - began))
            words = self._unsteady(phase)
            if not words:
                break
        return Steadiness(holds=not words, seconds=time.monotonic() - began, tries=tries, words=words)

    def _unsteady(self, phase: str) -> str:
        """One try: what was not as it should be, in words; empty where all were accepted, rung in time, answered."""
        steady = self._wanted.steady
        asked = experiment.Load(per_second=6, seconds=steady.people / 6, due_in=(steady.due_in, steady.due_in))
        texts = load.texts(load=asked, seed=self._seed, numbers=self._numbers, phase=phase)
        player = self._player(texts, via="carrier", starts_at=time.time() + 0.1)
        until = time.time() + 1.5 + steady.due_in + steady.lateness_max_seconds + 3
        words = ""
        while time.time() < until:
            time.sleep(_TICK_SECONDS)
            try:
                words = self._not_yet(player, len(texts))
            except OSError as away:
                words = f"the carrier does not answer ({away})"
            if not words:
                break
        player.join(_LAST_ANSWERS_SECONDS)
        self.found.promises += player.promises
        return words

    def _not_yet(self, player: Player, people: int) -> str:
        accepted = [promise for promise in player.promises if promise.answer == ACCEPTED]
        if len(accepted) < people:
            return f"{len(accepted)} of {people} texts were accepted"
        calls = books.by_number([books.call(one) for one in self._subject.calls()], "to")
        late, silent = 0.0, 0
        for promise in accepted:
            rung = [c for c in calls.get(promise.number, []) if c.ringing_at and c.answered_at and c.has_ended]
            silent += not rung
            late = max([late, *(call.ringing_at - promise.due_at for call in rung)])
        if silent:
            return f"{silent} of {people} were not rung and answered"
        limit = self._wanted.steady.lateness_max_seconds
        return f"rang {late:.1f} s late, more than {limit:g}" if late > limit else ""

    # ---- the end -----------------------------------------------------------------------------------

    def _await_quiet(self) -> None:
        """Unknown stays unknown until it is resolved: wait, bounded, until nothing is on its way."""
        until = time.monotonic() + self._wanted.quiet_seconds
        still_since, last = time.monotonic(), -1
        while time.monotonic() < until:
            self._tell("waiting until nothing is on its way", until - time.monotonic())
            with contextlib.suppress(OSError):
                if self._subject.tier == NAIVE:
                    calls = len(self._subject.calls())
                    still_since, last = (still_since, last) if calls == last else (time.monotonic(), calls)
                    due = max((one.due_at for one in self.found.promises if one.rings), default=0.0)
                    self.found.quiet = time.monotonic() - max(still_since, _monotonic(due)) > _STILL_SECONDS
                else:
                    self.found.quiet = self._is_quiet()
                if self.found.quiet:
                    return
            time.sleep(0.5)

    def _is_quiet(self) -> bool:
        numbers = sorted({promise.number for promise in self.found.promises})
        if books.open_work(self._subject, numbers):
            return False
        taken = set(self._subject_messages(numbers))
        return all(sid in taken for sid in books.sids(self.found.promises, answer=ACCEPTED))

    def _subject_messages(self, numbers: list[str]) -> list[str]:
        return [sid for sid, _ in self._subject.rows(books.MESSAGES, [numbers])]

    def _judge(self) -> None:
        found = self.found
        found.books = books.gather(self._subject, found.promises)
        found.judgement = oracle.judge(found.books)
        found.audit = audit(self._subject)
        found.measures = measured(found) | {name: round(one, 3) for name, one in self._breaker.measures().items()}
        if found.tier != NAIVE:
            found.measures["statements_differ"] = statements_differ(self._subject, found.books)
        found.wrong = experiment.judged(found.measures, self._wanted.expected(found.tier))
        found.wrong += found.not_healed
        if found.audit.get("error"):
            found.wrong.append(f"the audit gave no answer: {found.audit['error']}")
        if found.aborted:
            found.wrong.append(f"aborted: {found.aborted}")
        if found.after is None or not found.after.holds:
            words = found.after.words if found.after else "it was not looked at"
            found.wrong.append(f"the steady state did not come back: {words}")


def audit(subject: Subject) -> dict[str, Any]:
    """`./manage.py audit --json`; empty where the tier has none."""
    if subject.tier == NAIVE:
        return {}
    done = subject.manage("audit", "--json", seconds=120)
    try:
        answered: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().splitlines() or ["nothing"]
        return {"ok": None, "promises": [], "error": f"exit code {done.returncode}, and it said {said[-1][:300]}"}
    return answered


def statements_differ(subject: Subject, kept: Books, *, people: int = 2) -> int:
    """How many of a few people's statements, as they are shown to them, are not what the ledger's rows say."""
    differ = 0
    for number, charges in list(books.by_number(kept.ours.charges).items())[-people:]:
        done = subject.manage("statement", number, "--json")
        try:
            shown = [(line["kind"], line["amount_minor"]) for line in json.loads(done.stdout)["charges"]]
        except (ValueError, KeyError):
            shown = []
        differ += sorted(shown) != sorted((charge.kind, charge.amount_minor) for charge in charges)
    return differ


def measured(found: Found) -> dict[str, float]:
    """Every figure of a trial by name; lateness and gaps are those of the load, not of the steady state."""
    assert found.judgement is not None
    judgement = found.judgement
    during = [one for one in found.promises if one.phase in ("during", "flood")]
    late = [ring.lateness_seconds for ring in judgement.rings if ring.phase == "during"]
    gaps = gaps_of(during, [band.began_at for band in found.bands])
    broken = [one for one in found.audit.get("promises", []) if one["ok"] is False]
    figures: dict[str, float] = {
        "texted": len(during),
        **{answer: sum(one.answer == answer for one in during) for answer in judgement.answers},
        **judgement.counts(),
        "rung": len(judgement.rings),
        "missed": judgement.missed,
        "told_late": judgement.told_late,
        "told_refused": judgement.told_refused,
        "kept_unanswered": judgement.kept_unanswered,
        "audit_breaks": len(broken) + (1 if found.audit.get("error") else 0),
        "quiet": int(found.quiet),
    }
    if late:
        figures["lateness_p50_seconds"] = percentile(late, 0.5)
        figures["lateness_p99_seconds"] = percentile(late, 0.99)
        figures["lateness_max_seconds"] = max(late)
    if gaps:
        figures["gap_median_seconds"] = median(gaps)
        figures["gap_max_seconds"] = max(gaps)
    if found.after:
        figures["recovered_seconds"] = found.after.seconds
    return {name: round(value, 3) for name, value in figures.items()}


def gaps_of(promises: Sequence[Promise], faults: Sequence[float]) -> list[float]:
    """After each fault, the longest time without an accepted answer; without faults, of the whole load."""
    accepted = sorted(one.answered_at for one in promises if one.answer == ACCEPTED and one.answered_at)
    pairs = list(pairwise(accepted))
    bounds = [*faults, float("inf")] if faults else [0.0, float("inf")]
    found = []
    for began, ended in pairwise(bounds):
        within = [later - earlier for earlier, later in pairs if later >= began and earlier < ended]
        if within:
            found.append(max(within))
    return found


def _monotonic(unix: float) -> float:
    return time.monotonic() + (unix - time.time())
