"""The carrier as a whole: its books, its lines, its message desk, wired once."""

from __future__ import annotations

from deploy.local.carrier.books import Books
from deploy.local.carrier.callbacks import Callbacks
from deploy.local.carrier.calls import Lines
from deploy.local.carrier.messages import Desk
from deploy.local.carrier.settings import Settings
from deploy.local.carrier.webhooks import Sender


class Engine:
    """Everything that the edges (REST, control, page) drive. Needs a running event loop to start."""

    def __init__(self, *, settings: Settings) -> None:
        self.settings = settings
        self.books = Books(directory=settings.home)
        self._sender = Sender()
        tokens = {account.sid: account.token for account in settings.accounts}
        self._callbacks = Callbacks(books=self.books, sender=self._sender, tokens=tokens)
        self.desk = Desk(books=self.books, sender=self._sender, callbacks=self._callbacks, settings=settings)
        self.lines = Lines(
            books=self.books,
            sender=self._sender,
            callbacks=self._callbacks,
            settings=settings,
            reply=self.desk.reply_from_call,
        )
        self._requests = 0

    def start(self) -> None:
        """Read the books and go on where the last process stopped."""
        self.books.load()
        self.lines.resume()
        self.desk.resume()

    async def stop(self) -> None:
        """Stop where everything stands; nothing is ended by it."""
        self.lines.stop()
        self.desk.stop()
        self._callbacks.stop()
        await self._sender.close()
        self.books.close()

    def next_number(self) -> str:
        """The number of a create request, so that each has its own draw of the faults."""
        self._requests += 1
        return str(self._requests)

    def number_of(self, account: str) -> str:
        """The service number of an account."""
        return next(one.number for one in self.settings.accounts if one.sid == account)
