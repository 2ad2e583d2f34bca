"""`python -m deploy.lab.injection.later HOME ENTRY SECONDS`: heal one fault (all: an empty ENTRY) after that time.

What cannot be healed yet stays in the journal for the next command of the lab; nothing here fails for it.
"""

import sys
import time
from pathlib import Path

from deploy.lab.injection import engine
from deploy.lab.injection.fault import FaultError
from deploy.local.home import Home

if __name__ == "__main__":
    place, entry, seconds = sys.argv[1:]
    time.sleep(float(seconds))
    try:
        for line in engine.heal(Home(root=Path(place)), entry or None):
            print(f"healed what was broken on purpose: {line}")
    except (FaultError, OSError) as problem:
        print(problem)
