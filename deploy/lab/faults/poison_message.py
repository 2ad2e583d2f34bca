"""One reminder makes whoever touches it fail."""

from deploy.lab.injection import drive, measures
from deploy.lab.injection.fault import Bite, Fault, Way
from deploy.lab.injection.scene import Scene
from deploy.lab.injection.targets import postgres_nodes

_POISON = """
CREATE OR REPLACE FUNCTION lab_poison() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM public.reminders_reminder r JOIN public.reminders_subscriber s ON s.id = r.subscriber_id
              WHERE r.id = NEW.reminder_id AND s.number IN ({numbers})) THEN
    RAISE EXCEPTION 'this row is poison';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER lab_poison BEFORE INSERT ON reminders_attempt FOR EACH ROW EXECUTE FUNCTION lab_poison();
"""
_MENDED = "DROP TRIGGER IF EXISTS lab_poison ON reminders_attempt; DROP FUNCTION IF EXISTS lab_poison()"
_CLAIMED = """
SELECT coalesce(max(t.claims), 0), coalesce(max(r.state), 'none')
  FROM reminders_subscriber s JOIN reminders_reminder r ON r.subscriber_id = s.id
  LEFT JOIN reminders_timer t ON t.key = r.id AND t.kind = 'ring' WHERE s.number = '{number}'
"""


def inject(scene: Scene) -> None:
    primary = next(name for name, role in postgres_nodes(scene.home).items() if role == "primary")
    numbers = [drive.number() for _ in range(int(scene.options["rows"]))]
    scene.will("sql", node=primary, statement=_MENDED)
    scene.note(number=numbers[0], node=primary)
    quoted = ", ".join(f"'{number}'" for number in numbers)
    measures.sql(scene.home, _POISON.format(numbers=quoted) + "SELECT 1", node=primary)
    for number in numbers:
        drive.text(scene, number, "Remind in 1 second about poison")


def bites(scene: Scene) -> Bite:
    """Whether the poisoned reminder was claimed and came to nothing."""
    if scene.entry is None:
        return Bite(bites=False, measured="no row is poisonous")
    query = _CLAIMED.format(number=scene.fact("number"))
    (claims, state) = measures.sql(scene.home, query, node=str(scene.fact("node")))[0]
    return Bite(
        bites=claims > 0 or state == "dead", measured=f"the poisoned reminder is {state}, claimed {claims} times"
    )


FAULT = Fault(
    name="poison-message",
    imitates="a row that meets a bug: an odd body, a zone that no longer exists",
    fault_class="correctness",
    options={"rows": 1},
    blast_radius="that reminder; from the second claim on it travels alone, at five it is a dead letter",
    shows="an error that comes again with each claim; then a dead letter with an alert",
    undone="The trigger is dropped; what became a dead letter is replayed by hand.",
    targets=("postgres-*",),
    needs=("own-postgres", "simulated-carrier"),
    ways=(Way(name="trigger", how="A trigger refuses the attempts of `rows` new reminders.", inject=inject),),
    bites=bites,
)
