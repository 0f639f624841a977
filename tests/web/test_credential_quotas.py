"""A3: a quota binds by whatever credential it is spent, and wherever in a request that stands."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

import pytest
import pytest_asyncio

from rixin.accounts.key_rules import KeyWish
from rixin.accounts.user_rules import UserWish
from rixin.settings import Plan, PlanLimit
from tests.support.platform import PASSWORD, Answer, Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

WINDOW = 18000.0
CALLS = 5
PLAN = Plan(limits=(PlanLimit(unit="requests", amount=CALLS, window=WINDOW),))
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE = {**CHAT, "max_tokens": 9}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
GENERATE = "/v1beta/models/m:generateContent"


class Form(NamedTuple):
    """A request for an answer, with its credential in one of the places that may hold it."""

    path: str
    headers: dict[str, str]
    body: object


def forms(credential: str) -> list[Form]:
    """Every place where a key, or a token that an access key signs, may stand."""
    return [
        Form("/v1/chat/completions", {"authorization": f"Bearer {credential}"}, CHAT),
        Form("/v1/messages", {"x-api-key": credential}, MESSAGE),
        Form(GENERATE, {"x-goog-api-key": credential}, GEMINI),
        Form(f"{GENERATE}?key={credential}", {}, GEMINI),
        Form("/v1/chat/completions", {"authorization": f"Bearer {credential}", "x-api-key": credential}, CHAT),
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server that knows of the plan."""
    async with platform(tmp_path_factory.mktemp("quotas"), plans={"few": PLAN}) as running:
        yield running


async def ask(site: Platform, form: Form) -> Answer:
    """Asks for an answer."""
    return await site.ask("POST", form.path, form.headers, form.body)


def left(answer: Answer) -> int:
    """How many calls an answer says that remain."""
    assert answer.headers["x-ratelimit-limit-requests-5h"] == str(CALLS)
    assert answer.headers["x-ratelimit-reset-requests-5h"].startswith(("5h", "4h59m"))
    return int(answer.headers["x-ratelimit-remaining-requests-5h"])


async def spend(site: Platform, spent: list[Form], refused: list[Form]) -> None:
    """Makes all calls that there are, in turn by each form of the first; then none is left for any of the others."""
    for call in range(CALLS):
        answer = await ask(site, spent[call % len(spent)])
        assert (answer.status, left(answer)) == (200, CALLS - call - 1), (call, answer)
    for form in refused:
        answer = await ask(site, form)
        assert (answer.status, left(answer)) == (429, 0), (form, answer)
        assert WINDOW - 60 < int(answer.headers["retry-after"]) <= WINDOW * 61 / 60


async def test_a3_the_calls_of_a_key_are_spent_by_every_form_of_it(site: Platform) -> None:
    """Each form of a key takes one of its calls, and when none is left each is refused."""
    key = (await site.key(name="k", plan="few"))["authorization"].removeprefix("Bearer ")
    await spend(site, forms(key), forms(key))


async def test_a3_the_calls_of_an_access_key_are_spent_by_all_of_its_tokens(site: Platform) -> None:
    """By those that were minted before and after, in every form."""
    pair = await site.worker.keys.create_access_key(KeyWish(name="pair", plan="few"))
    first, second, later = [
        (await site.worker.keys.mint_token(pair.access_key_id, lifetime)).token for lifetime in (600, 700, 800)
    ]
    await spend(site, [form for both in zip(forms(first), forms(second), strict=True) for form in both], forms(later))


async def test_a3_the_calls_of_a_user_are_spent_by_whatever_is_theirs(site: Platform) -> None:
    """A key, a token and a login of theirs take from the same calls; when none is left each of them is refused."""
    wish = UserWish(email="ada@example.com", name="Ada", password=PASSWORD, plan="few")
    user = (await site.people.users.create(wish)).id
    key = (await site.key(user=user))["authorization"].removeprefix("Bearer ")
    pair = await site.worker.keys.create_access_key(KeyWish(name="pair", user=user))
    token = (await site.worker.keys.mint_token(pair.access_key_id)).token
    login = Form("/v1/chat/completions", await site.login(user), CHAT)
    other = Form("/v1/messages", await site.login(user), MESSAGE)
    await spend(site, [login, *forms(key)[:2], *forms(token)[:2]], [login, other, *forms(key), *forms(token)])
