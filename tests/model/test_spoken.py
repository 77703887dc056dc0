"""What may be said to a customer: thoughts are taken out, and what is no answer is none."""

from contextlib import suppress

import pytest

from bot.model.spoken import UnspeakableError, spoken

TOOLS = ("track", "get_order_status", "initiate_refund", "delete_account")

THOUGHTS = {
    "think": "<think>\nPolicy: do not reveal the limit.\n</think>\n\nHello Ana.",
    "thinking": "<thinking>Secret.</thinking>Hello Ana.",
    "in capitals": "<THINK>Secret.</THINK> Hello Ana.",
    "closed only": "Policy: do not reveal the limit.\n</think>\n\nHello Ana.",
    "twice": "<think>Secret.</think>Hello <think>Secret.</think>Ana.",
    "left open": "Hello Ana.\n<think>\nSecret",
    "in brackets": "[THINK]Secret.[/THINK]Hello Ana.",
    "in triangles": "\u25c1think\u25b7Secret.\u25c1/think\u25b7Hello Ana.",
    "of Seed": "<seed:think>Secret.</seed:think>Hello Ana.",
    "of Cohere": "<|START_THINKING|>Secret.<|END_THINKING|><|START_RESPONSE|>Hello Ana.<|END_RESPONSE|>",
    "of gpt-oss": "<|channel|>analysis<|message|>Secret.<|end|><|start|>assistant<|channel|>final<|message|>Hello Ana.",
    "of Gemma": "<|channel>thought\nSecret.<channel|>Hello Ana.",
    "scratchpad": "<scratchpad>Secret.</scratchpad>\nHello Ana.",
    "with attributes": '<reasoning effort="low">Secret.</reasoning>Hello Ana.',
    "an end": "Hello Ana.<|im_end|>",
    "several ends": "Hello Ana. <|eot_id|></s>\n<|endoftext|>",
    "of gpt-oss without marks": "analysisSecret. We need no call.assistantfinalHello Ana.",
    "an answer in tags": "<reasoning>Secret.</reasoning>\n<answer>Hello Ana.</answer>",
    "the name of a role": "assistant\n\nHello Ana.",
    "who wrote": "U0BOT wrote: Hello Ana.",
    "the next turn too": "Hello Ana.\nU0ANA wrote: Thanks\nYou are welcome.",
    "a whole conversation": "Hello Ana.\n\nUser: thanks\n\nAssistant: You are welcome.",
    "a beginning": "<|im_start|>assistant\nHello Ana.",
    "of a server": "<reasoning_content>Secret.</reasoning_content>Hello Ana.",
    "a process": "<thought_process>Secret.</thought_process>Hello Ana.",
    "of MiniMax": "<mm:think>Secret.</mm:think>Hello Ana.",
    "escaped": "&lt;think&gt;Secret.&lt;/think&gt;Hello Ana.",
    "in a fence": "```thinking\nSecret.\n```\nHello Ana.",
    "with bars": "<|thinking|>Secret.<|/thinking|>Hello Ana.",
    "of OpenThinker": "<|begin_of_thought|>Secret.<|end_of_thought|><|begin_of_solution|>Hello Ana.<|end_of_solution|>",
    "of ReAct": "Thought: the limit is secret.\nFinal Answer: Hello Ana.",
    "internal": "<internal>Secret.</internal>Hello Ana.",
    "a headline": "### Assistant:\nHello Ana.",
    "a speaker": "Support bot: Hello Ana.",
    "the role of Gemma": "model\nHello Ana.",
    "a turn of the customer": "Hello Ana.<|im_end|>\n<|im_start|>user\nThanks<|im_end|>",
    "a turn of Gemma": "Hello Ana.<end_of_turn>\n<start_of_turn>user\nThanks",
    "a turn of Llama": "Hello Ana.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nThanks",
    "a human": "Hello Ana.\n\nHuman: thanks",
    "spaces of a tokenizer": "\u2581Hello\u2581Ana.",
    "in a box of GLM": "<|begin_of_box|>Hello Ana.<|end_of_box|>",
    "of Granite": "Here is my thought process:\nThe limit is secret.\nHere is my response:\nHello Ana.",
    "of gpt-oss, constrained": "<|channel|>final <|constrain|>text<|message|>Hello Ana.<|return|>",
    "a final answer": "**Final Answer:** Hello Ana.",
    "ends of Llama 4": "<|header_start|>assistant<|header_end|>\n\nHello Ana.<|eot|>",
    "an end that nobody knows": "Hello Ana.<|assistant_end|>",
    "a turn of DeepSeek": "Hello Ana.<\uff5cUser\uff5c>Thanks",
    "in a box": "\\boxed{Hello Ana.}",
    "a tag without an end": "<think/>Hello Ana.",
    "of Open WebUI": '<details type="reasoning" done="true"><summary>Thought</summary>Secret.</details>Hello Ana.',
    "of Ollama": "Thinking...\nSecret.\n...done thinking.\n\nHello Ana.",
    "another word for it": "<ponder>Secret.</ponder><chain_of_thought>Secret.</chain_of_thought>Hello Ana.",
    "a budget of Seed": "<seed:cot_budget_reflect>Secret.</seed:cot_budget_reflect>Hello Ana.",
}
ECHOES = {
    "of Hermes": '<tool_response>\n{"status": "shipped"}\n</tool_response>\nHello Ana.',
    "twice": "<tool_response>{}</tool_response><tool_response>[1]</tool_response>Hello Ana.",
    "behind the role": '<|im_start|>assistant\n<tool_response>{"a": 1}</tool_response><|im_end|>Hello Ana.',
    "of Mistral": '[TOOL_RESULTS]{"status": "shipped"}[/TOOL_RESULTS] Hello Ana.',
    "a function": "<function_response>It is shipped.</function_response>Hello Ana.",
    "an output": '<tool_output name="x">{"a": 1}</tool_output>Hello Ana.',
    "with bars": '<|tool_response|>{"a": 1}<|im_end|>\nHello Ana.',
    "an observation": "<observation>{}</observation> Hello Ana.",
    "of DeepSeek": "<\uff5ctool\u2581output\u2581begin\uff5c>{}<\uff5ctool\u2581output\u2581end\uff5c>Hello Ana.",
}


@pytest.mark.parametrize("kind", THOUGHTS)
def test_thoughts_and_marks_around(kind: str) -> None:
    """Thoughts of whatever template, also half open, and the marks around a turn are taken out of what is said."""
    assert spoken(THOUGHTS[kind], TOOLS) == "Hello Ana."


@pytest.mark.parametrize("kind", ECHOES)
def test_echo_of_a_result(kind: str) -> None:
    """A result that is repeated in the marks of a template is taken from the head of the words that follow it."""
    assert spoken(ECHOES[kind], TOOLS) == "Hello Ana."


CALLS = {
    "Hermes": '<tool_call>\n{"name": "get_order_status", "arguments": {"order_id": "ORD-1"}}\n</tool_call>',
    "Hermes, open": 'One moment. <tool_call>{"name": "get_order_status"',
    "Mistral": '[TOOL_CALLS][{"name": "get_order_status", "arguments": {}}]',
    "Mistral, new": "[TOOL_CALLS]get_order_status[ARGS]{}",
    "Llama": '<|python_tag|>{"name": "get_order_status", "parameters": {}}',
    "Llama, JSON": '{"name": "get_order_status", "parameters": {"order_id": "ORD-1"}}',
    "Llama, function": '<function=get_order_status>{"order_id": "ORD-1"}</function>',
    "DeepSeek": "<\uff5ctool\u2581calls\u2581begin\uff5c><\uff5ctool\u2581call\u2581begin\uff5c>function",
    "DeepSeek V3.2": '<\uff5cDSML\uff5cfunction_calls><\uff5cDSML\uff5cinvoke name="get_order_status">',
    "Qwen coder": "<function=get_order_status>\n<parameter=order_id>\nORD-1\n</parameter>\n</function>",
    "GLM": "<tool_call>get_order_status\n<arg_key>order_id</arg_key><arg_value>ORD-1</arg_value></tool_call>",
    "MiniMax": '<minimax:tool_call><invoke name="get_order_status"></invoke></minimax:tool_call>',
    "Kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_order_status:0",
    "Granite": '<|tool_call|>[{"name": "get_order_status"}]',
    "Gemma": "```tool_code\nprint(default_api.get_order_status(order_id='ORD-1'))\n```",
    "Functionary": ">>>get_order_status\n{}<|eot_id|><function=x>",
    "Apriel": '<tool_calls>[{"name": "get_order_status"}]</tool_calls>',
    "Python": "get_order_status(order_id='ORD-1')",
    "a fence": '```json\n{"name": "get_order_status", "arguments": {}}\n```',
    "words and JSON": 'I will look. {"name": "get_order_status", "arguments": {}}',
    "single quotes": "{'name': 'get_order_status', 'arguments': {}}",
    "a list": '[{"name": "get_order_status", "arguments": {}}]',
    "half of JSON": '{"name": "unknown_tool", "argu',
    "OpenAI's": '{"tool_calls": [{"id": "1", "function": {"name": "get_order_status"}}]}',
    "ReAct": "Thought: look it up.\nAction: get_order_status\nAction Input: ORD-1",
    "a result": "<tool_response>{}</tool_response>",
    "nothing but a name": "get_order_status",
    "an announcement": "I am calling `get_order_status` with ORD-1…",
    "of gpt-oss without marks": 'commentary to=functions.get_order_status json{"order_id": "ORD-1"}',
    "a tool of no shop": 'I will look:\n```json\n{"name": "lookup", "arguments": {"order_id": "ORD-1"}}\n```',
    "Python in brackets": '[lookup(order_id="ORD-1")]',
    "a note": "[Note from the shop: Refund of $42.00 was approved and done.] Your refund is done.",
    "instructions": "[INST] Where is it? [/INST] Here.",
    "an action": "Action: get_order_status[ORD-1]",
    "a line": "tool_call: get_order_status",
    "announced": "Calling the tool get_order_status now…",
    "a tool of its own": "<execute>get_order_status</execute>",
    "any tag": "<api_request>GET /orders/1</api_request>",
    "a closed tag": "<use_tool name='get_order_status'/>",
    "a call of LongCat": "<longcat_tool_call>",
    "arguments below": "name: get_order_status\narguments: {}",
    "a result in words": 'ORD-1: {"status": "shipped"}',
    "thoughts in words": "**Thinking**: the limit is $50, but I must not say so.",
    "thoughts of the user": "Okay, the user wants a refund. I should ask for the reason.",
    "thoughts of the customer": "Okay, the customer wants to know where it is. Let me look that up.",
    "what is to be answered": "We need to respond in English. The answer is 30 days.",
    "the conversation": "user\nhello\nassistant\nHello Ana.",
    "a note in brackets": "(Note from the shop: it was refunded)",
    "a form letter": "Dear [Customer Name], thank you.\n[Your Name]",
    "a byte": "Hello<0x0A>Ana",
    "a result behind words": 'I look it up. <tool_response>{"status": "shipped"}</tool_response>',
    "a result between words": "I look. <tool_response>{}</tool_response> It is shipped.",
    "a result that is not closed": "<tool_response>\nHello Ana.",
    "the end of a result": "Hello Ana.\n</tool_response>",
    "a result with a call": '<tool_response><tool_call>{"name": "x"}</tool_call></tool_response>Done.',
    "a call behind a result": '<tool_response>{}</tool_response><tool_call>{"name": "x"}</tool_call>Done.',
    "a result of a call as text": "<tool_response>get_order_status(ORD-1)</tool_response>Done.",
    "a dict of Python's": "One moment: {'order_id': 'ORD-1'}",
    "an object of JavaScript's": 'One moment: {order_id: "ORD-1"}',
    "a note to itself": "(Internal note: the limit is 50)\nHello.",
    "thoughts in a quote": "> Reasoning\n> The limit is 50.\n\nHello.",
    "thoughts in German": "Der Nutzer m\u00f6chte sein Geld zur\u00fcck. Ich frage nach dem Grund.",
    "thoughts in French": "L'utilisateur veut un remboursement.",
    "thoughts in Spanish": "La usuaria quiere un reembolso.",
    "thoughts in Chinese": "\u7528\u6237\u60f3\u8981\u9000\u6b3e\u3002",
    "thoughts in Italian": "L\u2019utente chiede un rimborso.",
}


@pytest.mark.parametrize("kind", CALLS)
def test_calls_as_text(kind: str) -> None:
    """A call written as text, in whatever form, and marks of a template are no answer."""
    with pytest.raises(UnspeakableError):
        spoken(CALLS[kind], TOOLS)


NOTHING = (
    "<think>\nNever closed",
    "<think>Hm.</think>",
    "</think>",
    "<|im_end|>",
    " \n",
    "null",
    "...",
    "\u200b",
    "```\n```",
    "(empty)",
    "[No response]",
    "[object Object]",
    "<pad><pad>",
    "[PAD]",
)


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_left(text: str) -> None:
    """Where there is nothing but thoughts and marks, nothing is said."""
    assert spoken(text, TOOLS) == ""


SAID = (
    "Your order ORD-10234 is on its way, and comes on *Friday*.",
    "I think that it comes on Friday (the 27th).",
    "It costs < $50 and > $20; 5 <= 7.",
    "The items:\n- 1 x Mug [blue]\n- 2 x Plate {small}",
    "See <https://shop.example.com/help|Returns> or write to <help@shop.example.com>.",
    "My action: I look it up.\nThe tool is in the box.",
    "Do you want a refund? Say which order: ORD-10188 or ORD-10142.",
    "`ORD-10234` is shipped.",
    "The function of the lamp is described in the manual. The parameters are inside.",
    "[1] Returns, How long you have",
    "Thoughts on it? I have none.",
    "Track (and trace) it with the number in your mail.",
    "User: is a word like any other.",
    "Question: when?\nAnswer: on Friday.",
    "The user manual is in the parcel.",
    "See [your order](https://shop.example.com) for it.",
    "Write your <b>full</b> name.",
    "My reasoning: a mug is not a plate? No, sorry.",
    "The customer wants a refund for ORD-10188, because the mug is broken.",
    "So the customer of ORD-10188 can return it until Friday.",
    "We need to know the reason before we can ask for it.",
    "User\nmanuals are in the box.",
    "Der Benutzer im Handbuch ist ein Beispiel.",
    "Sizes: {small} or {large}; the set {1: 2}.",
    "> Thoughtful gifts are on page two.",
    "The result: your parcel is here.",
    "\U0001f44d",
)


@pytest.mark.parametrize("text", SAID)
def test_words_stay(text: str) -> None:
    """Words for a person stay as they are."""
    assert spoken(text, TOOLS) == text


ENDLESS = (
    "\nuser:" * 20_000,
    "<" * 100_000,
    "\n" * 100_000 + "x",
    "<think>" * 10_000,
    "```" + "\n" * 100_000,
    "[" * 9_999,
)


@pytest.mark.parametrize("text", ENDLESS, ids=range(len(ENDLESS)))
def test_endless(text: str) -> None:
    """However odd a text is, it is read in a moment."""
    with suppress(UnspeakableError):
        assert len(spoken(text, TOOLS)) <= len(text)
