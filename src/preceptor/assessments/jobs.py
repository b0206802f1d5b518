"""Background entry points of entry tests."""

from preceptor.assessments.service import attempts
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime


@job("assessments.expire_attempts", every="* * * * *")
def expire_attempts(runtime: Runtime) -> None:
    """End attempts whose time is over, so that nobody's cool-down waits for a visit."""
    while True:
        with runtime.sessions.begin() as session:
            ended = attempts.expire_overdue(session, now=runtime.clock.now())
        if ended < attempts.EXPIRED_AT_ONCE:
            return
