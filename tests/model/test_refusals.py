"""Each server says what is wrong in its own words, and the customer is told in the right ones."""

import json
from typing import Any

import pytest

from bot.model.dialect import Dialect
from bot.model.model import Reason
from bot.model.refusals import read_refusal


def said(message: str) -> dict[str, Any]:
    """Word an error that has nothing but a message."""
    return {"error": {"message": message}}


LENGTH = "This model's maximum context length is 4096 tokens. However, you requested 5012 tokens."
REFUSALS: dict[str, tuple[int, Any, Reason]] = {
    "OpenAI, too long": (400, {"error": {"code": "context_length_exceeded", "message": "…"}}, Reason.TOO_LONG),
    "vLLM, too long": (
        400,
        {"error": {"message": LENGTH, "type": "BadRequestError", "param": "input_tokens", "code": 400}},
        Reason.TOO_LONG,
    ),
    "vLLM of old, too long": (400, {"object": "error", "message": LENGTH, "code": 40303}, Reason.TOO_LONG),
    "llama-server, too long": (
        400,
        {
            "error": {
                "code": 400,
                "message": "request (9022 tokens) exceeds the available context size (8192 tokens), try increasing it",
                "type": "exceed_context_size_error",
            }
        },
        Reason.TOO_LONG,
    ),
    "Anthropic, too long": (
        400,
        {"type": "error", "error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}},
        Reason.TOO_LONG,
    ),
    "Gemini, too long": (
        400,
        [{"error": {"code": 400, "message": "The input token count (1200000) exceeds the maximum number of tokens"}}],
        Reason.TOO_LONG,
    ),
    "Mistral, too long": (
        400,
        {"message": "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context"},
        Reason.TOO_LONG,
    ),
    "Groq, too large": (
        413,
        said("Request too large for model on tokens per minute (TPM): Limit 6000, Requested 9000"),
        Reason.TOO_LONG,
    ),
    "OpenAI, too large at once": (
        429,
        said("Request too large for gpt-5 on tokens per min (TPM): Limit 30000, Requested 31000."),
        Reason.TOO_LONG,
    ),
    "a proxy, too large": (413, "<html>413 Request Entity Too Large</html>", Reason.TOO_LONG),
    "LM Studio, too long": (
        400,
        {
            "error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded "
            "with context length of only 4096 tokens"
        },
        Reason.TOO_LONG,
    ),
    "Azure, filter": (
        400,
        {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        Reason.FILTERED,
    ),
    "Alibaba, filter": (400, {"error": {"code": "data_inspection_failed", "message": "…"}}, Reason.FILTERED),
    "DeepSeek, filter": (400, said("Content Exists Risk"), Reason.FILTERED),
    "OpenRouter, filter": (
        403,
        {"error": {"code": 403, "message": "Your chosen model requires moderation and your input was flagged"}},
        Reason.FILTERED,
    ),
    "OpenAI, filter": (400, {"error": {"code": "content_policy_violation", "message": "…"}}, Reason.FILTERED),
    "OpenRouter, credits": (402, {"error": {"code": 402, "message": "Insufficient credits"}}, Reason.SPENT),
    "OpenAI, quota": (429, {"error": {"code": "insufficient_quota", "message": "…"}}, Reason.SPENT),
    "Anthropic, credits": (
        400,
        said("Your credit balance is too low to access the API."),
        Reason.SPENT,
    ),
    "OpenRouter, a day": (
        429,
        {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day"}},
        Reason.SPENT,
    ),
    "Groq, a day": (
        429,
        said("Rate limit reached on tokens per day (TPD): Limit 100000"),
        Reason.SPENT,
    ),
    "Moonshot, suspended": (
        429,
        {"error": {"type": "exceeded_current_quota_error", "message": "suspended due to insufficient balance"}},
        Reason.SPENT,
    ),
    "a rate": (
        429,
        said("Rate limit reached on tokens per min (TPM): Limit 30000, Used 29000"),
        Reason.BUSY,
    ),
    "an error in a 200": (200, {"error": {"code": 429, "message": "Rate limit exceeded"}}, Reason.BUSY),
    "credits in a 200": (200, {"error": {"code": "402", "message": "no"}}, Reason.SPENT),
    "a word in a 200": (200, {"error": "upstream overloaded"}, Reason.BUSY),
    "anything in a 200": (200, said("Provider returned error"), Reason.UNREACHABLE),
    "loading": (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, Reason.BUSY),
    "a gateway": (502, "Bad Gateway", Reason.UNREACHABLE),
    "overloaded": (529, {"type": "error", "error": {"type": "overloaded_error"}}, Reason.BUSY),
    "Ollama, no tools": (
        400,
        said("registry.ollama.ai/library/gemma:2b does not support tools"),
        Reason.SETTINGS,
    ),
    "vLLM, no tools": (400, {"message": '"auto" tool choice requires --enable-auto-tool-choice'}, Reason.SETTINGS),
    "llama-server, no tools": (500, said("tools param requires --jinja flag"), Reason.SETTINGS),
    "OpenRouter, no tools": (404, said("No endpoints found that support tool use"), Reason.SETTINGS),
    "no such model": (
        400,
        said("The model `x` does not exist"),
        Reason.SETTINGS,
    ),
    "a path": (404, "404 page not found", Reason.SETTINGS),
    "a method": (405, "Method Not Allowed", Reason.SETTINGS),
    "a key": (400, [{"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}}], Reason.SETTINGS),
    "not allowed": (403, {"message": "forbidden"}, Reason.SETTINGS),
    "TGI, too long": (
        422,
        {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5012"},
        Reason.TOO_LONG,
    ),
    "SiliconFlow, too long": (
        400,
        {"code": 20015, "message": "length of prompt_tokens (40000) must be less than max_seq_len (32768)."},
        Reason.TOO_LONG,
    ),
    "Alibaba, too long": (400, said("Range of input length should be [1, 30720]"), Reason.TOO_LONG),
    "Zhipu, too long": (400, said("Prompt exceeds max length"), Reason.TOO_LONG),
    "Zhipu, filter": (400, said("\u53ef\u80fd\u5305\u542b\u654f\u611f\u5185\u5bb9"), Reason.FILTERED),
    "Moonshot, filter": (400, said("The request was rejected because it was considered high risk"), Reason.FILTERED),
    "OpenRouter, a key's limit": (403, said("Key limit exceeded (total limit)."), Reason.SPENT),
    "a reseller, quota": (403, {"error": {"code": "insufficient_user_quota", "message": "…"}}, Reason.SPENT),
    "a quota": (429, said("Quota exceeded"), Reason.SPENT),
    "Gemini, a quota a minute": (
        429,
        [{"error": {"message": "You exceeded your current quota, please check your billing. Please retry in 6.9s."}}],
        Reason.BUSY,
    ),
    "Groq, no capacity": (498, said("Flex tier capacity exceeded"), Reason.BUSY),
    "OpenRouter, no such model": (400, said("x is not a valid model ID"), Reason.SETTINGS),
    "LM Studio, no model": (400, said("No models loaded. Please load a model in the developer page"), Reason.SETTINGS),
    "LM Studio, a path": (200, {"error": "Unexpected endpoint or method. (POST /chat)"}, Reason.SETTINGS),
    "Together, no tools": (400, said("Function calling is not enabled for this model"), Reason.SETTINGS),
    "moved": (308, "", Reason.SETTINGS),
    "LiteLLM, a budget": (400, said("Budget has been exceeded! Current cost: 10.1, Max budget: 10.0"), Reason.SPENT),
    "Gemini, a place": (400, said("User location is not supported for the API use."), Reason.SETTINGS),
    "llama-server, a template": (500, said("Value is not callable: null at row 12 (jinja)"), Reason.REFUSED),
    "AI21, too long": (
        422,
        {"detail": "Prompt has 300000 tokens, but the maximum number of tokens is 256000"},
        Reason.TOO_LONG,
    ),
    "HF, too long": (422, {"error": "`inputs` must have less than 4095 tokens. Given: 5012"}, Reason.TOO_LONG),
    "Novita, too long": (400, said("the sum of prompt tokens and max_tokens must be less than 8192"), Reason.TOO_LONG),
    "Zhipu, too long in Chinese": (400, said("Prompt \u8d85\u957f"), Reason.TOO_LONG),
    "watsonx, filter": (400, {"errors": [{"message": "Unsuitable input detected."}]}, Reason.FILTERED),
    "xAI, filter": (403, {"error": "Content violates usage guidelines."}, Reason.FILTERED),
    "MiniMax, filter": (
        200,
        {"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}},
        Reason.FILTERED,
    ),
    "MiniMax, money": (200, {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, Reason.SPENT),
    "MiniMax, a key": (200, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, Reason.SETTINGS),
    "MiniMax, a rate": (200, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, Reason.BUSY),
    "Baidu, a key": (200, {"error_code": 110, "error_msg": "Access token invalid or no longer valid"}, Reason.SETTINGS),
    "Zhipu, money": (429, said("\u60a8\u7684\u8d26\u6237\u5df2\u6b20\u8d39"), Reason.SPENT),
    "Cohere, a trial": (429, said("A Trial key is limited to 1000 API calls / month."), Reason.SPENT),
    "GitHub, a day": (429, said("Rate limit of 50 exceeded. Please wait 45000 seconds before retrying."), Reason.SPENT),
    "Gemini, a day": (
        429,
        [{"error": {"message": "Quota", "details": [{"quotaId": "RequestsPerDayPerModel"}, {"retryDelay": "38s"}]}}],
        Reason.SPENT,
    ),
    "Volcengine, money": (403, said("your account has an overdue balance."), Reason.SPENT),
    "Groq, no model any more": (400, said("The model `x` has been decommissioned"), Reason.SETTINGS),
    "OpenAI, verify": (400, said("Your organization must be verified to use the model `gpt-5`."), Reason.SETTINGS),
    "Bedrock, no such model": (400, {"message": "The provided model identifier is invalid."}, Reason.SETTINGS),
    "Azure, a version": (400, said("Model x is enabled only for api versions 2025-04-01 and later"), Reason.SETTINGS),
    "HF, loading": (503, {"error": "Model x is currently loading", "estimated_time": 20.0}, Reason.BUSY),
    "nginx, closed": (499, "", Reason.UNREACHABLE),
    "Hugging Face, credits": (
        402,
        {"error": "You have exceeded your monthly included credits for Inference Providers."},
        Reason.SPENT,
    ),
    "prepaid": (403, said("Model access paused: prepaid credits depleted"), Reason.SPENT),
    "a balance": (403, said("Account balance is not sufficient"), Reason.SPENT),
    "free tokens": (429, said("You've used up your free tokens"), Reason.SPENT),
    "GitHub, a rate": (403, "Rate limit exceeded", Reason.BUSY),
    "a model that loads": (400, said("The model is currently loading, please retry"), Reason.BUSY),
    "a model that warms up": (424, said("Model is warming up"), Reason.BUSY),
    "no slot": (503, said("no slot available"), Reason.BUSY),
    "Cohere, too long": (400, said("too many tokens: total 9000 exceeds 8192"), Reason.TOO_LONG),
    "bytes": (400, said("Too many total text bytes: 100000 > 50000"), Reason.TOO_LONG),
    "an answer that is filtered": (400, said("The response was filtered"), Reason.FILTERED),
    "rules": (400, said("Content violates our community rules"), Reason.FILTERED),
    "harm": (422, said("Harmful content detected"), Reason.FILTERED),
    "a firewall": (403, "Sorry, you have been blocked", Reason.SETTINGS),
    "a path twice": (400, said("Invalid URL (POST /v1/v1/chat/completions)"), Reason.SETTINGS),
    "Azure, no deployment": (400, said("DeploymentNotFound"), Reason.SETTINGS),
    "TLS": (400, "Client sent an HTTP request to an HTTPS server.", Reason.SETTINGS),
    "not implemented": (501, "", Reason.SETTINGS),
    "another host": (421, "Misdirected Request", Reason.SETTINGS),
    "plain text": (400, "bad request body", Reason.REFUSED),
    "nothing": (400, None, Reason.REFUSED),
    "a list of places": (422, {"detail": [{"loc": ["body", "x"], "msg": "field required"}]}, Reason.REFUSED),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_it_means(kind: str) -> None:
    """Whatever a server says, in whatever shape, is told apart by what helps."""
    status, body, reason = REFUSALS[kind]
    assert read_refusal(status, body, {}).reason is reason
    if not isinstance(body, str):
        assert read_refusal(status, json.dumps(body), {}).reason is reason


WAITS: dict[str, tuple[dict[str, str], str, float | None]] = {
    "seconds": ({"retry-after": "1.5"}, "", 1.5),
    "a date in the past": ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, "", 0.0),
    "nonsense": ({"retry-after": "soon"}, "", 0.0),
    "words": ({}, "Please try again in 7.66s.", 7.66),
    "other words": ({}, "Please wait 12 seconds before retrying.", 12.0),
    "short words": ({}, "Please try again in 250ms.", 0.25),
    "too long": ({"retry-after": "120"}, "", None),
    "for ever": ({"retry-after": "inf"}, "", None),
    "words that are too long": ({}, "Please try again in 20m30s.", None),
    "Gemini": ({}, "retryDelay: 38s", None),
    "no word of it": ({}, "", 0.0),
}


@pytest.mark.parametrize("kind", WAITS)
def test_when_to_ask_again(kind: str) -> None:
    """A server says in a header or in words when to ask again; where that is too long for a person, it is not."""
    headers, words, wait = WAITS[kind]
    refusal = read_refusal(429, {"error": {"message": f"Rate limit reached. {words}"}}, headers)
    assert refusal.error(None, max_wait=20).retry_after == wait


LEARNT: dict[str, tuple[str, Dialect]] = {
    "a short id": ("Tool call id has to be defined and of length 9", Dialect(short_ids=True)),
    "a short id, of a template": (
        "Tool call IDs should be alphanumeric strings with length 9!",
        Dialect(short_ids=True, no_system=True),
    ),
    "two roles": ("Only user and assistant roles are supported!", Dialect(no_system=True)),
    "no instruction": ("Developer instruction is not enabled for models/gemma-3-27b-it", Dialect(no_system=True)),
    "streams alone": (
        "This model only support stream mode, please enable the stream parameter to access the model.",
        Dialect(only_streams=True),
    ),
    "no thoughts without a stream": (
        "parameter.enable_thinking must be set to false for non-streaming calls",
        Dialect(only_streams=True),
    ),
    "a stream": ("stream must be set to true", Dialect(only_streams=True)),
    "no streams": ("streaming is not supported with this model", Dialect()),
    "nothing": ("the widget is not supported", Dialect()),
}


@pytest.mark.parametrize("kind", LEARNT)
def test_what_is_learnt(kind: str) -> None:
    """What a server says of the form that it wants is how it is asked from then on."""
    text, learnt = LEARNT[kind]
    assert Dialect().learn(text, "", {"messages": []}) == learnt


def test_a_wait_that_nobody_waits() -> None:
    """Where the server wants an hour to go by, the customer is not told to write again in a minute."""
    refusal = read_refusal(429, {"error": {"message": "Rate limit reached."}}, {"retry-after": "3600"})
    assert refusal.reason is Reason.SPENT


def test_endless_error() -> None:
    """An error of any size and depth is read in a moment, and kept in part."""
    nested: Any = "x" * 1_000_000
    for _ in range(500):
        nested = {"error": [nested] * 2}
    assert len(str(read_refusal(500, {"message": "y" * 1_000_000, "more": nested}, {}).error(None, max_wait=20))) <= 500
