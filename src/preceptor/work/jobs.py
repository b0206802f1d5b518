"""Background entry points of work."""

from uuid import UUID

from preceptor.kit.db import transaction
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime
from preceptor.projects.service.projects import RECONSIDER_JOB
from preceptor.work.service import fitting, judges, judging, overlap, running


@job(RECONSIDER_JOB)
def reconsider_overlap(runtime: Runtime, project_id: str) -> None:
    """Decide anew how often each task of a project is asked, after its settings have changed."""
    overlap.reconsider_project(runtime.sessions, UUID(project_id), now=runtime.clock.now())


@job(fitting.FIT_JOB)
def fit_quality(runtime: Runtime, project_id: str, fit_id: str) -> None:
    """Fit a project's judgments; a fit that is there already is left as it is."""
    fitting.fit_project(runtime, UUID(project_id), UUID(fit_id))


@job(running.RUN_JOB)
def run_code(runtime: Runtime, run_id: str) -> None:
    """Run a contributor's code in the sandbox, with no transaction open meanwhile."""
    running.perform_run(runtime.sessions, UUID(run_id), runtime.clock)


@job(judges.RUN_JOB)
def run_judge(runtime: Runtime, judge_id: str) -> None:
    """Ask an AI judge about the tasks of its run, for a while; where more is left, another job goes on."""
    judging.run_judge(runtime, UUID(judge_id))


@job("work.request_due_fits", every="* * * * *")
def request_due_fits(runtime: Runtime) -> None:
    """Each minute: have those projects fitted in which enough was judged since."""
    with transaction(runtime.sessions) as session:
        fitting.request_due_fits(session, now=runtime.clock.now())
