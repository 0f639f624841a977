"""How much memory a model takes."""

from pathlib import Path

import pytest

from rixin.engines.gguf import GgufHeader, Scalar, read_header
from rixin.engines.memory import estimate_memory, machine_memory

MODELS = Path(__file__).parents[2] / ".cache" / "models"


@pytest.mark.parametrize(
    ("name", "pool", "per_token"),
    [("smollm2-135m", 8192, 30 * 3 * (64 + 64) * 2), ("qwen2.5-coder-0.5b", 32768, 24 * 2 * (64 + 64) * 2)],
)
def test_real_models_need_weights_and_a_cache(name: str, pool: int, per_token: int) -> None:
    """Weights and a tenth, and 16-bit keys and values of each layer for every token of the pool, twice."""
    header = read_header(MODELS / f"{name}.gguf")
    assert estimate_memory(header, pool) == int(header.size * 1.1) + 2 * pool * per_token


def test_projector_counts() -> None:
    """The projector of images is loaded too."""
    header = GgufHeader(version=3, tensors=0, size=1000, metadata={"general.architecture": "x"})
    assert estimate_memory(header, 100, projector_size=1000) == 2200


def test_explicit_head_sizes_win() -> None:
    """A model whose keys and values differ from its embedding says so."""
    numbers = {"block_count": 2, "attention.head_count": 4, "attention.head_count_kv": 1, "embedding_length": 64}
    numbers |= {"attention.key_length": 32, "attention.value_length": 8}
    metadata: dict[str, Scalar] = {
        "general.architecture": "x",
        **{f"x.{name}": value for name, value in numbers.items()},
    }
    header = GgufHeader(version=3, tensors=0, size=0, metadata=metadata)
    assert estimate_memory(header, 10) == 2 * 10 * 2 * (32 + 8) * 2


def test_machine_has_memory() -> None:
    """This machine has more than a model of the smallest kind needs."""
    assert machine_memory() > 1 << 28
