"""What a store raises, whatever database is behind it. Anything else that comes out of one is a mistake of ours."""

from bot.store.calls import Needs


class DatabaseError(Exception):
    """The database cannot be opened, or did not take an operation."""


class LostLeaseError(Exception):
    """Another process has the thread: this one was taken for dead, and what it still wanted to write is refused."""


class SubjectTakenError(Exception):
    """Another open request of the same kind touches the same subject."""


class MessageChangedError(Exception):
    """What somebody asked for does not stand any more as they wrote it."""


class StillOpenError(Exception):
    """Somebody cannot be forgotten yet; the text tells the operator what is open."""


class UnknownPersonError(Exception):
    """Nothing in the store is of this person; the text tells the operator."""


class NothingToRetryError(Exception):
    """Nothing with this reference can be tried again; the text tells the operator why."""


class AboveDayLimitError(Exception):
    """More than a person may have back within a day, unless those agree whom `needs` names."""

    def __init__(self, needs: Needs) -> None:
        super().__init__(f"{needs.approvers} have to approve")
        self.needs = needs
