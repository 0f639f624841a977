"""How the admin application is put together."""

import subprocess
import sys

import pytest
from fastapi import FastAPI

from rixin.web.admin import keys
from rixin.web.admin.app import check_policies
from rixin.web.admin.guard import router


def test_a_route_without_a_policy_cannot_be_made() -> None:
    """Forgetting the policy stops the program where the route is written."""
    with pytest.raises(LookupError, match=r"GET /admin/v1/secrets.*POLICIES"):
        router("x").get("/secrets")(lambda: None)


def test_a_route_that_is_not_guarded_fails_the_application() -> None:
    """A route made past the guard is found when the application is put together."""
    api = FastAPI(openapi_url=None)
    api.get("/admin/v1/keys")(lambda: None)
    with pytest.raises(LookupError, match=r"/admin/v1/keys.*not guarded"):
        check_policies(api)


def test_a_policy_without_a_route_fails_the_application() -> None:
    """The table holds nothing that is not there, so that a renamed route is noticed."""
    api = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    api.include_router(keys.router)
    with pytest.raises(LookupError, match=r"policies without a route.*engines"):
        check_policies(api)


def test_what_is_heavy_is_not_imported_by_the_wire_routes() -> None:
    """A server pays for the admin API, for vectors and for fetching only once somebody uses them."""
    heavy = ("fastapi", "pydantic", "argon2", "authlib", "numpy", "aiohttp", "PIL")
    code = f"import sys, rixin.cli.compose; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
