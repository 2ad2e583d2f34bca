"""`python -m deploy.lab.injection.later HOME ENTRY SECONDS`: heal one fault when its time is over."""

import sys
import time
from pathlib import Path

from deploy.lab.injection import engine
from deploy.local.home import Home

if __name__ == "__main__":
    place, entry, seconds = sys.argv[1:]
    time.sleep(float(seconds))
    engine.heal(Home(root=Path(place)), entry)
