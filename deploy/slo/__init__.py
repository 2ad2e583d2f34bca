"""The objectives and the alerts as data, and what is generated from them: `python -m deploy.slo` writes it anew."""
