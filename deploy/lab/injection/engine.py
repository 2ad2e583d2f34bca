"""Inject, heal, status: the only way in which a fault begins and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from fnmatch import fnmatchcase
from typing import Any

from deploy.lab.injection import deeds, journal, machine
from deploy.lab.injection.fault import UP, Bite, Fault, FaultError, Injected, NotHereError, Way
from deploy.lab.injection.scene import Scene
from deploy.lab.injection.targets import targets
from deploy.local import records
from deploy.local.home import REPOSITORY, Home

SECONDS_MAX = 3600.0


def begin(
    home: Home,
    fault: Fault,
    *,
    target: str | None,
    seconds: float | None,
    way: str | None,
    kept: bool,
    options: dict[str, Any],
) -> Injected:
    """Inject it. Whatever goes wrong in the middle is undone before the error leaves."""
    replay(home)
    refuse_idle(home)
    if seconds is not None and not 0 < seconds <= SECONDS_MAX:
        raise FaultError(f"A fault lasts more than 0 and at most {SECONDS_MAX:g} seconds.")
    unknown = sorted(set(options) - set(fault.options))
    if unknown:
        known = ", ".join(fault.options) or "none"
        raise FaultError(f"{fault.name} has no option {unknown[0]!r}; its options: {known}.")
    where, taken = choose_target(home, fault, target), choose_way(home, fault, way)
    chosen = {**fault.options, **options}
    entry = journal.open_entry(
        home, fault=fault.name, target=where, way=taken.name, seconds=seconds, facts={"options": chosen}
    )
    try:
        taken.inject(Scene(home=home, target=where, options=chosen, entry=entry))
        entry.state, entry.owner = "injected", None if kept else entry.owner
        journal.save(home, entry)
    except BaseException:
        heal(home, entry.id)
        raise
    if seconds is not None:
        _heal_later(home, entry.id, seconds)
    return entry.shown()


def refuse_idle(home: Home) -> None:
    """NotHereError where nothing runs that could be broken."""
    if records.supervisor(home) is None:
        raise NotHereError(f"Ringback does not run here: start it with {UP}, then break it.")


def heal(home: Home, name: str | None = None) -> list[str]:
    """Undo what is in force: everything, one fault by its name, or one entry by its id. What was undone, in words.

    Healing what is not in force does nothing. FaultError, after the rest was undone, names what could not be.
    """
    with journal.healing(home):
        wanted = [entry for entry in journal.entries(home) if name in (None, entry.fault, entry.id)]
        return _undo_all(home, wanted)


def replay(home: Home) -> list[str]:
    """Heal what its owner left behind by dying, and what has had its time. Every lab command begins with this."""
    if not any(entry.is_due() for entry in journal.entries(home)):
        return []
    with journal.healing(home):
        return _undo_all(home, [entry for entry in journal.entries(home) if entry.is_due()])


def measure(home: Home, fault: Fault, *, target: str | None = None) -> Bite:
    """Measure the fault's effect now, in force or not."""
    entry = next((e for e in journal.entries(home) if e.fault == fault.name and target in (None, e.target)), None)
    # What was struck may be no primary any more: it is measured all the same.
    where = entry.target if entry else target or choose_target(home, fault, None)
    options = entry.facts.get("options", {}) if entry else dict(fault.options)
    return fault.bites(Scene(home=home, target=where, options=options, entry=entry))


def choose_target(home: Home, fault: Fault, wanted: str | None) -> str:
    """The target that is wanted, or the first that runs. NotHereError where this system has none."""
    found = targets(home)
    matching = [name for pattern in fault.targets for name in found if fnmatchcase(name, pattern)]
    suitable = fault.pick(home, list(dict.fromkeys(matching)))
    if wanted is None:
        if not suitable:
            raise NotHereError(f"{_lacks(home, fault)}.", fault=fault.name)
        return suitable[0]
    plain = wanted.replace("->", "→")
    if plain not in suitable and not any(fnmatchcase(name, plain) for name in suitable):
        raise FaultError(f"{fault.name} cannot strike {wanted}: choose one of {', '.join(suitable) or 'none'}.")
    return plain


def choose_way(home: Home, fault: Fault, wanted: str | None) -> Way:
    """The first way that this machine and system allow. NotHereError says what is missing for each."""
    missing = []
    for need in fault.needs:
        lack = machine.lack(home, need)
        if lack:
            raise NotHereError(f"{lack}.", fault=fault.name)
    for way in fault.ways:
        if wanted is not None and way.name != wanted:
            continue
        lacks = [lack for need in way.needs if (lack := machine.lack(home, need))]
        if not lacks:
            return way
        missing.append(f"{'; '.join(lacks)} (way {way.name})")
    if not missing:
        raise FaultError(f"{fault.name} has no way {wanted!r}; its ways: {', '.join(way.name for way in fault.ways)}.")
    raise NotHereError(f"{', '.join(missing)}.", fault=fault.name)


def _undo_all(home: Home, wanted: list[journal.Entry]) -> list[str]:
    done, failed = [], []
    for entry in reversed(wanted):
        try:
            for step in reversed(entry.undo):
                deeds.undo(home, step["deed"], step["facts"])
        except FaultError as problem:
            failed.append(f"{entry.fault} at {entry.target}: {problem}")
            continue
        journal.close(home, entry)
        done.append(f"{entry.fault} at {entry.target}")
    if failed:
        raise FaultError(f"Not healed: {' '.join(failed)} Healed: {', '.join(done) or 'nothing else'}.")
    return done


def _heal_later(home: Home, entry: str, seconds: float) -> None:
    """A process of its own heals it then, whatever became of this one."""
    subprocess.Popen(
        [sys.executable, "-m", "deploy.lab.injection.later", str(home.root), entry, f"{seconds:g}"],
        cwd=REPOSITORY,
        env={**os.environ, "RINGBACK_LAB_FAULT": f"healer-of-{entry}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _lacks(home: Home, fault: Fault) -> str:
    through_links = any("→" in pattern for pattern in fault.targets)
    return (machine.lack(home, "links") if through_links else None) or f"nothing like {' or '.join(fault.targets)} runs"
