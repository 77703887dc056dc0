"""OpenAI's Chat Completions over HTTP, answered by a plain function: the wire, and nothing of what is said on it."""

from bot.testing.openai.portable import portability_faults
from bot.testing.openai.server import CompletionsServer, add_routes
from bot.testing.openai.turn import Answer, Failure, Json, Model, Request, ToolCall, text_of

__all__ = [
    "Answer",
    "CompletionsServer",
    "Failure",
    "Json",
    "Model",
    "Request",
    "ToolCall",
    "add_routes",
    "portability_faults",
    "text_of",
]
