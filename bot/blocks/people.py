"""How people are asked what an answer was worth, and how they escalate or let the bot answer again."""

from bot.blocks.messages import context, plain, section
from bot.blocks.text import Mrkdwn, mention
from bot.store.records import Block

FEEDBACK = "answer_feedback"
REASON = "answer_reason"
TALK_TO_PERSON = "talk_to_person"
GIVE_BACK = "give_thread_back"
REASONS = {"wrong": "It is wrong", "beside": "It is not what I asked", "unclear": "I don't understand it"}
HANDED_OVER = Mrkdwn("A person of the team was called and answers here. I stay quiet until I am mentioned.")


def feedback(post_id: str) -> Block:
    """Ask below an answer what it was worth; the value is the post's id, and whether it helped."""
    buttons = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": {"text": plain("Helpful"), "value": f"good:{post_id}"},
        "negative_button": {"text": plain("Not helpful"), "value": f"bad:{post_id}"},
    }
    return {"type": "context_actions", "elements": [buttons]}


def what_was_wrong(post_id: str, *, with_people: bool) -> tuple[Block, ...]:
    """Ask one question of who was not helped, and offer a person where there are some to call."""
    elements = [_button(f"{REASON}:{name}", words, post_id) for name, words in REASONS.items()]
    elements += [_button(TALK_TO_PERSON, "Talk to a person", post_id)] if with_people else []
    asked = section(Mrkdwn("Thank you for telling me. What was wrong with it?"))
    return (asked, {"type": "actions", "elements": elements})


def talk_to_person(post_id: str) -> Block:
    """Offer a person below what the bot said."""
    button = _button(TALK_TO_PERSON, "Talk to a person", post_id)
    return {"type": "actions", "block_id": f"person:{post_id}", "elements": [button]}


def give_back(thread: str) -> Block:
    """Make the button that returns a thread to the bot; the value names it."""
    return {"type": "actions", "elements": [_button(GIVE_BACK, "Let the bot answer again", thread)]}


def given_back(by: str) -> Block:
    """Say who gave a thread back."""
    return context(Mrkdwn(f"{mention(by)} let the bot answer there again."))


def _button(action_id: str, words: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(words), "value": value}
