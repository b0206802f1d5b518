"""The comparison task type: what is complete, what agrees, what a release holds."""

from collections.abc import Mapping
from itertools import permutations
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import kendalltau

from preceptor.tasktypes.base import (
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    UnknownLabel,
    UnknownTaskType,
    problems_of,
    task_type,
    task_types,
)
from preceptor.tasktypes.comparison import (
    ComparisonAnswer,
    ComparisonConfig,
    ComparisonPayload,
    ComparisonType,
)
from preceptor.tasktypes.working import working

KIND = ComparisonType()
UNDER = working("comparison", {})


def apart(a: ComparisonAnswer, b: ComparisonAnswer) -> float:
    return UNDER.distance(payload(2), a, b)["answer"]


def payload(count: int = 2) -> ComparisonPayload:
    return ComparisonPayload.model_validate(
        {
            "prompt": [{"role": "user", "content": "Name a prime."}],
            "responses": [
                {
                    "id": f"r{n}",
                    "messages": [{"role": "assistant", "content": f"Say {n}"}],
                    "source": f"secret-model-{n}",
                }
                for n in range(1, count + 1)
            ],
        }
    )


def ranked(*ranks: int, **more: object) -> ComparisonAnswer:
    names = {f"r{place}": rank for place, rank in enumerate(ranks, start=1)}
    return ComparisonAnswer.model_validate({"ranks": names, **more})


def judged(person: str, answer: ComparisonAnswer, *, counted: bool = True) -> ReleasedJudgment[ComparisonAnswer]:
    return ReleasedJudgment(f"sub_{person}", person, answer, 12.5, "approved" if counted else "rejected", counted)


LENIENT = ComparisonConfig(justification_min_chars=0, scale_strength=False)


class TestShape:
    def test_ranks_become_competition_ranks(self) -> None:
        assert ranked(1, 2, 2, 3).ranks == {"r1": 1, "r2": 2, "r3": 2, "r4": 4}
        assert ranked(5, 900).ranks == {"r1": 1, "r2": 2}

    @pytest.mark.parametrize("bad", [0, -1, 1.5, "1", True, 10_000])
    def test_a_rank_is_a_whole_number_from_one(self, bad: object) -> None:
        with pytest.raises(ValidationError):
            ComparisonAnswer.model_validate({"ranks": {"r1": bad}})

    @pytest.mark.parametrize("count", [1, 7])
    def test_one_or_seven_responses_are_refused(self, count: int) -> None:
        with pytest.raises(ValidationError):
            payload(count)

    def test_two_responses_of_one_id_are_refused(self) -> None:
        raw = payload().model_dump()
        raw["responses"][1]["id"] = "r1"
        with pytest.raises(ValidationError, match="same id"):
            ComparisonPayload.model_validate(raw)

    @pytest.mark.parametrize("name", ["tie", "a|b", "", "x" * 65, "<b>"])
    def test_ids_that_could_be_misread_are_refused(self, name: str) -> None:
        raw = payload().model_dump()
        raw["responses"][0]["id"] = name
        with pytest.raises(ValidationError):
            ComparisonPayload.model_validate(raw)

    def test_a_pydantic_error_becomes_problems_with_paths(self) -> None:
        with pytest.raises(ValidationError) as refused:
            ComparisonAnswer.model_validate({"ranks": {"r1": 0}, "justification": "\0"})
        assert {problem.path for problem in problems_of(refused.value)} == {"ranks.r1", "justification"}


class TestCheck:
    def test_a_full_ranking_with_reason_is_complete(self) -> None:
        answer = ranked(1, 2, strength=2, justification="The first is right and says why.")
        assert KIND.check(payload(), answer, ComparisonConfig()) == []

    def paths(self, answer: ComparisonAnswer, config: ComparisonConfig, count: int = 2) -> set[str]:
        return {problem.path for problem in KIND.check(payload(count), answer, config)}

    def test_an_empty_answer_names_all_that_is_missing(self) -> None:
        config = ComparisonConfig.model_validate({"dimensions": [{"key": "clear", "title": "Clarity"}]})
        assert self.paths(ComparisonAnswer(), config) == {"ranks", "ratings.clear", "justification"}

    def test_white_space_does_not_make_a_reason_longer(self) -> None:
        answer = ranked(1, 2, strength=1, justification="because" + " " * 50 + "\n" * 50)
        assert self.paths(answer, ComparisonConfig()) == {"justification"}

    def test_unknown_responses_and_dimensions_are_named(self) -> None:
        answer = ComparisonAnswer.model_validate(
            {"ranks": {"r1": 1, "r2": 2, "zz": 3}, "ratings": {"nope": {"r1": 3, "yy": 1}}}
        )
        assert self.paths(answer, LENIENT) == {"ranks.zz", "ratings.nope", "ratings.nope.yy"}

    def test_ties_only_where_the_project_allows_them(self) -> None:
        strict = LENIENT.model_copy(update={"allow_ties": False})
        assert self.paths(ranked(1, 1), LENIENT) == set()
        assert self.paths(ranked(1, 1), strict) == {"ranks"}

    def test_both_bad_replaces_a_ranking_only_where_allowed(self) -> None:
        answer = ComparisonAnswer(both_bad=True)
        assert self.paths(answer, LENIENT.model_copy(update={"allow_both_bad": True})) == set()
        assert self.paths(answer, LENIENT) == {"both_bad", "ranks"}

    def test_a_partial_ranking_needs_two(self) -> None:
        partial = LENIENT.model_copy(update={"ranking": "partial"})
        assert self.paths(ranked(1, 2), partial, count=4) == set()
        assert self.paths(ranked(1), partial, count=4) == {"ranks"}
        assert self.paths(ranked(1, 2), LENIENT, count=4) == {"ranks"}

    @pytest.mark.parametrize(
        ("answer", "complete"),
        [
            (ranked(1, 2, strength=3), True),
            (ranked(1, 1, strength=0), True),
            (ranked(1, 2, strength=0), False),
            (ranked(1, 1, strength=1), False),
            (ranked(1, 2), False),
        ],
    )
    def test_strength_and_ranks_must_say_the_same(self, answer: ComparisonAnswer, complete: bool) -> None:
        config = LENIENT.model_copy(update={"scale_strength": True})
        assert self.paths(answer, config) == (set() if complete else {"strength"})

    def test_strength_is_for_pairs_only(self) -> None:
        assert self.paths(ranked(1, 2, 3, strength=2), ComparisonConfig(justification_min_chars=0), 3) == {"strength"}

    def test_an_optional_dimension_is_left_out_or_complete(self) -> None:
        config = ComparisonConfig.model_validate(
            LENIENT.model_dump() | {"dimensions": [{"key": "clear", "title": "Clarity", "required": False}]}
        )
        assert self.paths(ranked(1, 2), config) == set()
        assert self.paths(ranked(1, 2, ratings={"clear": {"r1": 7}}), config) == {"ratings.clear"}


class TestDistanceAndScore:
    @given(st.permutations(range(1, 6)), st.permutations(range(1, 6)))
    def test_without_ties_it_is_kendalls_tau(self, a: list[int], b: list[int]) -> None:
        tau = kendalltau(a, b).statistic
        assert apart(ranked(*a), ranked(*b)) == pytest.approx((1 - tau) / 2)

    @given(*[st.lists(st.integers(1, 4), min_size=4, max_size=4)] * 3)
    def test_it_is_a_metric_on_full_rankings(self, a: list[int], b: list[int], c: list[int]) -> None:
        x, y, z = ranked(*a), ranked(*b), ranked(*c)
        assert apart(x, x) == 0
        assert apart(x, y) == apart(y, x)
        assert apart(x, z) <= apart(x, y) + apart(y, z) + 1e-9

    def test_opposite_is_one_and_a_tie_is_half_way(self) -> None:
        assert apart(ranked(1, 2), ranked(2, 1)) == 1
        assert apart(ranked(1, 1), ranked(2, 1)) == 0.5

    def test_silence_is_half_way_and_two_silences_agree(self) -> None:
        assert apart(ComparisonAnswer(), ranked(1, 2)) == 0.5
        assert apart(ComparisonAnswer(), ComparisonAnswer()) == 0

    def test_both_bad_alone_ties_all(self) -> None:
        bad = ComparisonAnswer(both_bad=True)
        assert UNDER.labels(payload(3), bad) == {"r1|r2": "tie", "r1|r3": "tie", "r2|r3": "tie"}
        assert apart(bad, ranked(1, 2)) == 0.5

    def test_a_partial_ranking_labels_only_what_it_ranks(self) -> None:
        assert UNDER.labels(payload(3), ComparisonAnswer(ranks={"r1": 2, "r3": 1})) == {"r1|r3": "r3"}
        assert UNDER.unit_labels(payload(3))["r2|r3"] == ("r2", "r3", "tie")

    def test_score_says_what_was_ranked_otherwise(self) -> None:
        score = UNDER.score(payload(3), ranked(1, 3, 2), ranked(1, 2, 3))
        assert score.value == pytest.approx(2 / 3)
        assert score.reasons == ("You ranked r3 above r2. The reference ranked r2 above r3.",)
        assert UNDER.score(payload(3), ranked(1, 2, 3), ranked(1, 2, 3)).reasons == ()

    def test_a_reference_that_says_nothing_cannot_score(self) -> None:
        with pytest.raises(ValueError, match="ranks no pair"):
            UNDER.score(payload(), ranked(1, 2), ComparisonAnswer())


class TestShownOrder:
    @given(st.integers(2, 6), st.integers())
    def test_shown_names_map_back(self, count: int, seed: int) -> None:
        task = payload(count)
        order = KIND.display_order(task, Random(seed))
        answer = ranked(*range(1, count + 1), ratings={"clear": {"r1": 3, "r2": 4}})
        shown = KIND.as_shown(answer, order)
        assert set(shown.ranks) == set("ABCDEF"[:count])
        assert KIND.canonical(shown, order) == answer

    def test_nothing_of_origin_is_shown(self) -> None:
        task = payload(3)
        shown = ComparisonPayload.model_validate(KIND.present(task, ["r3", "r1", "r2"]))
        assert [(r.id, r.messages[0].content) for r in shown.responses] == [
            ("A", "Say 3"),
            ("B", "Say 1"),
            ("C", "Say 2"),
        ]
        text = shown.model_dump_json()
        assert "secret" not in text
        assert '"r1"' not in text

    def test_every_order_comes_up_equally_often(self) -> None:
        rng = Random(7)
        seen = [tuple(KIND.display_order(payload(3), rng)) for _ in range(6_000)]
        assert all(850 < seen.count(order) < 1_150 for order in permutations(("r1", "r2", "r3")))

    def test_a_name_that_was_not_shown_is_refused(self) -> None:
        with pytest.raises(UnknownLabel):
            KIND.canonical(ComparisonAnswer(ranks={"C": 1}), ["r2", "r1"])
        with pytest.raises(UnknownLabel):
            KIND.present(payload(3), ["r1", "r2"])


class TestConsensusAndRelease:
    def test_majority_decides_each_pair(self) -> None:
        answers = [ranked(1, 2), ranked(1, 2), ranked(2, 1), ranked(1, 1)]
        consensus = UNDER.consensus(payload(), answers)
        unit = consensus.units["r1|r2"]
        assert (unit.label, unit.share, unit.counts) == ("r1", 0.5, {"r1": 2, "r2": 1, "tie": 1})
        assert consensus.answer == {"ranks": {"r1": 1, "r2": 2}, "both_bad": False}

    def test_an_even_split_decides_nothing(self) -> None:
        consensus = UNDER.consensus(payload(), [ranked(1, 2), ranked(2, 1)])
        assert consensus.units["r1|r2"].tie
        assert consensus.answer is None
        assert UNDER.consensus(payload(), []).answer is None

    def test_majorities_in_a_circle_become_a_tie(self) -> None:
        answers = [ranked(1, 2, 3), ranked(3, 1, 2), ranked(2, 3, 1)]
        assert UNDER.consensus(payload(3), answers).answer == {
            "ranks": {"r1": 1, "r2": 1, "r3": 1},
            "both_bad": False,
        }

    def released(
        self,
        *judgments: ReleasedJudgment[ComparisonAnswer],
        count: int = 2,
        known: ComparisonAnswer | None = None,
        votes: Mapping[str, int] | None = None,
    ) -> ReleaseRows:
        task = payload(count)
        consensus = UNDER.consensus(task, [judgment.answer for judgment in judgments if judgment.counted])
        return UNDER.rows(ReleasedTask("tsk_1", "ext", task, known, votes or {}), judgments, consensus)

    def test_a_decided_pair_becomes_a_preference_row(self) -> None:
        rows = self.released(
            judged("p1", ranked(2, 1, strength=3)),
            judged("p2", ranked(2, 1, strength=2)),
            judged("p3", ranked(1, 2, strength=1)),
            judged("p4", ranked(1, 1, strength=0)),
        )
        (row,) = rows.tables["pairs"]
        assert row["prompt"] == [{"role": "user", "content": "Name a prime."}]
        assert row["chosen"] == [{"role": "assistant", "content": "Say 2"}]
        assert row["rejected"] == [{"role": "assistant", "content": "Say 1"}]
        assert (row["votes_chosen"], row["votes_rejected"], row["ties"]) == (2, 1, 1)
        assert row["margin"] == pytest.approx((3 + 2 - 1 + 0) / 4)
        assert len(rows.judgments) == 4

    def test_without_strengths_the_margin_is_the_difference_of_shares(self) -> None:
        rows = self.released(*(judged(f"p{n}", ranked(1, 2)) for n in range(3)), judged("q", ranked(2, 1)))
        assert rows.tables["pairs"][0]["margin"] == pytest.approx(0.5)

    def test_rejected_work_stays_visible_but_does_not_count(self) -> None:
        rows = self.released(
            judged("p1", ranked(1, 2, strength=1)), judged("p2", ranked(2, 1, strength=3), counted=False)
        )
        assert rows.tables["pairs"][0]["chosen_id"] == "r1"
        assert rows.tables["pairs"][0]["margin"] == 1
        assert [row["counted"] for row in rows.judgments] == [True, False]

    def test_ties_give_no_row_and_are_counted(self) -> None:
        rows = self.released(judged("p1", ranked(1, 1, 3)), count=3)
        assert {(row["chosen_id"], row["rejected_id"]) for row in rows.tables["pairs"]} == {("r1", "r3"), ("r2", "r3")}
        assert rows.undecided == 1

    def test_a_label_from_the_file_is_used_only_where_nobody_judged(self) -> None:
        (row,) = self.released(known=ranked(1, 2), votes={"r1": 3, "r2": 1}).tables["pairs"]
        assert (row["label_source"], row["chosen_id"], row["margin"]) == ("imported", "r1", 0.5)
        (row,) = self.released(judged("p1", ranked(2, 1)), known=ranked(1, 2)).tables["pairs"]
        assert (row["label_source"], row["chosen_id"]) == ("judgments", "r2")

    def test_rows_fit_their_arrow_schemas(self) -> None:
        rows = self.released(
            judged("p1", ranked(1, 2, 3, 4, ratings={"clear": {"r1": 7}}, justification="Because.")), count=4
        )
        pairs = pa.Table.from_pylist(list(rows.tables["pairs"]), schema=KIND.tables["pairs"].schema)
        judgments = pa.Table.from_pylist(list(rows.judgments), schema=KIND.judgment_schema)
        assert pairs.num_rows == 6
        assert judgments.to_pylist() == list(rows.judgments)
        assert set(rows.tables["pairs"][0]) == set(KIND.tables["pairs"].schema.names)


class TestRegistry:
    def test_our_own_type_is_found_by_name(self) -> None:
        assert task_type("comparison").element == "preceptor-comparison"
        assert next(iter(task_types())) == "comparison"

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(UnknownTaskType):
            task_type("no-such-kind")

    def test_the_template_is_a_valid_configuration(self) -> None:
        template = KIND.templates()[0]
        assert ComparisonConfig.model_validate(template.config) == ComparisonConfig()
        assert template.guidelines.startswith("# ")

    def test_a_type_of_another_package_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "other_kind.py").write_text(
            "from preceptor.tasktypes.comparison import ComparisonType\n"
            "class OtherKind(ComparisonType):\n    name = 'other'\n"
        )
        info = tmp_path / "other_kind-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-kind\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[preceptor.task_types]\nother = other_kind:OtherKind\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        task_types.cache_clear()
        try:
            assert task_type("other").name == "other"
        finally:
            task_types.cache_clear()
