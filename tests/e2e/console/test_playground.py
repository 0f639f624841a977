"""The playground in a real browser, in front of an upstream that talks by script, and of the embedded painter."""

import base64
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, JSHandle, Locator, Page, Request, expect

from tests.e2e.console.conftest import needed
from tests.e2e.console.talker import (
    BEGUN,
    ENDLESS,
    FORBIDDEN,
    HELD,
    MODELS,
    REFUSAL,
    THOUGHT,
    Talker,
    config_of,
    talker,
)
from tests.e2e.console.visit import PATIENCE, SCREENSHOTS, choose, serious, state, visited
from tests.media.samples import image, video
from tests.support.server import ROOT, Server, start
from tests.upstreams.scripted import ScriptedUpstream

pytestmark = pytest.mark.timeout(600)

DIALECTS = {
    "Chat Completions": "/v1/chat/completions",
    "Responses": "/v1/responses",
    "Messages": "/v1/messages",
    "SenseNova native": "/v1/llm/chat-completions",
    "Gemini": "/v1beta/models/",
}
WITH_TOOLS = [name for name in DIALECTS if name != "SenseNova native"]
PACKAGES = ROOT / "tests" / "e2e" / "agents"
"""Where the SDKs for JavaScript are."""
QUESTION = "What is the weather in Paris?"
PNG, OTHER = image(), image(size=(50, 20))
PASTE = """(field, clipboardData) =>
  field.dispatchEvent(new ClipboardEvent('paste', {clipboardData, bubbles: true}))"""
FILES = """(files) => {
  const held = new DataTransfer();
  for (const { name, type, data } of files) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    held.items.add(new File([bytes], name, { type }));
  }
  return held;
}"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Talker]:
    """What answers."""
    with talker() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def site(browser: Browser, upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with that upstream."""
    running, stop = start(tmp_path_factory.mktemp("playground") / "data", config=config_of(upstream))
    yield running
    assert stop() == 0, "".join(running.output)


def begin(page: Page, site: Server, dialect: str = "Chat Completions") -> None:
    """Opens the playground and chooses a dialect."""
    page.goto(f"{site.url}/console/playground")
    expect(page.get_by_role("heading", level=1)).to_have_text("Playground")
    if dialect != "Chat Completions":
        choose(page, "Dialect", dialect)


def pick(page: Page, model: str, pane: int = 0) -> None:
    """Chooses whom a conversation is with, found by a part of the name."""
    chooser = page.get_by_role("combobox", name="Model").nth(pane)
    chooser.click()
    chooser.fill(model)
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_have_count(0)


def say(page: Page, text: str) -> None:
    """Sends a message."""
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def held(page: Page, *files: tuple[str, str, bytes]) -> JSHandle:
    """What a browser holds that drags files, or has copied them: name, type and bytes of each."""
    told = [{"name": name, "type": kind, "data": base64.b64encode(data).decode()} for name, kind, data in files]
    return page.evaluate_handle(FILES, told)


def posted(request: Request) -> dict[str, Any]:
    """What a page has sent."""
    return json.loads(request.post_data or "")


def pixels(image: bytes) -> bytes:
    """Those of an image, which may be stored in another way by now."""
    return Image.open(BytesIO(image)).convert("RGB").tobytes()


def answers(page: Page) -> Locator:
    """The conversations that are shown."""
    return page.get_by_role("log")


def open_drawer(page: Page, name: str) -> Locator:
    """Opens what a button above the conversations leads to."""
    page.get_by_role("button", name=name, exact=True).click()
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()
    return dialog


def close_drawer(page: Page) -> None:
    """Closes it again."""
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_spoken(browser: Browser, site: Server, owner: dict[str, str], dialect: str) -> None:
    """The answer comes by the dialect's path, and is shown with its reasoning folded, its tokens and its times."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site, dialect)
        with page.expect_request(lambda request: request.method == "POST" and DIALECTS[dialect] in request.url):
            say(page, QUESTION)
        log = answers(page)
        expect(log.locator("strong").get_by_text(MODELS[0], exact=True)).to_be_visible()
        expect(log.get_by_text("34 out")).to_be_visible()
        expect(log.get_by_text("12 in")).to_be_visible()
        expect(log.get_by_text("first token")).to_be_visible()
        thought = log.get_by_text(THOUGHT)
        expect(thought).to_be_hidden()
        log.get_by_text("Reasoning", exact=True).click()
        expect(thought).to_be_visible()


@pytest.mark.parametrize("dialect", WITH_TOOLS)
def test_a_tool_is_defined_called_and_answered(
    browser: Browser, site: Server, upstream: ScriptedUpstream, owner: dict[str, str], dialect: str
) -> None:
    """The model's call is shown, waits for its result, and the conversation goes on with it."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site, dialect)
        drawer = open_drawer(page, "Tools")
        drawer.get_by_role("textbox").fill('{"name": "get weather"}')
        expect(drawer.get_by_text("A tool needs a name")).to_be_visible()
        drawer.get_by_role("button", name="Example").click()
        expect(drawer.get_by_text("get_weather", exact=True)).to_be_visible()
        close_drawer(page)
        say(page, QUESTION)
        expect(page.get_by_role("region", name="Call of get_weather").get_by_text('"city": "Paris"')).to_be_visible()
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        page.get_by_role("textbox", name="Result of get_weather").fill("18 degrees")
        if dialect == WITH_TOOLS[0]:
            assert serious(page) == []
            page.screenshot(path=SCREENSHOTS / "playground-tools.png")
        page.get_by_role("button", name="Give and go on").click()
        expect(answers(page).get_by_text("It says: 18 degrees")).to_be_visible()
    call, result = upstream.posted[-1].json["messages"][-2:]
    assert json.loads(call["tool_calls"][0]["function"]["arguments"]) == {"city": "Paris"}
    assert (result["role"], result["content"]) == ("tool", "18 degrees")
    assert result["tool_call_id"] == call["tool_calls"][0]["id"]


def test_a_stream_is_stopped(browser: Browser, site: Server, upstream: ScriptedUpstream, owner: dict[str, str]) -> None:
    """What has come stays, the upstream is left as well, and the next question is answered."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        say(page, ENDLESS)
        expect(answers(page).get_by_text(BEGUN)).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(answers(page).get_by_text("Stopped")).to_be_visible()
        expect(answers(page).get_by_text(BEGUN)).to_be_visible()
        say(page, QUESTION)
        expect(answers(page).get_by_text("34 out")).to_be_visible()
    assert upstream.left.is_set()
    roles = [message["role"] for message in upstream.posted[-1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_two_models_answer_side_by_side(
    browser: Browser, site: Server, upstream: ScriptedUpstream, owner: dict[str, str]
) -> None:
    """One question goes to both, each answers in its own column."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        page.get_by_role("checkbox", name="Compare two").check()
        expect(answers(page)).to_have_count(2)
        pick(page, MODELS[1], pane=1)
        say(page, QUESTION)
        for index, model in enumerate(MODELS):
            expect(answers(page).nth(index).locator("strong").get_by_text(model, exact=True)).to_be_visible()
            expect(answers(page).nth(index).get_by_text("34 out")).to_be_visible()
        assert serious(page) == []
        page.screenshot(path=SCREENSHOTS / "playground-compare.png")
    assert {request.json["model"] for request in upstream.posted[-2:]} == set(MODELS)


def test_images_and_videos_are_dropped_and_pasted(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Each becomes a part of the message; what is neither is refused by name, and one can be taken away again."""
    film, other_film = video(), video(frames=20)
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        page.locator(".bench").dispatch_event(
            "drop",
            {
                "dataTransfer": held(
                    page,
                    ("a.png", "image/png", PNG),
                    ("c.mp4", "video/mp4", film),
                    ("notes.txt", "text/plain", b"no"),
                )
            },
        )
        expect(page.get_by_role("button", name="Remove image 1")).to_be_visible()
        expect(page.get_by_role("button", name="Remove video 1")).to_be_visible()
        expect(page.get_by_text("notes.txt is neither an image nor a video.")).to_be_visible()
        page.get_by_role("textbox", name="Message").evaluate(
            PASTE,
            held(page, ("b.png", "image/png", OTHER), ("d.mp4", "video/mp4", other_film)),
        )
        expect(page.get_by_role("button", name="Remove video 2")).to_be_visible()
        page.screenshot(path=SCREENSHOTS / "playground-media.png")
        page.get_by_role("button", name="Remove video 1").click()
        expect(page.get_by_role("button", name="Remove video 2")).to_have_count(0)
        page.get_by_role("button", name="Remove image 1").click()
        expect(page.get_by_role("button", name="Remove image 2")).to_have_count(0)
        with page.expect_request("**/v1/chat/completions") as asked:
            say(page, "What is this?")
        parts: list[dict[str, Any]] = posted(asked.value)["messages"][-1]["content"]
        expect(answers(page).get_by_role("img", name="Image 1")).to_be_visible()
    assert [part["type"] for part in parts] == ["image_url", "video_url", "text"]
    assert parts[0]["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(OTHER).decode()
    assert parts[1]["video_url"]["url"] == "data:video/mp4;base64," + base64.b64encode(other_film).decode()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_images_and_videos_reach_the_model(
    browser: Browser, site: Server, upstream: ScriptedUpstream, owner: dict[str, str], dialect: str
) -> None:
    """In every dialect, as they were."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site, dialect)
        pick(page, MODELS[1])
        for noun, kind, data, seen in (("image", "image/png", PNG, pixels), ("video", "video/mp4", video(), bytes)):
            page.get_by_role("button", name="New").click()
            page.locator(".bench").dispatch_event("drop", {"dataTransfer": held(page, ("file", kind, data))})
            expect(page.get_by_role("button", name=f"Remove {noun} 1")).to_be_visible()
            say(page, "What is this?")
            expect(answers(page).get_by_text("34 out")).to_be_visible()
            parts = {part["type"]: part for part in upstream.posted[-1].json["messages"][-1]["content"]}
            assert parts.keys() == {f"{noun}_url", "text"}
            about, _, arrived = parts[f"{noun}_url"][f"{noun}_url"]["url"].partition(",")
            assert about == f"data:{kind};base64"
            assert seen(base64.b64decode(arrived)) == seen(data)


def test_an_image_is_drawn_at_a_chosen_size(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """By the embedded painter."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        pick(page, "draw")
        size = page.get_by_role("combobox", name="Size")
        size.click()
        page.keyboard.press("Enter")
        with page.expect_request("**/v1/images/generations") as asked:
            say(page, "Tea in three steps: heat the water, steep the leaves, pour.")
        image = answers(page).get_by_role("img", name="Image 1")
        expect(image).to_be_visible(timeout=4 * PATIENCE)
        drawn = image.evaluate("(image) => image.decode().then(() => `${image.naturalWidth}x${image.naturalHeight}`)")
        page.screenshot(path=SCREENSHOTS / "playground-drawing.png")
    assert posted(asked.value)["size"] == drawn


def test_a_drawing_tells_how_far_it_is(browser: Browser, site: Server, upstream: Talker, owner: dict[str, str]) -> None:
    """While a model writes what it is drawn from; then the picture is there, and the bar is gone."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        pick(page, "draw")
        say(page, HELD)
        bar = answers(page).get_by_role("progressbar", name="Finding the words")
        expect(bar).to_be_visible()
        expect(answers(page).get_by_text("Finding the words")).to_be_visible()
        page.screenshot(path=SCREENSHOTS / "playground-drawing-begun.png")
        assert serious(page) == []
        upstream.go_on()
        expect(answers(page).get_by_role("img", name="Image 1")).to_be_visible(timeout=4 * PATIENCE)
        expect(answers(page).get_by_role("progressbar")).to_have_count(0)


def test_the_makers_recommend_parameters(
    browser: Browser, site: Server, upstream: ScriptedUpstream, owner: dict[str, str]
) -> None:
    """Of models that have some, with one click; of other models none are shown."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        drawer = open_drawer(page, "Parameters")
        drawer.get_by_role("button", name="No thinking, reasoning tasks").click()
        expect(drawer.get_by_role("button", name="No thinking, reasoning tasks")).to_have_attribute(
            "aria-pressed", "true"
        )
        expect(drawer.get_by_label("Top K")).to_have_value("40")
        assert serious(page) == []
        page.screenshot(path=SCREENSHOTS / "playground-parameters.png")
        close_drawer(page)
        say(page, QUESTION)
        expect(answers(page).get_by_text("34 out")).to_be_visible()
        pick(page, MODELS[1])
        drawer = open_drawer(page, "Parameters")
        expect(drawer.get_by_role("button", name="No thinking, reasoning tasks")).to_have_count(0)
    sent = upstream.posted[-1].json
    wanted = {"temperature": 1, "top_p": 1, "top_k": 40, "presence_penalty": 2, "reasoning_effort": "none"}
    assert {name: sent.get(name) for name in wanted} == wanted


def shown_programs(page: Page, *names: str) -> list[str]:
    """What is shown by "View code", with a key that is made on the spot."""
    drawer = open_drawer(page, "View code")
    drawer.get_by_role("button", name="Make one").click()
    programs: list[str] = []
    for name in names:
        drawer.get_by_role("tab", name=name).click()
        shown = drawer.get_by_role("region", name=name)
        expect(shown).to_contain_text("sk-rx-")
        programs.append(shown.inner_text())
    page.screenshot(path=SCREENSHOTS / "playground-code.png")
    return programs


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_shown_programs_run(
    browser: Browser,
    site: Server,
    upstream: ScriptedUpstream,
    owner: dict[str, str],
    program: Callable[[str], str],
    dialect: str,
) -> None:
    """With the parameters and tools of the page; of Google's SDKs tests have the one for JavaScript."""
    needed((PACKAGES / "node_modules" / "@google" / "genai").is_dir(), "no packages; `make agents` gets them")
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site, dialect)
        open_drawer(page, "Parameters").get_by_role("button", name="Thinking, precise coding").click()
        close_drawer(page)
        if dialect in WITH_TOOLS:
            open_drawer(page, "Tools").get_by_role("button", name="Example").click()
            close_drawer(page)
        curl, python, javascript = shown_programs(page, "curl", "Python", "JavaScript")
    commands = [
        ["bash", "-c", curl],
        [program("node"), "--input-type=module", "--eval", javascript],
    ]
    if dialect != "Gemini":
        commands.append([sys.executable, "-c", python])
    for command in commands:
        ran = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE / 1000,
            check=False,
            cwd=PACKAGES,
            env={"PATH": os.environ["PATH"]},
        )
        assert ran.returncode == 0, ran.stderr
        assert f"You said so, {MODELS[0]}." in ran.stdout
        sent = upstream.posted[-1].json
        assert (sent["temperature"], sent["top_p"]) == (0.6, 0.95)
        assert [tool["function"]["name"] for tool in sent.get("tools", ())] == ["get_weather"] * (dialect in WITH_TOOLS)


def test_agents_are_wired_by_what_is_shown(
    browser: Browser, site: Server, owner: dict[str, str], tmp_path: Path
) -> None:
    """To this server, with the page's key and model, on a machine that knows of no server; by hand likewise."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        codex, claude = shown_programs(page, "Codex", "Claude Code")
    found = re.search(r"sk-rx-[\w-]+", codex)
    assert found is not None
    tell = tmp_path / "claude"
    tell.write_text("#!/bin/sh\nenv\n", encoding="utf-8")
    tell.chmod(0o755)
    by_command, _, by_hand = codex.partition("\n\n")
    environ = {
        "PATH": os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "RIXIN_DATA_DIR": str(tmp_path / "data"),
    }
    told = ""
    for script in (by_command, claude):
        ran = subprocess.run(
            ["bash", "-ec", script],
            capture_output=True,
            text=True,
            timeout=PATIENCE / 1000,
            check=False,
            cwd=tmp_path,
            env=environ,
        )
        assert ran.returncode == 0, ran.stderr
        told = ran.stdout
    wired = (tmp_path / ".codex" / "config.toml").read_text(encoding="utf-8")
    for written in (tomllib.loads(wired), tomllib.loads(by_hand)):
        provider = written["model_providers"][written["model_provider"]]
        assert (written["model"], provider["base_url"]) == (MODELS[0], f"{site.url}/v1")
        assert provider["wire_api"] == "responses"
    assert found[0] in wired
    wanted = {"ANTHROPIC_BASE_URL": site.url, "ANTHROPIC_AUTH_TOKEN": found[0], "ANTHROPIC_MODEL": MODELS[0]}
    settings = json.loads((tmp_path / ".claude" / "settings.json").read_text(encoding="utf-8"))
    assert settings["env"].items() >= wanted.items()
    assert {f"{name}={value}" for name, value in wanted.items()} <= set(told.splitlines())


def test_conversations_are_kept_here_and_cleared(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """They are there after the page was loaded again, in this browser only, until the history is cleared."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        say(page, QUESTION)
        expect(answers(page).get_by_text("34 out")).to_be_visible()
        page.reload()
        expect(answers(page).get_by_text("34 out")).to_have_count(0)
        open_drawer(page, "History").get_by_role("button", name=QUESTION, exact=True).click()
        expect(answers(page).get_by_text("34 out")).to_be_visible()
        drawer = open_drawer(page, "History")
        drawer.get_by_role("button", name="Clear the history").click()
        page.get_by_role("tooltip").get_by_role("button", name="Clear the history").click()
        expect(drawer.get_by_text("No conversations yet.")).to_be_visible()
        assert page.evaluate("localStorage.getItem('rixin.conversations')") == "[]"
        page.reload()
        expect(open_drawer(page, "History").get_by_text("No conversations yet.")).to_be_visible()


def test_a_failure_is_shown_where_the_answer_would_be(
    browser: Browser, site: Server, upstream: ScriptedUpstream, owner: dict[str, str]
) -> None:
    """In the upstream's words, which are text; the conversation goes on without it."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        begin(page, site)
        say(page, FORBIDDEN)
        expect(answers(page).get_by_role("alert")).to_contain_text(REFUSAL)
        say(page, QUESTION)
        expect(answers(page).get_by_text("34 out")).to_be_visible()
    assert [message["role"] for message in upstream.posted[-1].json["messages"]] == ["user", "user"]
