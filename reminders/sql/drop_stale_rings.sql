-- Ring timers of a claim that have nothing to ring: the reminder has moved on (answered, cancelled, rung by another).
-- A reminder that is still scheduled under this generation keeps its timer.
-- Locks the timers that go. Served by the primary keys.
DELETE FROM reminders_timer t
 WHERE t.id = ANY (%(ids)s::uuid[]) AND t.token = %(token)s::uuid AND t.kind = 'ring'
   AND NOT EXISTS (SELECT FROM reminders_reminder r
                    WHERE r.id = t.key AND r.state = 'scheduled' AND r.generation = t.generation)
RETURNING t.id
