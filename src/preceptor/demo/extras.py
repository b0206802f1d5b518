"""What a visitor can try after the main job: an open project to work in, an entry test, reviews that wait."""

from collections.abc import Callable

from preceptor.assessments.service.assessments import create_assessment
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.demo.http import Api
from preceptor.demo.material import Rater
from preceptor.demo.replay import Tally, claim_next, judge_claim
from preceptor.demo.run import import_file
from preceptor.demo.simulation import Simulation, task_row
from preceptor.demo.stage import Cast, make_rater, task_ids
from preceptor.demo.tasks import DemoTask, entry_test_items
from preceptor.demo.texts import SHIPPED_GUIDELINES, SHIPPED_QUESTION, SHIPPED_RUBRIC
from preceptor.kit.db import transaction
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.projects.service.members import add_reviewer, join
from preceptor.projects.service.projects import create_project, open_project, publish_guidelines, publish_rubric
from preceptor.projects.settings import Criterion, ProjectSettings

Bar = Callable[[str, int | None], Callable[[], None]]
OPEN_TASKS = 40
REVIEWS_WAITING = 12
PRACTICE_ITEMS = 4
CONFIG = {"question": SHIPPED_QUESTION, "justification_min_chars": 20, "scale_strength": True}


def add_extras(runtime: Runtime, cast: Cast, base: str, bar: Bar) -> None:
    """Two projects of shipped tasks: one open to everybody, one behind an entry test; some reviews waiting."""
    simulation = Simulation(seed=11)
    done = bar("Something to try for yourself", REVIEWS_WAITING + 2)
    free = _project(runtime, cast, base, "Try it: which answer is right?", simulation.judged[:OPEN_TASKS], None)
    done()
    qualification = _entry_test(runtime, cast)
    later = simulation.judged[OPEN_TASKS : 2 * OPEN_TASKS]
    _project(runtime, cast, base, "Behind an entry test: careful readers", later, qualification)
    done()
    _leave_reviews(runtime, base, free, simulation, done)


def _project(runtime: Runtime, cast: Cast, base: str, title: str, tasks: list[DemoTask], qualification: object) -> str:
    client, now = cast.actors["client"], runtime.clock.now()
    settings = ProjectSettings.model_validate(
        {
            "title": title, "summary": "Two answers to one question. One of them has it right: which, and why?",
            "config": CONFIG, "overlap": 3, "overlap_mode": "adaptive", "rate_minor": 45, "expected_seconds": 120,
            "review_percent": 100, "qualification_id": qualification, "data_source": "simulated",
        }
    )  # fmt: skip
    with transaction(runtime.sessions) as session:
        project = create_project(session, client, cast.org_id, settings, now=now)
        publish_guidelines(session, client, project.id, SHIPPED_GUIDELINES, now=now)
        rubric = [Criterion.model_validate(dict(criterion)) for criterion in SHIPPED_RUBRIC]
        publish_rubric(session, client, project.id, rubric, now=now)
        add_reviewer(session, client, project.id, cast.people["reviewer"], now=now)
        money.fund_project(
            session, client, org_id=cast.org_id, project_id=project.id, amount=Money(10_000, "USD"), now=now
        )
    shown = show_id("project", project.id)
    api = Api(base, cast.keys["client"])
    import_file(api, shown, "tasks.jsonl", [task_row(task) for task in tasks], lambda *_: lambda: None)
    api.close()
    with transaction(runtime.sessions) as session:
        open_project(session, client, project.id, now=runtime.clock.now())
    return shown


def _entry_test(runtime: Runtime, cast: Cast) -> object:
    items = [_item(task, practice=number < PRACTICE_ITEMS) for number, task in enumerate(entry_test_items())]
    wanted = AssessmentIn(
        title="Careful reading",
        introduction="Six comparisons whose better answer is known. Take your time; practise first if you like.",
        qualification_title="Careful reader",
        config={"question": SHIPPED_QUESTION},
        pass_percent=80,
        time_limit_seconds=1800,
        attempts_max=3,
        cooldown_seconds=60,
        questions=len(items) - PRACTICE_ITEMS,
        items=items,
    )
    with transaction(runtime.sessions) as session:
        made = create_assessment(session, cast.actors["client"], cast.org_id, wanted, now=runtime.clock.now())
        return made.qualification_id


def _item(task: DemoTask, *, practice: bool) -> ItemIn:
    responses = [
        {"id": f"r{number}", "messages": [{"role": "assistant", "content": text}]}
        for number, text in enumerate(task.responses, 1)
    ]
    return ItemIn(
        payload={"prompt": [{"role": "user", "content": task.prompt}], "responses": responses},
        answer={"ranks": {f"r{number}": rank for number, rank in enumerate(task.ranking, 1)}},
        explanation=task.explanation,
        practice=practice,
    )


def _leave_reviews(runtime: Runtime, base: str, project: str, simulation: Simulation, done: Callable[[], None]) -> None:
    """A few openly simulated submissions in the open project, which all wait for review."""
    project_id = read_id("project", project)
    people = simulation.material().raters[:3]
    tally, now = Tally(), runtime.clock.now()
    for rater in people:
        mine = Rater(rater.key, rater.name, f"try-{rater.email}")
        with transaction(runtime.sessions) as session:
            person_id, key = make_rater(session, mine, now=now)
            join(session, Actor(person_id, roles=frozenset({"contributor"})), project_id, now=now)
            ids = task_ids(session, project_id, runtime.settings.signing_key())
            names = {task: external_id for external_id, task in ids.items()}
        api = Api(base, key)
        for _ in range(REVIEWS_WAITING // len(people)):
            if claim := claim_next(api, project, tally):
                judge_claim(api, claim, names, simulation, rater.key, tally)
            done()
        api.close()
