"""What Google's clients send, read; rows G1 to G5 of the agents' hard cases."""

import json
from base64 import b64encode
from typing import Any

import pytest

from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Change, Count, Generate, ReasoningWish
from rixin.core.tools import ResponseFormat, ToolChoice
from rixin.dialects.gemini.wire import EVENTS, THOUGHTS
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.errors import Kind, RixinError
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from tests.dialects.gemini.asking import TOOL, ask, call, model, parse, result, text, user

IMAGE = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
DEEP: Any = json.loads('{"x":' * 70 + "1" + "}" * 70)


def ids(request: Generate) -> list[tuple[str, str]]:
    """The ids of calls and results, in order, each with what it is of."""
    parts = [part for message in request.messages for part in message.parts]
    return [
        ("call", part.id) if isinstance(part, ToolCall) else ("result", part.call_id)
        for part in parts
        if isinstance(part, ToolCall | ToolResult)
    ]


def chat_body(request: Generate, **profile: Any) -> Any:
    """What a Chat upstream would be sent."""
    assert CHAT.upstream is not None
    return sanitize(CHAT.upstream.build_body(request), Profile(**profile)).body


def schema(parameters: Any) -> Any:
    """A function's parameters, as others are told them."""
    return ask(tools=[{"functionDeclarations": [{**TOOL, "parameters": parameters}]}]).tools[0].parameters


def check_refused(param: str, **fields: Any) -> None:
    """A body is refused, naming the field."""
    with pytest.raises(RixinError) as caught:
        ask(**fields)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, param)


def test_g1_the_path_names_the_model_and_the_action() -> None:
    """Of the body, nothing says whether the answer is to be streamed."""
    request = ask("alias")
    assert (request.model, request.card.target, request.stream) == ("alias", "true-model", False)
    assert ask(action="streamGenerateContent").stream
    with pytest.raises(RixinError) as caught:
        ask("embedder")
    assert caught.value.kind is Kind.MODEL_NOT_FOUND


def test_g1_a_stream_is_events_where_it_is_asked_for_so() -> None:
    """By `alt=sse`, and else an array."""
    forms = {alt: ask(action="streamGenerateContent", alt=alt).form for alt in ("sse", "json", "")}
    assert forms == {"sse": {EVENTS}, "json": frozenset(), "": frozenset()}


@pytest.mark.parametrize("wrapped", [False, True])
def test_g1_a_count_is_of_contents_or_of_a_whole_request(wrapped: bool) -> None:
    """As the reference has both."""
    body: dict[str, Any] = {"contents": [user(text("Hi"))], "tools": [{"functionDeclarations": [TOOL]}]}
    body = {"generateContentRequest": {"model": "models/up-model", **body}} if wrapped else body
    counted = parse(json.dumps(body).encode(), "countTokens")
    assert isinstance(counted, Count)
    assert ([tool.name for tool in counted.request.tools], counted.request.messages[0].text) == (["f"], "Hi")


def test_g1_names_may_be_in_snake_case_and_lists_of_one_may_be_bare() -> None:
    """As Google's servers take them; what is the client's own stays as it is."""
    config = {"max_output_tokens": 5, "stop_sequences": "x_y", "thinking_config": {"thinking_budget": 7}}
    function = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"snake_case": {"type": "STRING"}}}}
    request = ask(
        contents={"role": "user", "parts": {"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo="}}},
        system_instruction={"parts": {"text": "Be brief."}},
        generation_config=config,
        tools={"function_declarations": function},
        tool_config={"function_calling_config": {"mode": "ANY"}},
    )
    assert request.messages == (
        Message(role="system", parts=(TextPart("Be brief."),)),
        Message(role="user", parts=(ImagePart(url="data:image/png;base64,iVBORw0KGgo="),)),
    )
    assert (request.max_tokens, request.stop, request.reasoning.budget) == (5, ("x_y",), 7)
    assert request.tools[0].parameters == {"type": "object", "properties": {"snake_case": {"type": "string"}}}
    assert request.tool_choice == ToolChoice("required")
    assert request.changes == ()


def test_what_is_null_is_not_there() -> None:
    """At any depth but in what is the client's own: a call's arguments keep theirs."""
    part = {"text": None, "inlineData": None, "functionCall": {"id": None, "name": "f", "args": {"x": None}}}
    request = ask(
        contents=[{"role": None, "parts": [text("Hi")]}, {"role": "model", "parts": [part]}],
        systemInstruction=None,
        tools=None,
        safetySettings=None,
        generationConfig={"temperature": None, "responseModalities": None},
    )
    assert request.messages == (
        Message(role="user", parts=(TextPart("Hi"),)),
        Message(role="assistant", parts=(ToolCall(id="call_0_f", name="f", arguments='{"x":null}'),)),
    )
    assert request.changes == ()


def test_g2_calls_without_ids_are_answered_in_their_order() -> None:
    """By name: of two calls of the same function, the first result is the first one's."""
    request = ask(contents=[
        user(text("Go")),
        model(call(x=1), call("g"), call(x=2)),
        user(result("g", output="b"), result(output="a"), result(output="c")),
        model(call(x=3)),
        user(result(output="d")),
    ])  # fmt: skip
    assert ids(request) == [
        ("call", "call_0_f"),
        ("call", "call_1_g"),
        ("call", "call_2_f"),
        ("result", "call_1_g"),
        ("result", "call_0_f"),
        ("result", "call_2_f"),
        ("call", "call_3_f"),
        ("result", "call_3_f"),
    ]


def test_g2_the_same_history_always_gets_the_same_ids() -> None:
    """Also when it goes on, so that an upstream's cache knows it again."""
    history = [user(text("Go")), model(call(), call()), user(result(output="a"), result(output="b"))]
    assert ids(ask(contents=history)) == ids(ask(contents=[*history, model(call()), user(result())]))[:4]


def test_g2_ids_that_are_given_are_kept() -> None:
    """Results may come in any order, and one whose id nobody knows answers the oldest open call of its name."""
    contents = [model(call("f", "a"), call("f", "b"), call("f")), user(result("f", "b"), result("f", "?"), result("f"))]
    assert [identity for _, identity in ids(ask(contents=contents))] == ["a", "b", "call_0_f", "b", "a", "call_0_f"]


def test_g2_no_two_calls_share_an_id() -> None:
    """What is made avoids what the client gives, wherever in the history it does."""
    contents = [model(call()), user(result()), model(call("f", "call_0_f")), user(result("f", "call_0_f"))]
    assert [identity for _, identity in ids(ask(contents=contents))] == ["call_1_f", "call_1_f", "call_0_f", "call_0_f"]


def test_g2_a_functions_name_before_its_id_is_taken_off() -> None:
    """Gemini CLI puts it there; the id is the one that was issued, unless two would become one."""
    contents = [model(call("f", "f__call_1")), user(result("f", "f__call_1", output="a"))]
    assert ids(ask(contents=contents)) == [("call", "call_1"), ("result", "call_1")]
    contents = [model(call("f", "f__1"), call("g", "g__1")), user(result("g", "g__1"), result("f", "f__1"))]
    assert [identity for _, identity in ids(ask(contents=contents))] == ["1", "g__1", "g__1", "1"]


def test_g2_names_that_no_id_may_hold_become_fitting_ones() -> None:
    """An id has 64 plain characters at most."""
    [(_, identity), _] = ids(ask(contents=[model(call("a.b:" + "c" * 90)), user(result("a.b:" + "c" * 90))]))
    assert len(identity) == 64
    assert identity.replace("_", "").isalnum()


def test_g2_a_result_without_a_call_has_an_id_of_its_own() -> None:
    """What becomes of it is for whoever repairs histories to say."""
    assert ids(ask(contents=[user(result(), result("f", "x"))])) == [("result", "call_0_f"), ("result", "x")]


@pytest.mark.parametrize(
    ("response", "words", "is_error"),
    [
        ({"output": "ok"}, "ok", False),
        ({"result": "ok"}, "ok", False),
        ({"error": "no"}, "no", True),
        ({"output": "ok", "code": 1}, '{"output":"ok","code":1}', False),
        ({"output": {"a": [1]}}, '{"output":{"a":[1]}}', False),
        ({}, "{}", False),
    ],
)
def test_g2_a_result_is_told_in_words(response: Any, words: str, is_error: bool) -> None:
    """Its only text as it is, anything else as JSON; an error is one."""
    part = ask(contents=[model(call()), user(result(**response))]).messages[-1].parts[0]
    assert part == ToolResult(call_id="call_0_f", name="f", parts=(TextPart(words),), is_error=is_error)


def test_g2_a_result_may_hold_media() -> None:
    """Newer models' results have parts; a Chat upstream is shown them by the user."""
    answered = {"functionResponse": {"name": "f", "response": {"output": "See:"}, "parts": [IMAGE]}}
    request = ask(contents=[model(call()), user(answered)])
    assert request.messages[-1].role == "tool"
    assert [message["role"] for message in chat_body(request)["messages"]] == ["assistant", "tool", "user"]


def test_g3_a_signature_belongs_to_the_thought_before_it() -> None:
    """Whether the thought came back too, or only what seals it, on a call or on words."""
    thought = {"text": "Hm", "thought": True}
    signed = {**call(), "thoughtSignature": "s"}
    for parts, expected in (
        ([thought, signed], [ReasoningPart(text="Hm", signature="s")]),
        ([signed], [ReasoningPart(signature="s")]),
        ([{**thought, "thoughtSignature": "s"}, call()], [ReasoningPart(text="Hm", signature="s")]),
        ([{"text": "", "thoughtSignature": "s"}, call()], [ReasoningPart(signature="s")]),
        ([thought, call()], [ReasoningPart(text="Hm")]),
    ):
        read = ask(contents=[user(text("Hi")), model(*parts)]).messages[-1].parts
        assert read == (*expected, ToolCall(id="call_0_f", name="f", arguments="{}"))


@pytest.mark.parametrize(
    "signature", [None, "", "skip_thought_signature_validator", "context_engineering_is_the_way_to_go"]
)
def test_g3_no_signature_is_no_fault(signature: str | None) -> None:
    """Nor is what Google has clients put in the place of one."""
    part = call() if signature is None else {**call(), "thoughtSignature": signature}
    read = ask(contents=[user(text("Hi")), model(part)]).messages[-1].parts
    assert [type(part) for part in read] == [ToolCall]


def test_g3_words_told_in_pieces_are_one_text_again() -> None:
    """Clients keep apart the piece that was signed; a user's parts stay several."""
    pieces = [{"text": "Hel", "thoughtSignature": "s"}, text("lo"), call(), text("Yes")]
    request = ask(contents=[user(text("a"), text("b")), model(*pieces)])
    assert request.messages[0].parts == (TextPart("a"), TextPart("b"))
    assert [part.text for part in request.messages[1].parts if isinstance(part, TextPart)] == ["Hello", "Yes"]


def test_g4_schemas_are_json_schema() -> None:
    """Types in lower case at any depth, `nullable` as a type, counts as numbers, and nothing that only Google knows."""
    properties = {
        "a": {"type": "STRING", "format": "enum", "enum": ["x"], "nullable": True},
        "b": {"type": "ARRAY", "items": {"type": "INTEGER", "format": "int32"}, "minItems": "1", "maxItems": 5},
        "c": {"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}], "nullable": True},
        "type": {"type": "OBJECT", "properties": {"nullable": {"type": "STRING", "example": "e"}}},
        "d": {"type": "TYPE_UNSPECIFIED", "description": "Any"},
    }
    told = schema({
        "type": "OBJECT",
        "properties": properties,
        "required": ["a"],
        "propertyOrdering": ["b", "a"],
    })  # fmt: skip
    assert told == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "b": {"type": "array", "items": {"type": "integer", "format": "int32"}, "minItems": 1, "maxItems": 5},
            "c": {"anyOf": [{"anyOf": [{"type": "number"}, {"type": "boolean"}]}, {"type": "null"}]},
            "type": {"type": "object", "properties": {"nullable": {"type": "string"}}},
            "d": {"description": "Any"},
        },
        "required": ["a"],
    }
    assert schema(told) == told


def test_g4_json_schema_is_taken_as_it_is() -> None:
    """`parametersJsonSchema`, which Gemini CLI sends, may hold what Google's own kind has no words for."""
    own = {"type": "object", "properties": {"A_b": {"const": "STRING"}}, "$defs": {}, "additionalProperties": False}
    function = {"name": "f", "parametersJsonSchema": own}
    assert ask(tools=[{"functionDeclarations": [function]}]).tools[0].parameters == own
    assert ask(tools=[{"functionDeclarations": [{"name": "f"}]}]).tools[0].parameters is None


def test_g4_answers_have_schemas_too() -> None:
    """Of either kind; without one, any JSON will do."""
    wanted = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
    plain: Any = {"type": "object", "properties": {"a": {"type": "string"}}}
    forms = [
        ask(generationConfig={"responseMimeType": "application/json", **more}).response_format
        for more in ({}, {"responseSchema": wanted}, {"responseJsonSchema": plain})
    ]
    of_schema = ResponseFormat(kind="json_schema", schema=plain)
    assert forms == [ResponseFormat(kind="json_object"), of_schema, of_schema]
    assert ask(generationConfig={"responseMimeType": "text/plain"}).response_format is None


def test_g5_the_system_instruction_comes_first() -> None:
    """Whatever role it claims to have."""
    request = ask(systemInstruction={"role": "user", "parts": [text("You"), text("are.")]})
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.messages[0].parts == (TextPart("You"), TextPart("are."))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (IMAGE, ImagePart(url="data:image/png;base64,iVBORw0KGgo=")),
        ({"inlineData": {"mimeType": "video/mp4", "data": "-_8="}}, VideoPart(url="data:video/mp4;base64,+/8=")),
        (
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBE", "displayName": "a.pdf"}},
            DocumentPart(base64="JVBE", name="a.pdf", media_type="application/pdf"),
        ),
        (
            {"inlineData": {"mimeType": "text/markdown", "data": b64encode("# 日".encode()).decode()}},
            DocumentPart(text="# 日", media_type="text/markdown"),
        ),
        ({"fileData": {"mimeType": "image/png", "fileUri": "https://a/b"}}, ImagePart(url="https://a/b")),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "https://a/b"}}, VideoPart(url="https://a/b")),
        (
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://a/b"}},
            DocumentPart(url="https://a/b", media_type="application/pdf"),
        ),
    ],
)
def test_g5_data_is_read_by_its_media_type(part: Any, expected: Any) -> None:
    """Images, videos and documents; a text is told as one."""
    assert ask(contents=[user(part)]).messages[0].parts == (expected,)


def test_g5_sound_is_refused_by_name() -> None:
    """No model here can be told it, and an answer to the rest would be one to another question."""
    check_refused(
        "contents[0].parts[0].inlineData.mimeType",
        contents=[user({"inlineData": {"mimeType": "audio/wav", "data": "UklG"}})],
    )


def test_g5_what_googles_servers_ran_is_told_in_words() -> None:
    """A history that began there goes on here."""
    ran = [
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
    ]
    request = ask(contents=[user(text("Hi")), model(*ran)])
    assert request.messages[1].text == "[Code was run: print(1)][Its result: OUTCOME_OK, 1]"


def test_g5_hidden_thoughts_are_sent_on_only_where_the_profile_says_so() -> None:
    """A Chat upstream sees none unless it wants them back."""
    request = ask(contents=[user(text("Hi")), model({"text": "Hm", "thought": True}, text("Yes")), user(text("Go"))])
    assert "Hm" not in str(chat_body(request, reasoning_echo="never"))
    assert chat_body(request, reasoning_echo="always")["messages"][1]["reasoning_content"] == "Hm"


@pytest.mark.parametrize(
    ("thinking", "wish"),
    [
        ({}, ReasoningWish()),
        ({"thinkingBudget": 0}, ReasoningWish(enabled=False)),
        ({"thinkingBudget": -1}, ReasoningWish()),
        ({"thinkingBudget": 2048}, ReasoningWish(enabled=True, budget=2048)),
        ({"thinkingLevel": "HIGH"}, ReasoningWish(effort="high")),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, ReasoningWish()),
    ],
)
def test_g5_thinking_is_wished_for_by_budget_or_level(thinking: Any, wish: ReasoningWish) -> None:
    """A budget of 0 is none, of -1 the model's own."""
    assert ask(generationConfig={"thinkingConfig": thinking}).reasoning == wish


def test_g5_thoughts_are_to_be_shown_to_who_says_so() -> None:
    """By `includeThoughts`."""
    shown = [ask(generationConfig={"thinkingConfig": {"includeThoughts": wish}}).form for wish in (True, False, None)]
    assert shown == [{THOUGHTS}, frozenset(), frozenset()]


def test_g5_what_is_not_done_is_named() -> None:
    """Safety settings and kinds of answers among the changes; Google's search so that an upstream's may stand in."""
    request = ask(
        safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        cachedContent="cachedContents/1",
        generationConfig={"responseModalities": ["TEXT"], "temperature": 0.5},
        tools=[{"googleSearch": {}}, {"codeExecution": {}, "functionDeclarations": [TOOL]}],
    )
    assert request.changes == (
        Change("ignored", "safetySettings"),
        Change("ignored", "cachedContent"),
        Change("ignored", "generationConfig.responseModalities"),
        Change("drop_server_tool", "web_search"),
        Change("drop_server_tool", "codeExecution"),
    )
    assert [tool.name for tool in request.tools] == ["f"]


def test_g5_sampling_is_read() -> None:
    """Every parameter that others know too."""
    request = ask(generationConfig={
        "temperature": 0.5, "topP": 0.9, "topK": 40, "seed": 7, "presencePenalty": 0.1, "frequencyPenalty": 0.2,
        "candidateCount": 2, "maxOutputTokens": 100, "stopSequences": ["a", "b"],
    })  # fmt: skip
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k, sampling.seed) == (0.5, 0.9, 40, 7)
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (0.1, 0.2)
    assert (request.n, request.max_tokens, request.stop) == (2, 100, ("a", "b"))


@pytest.mark.parametrize(
    ("config", "choice", "names"),
    [
        ({}, None, ["f", "g"]),
        ({"mode": "AUTO"}, ToolChoice("auto"), ["f", "g"]),
        ({"mode": "VALIDATED"}, ToolChoice("auto"), ["f", "g"]),
        ({"mode": "NONE"}, ToolChoice("none"), ["f", "g"]),
        ({"mode": "ANY"}, ToolChoice("required"), ["f", "g"]),
        ({"mode": "ANY", "allowedFunctionNames": ["g"]}, ToolChoice("named", "g"), ["f", "g"]),
        ({"mode": "ANY", "allowedFunctionNames": ["g", "f"]}, ToolChoice("required"), ["f", "g"]),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["g"]}, ToolChoice("auto"), ["g"]),
    ],
)
def test_g5_the_choice_among_functions_is_read(config: Any, choice: ToolChoice | None, names: list[str]) -> None:
    """Each mode has its like; names restrict what is offered."""
    tools = [{"functionDeclarations": [TOOL, {**TOOL, "name": "g"}]}]
    request = ask(tools=tools, toolConfig={"functionCallingConfig": config})
    assert (request.tool_choice, [tool.name for tool in request.tools]) == (choice, names)


@pytest.mark.parametrize(
    ("param", "fields"),
    [
        ("contents", {"contents": []}),
        ("contents[0].role", {"contents": [{"role": "assistant", "parts": [text("Hi")]}]}),
        ("contents[0].parts[0].text", {"contents": [user({"text": 1})]}),
        (
            "contents[0].parts[1].inlineData.data",
            {"contents": [user(text("a"), {"inlineData": {"mimeType": "image/png"}})]},
        ),
        (
            "contents[0].parts[0].inlineData.data",
            {"contents": [user({"inlineData": {"mimeType": "text/x", "data": "a"}})]},
        ),
        ("contents[0].parts[0].functionCall", {"contents": [user(call())]}),
        ("contents[0].parts[0].functionCall.args", {"contents": [model({"functionCall": {"name": "f", "args": []}})]}),
        ("contents[0].parts[0].functionResponse", {"contents": [model(result())]}),
        ("contents[0].parts[0].functionResponse.name", {"contents": [user({"functionResponse": {"response": {}}})]}),
        ("generationConfig.temperature", {"generationConfig": {"temperature": 3}}),
        ("generationConfig.temperature", {"generationConfig": {"temperature": "hot"}}),
        ("generationConfig.maxOutputTokens", {"generationConfig": {"maxOutputTokens": 0}}),
        ("generationConfig.stopSequences", {"generationConfig": {"stopSequences": [""]}}),
        ("generationConfig.responseMimeType", {"generationConfig": {"responseMimeType": "text/html"}}),
        ("tools[0].functionDeclarations[0].name", {"tools": [{"functionDeclarations": [{"name": ""}]}]}),
        ("toolConfig.functionCallingConfig.mode", {"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}),
        ("toolConfig.functionCallingConfig.mode", {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
        (
            "toolConfig.functionCallingConfig.allowedFunctionNames",
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}},
        ),
        ("arguments", {"tools": [{"functionDeclarations": [{"name": "f", "parameters": DEEP}]}]}),
    ],
)
def test_what_is_wrong_is_named(param: str, fields: Any) -> None:
    """In the client's own spelling."""
    check_refused(param, **fields)
