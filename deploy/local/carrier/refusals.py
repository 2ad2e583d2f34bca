"""Errors of the REST interface, with Twilio's codes."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """The request is refused: an HTTP status, Twilio's code, and a sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @classmethod
    def missing(cls, path: str) -> RefusedError:
        """Nothing is found at this path."""
        return cls(404, 20404, f"The requested resource {path} was not found")

    def body(self) -> dict[str, Any]:
        """As Twilio writes it."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
