"""Which of a provider's keys the loop sends, and which one it waits for."""

from rixin.errors import Kind
from tests.routing.replies import GOLDEN, QUOTA, RATE, error
from tests.routing.upstreams import network
from tests.upstreams.scripted import Reply, Request


async def test_another_key_takes_over() -> None:
    """A key that is used up, dead or too fast is left out, for the requests after it too."""
    for refusal in (RATE, QUOTA, error(401, "no such key"), error(429, "invalid api key")):

        def reply(request: Request, refusal: Reply = refusal) -> Reply:
            return refusal if request.headers["authorization"] == "Bearer k1" else GOLDEN

        async with network([reply], api_keys=["k1", "k2"]) as net:
            for _ in range(4):
                asked = await net.ask(messages=[{"role": "user", "content": f"{net.calls('a')}"}])
                assert asked.text == "Paris 巴黎"
            used = [request.headers["authorization"] for request in net["a"].requests]
            assert used.count("Bearer k1") == 1


async def test_a_key_that_may_not_use_a_model_is_not_forbidden_to_others() -> None:
    """Another key is asked first from then on; the first one still is where no other is left."""

    def reply(request: Request) -> Reply:
        denied = request.headers["authorization"] == "Bearer k1" or request.json.get("user") == "nobody"
        return error(403, "model is not available in the current token plan", code="7") if denied else GOLDEN

    async with network([reply], api_keys=["k1", "k2"]) as net:
        assert (await net.ask()).text == "Paris 巴黎"
        assert (await net.ask(messages=[{"role": "user", "content": "another"}])).text == "Paris 巴黎"
        used = [request.headers["authorization"] for request in net["a"].requests]
        assert used == ["Bearer k1", "Bearer k2", "Bearer k2"]
        denied = await net.ask(user="nobody")
        assert denied.error is not None
        assert denied.error.kind is Kind.PERMISSION_DENIED
        assert net.calls("a") == 5
        assert (await net.ask()).text == "Paris 巴黎"


async def test_the_key_that_is_free_first_is_waited_for() -> None:
    """One that cools for a moment, rather than one whose limit is used up for long."""
    refused: list[Request] = []

    def reply(request: Request) -> Reply:
        if request.headers["authorization"] == "Bearer k1" and not refused:
            refused.append(request)
            return error(429, "slow down", retry_after=0.3)
        return GOLDEN

    limits = [{"unit": "tokens", "amount": 100, "window": 3600}]
    async with network([reply], api_keys=["k1", "k2"], key_limits=limits) as net:
        assert (await net.ask()).attempt.count == 2
        asked = await net.ask(tokens=95)
        assert asked.text == "Paris 巴黎"
        assert asked.batches[0].events == []
        assert net["a"].requests[-1].headers["authorization"] == "Bearer k1"


async def test_a_request_beyond_every_limit_waits_for_no_key() -> None:
    """A key that cools would not let it through either."""

    def reply(request: Request) -> Reply:
        return error(429, "slow down", retry_after=5) if request.headers["authorization"] == "Bearer k1" else GOLDEN

    limits = [{"unit": "tokens", "amount": 100, "window": 60}]
    async with network([reply], api_keys=["k1", "k2"], key_limits=limits) as net:
        assert (await net.ask()).attempt.count == 2
        asked = await net.ask(tokens=101)
        assert asked.error is not None
        assert asked.error.kind is Kind.TOO_LARGE
        assert asked.error.retry_after is None
        assert asked.batches == []
