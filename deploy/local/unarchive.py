"""Brings a file of the write-ahead log back: a program that Postgres calls for each one while it recovers.

`unarchive.py NAME PATH DIRECTORY …` takes it from the first directory that has it. It imports next to nothing: a
restore waits for it once for each 16 MB.
"""

import os
import sys
import zlib


def get(name: str, path: str, directories: "list[str]") -> int:
    """Bring a file back; 1 where no directory has it, which tells Postgres that the log ends there."""
    for directory in directories:
        for place, is_packed in ((f"{directory}/{name}.z", True), (f"{directory}/{name}", False)):
            if os.path.isfile(place):  # noqa: PTH113 (pathlib takes longer to import than all the rest)
                with open(place, "rb") as kept, open(path, "wb") as file:  # noqa: PTH123
                    file.write(zlib.decompress(kept.read()) if is_packed else kept.read())
                return 0
    return 1


if __name__ == "__main__":
    sys.exit(get(sys.argv[1], sys.argv[2], sys.argv[3:]))
