"""How a run ends when it cannot go on."""


class RunError(Exception):
    """A run cannot go on. `words` are for the user; `row_id` is where the operator finds more.

    With `hand_over` people are called.
    """

    def __init__(self, words: str, row_id: str, text: str, *, hand_over: bool = False) -> None:
        super().__init__(text)
        self.words = words
        self.row_id = row_id
        self.hand_over = hand_over
