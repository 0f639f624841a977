"""A model on its way to the machine, as the console shows it in a real browser."""

import asyncio
from collections.abc import Callable

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect

from rixin.engines.weights import known_weights
from tests.e2e.console.visit import OWNER, PATIENCE, SCREENSHOTS, serious, state, visited
from tests.support.server import ROOT, Server
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, Send, Wait, answer, head

pytestmark = pytest.mark.timeout(900)

MODEL = "smollm2-135m"
HERE = 0.4
"""The part of the model that comes at once."""


def test_a_download_tells_how_far_it_is(
    browser: Browser, launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """On the first start: what is missing, on two pages; then the model is loaded and answers, without a click."""
    weights = known_weights()[MODEL]
    content = (ROOT / ".cache" / "models" / f"{MODEL}.gguf").read_bytes()
    cut, rest_may_come = round(weights.size * HERE), asyncio.Event()

    def hub(request: Request) -> Reply:
        if not request.path.endswith(".gguf"):
            return answer("", status=404)
        sent = head(content_type="application/octet-stream", content_length=str(weights.size))
        return [Send(sent + content[:cut]), Wait(rest_may_come), Send(content[cut:])]

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(ScriptedUpstream(hub)) as upstream:
        sources = {"HF_ENDPOINT": upstream.url, "MODELSCOPE_DOMAIN": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}
        empty = {"RIXIN_MODELS_DIR": str(tmp_path_factory.mktemp("models"))}
        server = launch(config=f'[engine]\ndefault_model = "{MODEL}"\n', env=sources | empty)
        token = (server.data_dir / "setup-token").read_text(encoding="utf-8").strip()
        entered = requests.post(f"{server.url}/admin/v1/setup", json={"token": token, **OWNER}, timeout=60)
        cookies = {cookie.name: cookie.value or "" for cookie in entered.cookies}
        with visited(browser, server, storage_state=state(server, cookies)) as page:
            page.goto(f"{server.url}/console/")
            expect(page.get_by_text("Requests cannot be answered yet")).to_be_visible()
            expect(page.get_by_role("listitem").filter(has_text="Downloading")).to_contain_text("40", timeout=PATIENCE)
            page.goto(f"{server.url}/console/models")
            engine = page.get_by_role("listitem").filter(has=page.get_by_role("progressbar", name="Progress of local"))
            expect(engine).to_contain_text("40%")
            expect(engine).to_contain_text("Downloading")
            expect(engine.get_by_role("button")).to_be_disabled()
            page.screenshot(path=SCREENSHOTS / "models-download.png")
            assert serious(page) == []
            portal.call(rest_may_come.set)
            loaded = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Unload local"))
            expect(loaded).to_contain_text("Ready", timeout=3 * PATIENCE)
            expect(page.get_by_role("progressbar")).to_have_count(0)
