"""`python -m deploy.local.cluster_wait PORT …`: ends when one node leads and one streams from it.

With strict synchronous replication nothing can be committed before that.
"""

import sys
import time
from typing import Final

from deploy.local import replicated

_AGAIN_SECONDS: Final = 0.1


def main(ports: list[int]) -> int:
    """Wait; whoever started it sets the bound."""
    while True:
        leading = [port for port in ports if replicated.leads(port)]
        ready = [port for port in ports if replicated.is_ready(port)]
        if leading and len(ready) > 1:
            print(f"node {ports.index(leading[0]) + 1} leads, {len(ready) - 1} stream", flush=True)
            return 0
        time.sleep(_AGAIN_SECONDS)


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]]))
