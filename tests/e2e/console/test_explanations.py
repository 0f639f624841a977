"""What the server explains of upstreams, in the console's other language."""

import re
import time

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.profiles.strict_upstream import Rules
from tests.support.hang import HANG
from tests.support.server import Server
from tests.upstreams.strict import StrictUpstream

pytestmark = pytest.mark.timeout(900)

RULES = Rules(refused=frozenset({"seed"}), several_systems=True)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAMES = re.compile(r"^(parallel_tool_calls)$")
"""What is asked about and has no other name in any language."""


def until_learned(server: Server, provider: str) -> None:
    """Waits until a fix was learned, which happens behind an answer."""
    deadline = time.monotonic() + HANG
    url = f"{server.url}/admin/v1/providers/{provider}/learned"
    while not requests.get(url, headers=server.headers, timeout=HANG).json()["data"]:
        assert time.monotonic() < deadline, "nothing was learned"
        time.sleep(0.1)  # the server tells nobody


def test_rewrites_fixes_and_findings_are_told_in_chinese(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """What is rewritten and why, what was learned, each finding of the doctor's, and the values of rules."""
    headers = site.headers
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(StrictUpstream({"strict-model": RULES})) as upstream,
        visited(browser, site, storage_state=state(site, owner, language="zh")) as page,
    ):
        wish = {"name": "strict", "base_url": upstream.url, "models": ["strict-model"]}
        wish |= {"profile": {"drop_params": ["user"], "drop_nulls": True, "effort_map": {"max": "high"}}}
        made = requests.post(f"{site.url}/admin/v1/providers", json=wish, headers=headers, timeout=HANG)
        assert made.status_code == 201, made.text
        body = {"model": "strict-model", "messages": [{"role": "user", "content": "hi"}], "seed": 7}
        asked = requests.post(f"{site.url}/v1/chat/completions", json=body, headers=headers, timeout=120)
        assert asked.status_code == 200, asked.text
        until_learned(site, "strict")
        page.goto(f"{site.url}/console/providers?provider=strict")
        rewrites = page.get_by_role("region", name="改写内容")
        expect(rewrites).to_contain_text("从不发送 user (设置)")
        expect(rewrites).to_contain_text("不发送值为 null 的字段")
        expect(rewrites).to_contain_text("以其他名称表示思考强度：max → high")
        expect(page.get_by_role("region", name="学到的修正")).to_contain_text("从不发送 seed")
        page.get_by_role("button", name="开始诊断").click()
        row = page.get_by_role("row").filter(has_text="system_policy")
        expect(row).to_contain_text("将所有系统消息合并为一条，放在最前", timeout=300_000)
        page.get_by_text(re.compile("项结果$")).last.click()
        found = page.locator("details li > span:first-child")
        expect(found.filter(has_text="密钥和最小的请求")).to_be_visible()
        abouts = [text.strip() for text in found.all_inner_texts()]
        assert len(abouts) > 20
        assert [about for about in abouts if not CHINESE.search(about) and not NAMES.match(about)] == []
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "explanations-zh.png")
        assert serious(page) == []
        page.get_by_role("button", name="编辑").click()
        dialog = page.get_by_role("dialog", name="编辑")
        dialog.get_by_role("combobox", name="drop_nulls", exact=True).click()
        expect(page.locator(".ant-select-item-option", has_text="发送值为 null 的字段").first).to_be_visible()
