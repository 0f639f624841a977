"""Quota plans from `plans.toml`."""

from msgspec import Struct

from rixin.profiles.table import read_table
from rixin.settings import Plan


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    plans: dict[str, Plan]


def load_plans(data: bytes) -> dict[str, Plan]:
    """Reads `plans.toml`: the published plans by name.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    return read_table(data, _File, "plans").plans
