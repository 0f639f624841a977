"""What was thought before calls, found again by them."""

import pytest

from rixin.conversations.call_memory import MAX_AGE, CallMemory
from rixin.core.messages import ReasoningPart, ToolCall
from tests.conversations.clock import ManualClock

CALL = ToolCall(id="call_ab12", name="exec", arguments='{"cmd": "ls", "wait": true}')
THOUGHT = ReasoningPart(text="I should look.", signature="sig")


@pytest.fixture
def memory(clock: ManualClock) -> CallMemory:
    """An empty one."""
    return CallMemory(clock)


def renamed(identity: str = CALL.id, arguments: str = CALL.arguments, name: str = CALL.name) -> ToolCall:
    """The call as a client may send it back."""
    return ToolCall(id=identity, name=name, arguments=arguments)


def test_r15_a_thought_is_found_by_its_call(memory: CallMemory) -> None:
    """With its signature."""
    memory.keep("alice", [CALL], THOUGHT)
    assert memory.recall("alice", CALL) == THOUGHT


@pytest.mark.parametrize(
    "call",
    [
        renamed("callab12"),
        renamed(arguments='{"wait":true,"cmd":"ls"}'),
        renamed("call-ab-12", ' { "cmd" : "ls" , "wait" : true } '),
    ],
)
def test_r21_a_call_is_known_however_its_client_writes_it(memory: CallMemory, call: ToolCall) -> None:
    """OpenClaw takes `_` out of ids, and many clients write arguments anew."""
    memory.keep("alice", [CALL], THOUGHT)
    assert memory.recall("alice", call) == THOUGHT


@pytest.mark.parametrize("call", [renamed("other"), renamed(name="write"), renamed(arguments='{"cmd":"rm"}')])
def test_r21_another_call_finds_nothing(memory: CallMemory, call: ToolCall) -> None:
    """Models that number their calls from zero in every conversation are not given another one's thought."""
    memory.keep("alice", [CALL], THOUGHT)
    assert memory.recall("alice", call) is None


def test_k7_nobody_finds_anothers_thoughts(memory: CallMemory) -> None:
    """The same call of another account is another call."""
    memory.keep("alice", [CALL], THOUGHT)
    assert memory.recall("bob", CALL) is None


def test_every_call_of_a_turn_leads_to_its_thought(memory: CallMemory) -> None:
    """Parallel calls share it, and its text is counted once."""
    long = ReasoningPart(text="x" * 10_000)
    memory.keep("alice", [renamed(f"c{number}") for number in range(5)], long)
    assert all(memory.recall("alice", renamed(f"c{number}")) == long for number in range(5))
    assert memory.size < 30_000


def test_thoughts_are_forgotten_after_a_while(memory: CallMemory, clock: ManualClock) -> None:
    """And leave nothing behind."""
    memory.keep("alice", [CALL], THOUGHT)
    clock.time += MAX_AGE
    assert memory.recall("alice", CALL) is None
    assert memory.size == 0


def test_an_owner_whose_thoughts_are_all_forgotten_stands_in_nobodys_way(clock: ManualClock) -> None:
    """Others' thoughts make room for each other as before."""
    memory = CallMemory(clock, max_bytes=2_500, max_owner_bytes=2_000)
    memory.keep("alice", [CALL], THOUGHT)
    clock.time += MAX_AGE
    assert memory.recall("alice", CALL) is None
    for owner in ("bob", "carol", "dave"):
        memory.keep(owner, [CALL], ReasoningPart(text="x" * 300))
    assert memory.recall("bob", CALL) is None
    assert memory.recall("dave", CALL) is not None


def test_the_least_used_goes_when_an_owner_has_too_many(clock: ManualClock) -> None:
    """An owner's thoughts make room for each other, and never for long at others' cost."""
    memory = CallMemory(clock, max_bytes=10_000, max_owner_bytes=3_000)
    memory.keep("bob", [CALL], THOUGHT)
    for number in range(20):
        memory.recall("alice", renamed("c0"))
        memory.keep("alice", [renamed(f"c{number}")], ReasoningPart(text="x" * 200))
    assert memory.recall("alice", renamed("c0")) is not None
    assert memory.recall("alice", renamed("c1")) is None
    assert memory.recall("alice", renamed("c19")) is not None
    assert memory.recall("bob", CALL) == THOUGHT
    assert memory.size <= 3_000 + 500


def test_all_owners_together_stay_within_the_limit(clock: ManualClock) -> None:
    """Whoever was not heard of for longest loses first."""
    memory = CallMemory(clock, max_bytes=5_000, max_owner_bytes=3_000)
    for owner in range(50):
        memory.keep(f"owner {owner}", [CALL], THOUGHT)
        assert memory.size <= 5_000
    assert memory.recall("owner 0", CALL) is None
    assert memory.recall("owner 49", CALL) == THOUGHT


def test_what_is_too_long_for_its_owner_is_not_kept(clock: ManualClock) -> None:
    """It would push out everything else and then itself."""
    memory = CallMemory(clock, max_owner_bytes=1_000)
    memory.keep("alice", [CALL], THOUGHT)
    memory.keep("alice", [renamed("other")], ReasoningPart(text="x" * 1_000))
    assert memory.recall("alice", renamed("other")) is None
    assert memory.recall("alice", CALL) == THOUGHT


def test_keeping_a_call_again_replaces_its_thought(memory: CallMemory) -> None:
    """A turn that was tried again counts once."""
    memory.keep("alice", [CALL], ReasoningPart(text="x" * 1000))
    memory.keep("alice", [CALL], THOUGHT)
    assert memory.recall("alice", CALL) == THOUGHT
    assert memory.size < 1000
