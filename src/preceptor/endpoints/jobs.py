"""Background entry points of endpoints."""

from preceptor.endpoints.service import generating
from preceptor.kit.db import transaction
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime


@job("endpoints.give_up_lost", every="*/5 * * * *")
def give_up_lost(runtime: Runtime) -> None:
    """End generations whose process is gone, so that they hold no place and no quota."""
    with transaction(runtime.sessions) as session:
        generating.give_up_lost(session, now=runtime.clock.now())
