"""The carriers: one module each, behind the protocol of `base`."""
