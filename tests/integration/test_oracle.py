"""The oracle of the acceptance tests looks at every table, or says why not."""

from tests import servers
from tests.acceptance import oracle
from tests.databases import connected

TABLES = """
SELECT relname FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
   AND relname ~ '^(billing|reminders)_'
"""


def test_a_table_is_counted_or_is_the_systems_own(database: servers.Database) -> None:
    with connected(database.owner_url) as owner:
        tables = {name for (name,) in owner.execute(TABLES).fetchall()}
        assert tables == {*oracle.COUNTED, *oracle.ITS_OWN, "reminders_timer"}
        assert {name for name, _ in owner.execute(oracle.COUNTS).fetchall()} == tables - set(oracle.ITS_OWN)


def test_nothing_moves_in_a_database_without_people(database: servers.Database) -> None:
    with connected(database.owner_url) as owner:
        assert owner.execute(oracle.RESTLESS).fetchall() == []
