"""Background entry points of training."""

from uuid import UUID

from preceptor.kit.errors import Invalid
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime
from preceptor.training import service


@job(service.RUN_JOB)
def train_run(runtime: Runtime, run_id: str) -> None:
    """Train one run; a finished one is left as it is."""
    try:
        service.train_run(runtime, UUID(run_id))
    except Invalid:
        # The data cannot be trained on, and trying again would not change it; the run says so.
        return
