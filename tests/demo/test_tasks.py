"""The shipped tasks as a set, the simulated contributors and the texts. The answer key has a file of its own."""

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from statistics import mean

import pytest

from preceptor.demo import texts
from preceptor.demo.simulated import (
    SimulatedContributor,
    chance_right,
    judge,
    simulated_contributors,
)
from preceptor.demo.simulation import STANDARD, Simulation
from preceptor.demo.tasks import SUBJECTS, DemoTask, entry_test_items, generate_tasks
from preceptor.demo.tasks.model import PLEASANTRIES, dense_ranks
from preceptor.projects.settings import Guidelines, Rubric

TASKS = generate_tasks()
SEEDS = (7, 1, 42, 99)


def preferred_pairs(tasks: list[DemoTask]) -> list[tuple[str, str]]:
    """Each response beside each one ranked below it."""
    return [
        (task.responses[a], task.responses[b])
        for task in tasks
        for a, b in permutations(range(len(task.responses)), 2)
        if task.ranking[a] < task.ranking[b]
    ]


def length_baseline(tasks: list[DemoTask]) -> float:
    return mean((len(a) > len(b)) + 0.5 * (len(a) == len(b)) for a, b in preferred_pairs(tasks))


def test_there_are_enough_tasks_over_all_subjects() -> None:
    by_subject = Counter(task.subject for task in TASKS)
    assert len(TASKS) >= 320
    assert set(by_subject) == set(SUBJECTS)
    assert len(SUBJECTS) >= 6
    assert min(by_subject.values()) >= 40


def test_some_tasks_have_three_or_four_responses() -> None:
    sizes = Counter(len(task.responses) for task in TASKS)
    assert set(sizes) == {2, 3, 4}
    assert sizes[3] + sizes[4] >= 20


def test_the_same_seed_gives_the_same_tasks_and_another_seed_others() -> None:
    assert generate_tasks(7) == TASKS
    assert {task.prompt for task in generate_tasks(8)} != {task.prompt for task in TASKS}


def test_generating_takes_less_than_two_seconds() -> None:
    start = time.process_time()
    generate_tasks(123)
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize("seed", SEEDS)
def test_ids_and_prompts_are_unique_and_keys_are_well_formed(seed: int) -> None:
    tasks = [*generate_tasks(seed), *entry_test_items()]
    assert len({task.external_id for task in tasks}) == len(tasks)
    assert len({task.prompt for task in tasks}) == len(tasks)
    for task in tasks:
        assert len(set(task.responses)) == len(task.responses) == len(task.ranking)
        assert set(task.ranking) == set(range(1, max(task.ranking) + 1))
        assert max(task.ranking) > 1
        assert task.better == tuple(i for i, rank in enumerate(task.ranking) if rank == 1)
        assert 0.0 <= task.difficulty <= 1.0
        assert len(task.explanation) >= 15


@pytest.mark.parametrize("seed", SEEDS)
def test_length_alone_does_not_find_the_better_response(seed: int) -> None:
    assert 0.45 <= length_baseline(generate_tasks(seed)) <= 0.60


@pytest.mark.parametrize("seed", SEEDS)
def test_the_place_of_a_response_tells_nothing(seed: int) -> None:
    pairs = [task for task in generate_tasks(seed) if len(task.responses) == 2]
    assert 0.42 <= mean(task.better == (0,) for task in pairs) <= 0.58


def test_no_single_mark_of_style_finds_the_better_response() -> None:
    pairs = preferred_pairs(TASKS)
    marks: dict[str, Callable[[str], int]] = {
        "fewer pleasantries": lambda text: -sum(phrase in text for phrase in PLEASANTRIES),
        "more paragraphs": lambda text: text.count("\n\n"),
        "more bold": lambda text: text.count("**"),
        "more mathematics": lambda text: text.count("$"),
        "more equations": lambda text: text.count("="),
        "more digits": lambda text: sum(map(str.isdigit, text)),
        "more commas": lambda text: text.count(","),
    }
    for name, mark in marks.items():
        share = mean((mark(a) > mark(b)) + 0.5 * (mark(a) == mark(b)) for a, b in pairs)
        assert 0.35 <= share <= 0.68, (name, share)


def test_polite_and_assertive_phrases_occur_in_good_and_bad_responses_alike() -> None:
    pairs = [pair for seed in SEEDS for pair in preferred_pairs(generate_tasks(seed))]
    for phrase in PLEASANTRIES:
        good, bad = sum(phrase in a for a, _ in pairs), sum(phrase in b for _, b in pairs)
        assert good >= 5, phrase
        assert bad >= 5, phrase


@pytest.mark.parametrize("seed", SEEDS)
def test_markdown_is_balanced_and_nothing_was_left_unfilled(seed: int) -> None:
    for task in [*generate_tasks(seed), *entry_test_items()]:
        for text in (task.title, task.prompt, task.explanation, *task.responses):
            outside = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
            assert text.count("```") % 2 == 0
            assert outside.count("**") % 2 == 0, text
            assert outside.count("$") % 2 == 0, text
            assert not re.search(r"(?<!sqrt)\{[a-z]\}|\b(M|N|None|nan)\b", outside.replace("`None`", "")), text


def test_grammar_of_small_counts() -> None:
    for task in TASKS:
        for text in (task.prompt, task.explanation, *task.responses):
            assert not re.search(r"\b1 (days|weeks|weekends|nights)\b", text), text
            assert not re.search(r"\ba (exam|apple|hour|overlap)\b", text), text


# Simulated contributors


def skilled(level: float) -> SimulatedContributor:
    return SimulatedContributor("Sim", "sim@demo.invalid", dict.fromkeys(SUBJECTS, level), tie_rate=0.0)


def share_right(contributor: SimulatedContributor, tasks: list[DemoTask], seed: int = 1) -> float:
    rng = random.Random(seed)
    answers = [judge(contributor, task, rng) for task in tasks for _ in range(4)]
    keys = [task for task in tasks for _ in range(4)]
    return mean(a.ranks.index(1) in t.better and a.strength > 0 for a, t in zip(answers, keys, strict=True))


def test_there_are_20_contributors_who_say_that_they_are_simulated() -> None:
    people = simulated_contributors()
    assert len(people) == 20
    assert len({person.email for person in people}) == 20
    assert all(re.fullmatch(r"Simulated contributor \d\d", person.name) for person in people)
    assert all(person.email.endswith("@demo.invalid") for person in people)
    assert all(set(person.skill) == set(SUBJECTS) for person in people)


def test_a_simulated_answer_is_one_that_the_workspace_would_accept() -> None:
    rng = random.Random(5)
    for person in simulated_contributors():
        for task in rng.sample(TASKS, 60):
            answer = judge(person, task, rng)
            assert len(answer.ranks) == len(task.responses)
            assert sorted(set(answer.ranks)) == list(range(1, max(answer.ranks) + 1))
            assert (answer.strength == 0) == (max(answer.ranks) == 1)
            assert 0 <= answer.strength <= 3
            assert len(" ".join(answer.justification.split())) >= 20
            assert answer.seconds > 0


def test_answers_follow_from_the_random_generator_alone() -> None:
    person, task = simulated_contributors()[4], TASKS[10]
    assert judge(person, task, random.Random(9)) == judge(person, task, random.Random(9))


def test_the_stated_skill_is_the_share_right_at_middling_difficulty() -> None:
    pair = next(task for task in TASKS if len(task.responses) == 2)
    task = DemoTask(**{**pair.__dict__, "difficulty": 0.5})
    assert chance_right(skilled(0.8), task) == pytest.approx(0.8)
    assert share_right(skilled(0.8), [task] * 1000) == pytest.approx(0.8, abs=0.03)


def test_harder_tasks_are_judged_less_well_and_guessing_stays_guessing() -> None:
    pair = next(task for task in TASKS if len(task.responses) == 2)
    plain, hard = (DemoTask(**{**pair.__dict__, "difficulty": d}) for d in (0.1, 0.9))
    assert chance_right(skilled(0.8), plain) > 0.85
    assert chance_right(skilled(0.8), hard) < 0.75
    assert chance_right(skilled(0.5), plain) == chance_right(skilled(0.5), hard) == 0.5


def test_skilled_contributors_do_better_than_weak_ones() -> None:
    people = simulated_contributors()
    best, weak = people[0], next(p for p in people if p.note.startswith("weak"))
    assert share_right(best, TASKS) > share_right(weak, TASKS) + 0.2


def test_a_position_bias_follows_the_order_on_the_screen() -> None:
    pairs = [task for task in TASKS if len(task.responses) == 2]
    biased = next(p for p in simulated_contributors() if p.note.startswith("often takes the first"))
    rng = random.Random(2)
    for first in (0, 1):
        chosen = [judge(biased, task, rng, (first, 1 - first)).ranks[first] == 1 for task in pairs]
        assert mean(chosen) > 0.6


def test_who_drifts_is_good_first_and_guesses_later() -> None:
    drifter = next(p for p in simulated_contributors() if p.drifts_after is not None)
    rng = random.Random(6)

    def right(given: int) -> float:
        answers = [judge(drifter, task, rng, given=given).ranks == task.ranking for task in TASKS]
        return mean(answers)

    assert drifter.drifts_after is not None
    assert right(drifter.drifts_after - 1) > 0.85
    assert right(drifter.drifts_after) < 0.45


def test_who_copies_sends_what_the_other_sends() -> None:
    simulation = Simulation()
    copier = next(p for p in simulated_contributors() if p.copies)
    assert simulation.follower_of(copier.copies) == copier.email
    for task in TASKS[:50]:
        shown = range(len(task.responses))
        theirs, _ = simulation.answer(copier.copies, task.external_id, shown)
        own, _ = simulation.answer(copier.email, task.external_id, shown)
        assert own == theirs


def test_the_planted_are_those_who_misbehave_or_are_below_the_standard() -> None:
    simulation = Simulation()
    planted = set(simulation.planted())
    for person in simulated_contributors():
        plain = not person.misbehaves and simulation.follower_of(person.email) is None
        assert (person.email in planted) == (not plain or simulation.accuracy(person.email) < STANDARD)
    assert len(planted) == 6
    assert simulation.weak() in planted
    assert simulation.visitor() not in planted
    assert simulation.careless() in planted


def test_one_known_answer_is_planted_wrong_and_says_so() -> None:
    simulation = Simulation()
    known = {str(row["external_id"]): row for row in simulation.material().tasks if "gold" in row}
    assert known.keys() == simulation.gold
    wrong = [name for name, row in known.items() if tuple(row["gold"]) != simulation.task(name).ranking]
    assert wrong == [simulation.wrong_key]
    assert "wrong" in str(known[simulation.wrong_key]["gold_explanation"])
    assert all(row["gold_explanation"] for row in known.values())


def test_an_order_that_leaves_a_response_out_is_refused() -> None:
    with pytest.raises(ValueError, match="every response once"):
        judge(simulated_contributors()[0], TASKS[0], random.Random(1), (0,))


def test_the_careless_contributor_is_fast_and_short() -> None:
    people = simulated_contributors()
    careless = next(p for p in people if p.note.startswith("careless"))
    rng = random.Random(3)
    quick = [judge(careless, task, rng) for task in TASKS]
    usual = [judge(people[4], task, rng) for task in TASKS]
    assert mean(a.seconds for a in quick) < 0.5 * mean(a.seconds for a in usual)
    assert mean(len(a.justification) for a in quick) < mean(len(a.justification) for a in usual)


def test_justifications_vary_and_speak_of_the_task() -> None:
    rng = random.Random(4)
    given = [judge(person, task, rng).justification for person in simulated_contributors() for task in TASKS]
    assert len(set(given)) > 0.8 * len(given)
    assert not any(phrase in text for text in given for phrase in PLEASANTRIES)


def test_dense_ranks_leave_no_gap() -> None:
    assert dense_ranks([3, 0, 3, 1]) == (1, 3, 1, 2)


# Texts


@pytest.mark.parametrize("rubric", [texts.SHIPPED_RUBRIC, texts.DEBATE_RUBRIC])
def test_rubrics_fit_a_project_and_weights_add_up(rubric: tuple[texts.CriterionText, ...]) -> None:
    fitted = Rubric.model_validate({"criteria": list(rubric)})
    assert 3 <= len(fitted.criteria) <= 4
    assert sum(criterion.weight for criterion in fitted.criteria) == 100
    assert all((c.scale_min, c.scale_max) == (1, 7) and {"1", "7"} <= set(c.anchors) for c in fitted.criteria)


@pytest.mark.parametrize("body", [texts.SHIPPED_GUIDELINES, texts.DEBATE_GUIDELINES])
def test_guidelines_are_a_page_long(body: str) -> None:
    assert Guidelines(body=body).body.startswith("# How to judge")
    assert 250 <= len(body.split()) <= 600
