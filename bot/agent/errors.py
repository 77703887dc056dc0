"""How a run ends when it cannot go on."""


class RunError(Exception):
    """A run cannot go on. `words` are for the user; `row_id` is where the operator finds more.

    With `escalate` the thread is escalated; `again` tells whether writing again may help, and `again_in` after how many
    seconds, where that is known. After `empty` what the run has found is worth more than an apology; after `filtered`
    no later run may be given this run's messages.
    """

    def __init__(
        self,
        words: str,
        row_id: str,
        text: str,
        *,
        escalate: bool = False,
        again: bool = True,
        again_in: float | None = None,
        empty: bool = False,
        filtered: bool = False,
    ) -> None:
        super().__init__(text)
        self.words = words
        self.row_id = row_id
        self.escalate = escalate
        self.again = again
        self.again_in = again_in
        self.empty = empty
        self.filtered = filtered
