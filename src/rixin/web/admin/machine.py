"""Whether who asks may have files of the server's machine touched."""

from fastapi import Request
from pydantic import BaseModel

from rixin.server.head import merged
from rixin.web import owner_here
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import Caller, Services
from rixin.web.owner_here import Obstacle

router = guarded_router("machine")


class MachineView(BaseModel):
    """Whether agents and skills on the server's machine can be set up from here."""

    obstacle: Obstacle | None
    """What is against it: the server is `reachable` from other machines; one is `elsewhere`; it is `unknown` who asks,
    for nobody has logged in; one is `not_owner`. Absent where nothing is."""


@router.get("/machine")
async def show_machine(services: Services, caller: Caller, request: Request) -> MachineView:
    """Tells whether agents and skills on the server's machine can be set up by who asks, from where they are."""
    peer = None if request.client is None else request.client.host
    headers = merged(request.scope["headers"])
    return MachineView(obstacle=owner_here.obstacle(services.settings, caller, peer, headers))
