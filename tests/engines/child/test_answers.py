"""Answers of real models, through a child's socket."""

import json

import pytest

from rixin.core.events import Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.usage import Usage
from tests.engines.child.running import Client, ask, signs_in

FRANCE = ask("What is the capital of France?", max_tokens=24)
LONG = ask("Tell me a long story about a fox.", max_tokens=24)


def function(name: str, description: str, *parameters: str) -> dict[str, object]:
    """A tool whose arguments are texts."""
    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties, "required": [*parameters]}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


WEATHER = function("get_weather", "Current weather of a city", "city")
EVENT = function("add_event", "Add a calendar event", "title", "date")
TOOLS = [WEATHER, EVENT]


async def test_a_question_is_answered(qwen: Client) -> None:
    """The default model knows the capital of France, and the cost is counted."""
    answer = await qwen.answer(FRANCE)
    (choice,) = answer["choices"]
    assert "Paris" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    assert answer["model"] == "local"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_a_conversation_is_understood(qwen: Client) -> None:
    """What was said before gives a short question its meaning."""
    messages = [
        {"role": "user", "content": "What is the capital of France? Answer in one word."},
        {"role": "assistant", "content": "Paris"},
        {"role": "user", "content": "And Germany?"},
    ]
    answer = await qwen.answer({**FRANCE, "messages": messages})
    assert "Berlin" in answer["choices"][0]["message"]["content"]


async def test_chinese_is_answered_in_chinese(qwen: Client) -> None:
    """Characters of several bytes come out whole, also in a stream."""
    body = ask("用中文说出中国的首都。", max_tokens=24)
    response = await qwen.collected(body)
    assert "北京" in response.choices[0].text
    assert "\ufffd" not in response.choices[0].text


async def test_the_shape_of_a_stream(smol: Client) -> None:
    """A sign of life, the role with the first words, words, the reason, the usage, and the end."""
    data = (await smol.stream_bytes({**LONG, "max_tokens": 3})).decode()
    comment, *chunks, usage, done = data.removesuffix("\n\n").split("\n\n")
    (sign,) = signs_in(f"{comment}\n\n".encode())
    assert sign.read is not None
    assert done == "data: [DONE]"
    decoded = [json.loads(chunk.removeprefix("data: ")) for chunk in chunks if chunk.startswith("data: ")]
    assert {(chunk["object"], chunk["model"], chunk["id"]) for chunk in decoded} == {
        ("chat.completion.chunk", "local", decoded[0]["id"])
    }
    deltas = [chunk["choices"][0]["delta"] for chunk in decoded]
    assert deltas[0]["role"] == "assistant"
    assert all(delta.keys() <= {"role", "content"} for delta in deltas)
    assert deltas[-1] == {}
    assert [chunk["choices"][0]["finish_reason"] for chunk in decoded] == [None] * (len(decoded) - 1) + ["length"]
    last = json.loads(usage.removeprefix("data: "))
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


async def test_a_stream_and_a_whole_answer_say_the_same(smol: Client) -> None:
    """What a stream amounts to is the answer that is given at once."""
    whole = await smol.answer(LONG)
    streamed = await smol.collected(LONG)
    assert streamed.choices[0].text == whole["choices"][0]["message"]["content"]
    assert streamed.usage is not None
    assert streamed.usage.completion == whole["usage"]["completion_tokens"]


async def test_the_count_is_what_the_answer_costs(smol: Client) -> None:
    """Counting tells the prompt's tokens exactly, for a chat and for a bare prompt."""
    for body in (LONG, {"model": "local", "prompt": "Once upon a time", "max_tokens": 1}):
        status, count = await smol.post(body, "/v1/count")
        assert status == 200
        assert count == {"prompt_tokens": (await smol.answer(body))["usage"]["prompt_tokens"]}


async def test_a_bare_prompt_is_continued(qwen: Client) -> None:
    """A text completion has no chat template about it."""
    body = {"model": "local", "prompt": "def add(a, b):\n    return", "max_tokens": 4, "temperature": 0}
    (choice,) = (await qwen.answer(body))["choices"]
    assert choice["text"].startswith(" a + b")


async def test_a_stop_string_ends_the_answer_and_is_named(qwen: Client) -> None:
    """The answer ends before the stop string, which is told."""
    response = await qwen.collected({**FRANCE, "stop": ["xyz", " is"]})
    (choice,) = response.choices
    assert choice.text == "The capital of France"
    assert (choice.finish_reason, choice.stop_sequence) == ("stop", " is")


async def test_a_seed_repeats_an_answer(smol: Client) -> None:
    """The same seed gives the same words, another one others."""
    body = {**LONG, "temperature": 1.5, "top_k": 0, "top_p": 1}

    async def text(seed: int) -> str:
        return (await smol.collected({**body, "seed": seed})).choices[0].text

    first = await text(7)
    assert await text(7) == first
    assert await text(8) != first


async def test_several_choices_differ_and_share_the_prompt(smol: Client) -> None:
    """Each choice of a seeded request is another one; the prompt is paid once."""
    body = {**LONG, "temperature": 1.5, "top_k": 0, "top_p": 1, "seed": 7, "n": 3}
    response = await smol.collected(body)
    assert [choice.index for choice in response.choices] == [0, 1, 2]
    assert len({choice.text for choice in response.choices}) == 3
    assert response.usage is not None
    single = await smol.answer({**LONG, "max_tokens": 1})
    assert response.usage.prompt == single["usage"]["prompt_tokens"]
    assert response.usage.completion <= 3 * 24


async def test_log_probabilities_have_as_many_alternatives_as_asked(smol: Client) -> None:
    """None unless asked for, and the token itself is always there."""
    for alternatives in (0, 3):
        answer = await smol.answer({**LONG, "logprobs": True, "top_logprobs": alternatives, "max_tokens": 4})
        content = answer["choices"][0]["logprobs"]["content"]
        assert [len(entry["top_logprobs"]) for entry in content] == [alternatives] * 4
        assert "".join(entry["token"] for entry in content) == answer["choices"][0]["message"]["content"]
        assert all(entry["logprob"] <= 0 for entry in content)


async def test_a_logit_bias_keeps_a_token_out(qwen: Client) -> None:
    """The token that would have come first does not come."""
    first = (await qwen.answer({**FRANCE, "logprobs": True, "max_tokens": 1}))["choices"][0]["message"]["content"]
    status, token = await qwen.post({"model": "local", "prompt": first}, "/v1/count")
    assert (status, token) == (200, {"prompt_tokens": 1})
    biased = await qwen.answer({**FRANCE, "logit_bias": {"785": -100}, "max_tokens": 4})  # 785 is "The"
    assert first == "The"
    assert not biased["choices"][0]["message"]["content"].startswith("The")


async def test_an_answer_keeps_to_a_schema(smol: Client) -> None:
    """Even the smallest model can only write what the schema allows."""
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Paris", "Rome"]}, "big": {"type": "boolean"}},
        "required": ["city", "big"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    response = await smol.collected({**LONG, "response_format": form, "max_tokens": 64})
    value = json.loads(response.choices[0].text)
    assert value["city"] in ("Paris", "Rome")
    assert isinstance(value["big"], bool)


async def test_an_answer_is_an_object(smol: Client) -> None:
    """`json_object` gives one."""
    body = ask('Write {"a": 1}', response_format={"type": "json_object"}, max_tokens=96, stop=["}"])
    assert (await smol.collected(body)).choices[0].text.lstrip().startswith("{")


async def test_a_tool_is_called_when_it_is_needed(qwen: Client) -> None:
    """The model decides to call, and the call comes as events of its own, with nothing said before."""
    events = await qwen.events(ask("What is the weather in Paris?", tools=TOOLS, max_tokens=96))
    start, tool, arguments, end, finish, usage = events
    assert isinstance(start, Start)
    assert isinstance(tool, ToolStart)
    assert (tool.name, tool.index) == ("get_weather", 0)
    assert tool.id.startswith("call_")
    assert isinstance(arguments, ToolArguments)
    assert json.loads(arguments.text) == {"city": "Paris"}
    assert isinstance(end, ToolEnd)
    assert finish == Finish(reason="tool_calls")
    assert isinstance(usage, Usage)
    assert 0 < usage.completion < 96


async def test_a_question_without_need_of_tools_is_answered(qwen: Client) -> None:
    """With tools on offer, plain words are streamed as they come."""
    response = await qwen.collected(ask("Write one sentence about rain.", tools=TOOLS, max_tokens=48))
    assert not response.choices[0].tool_calls
    assert "rain" in response.choices[0].text.lower()


async def test_an_invented_function_is_tried_again_without_tools(qwen: Client) -> None:
    """JSON that names no tool never reaches the caller: the second attempt is plain words, and alone is counted."""
    events = await qwen.events(ask("Tell me a joke.", tools=TOOLS, max_tokens=64))
    text = "".join(event.text for event in events if isinstance(event, Text))
    assert text
    assert "{" not in text
    (usage,) = (event for event in events if isinstance(event, Usage))
    assert usage.completion <= len([event for event in events if isinstance(event, Text)]) + 1


async def test_a_required_call_is_made(qwen: Client) -> None:
    """`required` leaves no choice but a call with arguments by the schema."""
    response = await qwen.collected(ask("What is 3 + 4?", tools=TOOLS, tool_choice="required", max_tokens=96))
    (call,) = response.choices[0].tool_calls
    assert call.name in ("get_weather", "add_event")
    assert isinstance(json.loads(call.arguments), dict)
    assert response.choices[0].finish_reason == "tool_calls"


async def test_a_named_call_is_made(qwen: Client) -> None:
    """A named tool is the one that is called, whatever the question."""
    choice = {"type": "function", "function": {"name": "add_event"}}
    response = await qwen.collected(ask("How is the weather?", tools=TOOLS, tool_choice=choice, max_tokens=128))
    (call,) = response.choices[0].tool_calls
    assert call.name == "add_event"
    assert json.loads(call.arguments).keys() == {"title", "date"}


async def test_no_call_is_made_where_none_is_allowed(qwen: Client) -> None:
    """`none` hides the tools from the model."""
    response = await qwen.collected(
        ask("What is the weather in Paris?", tools=TOOLS, tool_choice="none", max_tokens=48)
    )
    assert not response.choices[0].tool_calls
    assert response.choices[0].text


async def test_a_tools_result_is_used_in_the_answer(qwen: Client) -> None:
    """After the call has been answered, so is the question, instead of calling once more."""
    call = {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    messages = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": '{"temp_c": 17, "sky": "rain"}'},
    ]
    response = await qwen.collected({**ask("", tools=TOOLS, max_tokens=64), "messages": messages})
    assert not response.choices[0].tool_calls
    assert "17" in response.choices[0].text or "rain" in response.choices[0].text


async def test_tools_of_a_template_without_them_are_described(smol: Client) -> None:
    """A model whose template knows no tools calls one too, where it must."""
    status, with_tools = await smol.post(ask("How is Paris?", tools=TOOLS), "/v1/count")
    _, without = await smol.post(ask("How is Paris?"), "/v1/count")
    assert status == 200
    assert with_tools["prompt_tokens"] > without["prompt_tokens"] + 50
    response = await smol.collected(ask("How is Paris?", tools=[WEATHER], tool_choice="required", max_tokens=96))
    (call,) = response.choices[0].tool_calls
    assert call.name == "get_weather"


async def test_a_custom_tool_is_given_text(smol: Client) -> None:
    """Its input is text, and the call is of its kind."""
    tool = {"type": "custom", "custom": {"name": "note", "description": "Keeps a note"}}
    choice = {"type": "custom", "custom": {"name": "note"}}
    response = await smol.collected(ask("Note: milk", tools=[tool], tool_choice=choice, max_tokens=200))
    (call,) = response.choices[0].tool_calls
    assert (call.name, call.kind) == ("note", "custom")


async def test_thoughts_come_before_the_answer_when_asked_for(qwen: Client) -> None:
    """They are streamed as such, bounded, and counted as part of the answer."""
    question = "There are 3 boxes with 4 apples each. I eat 5. How many are left?"
    events = await qwen.events(ask(question, reasoning_effort="medium", max_tokens=300))
    kinds = [type(event) for event in events if isinstance(event, Reasoning | Text)]
    assert kinds.index(Text) == kinds.count(Reasoning) > 0
    assert "7" in "".join(event.text for event in events if isinstance(event, Text))
    (usage,) = (event for event in events if isinstance(event, Usage))
    assert 0 < usage.reasoning <= 120
    assert usage.reasoning < usage.completion <= 300


@pytest.mark.parametrize("fields", [{}, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}])
async def test_there_are_no_thoughts_unless_asked_for(qwen: Client, fields: dict[str, object]) -> None:
    """Silence and refusal both mean none."""
    events = await qwen.events({**FRANCE, **fields})
    assert not any(isinstance(event, Reasoning) for event in events)


async def test_thoughts_can_be_asked_for_through_the_template_arguments(qwen: Client) -> None:
    """`chat_template_kwargs.enable_thinking` is one more way to say it."""
    body = {**FRANCE, "max_tokens": 100, "chat_template_kwargs": {"enable_thinking": True}}
    assert any(isinstance(event, Reasoning) for event in await qwen.events(body))
