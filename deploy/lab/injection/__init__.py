"""How faults are injected, recorded on disk, measured and undone; the faults are files of deploy/lab/faults."""
