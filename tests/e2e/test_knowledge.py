"""Knowledge bases by the unmodified Python SDK of the SenseNova V6 platform, on a real server with the real models."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import DOCS, blocks, run
from tests.support.sensenova_sdk import run_program, variables
from tests.support.server import Server

PROGRAM = """
import io, json, time
import sensenova

def file(document):
    return sensenova.File.create(
        file=io.StringIO(json.dumps(document, ensure_ascii=False)), scheme="KNOWLEDGE_BASE_1", description="facts",
        user_provided_filename="facts.json",
    )["id"]

def ready(base):
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        shown = sensenova.KnowledgeBase.retrieve(id=base)["knowledge_base"]
        if shown["status"] == "VALID":
            return shown
        time.sleep(0.2)
    raise TimeoutError(json.dumps(shown))

def ask(question, stream=False, **config):
    answer = sensenova.ChatCompletion.create(
        model="SenseNova-V6-Pro", messages=[{"role": "user", "content": question}], max_new_tokens=30, stream=stream,
        know_ids=[base], knowledge_config={"knowledge_base_result": True, **config},
    )
    return [chunk["data"] for chunk in answer] if stream else answer["data"]

told = {}
first = file({"text_lst": ["The ferry to Skarn leaves at noon.", "The lighthouse of Skarn is red."],
              "qa_lst": [{"std_q": "如何重置密码？", "simi_qs": ["密码忘了怎么办"], "answer": "请点击忘记密码。"}]})
made = sensenova.KnowledgeBase.create(description="harbour", files=[first])
base = made["knowledge_base"]["id"]
told["created"] = made
told["ready"] = ready(base)
told["listed"] = [each["id"] for each in sensenova.KnowledgeBase.list()["knowledge_bases"]]
told["downloaded"] = json.loads(sensenova.KnowledgeBase.download(id=base, file_id=first))
told["asked"] = ask("When does the ferry to Skarn leave?")
told["streamed"] = ask("When does the ferry to Skarn leave?", stream=True)
told["often"] = ask("密码忘了怎么办", knowledge_base_configs=[{"know_id": base, "faq_threshold": 0.9}])
drawing = {"know_ids": [base], "knowledge_config": {"knowledge_base_result": True}, "max_new_tokens": 30}
told["played"] = sensenova.CharacterChatCompletion.create(
    model="SenseNova-V6-Pro", character_settings=[{"name": "Mate", "gender": "f"}, {"name": "Guest", "gender": "m"}],
    role_setting={"user_name": "Guest", "primary_bot_name": "Mate"},
    messages=[{"name": "Guest", "content": "When does the ferry to Skarn leave?"}], **drawing,
)["data"]
session = sensenova.ChatSession.create(system_prompt=[])["session_id"]

def turn(content, **fields):
    return sensenova.ChatConversation.create(
        session_id=session, model="SenseNova-V6-Pro", content=content, **drawing, **fields
    )

told["turn"] = turn("When does the ferry to Skarn leave?")["data"]
told["next_turn"] = [chunk["data"] for chunk in turn("What color is the lighthouse of Skarn?", stream=True)]
second = file({"text_lst": ["Tickets are sold at the kiosk."]})
told["updated"] = sensenova.KnowledgeBase.update(sid=base, description="port", files=[first, second])
ready(base)
told["detached"] = sensenova.KnowledgeBase.delete_file(sid=base, file_id=second)
third = file({"text_lst": ["Bicycles go for free."]})
told["added"] = sensenova.KnowledgeBase.add_file(id=base, file_id=third)
told["files"] = [each["id"] for each in ready(base)["files"]] == [first, third]
told["deleted"] = sensenova.KnowledgeBase.delete(sid=base)
told["left"] = sensenova.KnowledgeBase.list()["knowledge_bases"]
for name, call in {
    "gone": lambda: sensenova.KnowledgeBase.retrieve(id=base),
    "presigned": lambda: sensenova.KnowledgeBase.add_file(id=base, description="x"),
    "unknown": lambda: ask("x"),
}.items():
    try:
        call()
    except sensenova.error.SensenovaError as error:
        told[name] = [type(error).__name__, error.http_status]
try:
    sensenova.KnowledgeBase.upload_file(aoss_url="http://127.0.0.1:8700/v1/upload", file=io.StringIO("{}"))
except TypeError as error:
    told["uploaded"] = str(error)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(server: Server) -> dict[str, Any]:
    """What the SDK was told."""
    return run_program(PROGRAM, variables(server, "librarian"))


def test_bases_are_made_of_files(told: dict[str, Any]) -> None:
    """They become valid; their files can be listed, had, taken away and added."""
    created = told["created"]["knowledge_base"]
    assert created["id"].startswith("s")
    assert (created["description"], created["status"]) == ("harbour", "UPLOADED")
    assert [(file["status"], file["progress"]) for file in told["ready"]["files"]] == [("VALID", 1.0)]
    assert told["listed"] == [created["id"]]
    assert told["downloaded"]["text_lst"][0] == "The ferry to Skarn leaves at noon."
    updated = told["updated"]["knowledge_base"]
    assert (updated["description"], len(updated["files"])) == ("port", 2)
    assert told["detached"] == {}
    assert told["files"]
    assert told["deleted"] == {}
    assert told["left"] == []


def test_questions_are_answered_with_passages(told: dict[str, Any]) -> None:
    """They are told, and what they cost is counted apart."""
    (results,) = told["asked"]["knowledge_base_results"]
    assert results["know_id"] == told["listed"][0]
    assert results["results"][0]["result"] == "The ferry to Skarn leaves at noon."
    assert told["asked"]["choices"][0]["message"]
    usage = told["asked"]["usage"]
    assert usage["knowledge_tokens"] > 0
    assert usage["prompt_tokens"] > 0
    parts = (usage["prompt_tokens"], usage["knowledge_tokens"], usage["completion_tokens"])
    assert usage["total_tokens"] == sum(parts)


def test_streams_tell_the_same(told: dict[str, Any]) -> None:
    """The passages before any word, and what they cost with each."""
    first, *others = told["streamed"]
    assert first["knowledge_base_results"] == told["asked"]["knowledge_base_results"]
    assert not any("knowledge_base_results" in chunk for chunk in others)
    costs = {chunk["usage"]["knowledge_tokens"] for chunk in told["streamed"]}
    assert costs == {told["asked"]["usage"]["knowledge_tokens"]}
    assert told["streamed"][-1]["usage"]["prompt_tokens"] == told["asked"]["usage"]["prompt_tokens"]
    assert "".join(chunk["choices"][0]["delta"] for chunk in others)


def test_characters_know_what_bases_know(told: dict[str, Any]) -> None:
    """The question of the last message is looked up, and what was found is told and counted."""
    (results,) = told["played"]["knowledge_base_results"]
    assert results["results"][0]["result"] == "The ferry to Skarn leaves at noon."
    assert told["played"]["usage"]["knowledge_tokens"] == told["asked"]["usage"]["knowledge_tokens"]
    assert told["played"]["reply"]


def test_sessions_know_what_bases_know(told: dict[str, Any]) -> None:
    """Each turn's own question is looked up, whole and streamed; passages of turns before are not kept."""
    (results,) = told["turn"]["knowledge_base_results"]
    assert results["results"][0]["result"] == "The ferry to Skarn leaves at noon."
    assert told["turn"]["usage"]["knowledge_tokens"] == told["asked"]["usage"]["knowledge_tokens"]
    first, *others = told["next_turn"]
    (results,) = first["knowledge_base_results"]
    assert results["results"][0]["result"] == "The lighthouse of Skarn is red."
    assert "".join(chunk["delta"] for chunk in others)
    last = others[-1]["usage"]
    assert 0 < last["knowledge_tokens"] < 2 * told["asked"]["usage"]["knowledge_tokens"]


def test_questions_that_are_often_asked_need_no_model(told: dict[str, Any]) -> None:
    """The answer is the base's own."""
    assert told["often"]["choices"][0]["message"] == "请点击忘记密码。"
    assert told["often"]["usage"]["knowledge_tokens"] == 0


def test_errors_are_the_sdks_own(told: dict[str, Any]) -> None:
    """A base that is gone, and uploads of a kind that is not served."""
    assert told["gone"] == ["InvalidRequestError", 404]
    assert told["unknown"] == ["InvalidRequestError", 404]
    assert told["presigned"] == ["APIError", 501]


def test_uploads_of_the_sdk_go_to_one_host_only(told: dict[str, Any]) -> None:
    """Why they cannot be served: to every address but those of its own storage it sends JSON, and bytes are none."""
    assert told["uploaded"] == "Object of type bytes is not JSON serializable"


def test_the_page_does_what_it_says(server: Server, tmp_path: Path) -> None:
    """From a file to two answers."""
    first, second = blocks(DOCS / "knowledge.md", "sh")
    printed = run(f"{first}\necho\n{second}", server.url, server.shell, cwd=tmp_path).stdout
    native, chat = (json.loads(line) for line in printed.splitlines() if line)
    assert "leaves at noon" in native["data"]["knowledge_base_results"][0]["results"][0]["result"]
    assert native["data"]["usage"]["knowledge_tokens"] > 0
    assert chat["usage"]["knowledge_tokens"] > 0
    assert chat["choices"][0]["message"]["content"]
    base = native["data"]["knowledge_base_results"][0]["know_id"]
    stream = server.sdk().chat.completions.create(
        model="local",
        messages=[{"role": "user", "content": "When can I sail to Skarn?"}],
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"know_ids": [base], "knowledge_config": {"knowledge_base_result": True}},
    )
    chunks: list[dict[str, Any]] = [chunk.to_dict() for chunk in stream]
    costs = [chunk["usage"]["knowledge_tokens"] for chunk in chunks if chunk.get("usage")]
    assert costs == [native["data"]["usage"]["knowledge_tokens"]]
    assert len([chunk for chunk in chunks if "knowledge_base_results" in chunk]) == 1
    assert len({chunk["id"] for chunk in chunks}) == 1
