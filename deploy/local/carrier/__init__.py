"""The simulated carrier: Twilio's contract, a phone page and every fault, in one small process.

It stands where a real carrier would and imports nothing of the service. What Ringback may know of a
call or a message it learns over HTTP; what tests may know they read from the carrier's own books.
"""

from typing import Final

WAITING_PATH: Final = "/twiml/waiting"
