"""Databases for tests, and the marks that tell a second pass on another database which tests it is about.

A test has the mark `stores` where `RIXIN_TEST_DATABASE` can make a difference to it: where its module, or that of one
of its fixtures, has something of `tests.support.databases`, by however many modules in between. Nobody keeps a list.
"""

import functools
import sys
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from types import ModuleType

import pytest

from rixin.store.database import Database
from tests.support import databases
from tests.support.databases import KINDS, Place, new_place

_MARKS = (
    "stores: stores where RIXIN_TEST_DATABASE says",
    "bare: of programs that are told of no database and no root secret",
)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Place]:
    """Where an up-to-date and empty database is, of each kind in turn."""
    with new_place(request.param, tmp_path) as place:
        yield place


@pytest.fixture
async def database(place: Place) -> AsyncGenerator[Database]:
    """An up-to-date and empty database, of each kind in turn."""
    database = Database(place)
    await database.migrate()
    yield database
    await database.aclose()


def pytest_configure(config: pytest.Config) -> None:
    """Tells pytest of the marks."""
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives tests their mark, and skips those of another database than the one that is asked for."""
    elsewhere = pytest.mark.skip(reason="what it is about is a program on its own SQLite file")
    for item in items:
        if isinstance(item, pytest.Function) and any(map(_stores, _modules(item))):
            item.add_marker("stores")
        if "sqlite" not in KINDS and item.get_closest_marker("bare"):
            item.add_marker(elsewhere)


def _modules(test: pytest.Function) -> set[str]:
    """Those of a test and of its fixtures."""
    fixtures = test._fixtureinfo.name2fixturedefs.values()  # pyright: ignore[reportPrivateUsage] - nothing else tells
    return {test.obj.__module__, *(each.func.__module__ for defined in fixtures for each in defined)}


@functools.cache
def _stores(module: str) -> bool:
    """Whether a module of the tests has something of the databases, or of another that has."""
    seen: set[str] = set()
    ahead = [module]
    while ahead:
        name = ahead.pop()
        if name == databases.__name__:
            return True
        if name in seen or not name.startswith("tests."):
            continue
        seen.add(name)
        for value in vars(sys.modules[name]).values():
            owner = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(owner, str):
                ahead.append(owner)
    return False
