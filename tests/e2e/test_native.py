"""The chat examples of the SenseNova V6 API documentation, against a real model on this machine."""

import base64
import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.support.server import ROOT, Server

MODEL = "SenseNova-V6-Pro"
CHAT = "/v1/llm/chat-completions"
QUESTION = [{"role": "user", "content": [{"type": "text", "text": "Say hello in one word."}]}]


@pytest.fixture(scope="module")
def pair(server: Server) -> dict[str, str]:
    """An access key, made while the server runs."""
    command = server.cli("keys", "create", "native", "--access-key", "--json")
    done = subprocess.run(command, env=server.environ, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)


def encode_jwt_token(ak: str, sk: str) -> str:
    """A token as the platform's documentation has its users make one, by hand for want of a library."""
    headers = {"alg": "HS256", "typ": "JWT"}
    payload = {"iss": ak, "exp": int(time.time()) + 1800, "nbf": int(time.time()) - 5}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (headers, payload)]
    signature = hmac.new(sk.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.fixture
def token(pair: dict[str, str]) -> str:
    """What the documentation calls `$API_TOKEN`."""
    return encode_jwt_token(pair["access_key_id"], pair["secret_access_key"])


def post(server: Server, credential: str, **fields: Any) -> requests.Response:
    """Sends a chat."""
    headers = {"authorization": f"Bearer {credential}"}
    body = {"model": MODEL, "messages": QUESTION, "max_new_tokens": 30, **fields}
    return requests.post(server.url + CHAT, headers=headers, json=body, timeout=120)


def test_the_documented_command(server: Server, token: str, program: Callable[[str], str]) -> None:
    """The request example with all of its fields, as it is printed but for address, model, role and content."""
    body = {
        "model": MODEL, "messages": QUESTION, "max_new_tokens": 1024, "repetition_penalty": 1.0, "stream": False,
        "temperature": 0.8, "top_p": 0.7, "user": "string",
    }  # fmt: skip
    command = [
        *(program("curl"), "-sS", "--request", "POST", server.url + CHAT, "-H", "Content-Type: application/json"),
        *("-H", f"Authorization: Bearer {token}", "-d", json.dumps(body)),
    ]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)
    assert list(answer) == ["data"]
    assert list(answer["data"]) == ["id", "choices", "usage"]
    [choice] = answer["data"]["choices"]
    assert list(choice) == ["message", "finish_reason", "index", "role"]
    assert choice["message"]
    assert (choice["finish_reason"], choice["index"], choice["role"]) == ("stop", 0, "assistant")
    check_usage(answer["data"]["usage"])


def check_usage(usage: dict[str, int]) -> None:
    """Four counts, the last of which is the sum."""
    assert list(usage) == ["prompt_tokens", "knowledge_tokens", "completion_tokens", "total_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] > 0


def test_the_documented_stream(server: Server, token: str) -> None:
    """Data-only events without a blank after the colon, each with a status and the usage so far."""
    response = post(server, token, stream=True)
    assert "text/event-stream" in response.headers["content-type"]
    assert response.headers["x-request-id"]
    *events, end, rest = response.content.split(b"\n\n")
    assert (end, rest) == (b"data:[DONE]", b"")
    chunks = [json.loads(event.removeprefix(b"data:")) for event in events]
    assert all(event.startswith(b'data:{"data":{"id":') for event in events)
    for chunk in chunks:
        assert list(chunk) == ["data", "status"]
        assert chunk["status"] == {"code": 0, "message": "ok"}
        check_usage(chunk["data"]["usage"])
        [choice] = chunk["data"]["choices"]
        assert (choice["index"], choice["role"]) == (0, "assistant")
    assert len({chunk["data"]["id"] for chunk in chunks}) == 1
    choices = [chunk["data"]["choices"][0] for chunk in chunks]
    assert "".join(choice["delta"] for choice in choices)
    assert {choice["finish_reason"] for choice in choices[:-1]} == {""}
    assert (choices[-1]["delta"], choices[-1]["finish_reason"]) == ("", "stop")


def test_a_reasoner_shows_its_thoughts(server: Server, token: str) -> None:
    """Beside the words, whole and streamed."""
    fields = {"model": "SenseNova-V6-Reasoner", "thinking": {"enabled": True}, "max_new_tokens": 300}
    [choice] = post(server, token, **fields).json()["data"]["choices"]
    assert choice["reasoning_content"]
    events = post(server, token, stream=True, **fields).text.split("\n\n")[:-2]
    choices = [json.loads(event.removeprefix("data:"))["data"]["choices"][0] for event in events]
    assert "".join(choice.get("reasoning_content", "") for choice in choices)


def test_the_length_runs_out(server: Server, token: str) -> None:
    """The finish reason says it, and the count is the limit."""
    data = post(server, token, max_new_tokens=3, messages=[{"role": "user", "content": "Count to 100."}]).json()["data"]
    assert data["choices"][0]["finish_reason"] == "length"
    assert data["usage"]["completion_tokens"] == 3


def test_a_full_window_is_told(launch: Callable[..., Server]) -> None:
    """Who sets no limit is given what the window leaves, and learns that it was the window that ended the answer."""
    weights = ROOT / ".cache" / "models" / "smollm2-135m.gguf"
    server = launch(config=f'[[models]]\nname = "local"\npath = "{weights}"\ncontext_length = 128\n')
    story = [{"role": "user", "content": "Tell me a long story about a fox."}]
    fields: dict[str, Any] = {"messages": story, "temperature": 0.01, "max_new_tokens": None}
    data = post(server, server.key, **fields).json()["data"]
    assert (data["choices"][0]["finish_reason"], data["usage"]["total_tokens"]) == ("context", 128)
    last = post(server, server.key, stream=True, **fields).text.split("\n\n")[-3]
    assert json.loads(last.removeprefix("data:"))["data"]["choices"][0]["finish_reason"] == "context"
    [choice] = post(server, server.key, **{**fields, "max_new_tokens": 3}).json()["data"]["choices"]
    assert choice["finish_reason"] == "length"


def test_a_limit_that_does_not_fit_is_error_17(server: Server, token: str) -> None:
    """Prompt and `max_new_tokens` together stay within the window; unsaid, the limit is what is left."""
    long = [{"role": "user", "content": "word " * 20_000}]
    response = post(server, token, messages=long, max_new_tokens=16384)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], "32768" in error["message"]) == (17, True)


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"temperature": 0}, 400, 3),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, 400, 3),
        ({"model": "SenseNova-V99"}, 404, 5),
    ],
)
def test_errors_are_the_documented_ones(
    server: Server, token: str, fields: dict[str, Any], status: int, code: int
) -> None:
    """Status, number and words; the request's id tells which it was."""
    response = post(server, token, **fields)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["error"]["message"]
    assert response.headers["x-request-id"]


def test_the_platforms_models_are_listed(server: Server, token: str) -> None:
    """Pro, Turbo and Reasoner, whatever answers for them."""
    response = requests.get(f"{server.url}/v1/llm/models", headers={"authorization": f"Bearer {token}"}, timeout=60)
    listed = {model["id"]: model for model in response.json()["data"]}
    assert {"SenseNova-V6-Pro", "SenseNova-V6-Turbo", "SenseNova-V6-Reasoner"} <= listed.keys()
    assert listed["SenseNova-V6-Pro"]["root"] == "local"


def test_a_token_opens_the_other_dialects(server: Server, token: str) -> None:
    """Wherever an API key counts, a token does."""
    body = {"model": "local", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
    for path in ("/v1/chat/completions", "/compatible-mode/v1/chat/completions"):
        headers = {"authorization": f"Bearer {token}"}
        response = requests.post(server.url + path, headers=headers, json=body, timeout=120)
        assert response.status_code == 200, response.text
    response = requests.post(f"{server.url}/v1/messages", headers={"x-api-key": token}, json=body, timeout=120)
    assert response.status_code == 200, response.text


def test_a_token_from_the_command_line_counts_until_its_key_is_disabled(server: Server, pair: dict[str, str]) -> None:
    """`keys token` signs it, and `keys disable` ends it in the running server within seconds."""
    command = server.cli("keys", "token", pair["access_key_id"], "--json")
    done = subprocess.run(command, env=server.environ, capture_output=True, check=True, timeout=60)
    minted = json.loads(done.stdout)["token"]
    assert post(server, minted, max_new_tokens=1).status_code == 200
    subprocess.run(
        server.cli("keys", "disable", pair["id"]), env=server.environ, capture_output=True, check=True, timeout=60
    )
    deadline = time.monotonic() + 5
    while (status := post(server, minted, max_new_tokens=1).status_code) == 200 and time.monotonic() < deadline:
        pass
    assert status == 401
