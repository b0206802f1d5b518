"""All tables of ours, gathered for migrations and for the test that schema and models agree."""

import preceptor.assessments.models
import preceptor.datasets.models
import preceptor.endpoints.models
import preceptor.fairness.models
import preceptor.kit.events
import preceptor.kit.idempotency
import preceptor.media.models
import preceptor.money.models
import preceptor.people.models
import preceptor.projects.models
import preceptor.training.models
import preceptor.work.models
import preceptor.work.models_judging
import preceptor.work.models_quality
import preceptor.work.models_running
import preceptor.work.models_suggestions
import preceptor.work.models_texts  # noqa: F401
from preceptor.kit.db import Base

metadata = Base.metadata


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Procrastinate keeps its own tables in the same schema."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))
