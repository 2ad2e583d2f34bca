"""Every bound in one place. Seconds unless the name says otherwise.

What an operator may change is a setting (`config/settings.py`); what only code may change is here.
"""

from typing import Final

# Intake: a text message has at most 10 segments at most carriers (1,600 characters at Twilio).
BODY_BYTES_MAX: Final = 64 * 1024
FIELDS_MAX: Final = 100
PAGE_BYTES_MAX: Final = 256 * 1024  # the body of what is no webhook: a form of the admin
BODY_SECONDS: Final = 10.0  # how long a client may take to send its body
TEXT_CHARACTERS_MAX: Final = 1_600
SUBJECT_CHARACTERS_MAX: Final = 500
OPEN_REMINDERS_MAX: Final = 200
INTAKE_TRIES_MAX: Final = 5
INTAKE_BATCH_MAX: Final = 32  # messages that are committed together
INTAKE_LEADERS_MAX: Final = 2  # batches of a process at once: one decides while the other waits for Postgres
INTAKE_BESIDE_MIN: Final = 12  # so many wait for a batch of their own, beside one at work
INTAKE_BESIDE_SECONDS: Final = 0.02  # ... or for so long: a locked row holds others no longer
INTAKE_WAITING_MAX: Final = 128  # messages that wait for a batch; what comes then needs a thread, and may be sent away
INTAKE_TURNS_MAX: Final = 16  # messages of one number at once: one that floods us leaves half of the threads alone
INTAKE_TURN_SECONDS: Final = 5.0  # how long a message waits for older ones of its number
STORED_ANSWER_SECONDS: Final = 600

# The spool (its bytes and its age are settings).
SPOOL_SENDER_BYTES_MAX: Final = 256 * 1024  # of one sender: some thousand texts
SPOOL_WAIT_SECONDS: Final = 1.0  # for one sender's file, which somebody else appends to or reads
SPOOL_LOCK_POLL_SECONDS: Final = 0.005
SPOOL_COUNT_SECONDS: Final = 1.0  # how old the count of its bytes may be
DRAIN_POLL_SECONDS: Final = 0.5
SPOOL_TRIED_SECONDS: Final = 5.0  # how often the disk is tried while nothing has to go there
SPOOL_STALE_SECONDS: Final = 15.0
DRAIN_TRIES_MAX: Final = 5  # a text that fails so often by itself is put aside, with an alert
CALLBACK_SECONDS: Final = 3.0  # the database's budget for a carrier's callback, where there is a spool

# Admission and spending.
ALLOWANCES_MAX: Final = 20_000  # numbers whose allowance a process remembers
DIALLED_COUNTED_MAX: Final = 10_000  # attempts counted where no bound says how far
LIFTED_SECONDS_MAX: Final = 24 * 3600

# The conversation.
HELD_SECONDS: Final = 3600  # how long a question of ours waits for its answer
UNDO_SECONDS: Final = 900  # how long a change can be undone
SNOOZE_SECONDS: Final = 600  # where the person names no time
SNOOZE_MINUTES_MAX: Final = 24 * 60
YEARS_AHEAD_MAX: Final = 10

# Dispatch.
BATCH_MAX: Final = 100
CLAIM_MAX: Final = 500
POLL_SECONDS: Final = 1.0
PACED_SECONDS: Final = 0.1  # how soon a dispatcher that the carrier's pace held back looks again
LOW_WATER_MARGIN_SECONDS: Final = 5.0
FULL_SCAN_SECONDS: Final = 60.0
PUBLISH_TIMEOUT_SECONDS: Final = 1.0
PUBLISH_RETRY_SECONDS: Final = 1.0
CLAIMS_MAX: Final = 5
CLAIMS_SHARED_MAX: Final = 1  # a row that was opened this often travels alone
FAILED_SECONDS_MAX: Final = 60.0  # how long a ring that failed waits until it is tried again, at most
TIMER_FAILED_SECONDS_MAX: Final = 300.0  # the same of a look-up, a reply, or housekeeping
SUSPECTS_MAX: Final = 1_000  # rows that a process remembers to have failed
SUSPECT_SECONDS: Final = 2 * TIMER_FAILED_SECONDS_MAX  # for how long: what still fails has failed again by then
ALONE_SECONDS: Final = 15  # a row that fails for so long, and nobody else fails or is due, may be to blame all the same
WELL_SECONDS: Final = 3_600  # ... where somebody else got through in the hour before
BURIED_MAX: Final = 20  # poison in an hour: where more would be buried, it is not the rows, and they are held
PARK_SECONDS: Final = 60.0  # the backstop of a reminder that waits for its person's other call

# Delivery.
SEND_WITHIN_SECONDS: Final = 5.0
CARRIER_CONNECT_SECONDS: Final = 3.0
CARRIER_TIMEOUT_SECONDS: Final = 8.0
CALL_REQUEST_SECONDS: Final = 6.0  # the same of a request for a call, which is part of the look-up horizon
CARRIER_CONNECTIONS_MAX: Final = 400  # every thread of a worker with a full batch: no request waits for a socket
SETTLE_SECONDS: Final = 2.0
CARRIER_FAILURES_MAX: Final = 5  # in a row: then new work goes to another account, where there is one
CARRIER_REFUSALS_MAX: Final = 1  # of calls, in a row: a refusal is a plain word, and there is another account
CARRIER_SLOW_SECONDS: Final = 4.0  # an answer that takes longer is a failure of the account's
CARRIER_OPEN_SECONDS: Final = 1.0
CARRIER_OPEN_SECONDS_MAX: Final = 30.0
ATTEMPTS_MAX: Final = 20  # numbers taken for one occurrence, dialled or not, before it is a dead letter
NOT_SENT_RETRY_SECONDS: Final = (2.0, 5.0, 15.0, 60.0, 300.0)

# Outcomes and recovery.
CALL_LIST_MAX: Final = 5_000
CALL_PAGE: Final = 1_000  # the longest page that a carrier lists
CARRIER_UNSEEN_SECONDS: Final = 7.0  # of the look-up horizon, at least: a carrier's queue, and how far its list lags
CARRIER_QUEUE_SECONDS: Final = 60  # how long a carrier may hold a call back before it rings
CALL_SECONDS_MAX: Final = 300  # the longest call that is not worth an alert
LOOK_UPS_MIN: Final = 3
UNKNOWN_SECONDS_MAX: Final = 24 * 3600  # how long a carrier is asked in vain: then it is a dead letter, or undelivered
LOOK_UPS_MAX: Final = 50
HANG_UP_AGAIN_SECONDS: Final = (1.0, 300.0)  # between two tries: half of how long it was tried, within these
LATE_SNOOZE_SECONDS: Final = 15 * 60
LATE_PROOF_SECONDS: Final = 24 * 3600
REPLY_LOOK_UP_SECONDS: Final = 60
REPLY_UNFOUND_AGAIN_SECONDS: Final = (60.0, 3_600.0)  # where it is not known by the id that we were given: as above
REPLY_SENDS_MAX: Final = 3
REPLY_HELD_SECONDS_MAX: Final = 10 * 3600  # while a carrier refuses our set-up; as long as one queues a message itself
REPLY_HELD_AGAIN_SECONDS: Final = (2.0, 45.0)  # between two tries: half of its age, within these; see watching.LATELY

# Telling.
OVERDUE_SECONDS: Final = 60  # how late a row's own timer may be before audit calls it a break
WATCH_DAYS_MAX: Final = 30  # how long somebody's every trace may be kept
WATCHED_MAX: Final = 100  # people at once
TRACE_ROWS_MAX: Final = 10_000  # of each kind, newest first, for one person
TRACE_ATTEMPTS_MAX: Final = 2_000  # of those, attempts: each tells up to eight things
AUDIT_SECONDS: Final = 600  # how long one statement of audit may take
AUDIT_BREAKS_MAX: Final = 1_000  # of each check
AUDIT_MEMORY_MB: Final = 64  # of each sort or hash in its statements, before they go to disk
AUDIT_DAYS: Final = 30  # how far back the carrier's books are read, as far as its lists reach
MESSAGE_LIST_MAX: Final = 1_000  # the longest page that a carrier lists
DEAD_LETTERS_LISTED_MAX: Final = 1_000
PARTITIONS_AHEAD: Final = 3
UNPLACED_COUNTED_MAX: Final = 1_000_000  # rows of history that no month holds, as far as they are counted
PLACED_MAX: Final = 20_000  # of them in one month that a command moves while people are served
PLACE_ROWS_SECONDS: Final = 60
LOCK_TIMEOUT_MS: Final = 2_000

# Reconciling.
RECONCILE_SECONDS: Final = 3600
BACKFILL_SLACK_SECONDS: Final = 600.0  # a list lags, and a webhook is repeated
BACKFILL_DAYS_MAX: Final = 30
BACKFILL_PAGES_MAX: Final = 50  # of limits.MESSAGE_LIST_MAX: what one pass reads
BACKFILL_SECONDS: Final = 60.0
REBUILD_SECONDS: Final = 300.0  # what the carrier told us during its calls is asked for within that, after a restore
REBUILD_ASKED_TOGETHER_MAX: Final = 16
RECONCILED_CALLS_MAX: Final = 500  # of each kind in one pass: evidence that was missed, calls that nobody knows
WEBHOOK_SECONDS: Final = 30  # a carrier's webhook and its retries are over by then
DOORBELL_QUEUE: Final = "ringback"  # the list in Redis that every worker reads
DOORBELLS_WAITING_MAX: Final = 64  # backpressure: batches in Redis above which a dispatcher claims no more
WITNESS_SECONDS: Final = 1.0  # how often a process has its witness moved: a restore that loses less is not seen
WITNESSES_MAX: Final = 100  # files of witnesses that are read in one data directory
DECLARE_SECONDS: Final = 2.0  # within that a server acknowledges a quarantine, or it is not believed at all
BACKPRESSURE_SECONDS: Final = 0.02
MISSED_DAYS: Final = 7  # how far back a person who calls us hears what they missed
MISSED_SAID_MAX: Final = 5
MISSED_LOOKED_AT_MAX: Final = 50  # occurrences of each of their reminders, the last ones
