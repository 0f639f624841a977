"""The unmodified Python SDK of the SenseNova V6 platform, with its variables pointed at Rixin."""

import pytest

from tests.support.sensenova_sdk import call, variables
from tests.support.server import Server

QUESTION = '[{"role": "user", "content": "Say this is a test!"}]'


@pytest.fixture(scope="module")
def environ(server: Server) -> dict[str, str]:
    """What the SDK reads."""
    return variables(server, "sdk")


def test_chats_are_answered(environ: dict[str, str]) -> None:
    """Whole, and streamed to the end."""
    expression = f"sensenova.ChatCompletion.create(model='SenseNova-V6-Pro', messages={QUESTION}, max_new_tokens=20"
    assert call(environ, f"{expression})")["data"]["choices"][0]["message"]
    chunks = call(environ, f"{expression}, stream=True)")
    assert "".join(chunk["data"]["choices"][0]["delta"] for chunk in chunks)
    assert chunks[-1]["data"]["choices"][0]["finish_reason"] in ("stop", "length")


def test_what_a_client_knows_is_known(environ: dict[str, str]) -> None:
    """The SDK's own example: knowledge that comes with the question."""
    knowledge = {"associated_knowledge": {"content": "aasda是一个大电影院。", "mode": "concatenate"}}
    messages = [{"role": "user", "content": "aasda是什么"}]
    fields = {"model": "SenseNova-V6-Pro", "temperature": 0.01, "max_new_tokens": 40, "plugins": knowledge}
    answer = call(environ, f"sensenova.ChatCompletion.create(messages={messages!r}, **{fields!r})")
    assert "电影院" in answer["data"]["choices"][0]["message"]


def test_prompts_are_continued(environ: dict[str, str]) -> None:
    """Whole, and streamed."""
    expression = "sensenova.Completion.create(model='local', prompt='Once upon a time', max_new_tokens=5"
    assert call(environ, f"{expression})")["data"]["choices"][0]["text"]
    assert "".join(chunk["data"]["choices"][0]["delta"] for chunk in call(environ, f"{expression}, stream=True)"))


def test_models_are_listed(environ: dict[str, str]) -> None:
    """All of them, and one."""
    assert "SenseNova-V6-Turbo" in [model["id"] for model in call(environ, "sensenova.Model.list()")["data"]]
    assert call(environ, "sensenova.Model.retrieve(id='SenseNova-V6-Pro')")["object"] == "MODEL"


@pytest.mark.parametrize(
    ("expression", "error", "status"),
    [
        (f"sensenova.ChatCompletion.create(model='nope', messages={QUESTION})", "InvalidRequestError", 404),
        (f"sensenova.ChatCompletion.create(model='local', messages={QUESTION}, top_p=1)", "InvalidRequestError", 400),
        *(
            (f"sensenova.{each}", "APIError", 501)
            for each in (
                "FineTune.list()",
                "FineTune.create(model='m', training_file='d', hyperparams={})",
                "Dataset.list()",
                "Dataset.create(description='d')",
                "Serving.list()",
                "FinetuneCompletion.create(model_id='m', text='t')",
                "Model.delete(sid='m')",
            )
        ),
        ("sensenova.Model.list(secret_access_key='the secret of somebody else')", "AuthenticationError", 401),
    ],
)
def test_errors_are_the_sdks_own(environ: dict[str, str], expression: str, error: str, status: int) -> None:
    """Each has the class that the SDK makes of the platform's status."""
    assert call(environ, expression)[:2] == [error, status]
