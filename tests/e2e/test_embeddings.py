"""Embeddings of the embedded model, by the unmodified SDKs and by what goes wrong."""

import base64
import json
import os
import select
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
import requests

from rixin.settings import EMBEDDER
from tests.support.hang import HANG
from tests.support.pages import DOCS, blocks, run
from tests.support.sensenova_sdk import call, variables
from tests.support.server import Server

PASSAGES = [
    "The database is backed up every night at three.",
    "Paris is the capital of France.",
    "我们的办公室在上海浦东。",
    "退款将在七个工作日内到账。",
]
SIZE = 384


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    """The SDK, pointed at the server."""
    with server.sdk() as sdk:
        yield sdk


def likest(question: list[float], passages: list[list[float]]) -> int:
    """Which passage a question is nearest to."""
    scores = [sum(x * y for x, y in zip(question, passage, strict=True)) for passage in passages]
    return scores.index(max(scores))


@pytest.mark.parametrize(
    ("question", "nearest"),
    [("法国的首都是哪里", 1), ("Where is your office?", 2), ("When will I get my money back?", 3)],
)
def test_questions_are_nearest_to_their_answers(client: openai.OpenAI, question: str, nearest: int) -> None:
    """In either language, asked by the OpenAI SDK as it is."""
    passages = client.embeddings.create(model="nova-embedding-stable", input=PASSAGES)
    asked = client.embeddings.create(model=EMBEDDER, input=question, extra_body={"input_type": "query"})
    assert [entry.index for entry in passages.data] == [0, 1, 2, 3]
    assert likest(asked.data[0].embedding, [entry.embedding for entry in passages.data]) == nearest
    assert passages.model == "nova-embedding-stable"
    assert passages.usage.prompt_tokens == passages.usage.total_tokens > 20


def test_both_encodings_hold_the_same_numbers(client: openai.OpenAI) -> None:
    """As numbers, and as the bytes of 32-bit floats; each vector has the length 1."""
    numbers = client.embeddings.create(model=EMBEDDER, input="a", encoding_format="float").data[0].embedding
    encoded: Any = client.embeddings.create(model=EMBEDDER, input="a", encoding_format="base64").data[0].embedding
    assert array("f", base64.b64decode(encoded)).tolist() == numbers
    assert len(numbers) == SIZE
    assert sum(number * number for number in numbers) == pytest.approx(1.0, abs=1e-5)


def test_passages_and_questions_are_read_differently(client: openai.OpenAI) -> None:
    """A text nobody says anything of is a passage."""
    plain, passage, query = (
        client.embeddings.create(model=EMBEDDER, input="rain", extra_body=extra).data[0].embedding
        for extra in ({}, {"text_type": "document"}, {"input_type": "search_query"})
    )
    assert plain == passage != query


def test_many_and_long_texts_keep_their_order(client: openai.OpenAI) -> None:
    """More than are computed at a time, one of them longer than the model's window."""
    texts = [f"Sentence number {number}." for number in range(40)]
    texts[7] = "Rivers carry water to the sea. " * 120
    together = client.embeddings.create(model=EMBEDDER, input=texts).data
    for position in (0, 7, 39):
        alone = client.embeddings.create(model=EMBEDDER, input=texts[position]).data[0].embedding
        assert alone == pytest.approx(together[position].embedding, abs=1e-3)


def test_what_is_done_is_told(server: Server) -> None:
    """Who answered, and what was ignored."""
    body = {"model": "text-embedding-3-small", "input": "a", "late_chunking": True, "input_type": "clustering"}
    answer = post(server, "/v1/embeddings", body)
    assert answer.status_code == 200
    assert answer.headers["x-rixin-model"] == f"local/{EMBEDDER}"
    assert answer.headers["x-rixin-changes"] == "ignored(late_chunking), ignored(input_type)"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input"),
        ({"input": ["a", " "]}, "input[1]"),
        ({"input": [1, 2, 3]}, "input"),
        ({"input": [[1, 2], [3]]}, "input"),
        ({"input": ["a", 1]}, "input[1]"),
        ({"input": ["a"] * 2049}, "input"),
        ({"input": ["a", "word " * 9000]}, "input[1]"),
        ({"input": "a", "dimensions": 256}, "dimensions"),
        ({"input": "a", "dimensions": 0}, "dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "a", "model": "local"}, "model"),
        ({}, "input"),
    ],
)
def test_wrong_requests_name_what_is_wrong(server: Server, fields: dict[str, Any], param: str) -> None:
    """Each is a 400."""
    answer = post(server, "/v1/embeddings", {"model": EMBEDDER, **fields})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param


def test_chats_are_refused(client: openai.OpenAI) -> None:
    """By the model that makes embeddings only."""
    with pytest.raises(openai.NotFoundError, match="does not answer chats"):
        client.chat.completions.create(model=EMBEDDER, messages=[{"role": "user", "content": "Hi"}])


def test_the_native_sdk_embeds(server: Server) -> None:
    """In the platform's own shape."""
    answer = call(
        variables(server, "embeddings"),
        "sensenova.Embedding.create(model='nova-embedding-stable', input=['你好', 'Hello'])",
    )
    assert [entry["index"] for entry in answer["embeddings"]] == [0, 1]
    assert [len(entry["embedding"]) for entry in answer["embeddings"]] == [SIZE, SIZE]
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("texts", "code", "field"), [(["a"] * 33, 3, "input"), (["a", "字" * 2000], 17, "input[1]"), ([], 3, "input")]
)
def test_native_limits_hold(server: Server, texts: list[str], code: int, field: str) -> None:
    """At most 32 texts, each of at most 512 tokens."""
    answer = post(server, "/v1/llm/embeddings", {"model": "nova-embedding-v1", "input": texts})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["details"] == [{"field": field}]


def test_the_request_log_tells_of_embeddings(server: Server, client: openai.OpenAI) -> None:
    """Of those that were answered, and of those that were none."""
    client.embeddings.create(model=EMBEDDER, input="logged")
    post(server, "/v1/embeddings", {"model": EMBEDDER, "input": ""})
    rows = requests.get(f"{server.url}/admin/v1/requests?limit=2", headers=server.headers, timeout=60).json()["data"]
    assert [(row["operation"], row["status"], row["error"]) for row in rows] == [
        ("embed", 400, "invalid_request"),
        ("embed", 200, None),
    ]
    assert rows[1]["prompt_tokens"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's /proc to look at another process")
def test_the_embedder_sees_no_secrets_and_rests_when_unused(launch: Callable[..., Server]) -> None:
    """It is a child of its own that goes when nobody wants it, and comes back."""
    server = launch(config="[engine]\nembedder_idle = 2\n", env={"SENSENOVA_API_KEY": "sk-secret"})
    assert embedder(server)["state"] == "stopped"
    for _ in range(2):
        answer = post(server, "/v1/embeddings", {"model": EMBEDDER, "input": "a"})
        assert answer.status_code == 200, answer.text
        pid = embedder_pid(server)
        ending = os.pidfd_open(pid)
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"sk-secret" not in environment
        assert server.key.encode() not in environment
        assert select.select([ending], [], [], HANG)[0], "it is still there"
        os.close(ending)


def test_the_page(server: Server) -> None:
    """Its command runs."""
    (command,) = blocks(DOCS / "embeddings.md", "sh")
    answer = json.loads(run(command, server.url, server.shell).stdout)
    assert [len(entry["embedding"]) for entry in answer["data"]] == [SIZE, SIZE]


def post(server: Server, path: str, body: dict[str, Any]) -> requests.Response:
    """An answer to a POST."""
    return requests.post(server.url + path, json=body, headers=server.headers, timeout=120)


def embedder(server: Server) -> dict[str, Any]:
    """What is told of the embedder's process."""
    answer = requests.get(f"{server.url}/admin/v1/engines", headers=server.headers, timeout=60).json()
    return next(engine for engine in answer["data"] if engine["model"] == EMBEDDER)


def embedder_pid(server: Server) -> int:
    """The embedder's process, among the children of the server's."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return next(int(pid) for pid in children if b"engines.embedder" in Path(f"/proc/{pid}/cmdline").read_bytes())
