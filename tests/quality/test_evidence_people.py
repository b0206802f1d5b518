"""Copying, speed and straight-lining: honest crowds stay below the stated rate, what is planted is found."""

import numpy as np
import pytest

from preceptor.quality.evidence import Crowd, PaceWatch, collusion, e_process, habits, pace, speed
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels

CLASSES = 4


def crowd(
    rng: np.random.Generator, *, items: int = 400, people: int = 20, overlap: int = 5, copied: float = 0.0
) -> tuple[Labels, Ints]:
    """People right in seven to nine of ten cases, on a fifth of the items half as often and then lured alike.

    With `copied`, person 1 takes over that share of person 0's answers; both judge every second item."""
    truth = rng.integers(0, CLASSES, items)
    lure = (truth + rng.integers(1, CLASSES, items)) % CLASSES
    accuracy, hard = rng.uniform(0.7, 0.9, people), rng.random(items) < 0.2
    who = np.argsort(rng.random((items, people)), axis=1)[:, :overlap]
    if copied:
        for row in range(0, items, 2):
            who[row] = [0, 1, *rng.choice(np.arange(2, people), overlap - 2, replace=False)]
    item, person = np.repeat(np.arange(items), overlap), who.ravel()
    right = rng.random(len(item)) < accuracy[person] * np.where(hard[item], 0.5, 1.0)
    wrong = np.where(hard[item], lure[item], (truth[item] + rng.integers(1, CLASSES, len(item))) % CLASSES)
    label = np.where(right, truth[item], wrong).reshape(items, overlap)
    if copied:
        rows = np.arange(0, items, 2)[rng.random((items + 1) // 2) < copied]
        label[rows, 1] = label[rows, 0]
    return Labels.of(item, person, label.ravel(), items=items, people=people, classes=CLASSES), truth


def posterior(labels: Labels, accuracy: float = 0.8) -> Floats:
    """One-coin posterior with one accuracy for all: cruder than any model that is used in earnest."""
    votes = np.asarray(labels.counts.toarray()) * np.log(accuracy * (labels.classes - 1) / (1 - accuracy))
    weight = np.exp(votes - votes.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("known", [True, False])
def test_in_honest_crowds_no_pair_reaches_the_threshold_more_often_than_stated(known: bool) -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(40):
        labels, truth = crowd(rng)
        alarms += bool(collusion(labels, truth if known else posterior(labels)).reached)
    assert alarms / 40 <= 0.05


@pytest.mark.parametrize("known", [True, False])
def test_a_pair_that_copies_is_found_and_nobody_else(known: bool) -> None:
    labels, truth = crowd(np.random.default_rng(2), copied=0.8)
    found = collusion(labels, truth if known else posterior(labels))
    assert [(pair.one, pair.other) for pair in found.reached] == [(0, 1)]
    pair = found.pairs[0]
    assert 200 <= pair.shared < 230
    assert pair.same > 1.5 * pair.expected
    assert found.tested == pytest.approx(20 * 19 / 2, abs=20)
    assert pair.evidence.log_threshold == pytest.approx(np.log(found.tested / 0.05))


def test_good_people_who_agree_because_they_are_right_are_no_pair() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, CLASSES, 300)
    person = np.tile(np.arange(5), 300)
    item = np.repeat(np.arange(300), 5)
    right = (person < 2) | (rng.random(1500) < 0.6)
    label = np.where(right, truth[item], (truth[item] + rng.integers(1, CLASSES, 1500)) % CLASSES)
    found = collusion(Labels.of(item, person, label), truth)
    assert found.reached == ()
    assert all((pair.one, pair.other) != (0, 1) for pair in found.pairs)


def test_two_people_with_the_same_known_confusion_are_explained_by_it() -> None:
    # Both always take class 1 for class 0: their own rows say so, and nothing is left to explain.
    truth = np.tile([0, 1], 150)
    item, person = np.repeat(np.arange(300), 4), np.tile(np.arange(4), 300)
    label = np.where((person < 2) & (truth[item] == 0), 1, truth[item])
    assert collusion(Labels.of(item, person, label), truth).reached == ()


def test_items_without_a_known_answer_are_left_out() -> None:
    labels, truth = crowd(np.random.default_rng(4), copied=0.8)
    half = np.where(np.arange(400) < 200, truth, UNKNOWN)
    found = collusion(labels, half)
    assert 100 <= found.pairs[0].shared < 115


@pytest.mark.parametrize(
    "labels",
    [
        Labels.of([], [], [], items=3, people=4, classes=2),
        Labels.of([0, 1, 2], [0, 0, 0], [0, 1, 0], classes=2),
        Labels.of([0, 0, 1, 1], [0, 1, 2, 3], [0, 1, 0, 1], items=3, classes=2),
    ],
)
def test_too_little_shared_work_is_said_to_be_so(labels: Labels) -> None:
    found = collusion(labels, np.zeros(labels.items, dtype=np.int64))
    assert (found.pairs, found.tested) == ((), 0)
    assert found.reason == "no two people share 5 items"


def test_one_class_and_a_person_against_all_are_no_copying() -> None:
    item, person = np.repeat(np.arange(40), 4), np.tile(np.arange(4), 40)
    uniform = collusion(Labels.of(item, person, np.zeros(160, dtype=np.int64)), np.zeros(40, dtype=np.int64))
    assert uniform.reached == ()
    contrary = collusion(Labels.of(item, person, (person == 0).astype(np.int64)), np.zeros(40, dtype=np.int64))
    assert contrary.reached == ()


def test_an_item_that_everybody_judged_is_left_out_and_counted() -> None:
    item = np.concatenate([np.zeros(300, dtype=np.int64), np.repeat(np.arange(1, 11), 2)])
    person = np.concatenate([np.arange(300), np.tile([0, 1], 10)])
    found = collusion(Labels.of(item, person, np.zeros(320, dtype=np.int64), classes=2), np.zeros(11, dtype=np.int64))
    assert (found.skipped_items, found.tested) == (1, 1)


def test_unusable_truth_is_refused() -> None:
    labels, truth = crowd(np.random.default_rng(5), items=20)
    with pytest.raises(BadLabels, match="shape"):
        collusion(labels, truth[:-1])
    with pytest.raises(BadLabels, match="adds up"):
        collusion(labels, np.full((20, CLASSES), np.nan))
    with pytest.raises(BadLabels, match="outside"):
        collusion(labels, np.full(20, 10**9))
    with pytest.raises(BadLabels, match="indices"):
        collusion(labels, truth.astype(float))
    with pytest.raises(BadLabels, match="too many"):
        collusion(Labels.of([0, 0], [0, 1], [0, 10**9]), np.array([0]))
    with pytest.raises(ValueError, match="false alarm rate"):
        collusion(labels, truth, false_alarm_rate=1.5)


def test_a_label_is_not_its_own_evidence() -> None:
    # Two against one: without their own label, the two see one for and one against.
    labels = Labels.of([0, 0, 0], [0, 1, 2], [0, 0, 1])
    belief = Crowd.of(labels, np.array([[0.8, 0.2]]), doubt=0.0).outcomes().outcome
    assert belief[0] < 0.8
    assert belief[2] < 0.2


def alike(rng: np.random.Generator, spammers: int, classes: int) -> Labels:
    """Everybody is right in eight of ten cases, so that `posterior` is the true one; but for the first few."""
    truth, item = rng.integers(0, classes, 2_000), np.repeat(np.arange(2_000), 5)
    person = np.argsort(rng.random((2_000, 40)), axis=1)[:, :5].ravel()
    wrong = (truth[item] + rng.integers(1, classes, 10_000)) % classes
    label = np.where(rng.random(10_000) < 0.8, truth[item], wrong)
    return Labels.of(item, person, np.where(person < spammers, rng.integers(0, classes, 10_000), label))


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_people_at_the_standard_are_fairly_measured_by_the_others(classes: int) -> None:
    labels = alike(np.random.default_rng(6), 0, classes)
    exact = Crowd.of(labels, posterior(labels), doubt=0.0).outcomes()
    assert exact.outcome.mean() > exact.standards(0.8).mean() - 0.01
    assert exact.outcome.mean() < exact.standards(0.8).mean() + 0.03
    # A standard that leaves out how unsure the others are would be unfair to everybody.
    assert exact.outcome.mean() < 0.78
    doubtful = Crowd.of(labels, posterior(labels)).outcomes()
    assert (doubtful.standards(0.8) < exact.standards(0.8)).all()


def test_by_the_others_labels_alone_spammers_are_found_and_honest_people_are_not() -> None:
    labels = alike(np.random.default_rng(7), 3, CLASSES)
    soft = Crowd.of(labels, posterior(labels)).outcomes()
    standards, reached = soft.standards(0.8), []
    for person in range(labels.people):
        mine = labels.person == person
        reached.append(e_process(soft.outcome[mine], standards[mine]).reached)
    assert reached == [True] * 3 + [False] * 37


def test_known_answers_make_outcomes_plain() -> None:
    found = Crowd.of(Labels.of([0, 0, 1], [0, 1, 0], [0, 1, 1]), np.array([0, 1])).outcomes()
    assert found.outcome.tolist() == [1, 0, 1]
    assert found.standards(0.8) == pytest.approx([0.8, 0.8, 0.8])


def times(rng: np.random.Generator, labels: Labels) -> Floats:
    task, person = rng.normal(4, 0.6, labels.items), np.clip(rng.normal(0, 0.25, labels.people), -0.5, 0.5)
    return np.asarray(np.exp(task[labels.item] + person[labels.person] + rng.normal(0, 0.4, len(labels))))


def test_the_spread_of_times_is_found_again() -> None:
    rng = np.random.default_rng(7)
    labels, _ = crowd(rng, items=2_000, people=60)
    seconds = times(rng, labels)
    found = pace(labels, seconds)
    assert found.spread == pytest.approx(0.4, rel=0.1)
    assert found.spread_people == pytest.approx(0.25, rel=0.35)
    assert found.limit == pytest.approx(np.exp(-3 * found.spread_people))
    assert np.median(seconds / found.typical) == pytest.approx(1, abs=0.1)


def test_somebody_who_rushes_is_found_within_a_dozen_answers_and_the_others_are_not() -> None:
    rng = np.random.default_rng(8)
    labels, _ = crowd(rng, items=1_000, people=40)
    seconds = np.where(labels.person == 3, times(rng, labels) * 0.1, times(rng, labels))
    found = speed(labels, seconds)
    assert [person.person for person in found if person.evidence.reached] == [3]
    assert (found[3].evidence.reached_at or 99) <= 12
    assert (found[3].share_of_typical or 1) < 0.25


def test_a_single_absurd_time_decides_nothing() -> None:
    rng = np.random.default_rng(9)
    labels, _ = crowd(rng, items=300)
    seconds = times(rng, labels)
    seconds[0] = 1e-6
    assert not speed(labels, seconds)[int(labels.person[0])].evidence.reached


def test_times_without_a_peer_or_unknown_say_nothing() -> None:
    labels = Labels.of([0, 1, 2, 2], [0, 0, 1, 2], [0, 0, 0, 0], people=5)
    found = speed(labels, [3.0, 4.0, float("nan"), 5.0])
    assert [person.answers for person in found] == [0, 0, 0, 0, 0]
    assert found[0].share_of_typical is None
    assert speed(Labels.of([], [], [], people=1), [])[0].evidence.log_e == 0
    for bad in (0.0, -1.0, float("inf")):
        with pytest.raises(BadLabels, match="row 1"):
            pace(labels, [1.0, bad, 2.0, 3.0])
    with pytest.raises(BadLabels, match="times for"):
        pace(labels, [1.0])


def test_a_watch_over_times_moves_on_one_by_one() -> None:
    rng = np.random.default_rng(10)
    labels, _ = crowd(rng, items=300)
    seconds = times(rng, labels)
    whole, outcomes = speed(labels, seconds)[2], pace(labels, seconds).outcome
    watch = PaceWatch()
    state = watch.begin()
    for outcome in outcomes[labels.person == 2].tolist():
        state = watch.update(state, outcome)
    assert state.log_e == pytest.approx(whole.evidence.log_e)


def test_honest_people_seldom_look_like_straight_liners() -> None:
    rng = np.random.default_rng(11)
    reached = []
    for _ in range(10):
        labels, _ = crowd(rng, items=300, people=20)
        reached += [habit.evidence.reached for habit in habits(labels, posterior(labels))]
    assert np.mean(reached) <= 0.05


def test_somebody_who_repeats_answers_is_found() -> None:
    rng = np.random.default_rng(12)
    labels, truth = crowd(rng, items=500)
    mine = np.flatnonzero(labels.person == 4)
    label = labels.label.copy()
    # Ten answers alike, then ten others alike, whatever the tasks are.
    label[mine] = (np.arange(len(mine)) // 10) % CLASSES
    found = habits(Labels.of(labels.item, labels.person, label), truth)
    assert [habit.person for habit in found if habit.evidence.reached] == [4]
    assert found[4].longest_run == 10
    assert (found[4].run_chance or 0) < 0.05
    assert (found[0].run_chance or 0) > 0.05


def test_always_the_same_label_shows_in_the_entropy() -> None:
    rng = np.random.default_rng(13)
    labels, truth = crowd(rng, items=300)
    label = np.where(labels.person == 4, 0, labels.label)
    found = habits(Labels.of(labels.item, labels.person, label), truth)[4]
    assert found.entropy == 0
    assert (found.entropy_expected or 0) > 1.5
    assert found.longest_run == found.answers


def test_tasks_of_one_kind_in_a_row_make_honest_runs() -> None:
    truth = np.repeat([0, 1], 30)
    item, person = np.repeat(np.arange(60), 3), np.tile(np.arange(3), 60)
    found = habits(Labels.of(item, person, truth[item]), truth)
    assert all(habit.longest_run == 30 and not habit.evidence.reached for habit in found)


def test_people_without_answers_have_no_habits() -> None:
    found = habits(Labels.of([0], [1], [0], people=3, classes=2), np.array([0]))
    assert [habit.answers for habit in found] == [0, 1, 0]
    assert found[0].longest_run is None
    assert found[1].longest_run == 1
    assert found[1].evidence.log_e == 0
