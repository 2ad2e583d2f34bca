"""An account at a carrier beside others: what fails or hangs is asked no more, and new work goes to another one.

Each account has breakers and connections of its own. What is *new* may choose; what was asked of an account is
looked up there and nowhere else. A request that the breaker holds back was not sent: it may go elsewhere (P3).
Where there is one account only it is used as it is: every request is then its own probe.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from reminders import limits
from reminders.breaker import Breaker
from reminders.carriers import session
from reminders.carriers.base import (
    CallRecord,
    CallRequest,
    Carrier,
    CarrierError,
    MessageRecord,
    RefusedUs,
    Rejected,
    Told,
    Unavailable,
)

T = TypeVar("T")

# A probe asks for calls that there cannot be.
NOBODY: Final = "+15005550006"
NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Observer(Protocol):
    """Who is told of an account's state."""

    def __call__(self, name: str, *, is_open: bool) -> None: ...


class Account:
    """One of several accounts, as a carrier."""

    def __init__(self, *, carrier: Carrier, tell: Observer, clock: Callable[[], float] = time.monotonic) -> None:
        self._carrier = carrier
        self._tell = tell
        self._clock = clock
        self._breaker = Breaker(
            failures_max=limits.CARRIER_FAILURES_MAX,
            open_seconds=limits.CARRIER_OPEN_SECONDS,
            open_seconds_max=limits.CARRIER_OPEN_SECONDS_MAX,
        )
        # An account may refuse every call and still answer what it is asked: calls have their own breaker and probe.
        self._calls = Breaker(
            failures_max=limits.CARRIER_REFUSALS_MAX,
            open_seconds=limits.CARRIER_OPEN_SECONDS,
            open_seconds_max=limits.CARRIER_OPEN_SECONDS_MAX,
        )
        self._shown_open = False
        # Of the process's one loop: no lock. Since when each request waits, and when one was answered last.
        self._waiting: dict[object, float] = {}
        self._answered_at = float("-inf")
        tell(carrier.name, is_open=False)

    @property
    def name(self) -> str:
        return self._carrier.name

    @property
    def available(self) -> bool:
        """Whether new work should go here; where it should not, a probe is sent when its time has come."""
        if self._breaker.closed and self._calls.closed:
            return not self._stalled() and len(self._waiting) < limits.CARRIER_CONNECTIONS_MAX
        self._probe()
        return False

    async def place_call(self, request: CallRequest) -> str:
        if not self._calls.closed:
            self._probe()
            raise Unavailable("breaker")
        return await self._new(lambda: self._placed(request))

    async def try_out(self) -> None:
        await self._ask(self._carrier.try_out)

    async def fetch_call(self, sid: str) -> CallRecord:
        return await self._ask(lambda: self._carrier.fetch_call(sid))

    async def calls_to(self, number: str, *, since: datetime) -> Sequence[CallRecord]:
        return await self._ask(lambda: self._carrier.calls_to(number, since=since))

    async def told(self, sid: str) -> Told | None:
        return await self._ask(lambda: self._carrier.told(sid))

    async def hang_up(self, sid: str) -> None:
        await self._ask(lambda: self._carrier.hang_up(sid))

    async def send_message(self, *, to: str, body: str, reply_id: UUID) -> str:
        return await self._new(lambda: self._carrier.send_message(to=to, body=body, reply_id=reply_id))

    async def fetch_message(self, sid: str) -> MessageRecord:
        return await self._ask(lambda: self._carrier.fetch_message(sid))

    async def messages(
        self, *, number: str, inbound: bool, since: datetime, pages_max: int = 1
    ) -> Sequence[MessageRecord]:
        return await self._ask(
            lambda: self._carrier.messages(number=number, inbound=inbound, since=since, pages_max=pages_max)
        )

    async def _new(self, request: Callable[[], Awaitable[T]]) -> T:
        """Something new: where this account's set-up is refused, nothing happened, and another one may do it."""
        try:
            return await self._ask(request)
        except Rejected as error:
            if error.ours:
                self._note(healthy=False)
                raise RefusedUs(error.reason) from error
            raise

    async def _placed(self, request: CallRequest) -> str:
        try:
            return await self._carrier.place_call(request)
        except (Unavailable, Rejected) as error:
            if isinstance(error, Unavailable) or error.locked_out:  # not what may be about this call alone
                self._calls.failed(monotonic=self._clock())
                self._show()
            raise

    async def _ask(self, request: Callable[[], Awaitable[T]]) -> T:
        if not self._breaker.closed:
            self._probe()
            raise Unavailable("breaker")
        if len(self._waiting) >= limits.CARRIER_CONNECTIONS_MAX:
            raise Unavailable("bulkhead")
        return await self._watched(request)

    async def _watched(self, request: Callable[[], Awaitable[T]]) -> T:
        """Ask, and take note of how it went. A cancelled request is one that had no answer in time."""
        began, mark = self._clock(), object()
        self._waiting[mark] = began
        healthy: bool | None = False
        try:
            answer = await request()
            healthy = self._clock() - began < limits.CARRIER_SLOW_SECONDS
            return answer
        except Rejected as error:
            healthy = None if error.ours else True
            raise
        finally:
            del self._waiting[mark]
            if healthy is not None:
                self._note(healthy=healthy)

    def _note(self, *, healthy: bool) -> None:
        if healthy:
            self._answered_at = self._clock()
            self._breaker.succeeded()
        else:
            self._breaker.failed(monotonic=self._clock())
        self._show()

    def _show(self) -> None:
        is_open = not (self._breaker.closed and self._calls.closed)
        if is_open is not self._shown_open:
            self._shown_open = is_open
            self._tell(self.name, is_open=is_open)

    def _stalled(self) -> bool:
        """Whether requests wait for long and nothing was answered since: no need to wait for their time-out."""
        oldest = min(tuple(self._waiting.values()), default=None)
        if oldest is None or self._answered_at > oldest:
            return False
        return self._clock() - oldest >= limits.CARRIER_SLOW_SECONDS

    def _probe(self) -> None:
        if not self._breaker.closed and self._breaker.allows(monotonic=self._clock()):
            session.begin(self._probed())
        if not self._calls.closed and self._calls.allows(monotonic=self._clock()):
            session.begin(self._tried_out())

    async def _probed(self) -> None:
        """A request that does nothing: the carrier's list of no calls."""
        try:
            await self._watched(lambda: self._carrier.calls_to(NOBODY, since=NEVER))
        except (CarrierError, TimeoutError):
            return  # noted

    async def _tried_out(self) -> None:
        """A call to nobody: whether calls are taken again."""
        try:
            await self._watched(self._carrier.try_out)
        except (CarrierError, TimeoutError):
            self._calls.failed(monotonic=self._clock())
        else:
            self._calls.succeeded()
        self._show()


def is_elsewhere(accounts: Sequence[Carrier], *, than: Carrier) -> bool:
    """Whether the next call goes through another account than this one, which takes it."""
    found = choose(accounts)
    return found is not than and isinstance(found, Account) and found.available


def choose(accounts: Sequence[Carrier]) -> Carrier:
    """The first account that is available; where none is, the first, which then says so without being asked."""
    return next((one for one in accounts if not isinstance(one, Account) or one.available), accounts[0])
