"""The sampling presets of the package, read once."""

import functools
import importlib.resources

from rixin.core.cards import SamplingPreset
from rixin.profiles.sampling_presets import load_sampling_presets


@functools.cache
def presets() -> dict[str, SamplingPreset]:
    """The sampling presets that can be asked for, by name."""
    return load_sampling_presets(
        importlib.resources.files("rixin.profiles").joinpath("sampling_presets.toml").read_bytes()
    )
