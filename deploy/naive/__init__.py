"""The anti-pattern: the reminder is a Celery ETA in Redis. Kept small and apart, so that a class can watch it lose."""
