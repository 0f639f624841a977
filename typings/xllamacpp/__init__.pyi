"""The part of xllamacpp that Rixin uses; the package has no types of its own."""

from collections.abc import Callable
from enum import IntEnum
from typing import TypedDict

class ggml_backend_dev_type(IntEnum):  # noqa: N801 - its own name
    GGML_BACKEND_DEVICE_TYPE_CPU = 0

class Device(TypedDict):
    type: ggml_backend_dev_type

class CommonParamsModel:
    path: str

class CpuParams:
    n_threads: int

class CommonParams:
    model: CommonParamsModel
    mmproj: CommonParamsModel
    chat_template: str
    n_ctx: int
    n_parallel: int
    n_batch: int
    n_ubatch: int
    kv_unified: bool
    kv_unified_per_slot: int
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    cache_ram_mib: int
    fit_params: bool
    verbosity: int
    hostnames: list[str]
    api_keys: list[str]
    cors_origins: str
    ui: bool
    endpoint_slots: bool

class Server:
    def __init__(self, common_params: CommonParams) -> None: ...
    def handle_chat_completions(self, prompt: bytes, callback: Callable[[bytes], bool]) -> None: ...
    def handle_completions(self, prompt: bytes, callback: Callable[[bytes], bool]) -> None: ...

def get_device_info() -> list[Device]: ...
