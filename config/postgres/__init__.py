"""Django's Postgres backend with a checkout that costs no round trip."""
