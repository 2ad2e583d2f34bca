"""What a trial injects and heals: the faults of the catalogue, on one running system."""

from deploy.lab import faults
from deploy.lab.experiment import Planned
from deploy.lab.subject import Subject
from deploy.lab.trial import NotHealed, NotHere, NotInjected
from deploy.local.home import Home


class Catalogue:
    """The catalogue's faults. Each ends with this process at the latest: its journal is on disk."""

    def __init__(self, subject: Subject) -> None:
        self._home = Home(root=subject.home)

    def inject(self, fault: Planned) -> str:
        """Inject it; how, in words. Raises NotHere where this machine or tier lacks what it needs, NotInjected."""
        try:
            done = faults.inject(self._home, fault.name, target=fault.target or None, **fault.options)
        except faults.NotHereError as missing:
            raise NotHere(str(missing)) from None
        except faults.FaultError as problem:
            raise NotInjected(str(problem)) from None
        fault_options = "".join(f" --option {name}={value}" for name, value in fault.options.items())
        return f"./manage.py lab break {done.fault} --target {done.target} --way {done.way}{fault_options}"

    def heal(self, name: str | None = None) -> None:
        """Undo it, and wait until its processes serve again."""
        try:
            faults.heal(self._home, name)
        except faults.FaultError as problem:
            raise NotHealed(str(problem)) from None

    def measures(self) -> dict[str, float]:
        """Nothing: what a fault does is seen from outside."""
        return {}
