"""What draws: the part that serves requests for images, and the embedded engine."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from rixin.accounts.files import FileBook
from rixin.engines.draw.engine import DrawEngine
from rixin.engines.draw.writing import Ask
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.service.costs import Costs
from rixin.service.draw import Drawer
from rixin.service.generate import Generator
from rixin.service.image_delivery import ImageDelivery
from rixin.service.write import Writer
from rixin.settings import Settings


def draw_engine(
    catalog: Catalog, router: Callable[[], Router], costs: Costs, environment: Mapping[str, str]
) -> DrawEngine:
    """The embedded engine; the default model writes for it.

    Args:
        catalog: Knows the default model.
        router: The one that sends what is to be written; asked when something is drawn.
        costs: Tells what it costs to have it written.
        environment: Of this process.
    """

    async def write(ask: Ask) -> AsyncGenerator[str, None]:
        writer = Writer(catalog, router(), costs)
        task = ask(writer.card)
        async with aclosing(writer.write(task.instructions, task.prompt, task.schema, task.max_tokens)) as pieces:
            async for piece in pieces:
                yield piece

    return DrawEngine(write, environment)


def open_drawer(settings: Settings, generator: Generator, files: FileBook) -> Drawer:
    """What serves requests for images, with what generations are served with."""
    delivery = ImageDelivery(files, generator.media, keep=settings.files.keep_images)
    return Drawer(generator.serving, generator.media, delivery)
