"""`rixin models`, against a real HTTP server and a real folder of weights."""

import json
from pathlib import Path

import pytest

from tests.cli.program import Invoke, rixin
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer

MODELS = {
    "object": "list",
    "data": [
        {
            "id": "local",
            "owned_by": "rixin",
            "context_length": 32768,
            "max_output_length": 8192,
            "input_modalities": ["text", "image"],
        },
        {"id": "somebody-elses"},
    ],
}
ENGINES = {
    "data": [
        {
            "model": "local",
            "state": "pulling",
            "progress": 0.256,
            "memory": 763000000,
            "last_used": 1795305600.0,
            "leases": 2,
            "retry_after": None,
            "message": None,
            "load": {"running": 2, "waiting": 1, "slots": 4, "reading": [0.434]},
        },
        {
            "model": "big",
            "state": "failed",
            "progress": None,
            "memory": None,
            "last_used": None,
            "leases": 0,
            "retry_after": 1.0,
            "message": "no room\x1b[2J",
        },
    ]
}
ANSWERS = {
    ("GET", "/v1/models"): MODELS,
    ("GET", "/admin/v1/engines"): ENGINES,
    ("POST", "/admin/v1/engines/org%2Fbig/load"): ENGINES["data"][1],
    ("POST", "/admin/v1/engines/local/unload"): ENGINES["data"][0],
}


def server(request: Request) -> Reply:
    """A server with two models and two engines."""
    found = ANSWERS.get((request.method, request.path))
    if found is None:
        return answer(json.dumps({"error": {"message": f"there is nothing at {request.path}"}}), status=404)
    return answer(json.dumps(found))


async def test_models_of_a_server_are_listed(data_dir: Path) -> None:
    """One line a model; what a server does not tell is a dash."""
    async with ScriptedUpstream(server) as upstream:
        result = await rixin("models", "list", "--base-url", upstream.url, data_dir=data_dir)
        as_json = await rixin("models", "list", "--base-url", upstream.url, "--json", data_dir=data_dir)
    assert [line.split() for line in result.out.splitlines()] == [
        ["NAME", "OWNED", "BY", "CONTEXT", "MAX", "OUTPUT", "INPUT"],
        ["local", "rixin", "32768", "8192", "text,image"],
        ["somebody-elses", "-", "-", "-", "-"],
    ]
    assert json.loads(as_json.out) == MODELS["data"]


async def test_engines_are_shown_with_state_and_memory(data_dir: Path) -> None:
    """One line an engine, why one failed below, and nothing that steers the terminal."""
    async with ScriptedUpstream(server) as upstream:
        result = await rixin("models", "ps", "--base-url", upstream.url, "--api-key", "k", data_dir=data_dir)
        assert upstream.requests[0].headers["authorization"] == "Bearer k"
    _, local, big = [line.split() for line in result.out.splitlines()]
    assert local[:6] == ["local", "pulling", "26%", "763.0", "MB", "2"]
    assert " ".join(local[-8:]) == "2 of 4 running, 1 waiting, reading 43%"
    assert big == ["big", "failed", "-", "-", "0", "-", "-"]
    assert result.err == "big: no room[2J\n"


async def test_models_are_loaded_and_unloaded(data_dir: Path) -> None:
    """The name travels as one piece of the path, whatever is in it."""
    async with ScriptedUpstream(server) as upstream:
        loaded = await rixin("models", "load", "org/big", "--no-wait", "--base-url", upstream.url, data_dir=data_dir)
        unloaded = await rixin("models", "unload", "local", "--base-url", upstream.url, data_dir=data_dir)
        assert [(request.method, request.path) for request in upstream.requests] == [
            ("POST", "/admin/v1/engines/org%2Fbig/load"),
            ("POST", "/admin/v1/engines/local/unload"),
        ]
    assert loaded.out == "loading org/big; `rixin models ps` shows how far it is\n"
    assert unloaded.out == "unloaded local\n"


STARTING = {"model": "local", "state": "starting", "progress": 0.5}


@pytest.mark.parametrize(
    ("ends", "code", "says"),
    [
        ({"model": "local", "state": "ready"}, 0, "loaded local"),
        ({"model": "local", "state": "failed", "message": "no room"}, 1, "local cannot be loaded: no room"),
        ({"model": "local", "state": "stopped"}, 1, "local was unloaded before it was ready"),
        ({"model": "another", "state": "ready"}, 1, "local was unloaded before it was ready"),
    ],
)
async def test_a_load_lasts_until_it_has_ended(data_dir: Path, ends: dict[str, object], code: int, says: str) -> None:
    """The command looks until the model is ready, or will not be, and says which."""
    looks = iter([STARTING, STARTING, ends])

    def loading(request: Request) -> Reply:
        return answer(json.dumps(STARTING if request.method == "POST" else {"data": [next(looks)]}))

    async with ScriptedUpstream(loading) as upstream:
        result = await rixin("models", "load", "local", "--base-url", upstream.url, data_dir=data_dir)
    assert result.code == code
    assert says in result.out + result.err
    assert next(looks, None) is None


async def test_an_unknown_model_is_the_servers_error(data_dir: Path) -> None:
    """What the server says is shown, with exit code 1."""
    async with ScriptedUpstream(server) as upstream:
        result = await rixin("models", "load", "nope", "--base-url", upstream.url, data_dir=data_dir)
    assert result.code == 1
    assert "there is nothing at /admin/v1/engines/nope/load" in result.err


async def test_an_answer_that_is_no_list_is_told(data_dir: Path) -> None:
    """Another program on that port is not shown as an empty list."""
    async with ScriptedUpstream(answer("[]")) as upstream:
        result = await rixin("models", "list", "--base-url", upstream.url, data_dir=data_dir)
    assert result.code == 1
    assert "is no list of models" in result.err


def test_pulled_models_are_listed_without_a_server(invoke: Invoke, data_dir: Path) -> None:
    """`--pulled` looks at the folder; what could be pulled is told beside it."""
    models = data_dir / "models"
    models.mkdir(parents=True)
    (models / "smollm2-135m.gguf").write_bytes(bytes(2048))
    result = invoke("models", "list", "--pulled")
    assert [line.split() for line in result.stdout.splitlines()][1:] == [
        ["smollm2-135m", "2.0", "kB", str(models / "smollm2-135m.gguf")]
    ]
    assert "qwen2.5-coder-0.5b (491.4 MB)" in result.stderr
    assert "smollm2" not in result.stderr
    assert json.loads(invoke("models", "list", "--pulled", "--json").stdout) == [
        {"name": "smollm2-135m", "path": str(models / "smollm2-135m.gguf"), "size": 2048}
    ]


def test_a_pulled_model_is_removed(invoke: Invoke, data_dir: Path) -> None:
    """`rm` frees the disk and says how much; a second time there is nothing to remove."""
    models = data_dir / "models"
    models.mkdir(parents=True)
    (models / "tiny.gguf").write_bytes(bytes(1500))
    assert invoke("models", "rm", "tiny").stdout == "removed tiny, 1.5 kB are free again\n"
    result = invoke("models", "rm", "tiny")
    assert result.exit_code == 1
    assert "there is no model 'tiny'" in result.stderr
