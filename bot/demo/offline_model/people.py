"""The hand-over to a person: when it is due, and what whoever takes over is told."""

from bot.demo.offline_model.calls import call
from bot.demo.offline_model.history import History
from bot.demo.offline_model.outcomes import subject, undecided
from bot.demo.offline_model.wishes import is_upset, wants_person
from bot.testing.openai import Answer

_MAX_QUOTED = 150


def call_a_person(history: History) -> Answer | None:
    """Hand over when someone asks for a person or is angry."""
    upset = is_upset(history.said)
    if not upset and not wants_person(history.said):
        return None
    return call(history.request, "escalate_to_human", {"summary": _summary(history, upset=upset)}) or Answer(
        "I cannot call a person from here, I am sorry. The people of the support team read this channel too."
    )


def _summary(history: History, *, upset: bool) -> str:
    parts = [f"{'Is upset' if upset else 'Asks for a person'}: “{history.gist}”."]
    if history.earlier:
        parts.append(f"Wrote before: “{' '.join(history.earlier[0].split())[:_MAX_QUOTED]}”.")
    looked_at = dict.fromkeys(
        str(output.content["order_id"])
        for output in history.outputs
        if output.tool == "get_order_status" and output.content.get("order_id")
    )
    if looked_at:
        parts.append(f"Was shown {', '.join(looked_at)}.")
    if waiting := dict.fromkeys(map(subject, undecided(history))):
        parts.append(f"Waiting for approval: {', '.join(waiting)}.")
    return " ".join(parts)
