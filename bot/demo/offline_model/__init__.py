"""A stand-in for a language model, made of rules, which says that it is one."""

from bot.demo.offline_model.rules import MODEL_NAME, respond

__all__ = ["MODEL_NAME", "respond"]
