"""Random, mutated and hostile texts for the reader, by the million: `python -m tests.fuzz --texts 1000000`."""
