"""Dawid-Skene and one-coin: the example of 1979, independent implementations, known answers, and unusable input."""

import numpy as np
import pytest
from bench.quality import sets

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels, NamedLabels
from preceptor.quality.truth import (
    AccuracyPrior,
    CrowdPrior,
    Fit,
    Method,
    dawid_skene,
    majority,
    one_coin,
    predictive,
)
from preceptor.quality.truth.dawid_skene import STRENGTH_MOST, estimated_strength

# Dawid and Skene 1979, table 1: fitness for anaesthesia of 45 patients on a scale of 1 to 4. The first three ratings
# of each patient are by one anaesthetist at three times, the others by four more.
PATIENTS = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 "
    "1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 "
    "1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 "
    "2322222 1211111 2222222"
)
RATER_OF_COLUMN = (0, 0, 0, 1, 2, 3, 4)
BARE = CrowdPrior(strength=0, class_items=0)
METHODS: tuple[Method, ...] = (dawid_skene, one_coin)


def anaesthetists() -> Labels:
    item = np.repeat(np.arange(45), 7)
    label = np.array([int(rating) - 1 for rating in PATIENTS.replace(" ", "")])
    return Labels.of(item, np.tile(RATER_OF_COLUMN, 45), label)


def simulated(
    rng: np.random.Generator, items: int = 400, people: int = 30, classes: int = 3, raters: int = 5
) -> tuple[Labels, Ints, Floats]:
    """Judgments, the truth, and the confusion matrices they were drawn from."""
    truth = rng.integers(classes, size=items)
    confusion = rng.dirichlet(np.ones(classes), size=(people, classes)) * 0.4 + 0.6 * np.eye(classes)
    person = np.concatenate([rng.permutation(people)[:raters] for _ in range(items)])
    item = np.repeat(np.arange(items), raters)
    label = np.array([rng.choice(classes, p=confusion[p, truth[i]]) for p, i in zip(person, item, strict=True)])
    return Labels.of(item, person, label, people=people, classes=classes), truth, confusion


def by_the_paper(labels: Labels, rounds: int) -> tuple[Floats, Floats, Floats, float]:
    """Formulas 2.3 to 2.5 and 2.7 of the paper on dense counts, the slow way: posterior, prior, rates, likelihood."""
    counts = np.zeros((labels.items, labels.people, labels.classes))
    np.add.at(counts, (labels.item, labels.person, labels.label), 1)
    posterior = counts.sum(axis=1) / counts.sum(axis=(1, 2))[:, None]
    for _ in range(rounds):
        prior = posterior.mean(axis=0)
        rates = np.einsum("ik,ipl->pkl", posterior, counts)
        rates /= np.maximum(rates.sum(axis=2, keepdims=True), 1e-300)
        joint = prior * np.prod(rates[None] ** counts[:, :, None, :], axis=(1, 3))
        posterior = joint / joint.sum(axis=1, keepdims=True)
    return posterior, prior, rates, float(np.log(joint.sum(axis=1)).sum())


def test_the_anaesthetists_get_the_published_class_shares() -> None:
    fit = dawid_skene(anaesthetists(), prior=BARE, tolerance=1e-12, rounds=2000)
    assert fit.converged
    assert np.round(fit.prior, 2).tolist() == [0.40, 0.42, 0.11, 0.07]


def test_the_anaesthetists_get_what_the_formulas_of_the_paper_give() -> None:
    labels = anaesthetists()
    posterior, prior, rates, log_likelihood = by_the_paper(labels, rounds=30)
    fit = dawid_skene(labels, prior=BARE, tolerance=0, rounds=30)
    assert fit.iterations == 30
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-9)
    assert fit.confusion is not None
    np.testing.assert_allclose(fit.posterior, posterior, atol=1e-10)
    np.testing.assert_allclose(fit.prior, prior, atol=1e-12)
    np.testing.assert_allclose(fit.confusion, rates, atol=1e-10)


def test_the_first_anaesthetist_is_consistent_and_patient_3_is_a_2() -> None:
    fit = dawid_skene(anaesthetists(), prior=BARE)
    assert fit.answers[2] == 1
    assert fit.confusion is not None
    assert np.diagonal(fit.confusion[0]).min() > 0.4


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bare_counts_agree_with_crowd_kit_round_by_round() -> None:
    pandas = pytest.importorskip("pandas")
    peer = pytest.importorskip("crowdkit.aggregation", reason="crowd-kit is not installed")
    labels, _, _ = simulated(np.random.default_rng(5), people=12)
    frame = pandas.DataFrame({"task": labels.item, "worker": labels.person, "label": labels.label})
    theirs = peer.DawidSkene(n_iter=8, tol=-1.0).fit(frame)
    ours = dawid_skene(labels, prior=BARE, tolerance=0, rounds=8)
    expected = theirs.probas_.sort_index()[[0, 1, 2]].to_numpy()
    np.testing.assert_allclose(ours.posterior, expected, atol=1e-6)


@pytest.mark.parametrize(("name", "least"), [("rte", 0.92), ("d_product", 0.93), ("web_ordinal", 0.82)])
def test_real_sets_reach_what_dawid_skene_is_known_to_reach(name: str, least: float) -> None:
    if not sets.there():
        pytest.skip(f"needs {sets.FOLDER}, which is not part of the project")
    judged = sets.load(name, repeats="all")
    accuracy = dawid_skene(judged.named.labels).accuracy_on(judged.gold)
    assert accuracy is not None
    assert accuracy > least
    assert accuracy > (majority(judged.named.labels).accuracy_on(judged.gold) or 1.0)


def test_confusions_are_found_again() -> None:
    labels, truth, confusion = simulated(np.random.default_rng(1), items=3000, people=20)
    fit = dawid_skene(labels)
    assert fit.confusion is not None
    assert np.abs(fit.confusion - confusion).mean() < 0.03
    assert np.mean(fit.answers == truth) > np.mean(majority(labels).answers == truth)


def test_the_log_posterior_never_falls_without_a_prior() -> None:
    labels, _, _ = simulated(np.random.default_rng(2))
    reached = [dawid_skene(labels, prior=BARE, tolerance=0, rounds=n).log_likelihood or 0.0 for n in range(1, 25)]
    assert np.diff(reached).min() > -1e-9


def test_order_of_judgments_changes_nothing() -> None:
    labels, _, _ = simulated(np.random.default_rng(3))
    order = np.random.default_rng(0).permutation(len(labels))
    mixed = Labels(
        labels.item[order], labels.person[order], labels.label[order], labels.items, labels.people, labels.classes
    )
    np.testing.assert_array_equal(dawid_skene(mixed).posterior, dawid_skene(labels).posterior)


def test_names_of_classes_change_only_the_columns() -> None:
    labels, _, _ = simulated(np.random.default_rng(4))
    renamed = Labels(labels.item, labels.person, 2 - labels.label, labels.items, labels.people, labels.classes)
    np.testing.assert_allclose(dawid_skene(renamed).posterior[:, ::-1], dawid_skene(labels).posterior, atol=1e-12)


def test_somebody_with_few_judgments_is_taken_for_the_crowd() -> None:
    labels, _, _ = simulated(np.random.default_rng(6))
    newcomer = Labels.of(
        np.append(labels.item, 0), np.append(labels.person, 30), np.append(labels.label, 0), people=32, classes=3
    )
    fit = dawid_skene(newcomer, prior=CrowdPrior(strength=50.0))
    assert fit.confusion is not None
    crowd, once, never = fit.confusion[:30].mean(axis=0), fit.confusion[30], fit.confusion[31]
    assert np.abs(never - crowd).max() < 0.02
    assert np.abs(once - never).max() < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_known_answers_are_certain_and_teach_about_people(method: Method) -> None:
    # Two people always disagree; only known answers can tell who is right.
    item, person = np.repeat(np.arange(40), 2), np.tile([0, 1], 40)
    truth = np.arange(40) % 2
    label = np.where(person == 0, truth[item], 1 - truth[item])
    labels = Labels.of(item, person, label)
    gold = np.where(np.arange(40) < 10, truth, UNKNOWN)
    fit = method(labels, gold=gold)
    assert fit.posterior[np.arange(10), truth[:10]].tolist() == [1.0] * 10
    assert np.all(fit.answers == truth)
    assert np.all(fit.confidence > 0.8)


@pytest.mark.parametrize("strength", [4.0, 25.0])
def test_the_strength_of_the_crowd_is_found_again(strength: float) -> None:
    rng = np.random.default_rng(13)
    crowd = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]])
    rows = np.stack([rng.dirichlet(strength * row, size=3000) for row in crowd], axis=1)
    counts = rng.multinomial(12, rows).astype(np.float64)
    assert estimated_strength(counts, crowd) ** 2 == pytest.approx(strength, rel=0.1)


def test_people_alike_within_chance_are_all_the_crowd() -> None:
    crowd = np.array([[0.75, 0.25], [0.25, 0.75]])
    assert estimated_strength(np.tile(8 * crowd, (50, 1, 1)), crowd) == STRENGTH_MOST


def test_few_judgments_a_person_lean_on_the_crowd() -> None:
    rng = np.random.default_rng(14)
    truth = rng.integers(6, size=1500)
    item, person = np.repeat(np.arange(1500), 3), rng.integers(450, size=4500)
    shifted = (truth[item] + rng.integers(1, 3, size=4500)) % 6
    label = np.where(rng.random(4500) < rng.beta(5, 3, size=450)[person], truth[item], shifted)
    labels = Labels.of(item, person, label, people=450)
    leaning, bare = (np.mean(dawid_skene(labels, prior=prior).answers == truth) for prior in (CrowdPrior(), BARE))
    assert leaning > np.mean(majority(labels).answers == truth) > bare


def test_doubted_gold_can_be_outvoted_and_certain_gold_cannot() -> None:
    labels, truth, _ = simulated(np.random.default_rng(7), raters=9)
    wrong = np.full(400, UNKNOWN)
    wrong[0] = (truth[0] + 1) % 3
    assert dawid_skene(labels, gold=wrong).answers[0] == wrong[0]
    assert dawid_skene(labels, gold=wrong, trust=0.6).answers[0] == truth[0]


@pytest.mark.parametrize("trust", [0.0, 1 / 3, 1.1])
def test_gold_at_or_below_chance_is_refused(trust: float) -> None:
    labels, truth, _ = simulated(np.random.default_rng(7), items=20)
    with pytest.raises(ValueError, match="above chance"):
        dawid_skene(labels, gold=truth, trust=trust)


@pytest.mark.parametrize("method", METHODS)
def test_no_judgment_is_refused(method: Method) -> None:
    with pytest.raises(BadLabels, match="no judgment"):
        method(Labels.of([], [], []))


@pytest.mark.parametrize("method", METHODS)
def test_a_label_of_a_thousand_million_is_refused_before_memory_is_taken(method: Method) -> None:
    with pytest.raises(BadLabels, match="too many for one table"):
        method(Labels.of([0, 1], [0, 0], [3, 10**9]))


@pytest.mark.parametrize(
    ("gold", "message"), [([0], "shape"), ([0, 7], "outside 0..1"), ([0, -2], "outside 0..1"), ([0.0, 1.0], "indices")]
)
def test_unusable_gold_is_refused_with_what_is_wrong(gold: list[float], message: str) -> None:
    with pytest.raises(BadLabels, match=message):
        dawid_skene(Labels.of([0, 1], [0, 0], [0, 1]), gold=np.array(gold))


@pytest.mark.parametrize("method", METHODS)
def test_one_rater_is_believed_but_not_fully(method: Method) -> None:
    fit = method(Labels.of(np.arange(6), np.zeros(6, int), [0, 1, 0, 1, 1, 0]))
    assert fit.answers.tolist() == [0, 1, 0, 1, 1, 0]
    assert_sound(fit)


@pytest.mark.parametrize("method", METHODS)
def test_one_class_is_certain(method: Method) -> None:
    fit = method(Labels.of([0, 1, 1], [0, 0, 1], [0, 0, 0]))
    assert fit.posterior.tolist() == [[1.0], [1.0]]
    assert_sound(fit)


@pytest.mark.parametrize("method", METHODS)
def test_somebody_who_disagrees_with_all_is_turned_round(method: Method) -> None:
    rng = np.random.default_rng(8)
    truth = rng.integers(2, size=200)
    item, person = np.repeat(np.arange(200), 4), np.tile(np.arange(4), 200)
    label = np.where((person == 3) | (rng.random(800) < 0.1), 1 - truth[item], truth[item])
    fit = method(Labels.of(item, person, label))
    assert fit.confusion is not None
    assert np.diagonal(fit.confusion[3]).max() < 0.1
    assert np.mean(fit.answers == truth) > 0.97
    assert_sound(fit)


@pytest.mark.parametrize("method", METHODS)
def test_items_and_people_without_judgments_get_prior_and_crowd(method: Method) -> None:
    fit = method(Labels.of([0, 0, 1], [0, 1, 0], [0, 0, 1], items=4, people=5, classes=3))
    np.testing.assert_allclose(fit.posterior[3], fit.prior)
    assert_sound(fit)


@pytest.mark.parametrize("method", METHODS)
def test_groups_that_share_nobody_are_fitted_all_the_same(method: Method) -> None:
    fit = method(Labels.of([0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 2, 3, 2, 3], [0, 0, 1, 1, 0, 0, 1, 0]))
    assert fit.answers[:3].tolist() == [0, 1, 0]
    assert_sound(fit)


@pytest.mark.parametrize("method", METHODS)
def test_a_repeat_counts_as_another_judgment(method: Method) -> None:
    rows = ["a", "a", "a", "b"], ["x", "x", "y", "y"], ["yes", "yes", "no", "no"]
    twice, once = (NamedLabels.read(*rows, repeats=repeats).labels for repeats in ("all", "last"))
    assert method(twice).posterior[0, 1] > method(once).posterior[0, 1]


@pytest.mark.parametrize("method", METHODS)
def test_hundreds_of_votes_on_one_item_stay_finite(method: Method) -> None:
    labels = Labels.of(np.zeros(3000, int), np.arange(3000) % 500, np.arange(3000) % 2, items=2)
    assert_sound(method(labels))


def test_a_fit_that_ran_out_of_rounds_says_so() -> None:
    labels, _, _ = simulated(np.random.default_rng(9))
    fit = dawid_skene(labels, rounds=2, tolerance=0)
    assert (fit.iterations, fit.converged) == (2, False)
    with pytest.raises(ValueError, match="at least one round"):
        dawid_skene(labels, rounds=0)


@pytest.mark.parametrize("settings", [{"strength": -1.0}, {"strength": np.inf}, {"class_items": -1.0}])
def test_priors_below_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="from 0 on"):
        CrowdPrior(**settings)
    with pytest.raises(ValueError, match="from 0 on"):
        AccuracyPrior(**settings)


def test_endless_class_items_keep_classes_equal() -> None:
    labels, _, _ = simulated(np.random.default_rng(10))
    fit = dawid_skene(labels, prior=CrowdPrior(class_items=np.inf))
    assert fit.prior == pytest.approx([1 / 3] * 3)


def test_one_coin_finds_accuracies_again() -> None:
    rng = np.random.default_rng(11)
    accuracy = np.linspace(0.4, 0.95, 12)
    truth = rng.integers(4, size=2000)
    item = np.repeat(np.arange(2000), 5)
    person = np.concatenate([rng.permutation(12)[:5] for _ in range(2000)])
    wrong = (truth[item] + rng.integers(1, 4, size=10_000)) % 4
    label = np.where(rng.random(10_000) < accuracy[person], truth[item], wrong)
    fit = one_coin(Labels.of(item, person, label))
    assert fit.accuracy == pytest.approx(accuracy, abs=0.05)


def test_a_judgment_is_foretold_by_the_rest_of_its_item() -> None:
    labels, _, _ = simulated(np.random.default_rng(12), items=1500, people=15)
    held = np.zeros(len(labels), dtype=bool)
    held[::5] = True
    seen, unseen = labels.where(~held), labels.where(held)
    informed, bare = dawid_skene(seen), one_coin(seen)
    assert np.all(predictive(informed, unseen) < 0)
    # The crowd here has confusions, which one number a person cannot tell.
    assert predictive(informed, unseen).mean() > predictive(bare, unseen).mean() > np.log(1 / 3)


def test_majority_foretells_nothing() -> None:
    labels = Labels.of([0, 1], [0, 0], [0, 1])
    with pytest.raises(ValueError, match="says nothing about how people label"):
        predictive(majority(labels), labels)


def assert_sound(fit: Fit) -> None:
    np.testing.assert_allclose(fit.posterior.sum(axis=1), 1.0)
    np.testing.assert_allclose(fit.prior.sum(), 1.0)
    assert fit.confusion is not None
    np.testing.assert_allclose(fit.confusion.sum(axis=2), 1.0)
    assert fit.log_likelihood is not None
    assert np.isfinite(fit.log_likelihood)
    assert fit.posterior.min() >= 0


def test_a_class_that_nobody_gives_is_no_answer_even_beside_a_wrong_key() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, size=60)
    item, person = np.repeat(np.arange(60), 5), np.tile(np.arange(5), 60)
    label = np.where(rng.random(300) < 0.9, truth[item], 1 - truth[item])
    gold = np.full(60, UNKNOWN)
    gold[0] = 1 - truth[0]
    fit = dawid_skene(Labels(item, person, label, 60, 5, 3), gold=gold)
    assert not fit.posterior[:, 2].any()
    assert np.mean(fit.answers[1:] == truth[1:]) > 0.95
    assert fit.confusion is not None
    assert np.allclose(fit.confusion.sum(axis=2), 1)
