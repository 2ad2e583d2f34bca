-- A timer that is done, or has nothing to do: gone, while the claim is still ours.
-- Locks the timer. Served by its primary key.
DELETE FROM reminders_timer WHERE id = %(timer_id)s::uuid AND token = %(token)s::uuid
