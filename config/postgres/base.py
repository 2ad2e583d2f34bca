"""The database engine: Django's own, on connections that know when they are dead, with a pool of ours.

`STATEMENT_SECONDS` beside the OPTIONS is how long one statement may take here; the client gives up a little later, so
that a living server always answers first. OPTIONS["pool"] is {"size", "wait_seconds"}.
"""

from typing import Any, Final

from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from config.postgres import probe
from config.postgres.connection import Guarded
from config.postgres.pool import Pool
from reminders import witness

GRACE_SECONDS: Final = 1.0


_pools: Final[dict[str, Pool]] = {}


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend; how a connection is made, kept, waited for and given up is ours."""

    @property
    def pool(self) -> Any:
        """This alias's pool, or None where it keeps none."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options:
            return None
        found = _pools.get(self.alias)
        if found is None:
            params = self.get_connection_params() | {"autocommit": True}
            made = Pool(connect=lambda: self._configured(params), **options)
            found = _pools.setdefault(self.alias, made)
            probe.begin(connect=lambda without: self.connect_apart(without=without, **params))
        return found

    def close_pool(self) -> None:
        """Drop the idle connections, as Django does where a setting that they were made with has changed."""
        found = _pools.pop(self.alias, None)
        if found is not None:
            found.close()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Guarded:
        """A connection for this thread. Raises psycopg's errors."""
        self.isolation_level = IsolationLevel.READ_COMMITTED
        pool: Pool | None = self.pool
        return pool.getconn() if pool is not None else self.connect_apart(**conn_params)

    def connect_apart(self, **params: Any) -> Guarded:
        """A connection that no pool counts: the probe's, or one that listens. A replica lags, and is not compared."""
        seconds = self.statement_seconds
        made = Guarded.open(statement_seconds=seconds + GRACE_SECONDS if seconds else None, **params)
        if self.alias == "default":
            witness.look(made)
        return made

    def ensure_connection(self) -> None:
        """Django's, where there is none; one that was found dead is replaced, outside of a transaction."""
        connection = self.connection
        if connection is not None:
            if self.in_atomic_block or not connection.closed:
                return
            self.close()
        super().ensure_connection()

    def close_if_unusable_or_obsolete(self) -> None:
        """Django's, at the end of a request; a dead one is given back without a look, which would make a new one."""
        if self.connection is not None and self.connection.closed:
            self.close()
            return
        super().close_if_unusable_or_obsolete()

    @property
    def statement_seconds(self) -> float | None:
        """How long the server lets one statement take; None for ever."""
        seconds: float | None = self.settings_dict.get("STATEMENT_SECONDS")
        return seconds

    def _configured(self, params: dict[str, Any]) -> Guarded:
        connection = self.connect_apart(**params)
        self._configure_connection(connection)  # type: ignore[attr-defined]  # Django's, for pools
        return connection
