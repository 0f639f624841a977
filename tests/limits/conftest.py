"""The back ends that one suite tests."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.limits.backends import Backend, Opening, redis_store, sql_store
from tests.support.databases import KINDS, new_place

FIRST_PASS = "sqlite" in KINDS
"""Whether what is no database is tested too, which is done once."""
SHARED = (*KINDS, "redis") if FIRST_PASS else KINDS
BACK_ENDS = ("process", *SHARED) if FIRST_PASS else KINDS


@pytest.fixture(scope="module", params=SHARED)
def opening(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opening]:
    """Opens a store of each kind in turn."""
    if request.param == "redis":
        yield partial(redis_store, request.getfixturevalue("redis").url)
        return
    with new_place(request.param, tmp_path_factory.mktemp("limits")) as place:
        yield partial(sql_store, place)


@pytest.fixture(scope="module", params=BACK_ENDS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Each back end in turn."""
    if request.param == "process":
        backend = Backend(None)
        yield backend
        backend.close()
    elif request.param == "redis":
        url = request.getfixturevalue("redis").url
        backend = Backend(partial(redis_store, url))
        yield backend
        backend.close()
    else:
        with new_place(request.param, tmp_path_factory.mktemp("limits")) as place:
            backend = Backend(partial(sql_store, place))
            yield backend
            backend.close()
