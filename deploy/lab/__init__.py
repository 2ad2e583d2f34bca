"""What breaks Ringback, loads it and judges it. Nothing that serves people imports it."""
