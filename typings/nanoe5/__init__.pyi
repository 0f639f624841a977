from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

class E5:
    dim: int
    def __init__(self, *, num_threads: int | None = ...) -> None: ...
    def encode(self, texts: Sequence[str], is_query: bool = ...) -> NDArray[np.float32]: ...
    def token_count(self, text: str, is_query: bool = ...) -> int: ...
