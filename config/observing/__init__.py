"""Looking: what a person's history, a call's price and this process's metrics are shown by."""
