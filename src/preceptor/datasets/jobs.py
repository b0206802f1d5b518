"""Background entry points of datasets."""

from uuid import UUID

from preceptor.datasets import service
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime


@job(service.BUILD_JOB)
def build_release(runtime: Runtime, release_id: str) -> None:
    """Build a release; a finished one is left as it is."""
    service.build_release(runtime, UUID(release_id))
