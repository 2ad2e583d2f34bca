"""Why the system cannot start, told to a person."""


class CannotStartError(Exception):
    """One sentence that says what is wrong and what to do. `code` is what the command exits with."""

    def __init__(self, sentence: str, *, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code
