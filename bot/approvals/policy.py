"""A rule of the operator's own: for a change it may want more people's yes than the bot does, or refuse it.

`BOT_APPROVAL_POLICY` names a function of it. What it answers is joined to what the bot wants itself, never less.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.identity import Person
from bot.imports import described, import_own
from bot.settings import Settings, SettingsError, variable
from bot.shop.changes import Change, Quote, Quoted
from bot.store.calls import Needs
from bot.tools.tool import ToolError

logger = logging.getLogger(__name__)

AS_USUAL = Needs()
REQUESTER = Needs(requester=True)
APPROVER = Needs(approvers=1)
TWO_APPROVERS = Needs(approvers=2)
_ANSWERS = (AS_USUAL, REQUESTER, APPROVER, TWO_APPROVERS, *(REQUESTER | one for one in (APPROVER, TWO_APPROVERS)))


@dataclass(frozen=True, slots=True)
class Refusal:
    """The change is not to be asked for at all; the sentence says why, to the customer."""

    sentence: str


Answer = Needs | Refusal
Policy = Callable[[Change, Quote, Person], Answer | Awaitable[Answer]]


class PolicyError(Exception):
    """The rule broke or did not answer as it has to, so nothing may be done that it might forbid."""


class OwnPolicy:
    """Asks the operator's function. Without one, it wants nothing."""

    def __init__(self, settings: Settings) -> None:
        """Raise SettingsError with one line when there is no such function, or it could not be called."""
        self._name = settings.approval_policy or ""
        self._policy = _find(variable("approval_policy"), self._name) if self._name else None
        self._seconds = settings.tool_timeout_seconds

    async def needs(self, quoted: Quoted, asked_by: Person) -> Needs:
        """Return what it wants for the change. Raises ToolError with its refusal, and PolicyError when it breaks."""
        if self._policy is None:
            return AS_USUAL
        try:
            async with asyncio.timeout(self._seconds):
                answer = await _ask(self._policy, quoted.change, quoted.quote, asked_by)
        except Exception as error:  # it is anybody's code
            raise self._broken(f"failed: {described(error)}") from error
        if isinstance(answer, Refusal) and str(answer.sentence).strip():
            raise ToolError(str(answer.sentence), "Tell the customer so.")
        if not isinstance(answer, Needs) or answer not in _ANSWERS:
            raise self._broken(f"returned {answer!r:.200}, which is no answer of bot.approvals.policy")
        return answer

    def _broken(self, how: str) -> PolicyError:
        logger.error("%s: %s %s; nothing was asked for or done", variable("approval_policy"), self._name, how)
        return PolicyError(how)


async def _ask(policy: Policy, change: Change, quote: Quote, asked_by: Person) -> object:
    """Return its answer; one that takes its time without `await` holds nobody else up."""
    if inspect.iscoroutinefunction(policy):
        return await policy(change, quote, asked_by)
    answer = await asyncio.to_thread(policy, change, quote, asked_by)
    return await answer if inspect.isawaitable(answer) else answer


def _find(variable: str, name: str) -> Policy:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise SettingsError(f"{variable}: “{name}” is no package.module:function.")
    policy = getattr(import_own(variable, module), attribute, None)
    if policy is None:
        raise SettingsError(f"{variable}: there is no {attribute} in {module}.")
    if not callable(policy):
        raise SettingsError(f"{variable}: {name} is a {type(policy).__name__}; it has to be a function.")
    try:
        inspect.signature(policy).bind(None, None, None)
    except TypeError as error:
        raise SettingsError(
            f"{variable}: {name} has to take three arguments: the change, its quote and who asks."
        ) from error
    except ValueError:
        pass  # what is built in may not tell
    found: Policy = policy
    return found
