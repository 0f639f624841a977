"""Recommended sampling parameters from `sampling_presets.toml`."""

from msgspec import Struct

from rixin.core.cards import SamplingPreset
from rixin.profiles.table import read_table


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    presets: tuple[SamplingPreset, ...]


def load_sampling_presets(data: bytes) -> dict[str, SamplingPreset]:
    """Reads `sampling_presets.toml`; the presets by name, in the file's order.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    return {preset.name: preset for preset in read_table(data, _File, "sampling presets").presets}
