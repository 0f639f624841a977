"""Gives an answer the form that its client knows: what its request was changed in, and what its text hides."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from rixin.engines.base import Batch
from rixin.errors import RixinError
from rixin.profiles.answers.transform import Transform


async def restored(batches: AsyncGenerator[Batch, None], transform: Transform) -> AsyncGenerator[Batch, None]:
    """The batches, rewritten; those that are relayed as the upstream's own bytes stay as they are.

    Args:
        batches: Of an upstream; without its own bytes, unless the transform is optional.
        transform: What is to be done.

    Raises:
        RixinError: As the batches do; what was held back by then is given first.
    """
    async with aclosing(batches):
        try:
            async for batch in batches:
                if batch.raw is None:
                    events = transform.feed(batch.events)
                    changes = batch.changes + transform.new_changes()
                    batch = Batch(events, changes=changes)  # noqa: PLW2901 - it is the same one, restored
                yield batch
        except RixinError:
            if held := transform.end():
                yield Batch(held)
            raise
