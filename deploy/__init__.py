"""What runs Ringback, breaks it and judges it. Nothing that serves people imports it."""
