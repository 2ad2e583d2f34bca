"""The peers' programs: what Ringback is measured against, each the barest that does the same work."""
