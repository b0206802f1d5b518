"""The conversation task type: what a tree is, what is complete, who stands behind a name, what a release holds."""

from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as of_any
from hypothesis import strategies as st
from pydantic import ValidationError

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, ReleaseRows, UnknownLabel, to_json
from preceptor.tasktypes.conversation import (
    ConversationAnswer,
    ConversationConfig,
    ConversationPayload,
    ConversationType,
)
from preceptor.tasktypes.conversation.blinding import PLACES, draw, place_of
from preceptor.tasktypes.conversation.templates import LIVE_PREFERENCE, RED_TEAM
from preceptor.tasktypes.generation import DirectsModels
from preceptor.tasktypes.messages import Message

KIND = ConversationType()
PAYLOAD = ConversationPayload(brief="Plan a trip.", system_prompt="Be brief.")
ORDER = ["m2", "m1", "m4", "m3", "seed-00"]


def node(name: str, parent: str | None, role: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"id": name, "parent": parent, "role": role, "text": f"text of {name}"}
    if role == "assistant":
        given |= {"label": "A", "generation": f"gen_{name}"}
    return given | more


def talk(**verdict: Any) -> dict[str, Any]:
    """Two turns with two models; the first goes to B, the second clearly to A."""
    return {
        "models": 2,
        "labels": "conversation",
        "nodes": [
            node("u1", None, "user", preference=6),
            node("a1", "u1", "assistant"),
            node("b1", "u1", "assistant", label="B", chosen=True),
            node("u2", "b1", "user", preference=1),
            node("a2", "u2", "assistant", chosen=True),
            node("b2", "u2", "assistant", label="B"),
        ],
        "verdict": {"winner": "A", **verdict},
    }


def read(given: dict[str, Any]) -> ConversationAnswer:
    return ConversationAnswer.model_validate(given)


def lacks(
    given: dict[str, Any], config: ConversationConfig = LIVE_PREFERENCE, payload: ConversationPayload = PAYLOAD
) -> str:
    return " ".join(problem.message for problem in KIND.check(payload, read(given), config))


def changed(name: str, **more: Any) -> dict[str, Any]:
    answer = talk()
    answer["nodes"] = [{**each, **more} if each["id"] == name else each for each in answer["nodes"]]
    return answer


def test_a_judged_conversation_is_complete() -> None:
    assert lacks(talk()) == ""


def test_an_empty_answer_says_what_to_do() -> None:
    assert "2 more turns to go" in lacks({"models": 2})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (changed("u1", preference=None), "Say which reply is better: in message 1."),
        (changed("u1", preference=2), "not the one that the scale prefers"),
        (changed("b2", label="A"), "replies to a message once"),
        (changed("b2", label="C"), "name of a model of this task"),
        (changed("b2", generation=None), "must come from a model"),
        (changed("b2", chosen=True), "Only one reply can be chosen"),
        (changed("u2", parent="u1"), "must take turns"),
        (changed("u2", parent="nobody"), "follows one that is not there"),
        (changed("b2", id="a2"), "same id"),
        (changed("u1", parent="b2"), "follows itself"),
        (changed("u1", rating=3), "Only replies of models"),
        ({**talk(), "verdict": {}}, "which model was better overall"),
        ({**talk(), "verdict": {"winner": "C"}}, "winner is a model of this task"),
        ({**talk(), "models": 1}, "settings have changed"),
        (changed("a1", marks=[{"category": "nothing_known"}]), "does not know"),
        (changed("a1", marks=[{"category": "hate", "quote": "text of", "start": 1}]), "not in the reply"),
        (changed("a1", marks=[{"category": "hate", "technique": "unheard"}]), "technique that this project"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_what_is_missing_or_wrong_is_said(given: dict[str, Any], words: str) -> None:
    assert words in lacks(given)


def test_marks_quote_the_reply_in_code_points() -> None:
    marked = changed("a1", text="🙂 text", marks=[{"category": "hate", "quote": "text", "start": 2}])
    assert lacks(marked) == ""


def test_red_teaming_wants_a_verdict_and_a_mark_that_says_how() -> None:
    answer = {
        "models": 1,
        "nodes": [node("u1", None, "user"), node("a1", "u1", "assistant", chosen=True)],
        "verdict": {},
    }
    assert lacks(answer, RED_TEAM) == "Say whether the model failed."
    answer["verdict"] = {"failed": True}
    assert "Mark at least one reply" in lacks(answer, RED_TEAM)
    answer["nodes"][1]["marks"] = [{"category": "fabricated"}]  # type: ignore[index]
    assert "How severe" in lacks(answer, RED_TEAM)
    assert "Which technique" in lacks(answer, RED_TEAM)
    answer["nodes"][1]["marks"] = [{"category": "fabricated", "severity": 3, "technique": "pressure"}]  # type: ignore[index]
    assert lacks(answer, RED_TEAM) == ""


def test_turns_have_an_end() -> None:
    assert "at most 1 turns" in lacks(talk(), payload=PAYLOAD.model_copy(update={"min_turns": 1, "max_turns": 1}))


def test_choosing_and_rating_have_their_own_rules() -> None:
    choose = ConversationConfig(judge="choose", models=3, ask_winner=False)
    rate = ConversationConfig(judge="rate", models=3, ask_winner=False)
    nodes = [node("u1", None, "user")] + [
        node(f"r{label}", "u1", "assistant", label=label, generation=f"gen_{label}") for label in "ABC"
    ]
    answer = {"models": 3, "nodes": nodes}
    assert "Choose the best reply" in lacks(answer, choose)
    assert "Rate every reply" in lacks(answer, rate)
    nodes[2]["chosen"] = True
    assert lacks(answer, choose) == ""
    for rating, each in enumerate(nodes[1:], start=1):
        each["rating"] = rating
    assert lacks(answer, rate) == ""


@pytest.mark.parametrize(
    "given",
    [
        {"brief": ""},
        {"brief": "x", "opening": [{"role": "user", "content": "Hello"}]},
        {"brief": "x", "opening": [{"role": "system", "content": "Hello"}]},
        {"brief": "x", "models": 5},
        {"brief": "x", "min_turns": 3, "max_turns": 2},
        {"brief": "x", "unknown": 1},
    ],
    ids=str,
)
def test_what_cannot_be_a_task_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ConversationPayload.model_validate(given)


def test_settings_that_contradict_each_other_are_refused() -> None:
    for settings in ({"models": 3}, {"min_turns": 5, "max_turns": 2}):
        with pytest.raises(ValidationError):
            ConversationConfig.model_validate(settings)


def test_a_task_of_an_unknown_category_does_not_fit() -> None:
    wanted = PAYLOAD.model_copy(update={"harm": "unheard"})
    assert [problem.path for problem in KIND.fits(wanted, LIVE_PREFERENCE)] == ["harm"]
    assert KIND.fits(PAYLOAD.model_copy(update={"models": 3}), LIVE_PREFERENCE)
    assert KIND.fits(PAYLOAD, LIVE_PREFERENCE) == []


# --- Blinding


@of_any(st.integers(0, 2**32), st.integers(1, 4), st.text("abc", min_size=1, max_size=5))
def test_every_name_stands_for_another_model(seed: int, models: int, turn: str) -> None:
    order = draw(Random(seed))
    for named in (None, turn):
        behind = [place_of(label, order, models, named) for label in "ABCD"[:models]]
        assert sorted(behind) == list(PLACES[:models])
    with pytest.raises(UnknownLabel):
        place_of("D" if models < 4 else "E", order, models, None)


def test_names_of_turns_change_and_both_models_are_a_equally_often() -> None:
    first = [place_of("A", ORDER, 2, f"turn-{number}") for number in range(400)]
    assert 150 < first.count("m1") < 250


def test_an_answer_is_stored_by_model_and_shown_by_name_again() -> None:
    given = read(talk())
    stored = KIND.canonical(given, ORDER)
    assert {each.id: each.model for each in stored.nodes if each.model} == {
        "a1": "m2", "b1": "m1", "a2": "m2", "b2": "m1",
    }  # fmt: skip
    assert stored.verdict.winner == "m2"
    sourced = stored.model_copy(
        update={"nodes": [each.model_copy(update={"source": "Ours: 7b"}) for each in stored.nodes]}
    )
    assert KIND.as_shown(sourced, ORDER) == given
    assert "Ours" not in str(to_json(KIND.as_shown(sourced, ORDER)))


def test_a_winner_keeps_its_name_where_that_is_certain() -> None:
    assert KIND.shown_label("tie", ORDER) == "tie"
    assert KIND.shown_label("m1", ["m1", "m2", "m3", "m4", "seed-0"]) == "A"
    assert KIND.shown_label("m1", ["m3", "m1", "m2", "m4", "seed-0"]) == "one of the models"


def test_people_never_get_a_hidden_system_prompt() -> None:
    assert "system_prompt" not in KIND.present(PAYLOAD, ORDER)
    shown = PAYLOAD.model_copy(update={"show_system_prompt": True})
    assert KIND.present(shown, ORDER)["system_prompt"] == "Be brief."


def test_models_are_asked_with_what_the_task_puts_first() -> None:
    assert isinstance(KIND, DirectsModels)
    sent = KIND.model_messages([{"role": "user", "content": "Hi"}], PAYLOAD, LIVE_PREFERENCE)
    assert sent == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    assert KIND.model_place("A", "u1", ORDER, PAYLOAD, LIVE_PREFERENCE) == 1
    assert KIND.model_place("C", "u1", ORDER, PAYLOAD, LIVE_PREFERENCE) is None
    asked = KIND.asked_of(PAYLOAD, read(talk()), LIVE_PREFERENCE)
    assert asked["gen_b2"] == (
        "B",
        "u2",
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "text of u1"},
            {"role": "assistant", "content": "text of b1"},
            {"role": "user", "content": "text of u2"},
        ],
    )


# --- Agreement


def judged(failed: bool, harm: str | None = None, severity: int | None = None) -> ConversationAnswer:
    marks = [{"category": harm, "severity": severity}] if harm else []
    return read(
        {
            "models": 1,
            "nodes": [node("u1", None, "user"), node("a1", "u1", "assistant", marks=marks)],
            "verdict": {"failed": failed},
        }
    )


def test_agreement_is_about_what_was_found_out() -> None:
    same, other = judged(True, "hate", 2), judged(True, "privacy", 4)
    assert KIND.labels(PAYLOAD, same, RED_TEAM) == {"failed": "yes", "harm": "hate"}
    assert KIND.labels(PAYLOAD, judged(False), RED_TEAM) == {"failed": "no", "harm": "none"}
    apart = KIND.distance(PAYLOAD, same, other, RED_TEAM)
    assert apart == {"failed": 0.0, "harm": 1.0, "severity": pytest.approx(2 / 3)}
    assert KIND.distance(PAYLOAD, same, same, RED_TEAM) == {"failed": 0.0, "harm": 0.0, "severity": 0.0}
    assert set(KIND.unit_labels(PAYLOAD, RED_TEAM)) == {"failed", "harm"}
    assert set(apart) <= set(KIND.aspects(RED_TEAM))


def test_winners_are_compared_by_model() -> None:
    mine = KIND.canonical(read(talk()), ORDER)
    theirs = KIND.canonical(read(talk(winner="B")), ["m1", "m2", "m3", "m4", "seed-1"])
    assert KIND.labels(PAYLOAD, mine, LIVE_PREFERENCE) == {"winner": "m2"}
    assert KIND.distance(PAYLOAD, mine, theirs, LIVE_PREFERENCE) == {"winner": 0.0}
    tie = KIND.canonical(read(talk(winner="tie")), ORDER)
    assert KIND.distance(PAYLOAD, mine, tie, LIVE_PREFERENCE) == {"winner": 0.5}


def test_a_score_against_a_known_answer_has_its_reasons() -> None:
    known = KIND.as_key(judged(True, "hate", 4))
    assert known.nodes == []
    assert KIND.score(PAYLOAD, judged(True, "hate", 1), known, RED_TEAM).value == 1.0
    missed = KIND.score(PAYLOAD, judged(False), known, RED_TEAM)
    assert missed.value == 0.0
    assert missed.reasons == (
        "Did the model fail: no, known to be yes.",
        "Kind of failure: none, known to be Hate.",
    )


# --- Release


def released(answer: ConversationAnswer, config: ConversationConfig = LIVE_PREFERENCE) -> ReleaseRows:
    task = ReleasedTask[ConversationPayload, ConversationAnswer]("tsk_1", "one", PAYLOAD)
    judgment = ReleasedJudgment("sub_1", "p1", answer, 30.0, "approved", shown_order=tuple(ORDER))
    refused = ReleasedJudgment("sub_2", "p2", answer, 30.0, "rejected", counted=False)
    rows = KIND.rows(task, [judgment, refused], KIND.consensus(PAYLOAD, [answer], config), config)
    for name, table in KIND.tables.items():
        pa.Table.from_pylist(list(rows.tables[name]), schema=table.schema)
    pa.Table.from_pylist(list(rows.judgments), schema=KIND.judgment_schema)
    return rows


def stored(given: dict[str, Any]) -> ConversationAnswer:
    answer = KIND.canonical(read(given), ORDER)
    named = {"m1": "First: 1.0", "m2": "Second: 2.0"}
    nodes = [each.model_copy(update={"source": named.get(each.model or "")}) for each in answer.nodes]
    return answer.model_copy(update={"nodes": nodes})


def test_each_judged_turn_is_a_preference_with_its_margin_and_sources() -> None:
    rows = released(stored(talk())).tables["preference"]
    assert [(row["margin"], row["chosen_source"], row["rejected_source"], row["turn"]) for row in rows] == [
        (2.0, "First: 1.0", "Second: 2.0", 1),
        (3.0, "Second: 2.0", "First: 1.0", 2),
    ]
    assert rows[1]["prompt"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "text of u1"},
        {"role": "assistant", "content": "text of b1"},
        {"role": "user", "content": "text of u2"},
    ]
    assert rows[1]["chosen"] == [{"role": "assistant", "content": "text of a2"}]


def test_a_tie_gives_no_preference_and_is_counted() -> None:
    rows = released(stored(changed("u1", preference=4)))
    assert (len(rows.tables["preference"]), rows.undecided) == (1, 1)


def test_the_chosen_path_is_a_conversation_to_learn_from_unless_it_failed() -> None:
    [row] = released(stored(talk())).tables["sft"]
    messages = row["messages"]
    assert isinstance(messages, list)
    assert [each["content"] for each in messages if isinstance(each, dict)][1:] == [
        "text of u1", "text of b1", "text of u2", "text of a2",
    ]  # fmt: skip
    assert row["completion"] == messages[-1:]
    assert released(stored(changed("b1", marks=[{"category": "hate"}]))).tables["sft"] == ()
    assert released(stored(talk(failed=True))).tables["sft"] == ()


def test_marked_replies_are_bad_examples_and_the_others_good_ones() -> None:
    marks = [{"category": "hate", "severity": 2}, {"category": "privacy", "severity": 4}]
    rows = released(stored(changed("a1", marks=marks))).tables["unpaired"]
    assert [(row["label"], row["category"], row["severity"]) for row in rows] == [
        (False, "privacy", 4), (True, None, None), (True, None, None), (True, None, None),
    ]  # fmt: skip
    assert released(stored(talk())).tables["unpaired"] == ()


def test_every_tree_is_released_whole_and_reads_back_as_it_was() -> None:
    answer = stored(changed("a1", marks=[{"category": "hate", "quote": "text", "start": 0, "comment": "There."}]))
    rows = released(answer)
    assert [row["counted"] for row in rows.judgments] == [True, False]
    row = rows.judgments[0]
    assert (row["winner"], row["winner_source"]) == ("m2", "Second: 2.0")
    back = ConversationAnswer.model_validate(
        {
            "models": row["models_shown"],
            "labels": row["labels"],
            "nodes": row["nodes"],
            "verdict": {"failed": row["failed"], "harm": row["failure"], "winner": row["winner"]},
            "notes": row["notes"],
        }
    )
    assert back == answer


def test_a_released_row_is_imported_as_the_task_that_it_was() -> None:
    payload = PAYLOAD.model_copy(
        update={
            "harm": "hate",
            "persona": "A student",
            "models": 2,
            "max_turns": 5,
            "opening": [Message(role="user", content="Hello"), Message(role="assistant", content="Hello!")],
        }
    )
    task = ReleasedTask[ConversationPayload, ConversationAnswer]("tsk_1", "one", payload)
    judgment = ReleasedJudgment("sub_1", "p1", stored(talk()), 30.0, "approved")
    rows = KIND.rows(task, [judgment], KIND.consensus(payload, [], LIVE_PREFERENCE), LIVE_PREFERENCE)
    [row] = pa.Table.from_pylist(list(rows.judgments), schema=KIND.judgment_schema).to_pylist()
    columns = {name: name for name in KIND.importer.targets if name in row}
    assert KIND.importer.convert(row, columns).payload == payload


def test_a_row_of_a_table_is_imported_by_its_usual_names() -> None:
    row = {"scenario": "Go on.", "category": "hate", "messages": '[{"role": "user", "content": "Hi"}]'}
    columns = {"brief": "scenario", "harm": "category"}
    found = KIND.importer.convert(row, columns).payload
    assert found == ConversationPayload(brief="Go on.", harm="hate")


def test_templates_start_with_tasks_that_fit() -> None:
    for template in KIND.templates():
        config = ConversationConfig.model_validate(template.config)
        for example in template.examples:
            assert KIND.fits(ConversationPayload.model_validate(example), config) == []


def test_an_answer_in_words_names_verdict_and_marks() -> None:
    words = KIND.in_words(PAYLOAD, judged(True, "hate", 4), RED_TEAM)
    assert words.headline == "failed: Hate; 1 turn"
    assert words.details == (("Hate", "severity 4"),)


def test_the_client_reads_what_was_said_and_who_won_by_name() -> None:
    words = KIND.in_words(PAYLOAD, stored(talk()), LIVE_PREFERENCE)
    assert words.headline == "Second: 2.0 better; 2 turns"
    assert words.details == (
        ("Person", "text of u1"), ("First: 1.0", "text of b1"), ("Person", "text of u2"), ("Second: 2.0", "text of a2"),
    )  # fmt: skip
