"""What draws: the part that serves requests for images, and the embedded engine."""

from collections.abc import Callable, Mapping

from rixin.accounts.files import FileBook
from rixin.engines.draw.engine import DrawEngine
from rixin.engines.draw.writing import Task
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.service.draw import Drawer
from rixin.service.generate import Generator
from rixin.service.image_delivery import ImageDelivery
from rixin.service.write import Writer
from rixin.settings import Settings


def draw_engine(catalog: Catalog, router: Callable[[], Router], environment: Mapping[str, str]) -> DrawEngine:
    """The embedded engine; the default model writes for it.

    Args:
        catalog: Knows the default model.
        router: The one that sends what is to be written; asked when something is drawn.
        environment: Of this process.
    """

    async def write(task: Task) -> str:
        return await Writer(catalog, router()).write(task.instructions, task.prompt, task.schema, task.max_tokens)

    return DrawEngine(write, environment)


def open_drawer(settings: Settings, generator: Generator, files: FileBook) -> Drawer:
    """What serves requests for images, with what generations are served with."""
    delivery = ImageDelivery(files, generator.media, keep=settings.files.keep_images)
    return Drawer(generator.serving, generator.media, delivery)
