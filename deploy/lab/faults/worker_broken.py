"""Whatever a worker begins fails: the defect is its own, and every row meets it."""

from deploy.lab.injection import measures
from deploy.lab.injection.fault import Bite, Fault, FaultError, Way
from deploy.lab.injection.scene import Scene
from deploy.lab.injection.targets import primaries

_BROKEN = """
CREATE OR REPLACE FUNCTION lab_worker_broken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the worker is broken';
END $$;
CREATE TRIGGER lab_worker_broken BEFORE INSERT ON reminders_attempt FOR EACH ROW EXECUTE FUNCTION lab_worker_broken();
SELECT 1
"""
_MENDED = "DROP TRIGGER IF EXISTS lab_worker_broken ON reminders_attempt; DROP FUNCTION IF EXISTS lab_worker_broken()"
# As a worker would, of nobody; nothing of it stays.
_TRIED = """
BEGIN;
INSERT INTO reminders_attempt (id, reminder_id, occurrence_id, subscriber_id, bucket, sequence, number, state, carrier)
VALUES (ringback_uuid7(), ringback_uuid7(), ringback_uuid7(), ringback_uuid7(), 0, 1, 1, 'intended', 'lab');
ROLLBACK;
SELECT 1
"""


def inject(scene: Scene) -> None:
    scene.will("sql", node=scene.target, statement=_MENDED)
    measures.sql(scene.home, _BROKEN, node=scene.target)


def bites(scene: Scene) -> Bite:
    """Whether an intent is refused, whoever it is for."""
    try:
        measures.sql(scene.home, _TRIED, node=scene.target)
    except FaultError as problem:
        return Bite(bites="the worker is broken" in str(problem), measured=f"an intent: {str(problem).splitlines()[0]}")
    return Bite(bites=False, measured="an intent is taken")


FAULT = Fault(
    name="worker-broken",
    imitates="a bad deploy of the worker: an exception that every reminder meets",
    fault_class="correctness",
    blast_radius="every phone that should ring; texts are taken and answered",
    shows="batches that fail, for everybody; reminders that are due and wait; no dead letter",
    undone="The trigger is dropped; what waited rings within a minute, says that it is late, and is free.",
    targets=("postgres-*",),
    needs=("own-postgres",),
    ways=(Way(name="trigger", how="A trigger refuses every attempt.", inject=inject),),
    bites=bites,
    pick=primaries,
)
