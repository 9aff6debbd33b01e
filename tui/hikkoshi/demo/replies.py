"""The two ways in which the demo server says no."""


class No(Exception):
    """Understood and refused: a tagged NO, with the response code `code` where there is one."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code

    def __str__(self) -> str:
        return f"NO [{self.code}] {self.args[0]}" if self.code else f"NO {self.args[0]}"


class Bad(Exception):
    """Not understood: a tagged BAD."""

    def __str__(self) -> str:
        return f"BAD {self.args[0]}"
