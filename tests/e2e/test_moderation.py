"""Moderation of what knowledge bases know and of texts to embed, on a real server with the real models."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.server import Server, start

NATIVE, CHAT = "/v1/llm/chat-completions", "/v1/chat/completions"
HANG = 100.0
"""Seconds after which a test that should have ended counts as hanging."""
DOCUMENT: dict[str, Any] = {
    "text_lst": ["The ferry to Skarn carries a bomb disposal team."],
    "qa_lst": [{"std_q": "What is in the cellar?", "simi_qs": [], "answer": "There is a bomb in the cellar."}],
}
QUESTION = "Who is on the ferry to Skarn?"
OFTEN = "What is in the cellar?"


class Client:
    """Asks a server whose list of words has `bomb`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.base = self._made()

    def post(self, path: str, **options: Any) -> requests.Response:
        """An answer."""
        headers = {"authorization": f"Bearer {self._server.key}"}
        return requests.post(self._server.url + path, headers=headers, timeout=HANG, **options)

    def ask(self, question: str, path: str, *, stream: bool, **config: Any) -> requests.Response:
        """An answer that draws on the base."""
        body = {
            "model": "local",
            "messages": [{"role": "user", "content": question}],
            "stream": stream,
            "know_ids": [self.base],
            "knowledge_config": config,
            **({"max_tokens": 20} if path == "/v1/messages" else {}),
        }
        return self.post(path, json=body)

    def _made(self) -> str:
        sent = {"file": ("facts.json", json.dumps(DOCUMENT))}
        file = self.post("/v1/files", files=sent, data={"scheme": "KNOWLEDGE_BASE_1"}).json()["id"]
        base = self.post("/v1/llm/knowledge-bases", json={"files": [file]}).json()["knowledge_base"]["id"]
        url, headers = f"{self._server.url}/v1/llm/knowledge-bases/{base}", {"x-api-key": self._server.key}
        end = time.monotonic() + HANG
        while requests.get(url, headers=headers, timeout=HANG).json()["knowledge_base"]["status"] != "VALID":
            assert time.monotonic() < end
            time.sleep(0.2)  # the platform's API has nothing to wait for
        return base


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server that looks at requests and answers."""
    yield from served(tmp_path_factory.mktemp("strict"))


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a server that looks at answers only."""
    yield from served(tmp_path_factory.mktemp("lenient"), "input = false\n")


def served(folder: Path, settings: str = "") -> Iterator[Client]:
    """A client of a server that looks for one word."""
    words = folder / "words.txt"
    words.write_text("bomb\n", encoding="utf-8")
    server, stop = start(folder / "data", config=f'[moderation]\nwords = "{words}"\n{settings}')
    yield Client(server)
    stop()


STREAMS = pytest.mark.parametrize("stream", [False, True])


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        (NATIVE, 400, {"code": 18}),
        (CHAT, 403, {"code": "7", "type": "permission_denied_error"}),
        ("/v1/messages", 400, {"type": "invalid_request_error"}),
    ],
)
@STREAMS
def test_a_request_with_such_a_passage_is_refused(
    strict: Client, path: str, status: int, error: dict[str, Any], stream: bool
) -> None:
    """It is a part of what the model would be asked; an error in the dialect's own form, before any stream begins."""
    answer = strict.ask(QUESTION, path, stream=stream)
    assert answer.status_code == status
    assert error.items() <= answer.json()["error"].items()
    assert "bomb" not in answer.text


@pytest.mark.parametrize(("path", "reason"), [(NATIVE, "sensitive"), (CHAT, "content_filter")])
@STREAMS
def test_what_is_told_of_a_base_is_looked_at(lenient: Client, path: str, reason: str, stream: bool) -> None:
    """The passages that the client wants to see, and an answer that needs no model: both end where the word begins."""
    shown = lenient.ask(QUESTION, path, stream=stream, knowledge_base_result=True)
    often = [{"know_id": lenient.base, "faq_threshold": 0.9}]
    direct = lenient.ask(OFTEN, path, stream=stream, knowledge_base_configs=often)
    for answer in (shown, direct):
        assert answer.status_code == 200
        assert "bomb" not in answer.text
        assert f'"finish_reason":"{reason}"' in answer.text
    assert "There is a " in direct.text


def test_texts_to_embed_are_looked_at(strict: Client) -> None:
    """In both APIs, each with its own words for it; harmless ones beside them go too."""
    chat = strict.post("/v1/embeddings", json={"model": "nova-embedding-stable", "input": ["a", "the bomb"]})
    assert (chat.status_code, chat.json()["error"]["code"]) == (403, "7")
    native = strict.post("/v1/llm/embeddings", json={"model": "nova-embedding-stable", "input": ["the bomb"]})
    assert (native.status_code, native.json()["error"]["code"]) == (400, 18)
    assert strict.post("/v1/embeddings", json={"model": "nova-embedding-stable", "input": "peace"}).ok
