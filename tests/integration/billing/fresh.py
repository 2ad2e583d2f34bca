"""The databases of billing's tests are those of every test."""

from tests.databases import connected, fresh_database, superuser_url

__all__ = ["connected", "fresh_database", "superuser_url"]
