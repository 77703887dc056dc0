"""How a run ends when it cannot go on."""


class RunError(Exception):
    """A run cannot go on. `words` are for the user; `row_id` is where the operator finds more.

    With `escalate` the thread is escalated.
    """

    def __init__(self, words: str, row_id: str, text: str, *, escalate: bool = False) -> None:
        super().__init__(text)
        self.words = words
        self.row_id = row_id
        self.escalate = escalate
