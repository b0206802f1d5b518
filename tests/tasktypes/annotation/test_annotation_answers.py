"""What a complete annotation is, what truth inference reads, and what several annotations say together."""

from typing import Any, cast

import numpy as np
import pytest
from pydantic import JsonValue, ValidationError
from tests.tasktypes.annotation.making import (
    BOXES,
    ENTITIES,
    IMAGE,
    PICTURE,
    TEXT,
    TYPE,
    answer,
    box,
    config,
    result,
    span,
    task,
)

from preceptor.tasktypes.annotation import AnnotationAnswer, AnnotationPayload, brush
from preceptor.tasktypes.annotation.models import RESULTS_MAX

TOPIC = '<Choices name="topic" toName="text" required="true"><Choice value="A"/><Choice value="B"/></Choices>'


def problems(inner: str, given: AnnotationAnswer, **data: JsonValue) -> list[str]:
    return [problem.message for problem in TYPE.check(task(**data), given, config(inner))]


def chosen(name: str, *labels: str, id: str = "c1", **more: JsonValue) -> dict[str, JsonValue]:
    return result(name, "text", "choices", {"choices": list(labels)}, id, **more)


# Required


def test_a_required_control_must_be_answered() -> None:
    assert problems(TEXT + TOPIC, answer(), text="x") == ["topic is not answered."]
    assert problems(TEXT + TOPIC, answer(chosen("topic", "A")), text="x") == []


def test_the_clients_own_words_are_used_where_there_are_any() -> None:
    inner = TEXT + TOPIC.replace("required", 'requiredMessage="Pick one, please." required')
    assert problems(inner, answer(), text="x") == ["Pick one, please."]


def test_an_empty_answer_needs_a_config_that_requires_something_or_allows_it() -> None:
    assert problems(ENTITIES, answer(), text="x") == ["Nothing is answered yet."]
    assert TYPE.check(task(text="x"), answer(), config(ENTITIES, allow_empty=True)) == []
    # What is required of regions says nothing about having none.
    about = '<Choices name="sure" toName="text" perRegion="true" required="true"><Choice value="A"/></Choices>'
    assert problems(ENTITIES + about, answer(), text="x") == ["Nothing is answered yet."]


def test_what_is_hidden_asks_for_nothing() -> None:
    inner = (
        TEXT
        + TOPIC
        + (
            '<View visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="B">'
            '<TextArea name="why" toName="text" required="true"/></View>'
        )
    )
    assert problems(inner, answer(chosen("topic", "A")), text="x") == []
    assert problems(inner, answer(chosen("topic", "B")), text="x") == ["why is not answered."]


def test_a_condition_on_a_hidden_control_does_not_hold() -> None:
    first = '<Choices name="a" toName="text" required="true"><Choice value="1"/><Choice value="2"/></Choices>'
    second = (
        '<Choices name="b" toName="text" visibleWhen="choice-selected" whenTagName="a" whenChoiceValue="2">'
        '<Choice value="1"/></Choices>'
    )
    third = '<TextArea name="t" toName="text" required="true" visibleWhen="choice-selected" whenTagName="b"/>'
    given = answer(chosen("a", "1"), chosen("b", "1", id="c2"))
    assert problems(TEXT + first + second + third, given, text="x") == []


def test_choice_unselected_holds_until_the_choice_is_made() -> None:
    inner = (
        TEXT
        + TOPIC
        + (
            '<TextArea name="t" toName="text" required="true" visibleWhen="choice-unselected" whenTagName="topic" '
            'whenChoiceValue="A"/>'
        )
    )
    assert problems(inner, answer(chosen("topic", "A")), text="x") == []
    assert problems(inner, answer(chosen("topic", "B")), text="x") == ["t is not answered."]


def test_per_region_answers_are_owed_for_the_regions_that_the_condition_names() -> None:
    inner = BOXES + (
        '<View visibleWhen="region-selected" whenLabelValue="Dog">'
        '<TextArea name="breed" toName="image" perRegion="true" required="true"/></View>'
    )
    one = answer(box(0, 0, 10, 10, id="a"), box(20, 20, 10, 10, "Dog", id="b"))
    assert problems(inner, one, image=PICTURE) == ["breed is not answered for a region."]
    said = result("breed", "image", "textarea", {"text": ["Collie"]}, "b")
    assert (
        TYPE.check(task(image=PICTURE), AnnotationAnswer(result=[*one.result, *answer(said).result]), config(inner))
        == []
    )


def test_per_item_answers_are_owed_for_every_item() -> None:
    inner = (
        '<Chat name="chat" value="$chat"/><Choices name="ok" toName="chat" perItem="true" required="true">'
        '<Choice value="yes"/><Choice value="no"/></Choices>'
    )
    chat: JsonValue = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    first = result("ok", "chat", "choices", {"choices": ["yes"]}, "i0", item_index=0)
    second = result("ok", "chat", "choices", {"choices": ["no"]}, "i1", item_index=1)
    assert problems(inner, answer(first), chat=chat) == ["ok is not answered for 1 items."]
    assert problems(inner, answer(first, second), chat=chat) == []
    outside = result("ok", "chat", "choices", {"choices": ["no"]}, "i2", item_index=2)
    assert "an item that is not there" in problems(inner, answer(first, second, outside), chat=chat)[0]


# Limits of controls


@pytest.mark.parametrize(
    ("inner", "given", "message"),
    [
        (TOPIC, chosen("topic", "A", "B"), "topic takes one choice, not 2."),
        (TOPIC, chosen("topic", "C"), "topic has no choice 'C'."),
        (TOPIC, chosen("other", "A"), "The config has no control named 'other'."),
        (TOPIC, result("topic", "text", "rating", {"rating": 1}), "topic gives choices results, not rating."),
        (TOPIC, result("topic", "image", "choices", {"choices": ["A"]}), "topic works on text, not on image."),
        ('<Rating name="r" toName="text" maxRating="3"/>', result("r", "text", "rating", {"rating": 4}),
         "r must be a whole number of points up to 3."),
        ('<Number name="n" toName="text" min="1" max="3"/>', result("n", "text", "number", {"number": 0}),
         "n must be at least 1."),
        ('<Number name="n" toName="text" min="1" max="3"/>', result("n", "text", "number", {"number": 3.5}),
         "n must be at most 3."),
        ('<Number name="n" toName="text" step="0.5"/>', result("n", "text", "number", {"number": 0.75}),
         "n goes in steps of 0.5."),
        ('<TextArea name="t" toName="text" maxSubmissions="1"/>', result("t", "text", "textarea", {"text": ["a", "b"]}),
         "t takes at most 1 entries, not 2."),
        ('<TextArea name="t" toName="text" skipDuplicates="true"/>',
         result("t", "text", "textarea", {"text": ["a", "a"]}), "t has the same entry twice."),
        ('<DateTime name="d" toName="text" only="date"/>', result("d", "text", "datetime", {"datetime": "2026-02-30"}),
         "d must be an ISO date or time, not '2026-02-30'."),
        ('<DateTime name="d" toName="text" min="2026-01-01"/>',
         result("d", "text", "datetime", {"datetime": "2025-12-31"}), "d must not be before 2026-01-01."),
        ('<DateTime name="d" toName="text" format="%d.%m.%Y"/>',
         result("d", "text", "datetime", {"datetime": "2026-01-01"}), "d must be written as %d.%m.%Y."),
        ('<Taxonomy name="x" toName="text" leafsOnly="true"><Choice value="A"><Choice value="B"/></Choice></Taxonomy>',
         result("x", "text", "taxonomy", {"taxonomy": [["A"]]}), "x: 'A' has places below it; take one of those."),
        ('<Taxonomy name="x" toName="text"><Choice value="A"/></Taxonomy>',
         result("x", "text", "taxonomy", {"taxonomy": [["A", "Z"]]}), "x has no place 'A / Z'."),
    ],
)  # fmt: skip
def test_values_keep_to_what_their_control_allows(inner: str, given: dict[str, JsonValue], message: str) -> None:
    assert message in problems(TEXT + inner, answer(given), text="x")


@pytest.mark.parametrize("written", ["2026-02-28", "13:45", "2026-02-28T13:45", "2026-02", "2026"])
def test_iso_dates_and_times_are_taken(written: str) -> None:
    inner = f'{TEXT}<DateTime name="d" toName="text"/>'
    assert problems(inner, answer(result("d", "text", "datetime", {"datetime": written})), text="x") == []


def test_the_same_question_is_answered_once() -> None:
    twice = answer(chosen("topic", "A"), chosen("topic", "B", id="c2"))
    assert "topic is answered 2 times" in problems(TEXT + TOPIC, twice, text="x")[0]


def test_a_ranking_holds_every_item_once() -> None:
    inner = '<List name="list" value="$items"/><Ranker name="rank" toName="list"/>'
    items: JsonValue = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]

    def ranked(*ids: str) -> AnnotationAnswer:
        return answer(result("rank", "list", "ranker", {"ranker": {"rank": list(ids)}}))

    assert problems(inner, ranked("b", "a"), items=items) == []
    assert problems(inner, ranked("a"), items=items) == ["rank: 1 items are not ranked."]
    assert problems(inner, ranked("a", "b", "a"), items=items) == ["rank: the item 'a' is placed 2 times."]
    assert problems(inner, ranked("a", "b", "c"), items=items) == ["rank: there is no item 'c'."]
    assert problems(inner, answer(), items=items) == ["rank is not answered."]


def test_buckets_may_leave_items_out() -> None:
    ranker = '<Ranker name="rank" toName="list"><Bucket name="good" title="Good"/></Ranker>'
    inner = f'<List name="list" value="$items"/>{ranker}'
    items: JsonValue = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]
    given = answer(result("rank", "list", "ranker", {"ranker": {"good": ["b"], "_": ["a"]}}))
    assert problems(inner, given, items=items) == []
    wrong = answer(result("rank", "list", "ranker", {"ranker": {"bad": ["b"]}}))
    assert problems(inner, wrong, items=items) == ["rank has no bucket 'bad'."]


# Regions


def test_spans_lie_within_the_text_in_utf16_units() -> None:
    text = "Hi 👋 Bob"  # the hand takes two units
    assert problems(ENTITIES, answer(span(6, 9)), text=text) == []
    assert problems(ENTITIES, answer(span(6, 10)), text=text) == ["A region of entity ends after the text."]
    assert problems(ENTITIES, answer(span(3, 3)), text=text) == ["A region of entity is empty."]


def test_boxes_lie_within_the_image_and_have_an_area() -> None:
    assert problems(BOXES, answer(box(0, 0, 100, 100)), image=PICTURE) == []
    assert problems(BOXES, answer(box(60, 0, 50, 10)), image=PICTURE) == ["A region of box reaches out of the image."]
    assert problems(BOXES, answer(box(60, 0, 0, 10)), image=PICTURE) == ["A region of box has no area."]


def test_a_turned_box_may_reach_over_the_edge_but_its_middle_may_not() -> None:
    assert problems(BOXES, answer(box(90, 5, 10, 30, rotation=30)), image=PICTURE) == []
    assert problems(BOXES, answer(box(5, 5, 60, 30, rotation=180)), image=PICTURE) == [
        "A region of box lies outside of the image."
    ]


def test_labels_are_known_and_as_many_as_allowed() -> None:
    assert problems(BOXES, answer(box(0, 0, 9, 9, "Cow")), image=PICTURE) == ["box has no label 'Cow'."]
    none = box(0, 0, 9, 9)
    none["value"] = {**none["value"], "rectanglelabels": []}  # type: ignore[dict-item]
    assert problems(BOXES, answer(none), image=PICTURE) == ["A region of box has no label."]
    assert problems(BOXES.replace('name="box"', 'name="box" allowEmpty="true"'), answer(none), image=PICTURE) == []
    limited = BOXES.replace('<Label value="Cat"/>', '<Label value="Cat" maxUsages="1"/>')
    two = answer(box(0, 0, 9, 9, id="a"), box(20, 20, 9, 9, id="b"))
    assert problems(limited, two, image=PICTURE) == ["'Cat' is used 2 times; at most 1 are allowed."]


def test_masks_fit_the_size_of_their_image() -> None:
    inner = f'{IMAGE}<BrushLabels name="m" toName="image"><Label value="A"/></BrushLabels>'
    mask = np.zeros((10, 20), dtype=bool)
    mask[2:5, 3:9] = True

    def painted(packed: list[int], width: int) -> AnnotationAnswer:
        value: dict[str, JsonValue] = {"format": "rle", "rle": list(packed), "brushlabels": ["A"]}
        return answer(result("m", "image", "brushlabels", value, original_width=width, original_height=10))

    assert problems(inner, painted(brush.encode(mask), 20), image=PICTURE) == []
    assert "is no mask" in problems(inner, painted(brush.encode(mask), 30), image=PICTURE)[0]
    empty = brush.encode(np.zeros((10, 20), dtype=bool))
    assert problems(inner, painted(empty, 20), image=PICTURE) == ["A region of m is an empty mask."]


def test_a_shape_without_labels_takes_them_from_the_labels_beside_it() -> None:
    inner = f'{IMAGE}<Labels name="l" toName="image"><Label value="A"/></Labels><Rectangle name="r" toName="image"/>'
    shape: dict[str, JsonValue] = {"x": 1, "y": 1, "width": 5, "height": 5, "rotation": 0}
    given = answer(
        result("r", "image", "rectangle", shape, "x"),
        result("l", "image", "labels", {**shape, "labels": ["A"]}, "x"),
    )
    assert problems(inner, given, image=PICTURE) == []
    assert TYPE.in_words(task(image=PICTURE), given, config(inner)).headline == "1 A; 1 rectangle"


def test_relations_lead_to_regions_that_are_there() -> None:
    inner = f'{ENTITIES}<Relations><Relation value="knows"/></Relations>'
    arrow: dict[str, JsonValue] = {"type": "relation", "from_id": "r1", "to_id": "gone", "labels": ["hates"]}
    assert problems(inner, answer(span(0, 2), arrow), text="Ada") == [
        "A relation leads to a region that is not there (gone).",
        "There is no relation 'hates'.",
    ]


def test_a_value_in_another_form_is_named_and_does_not_break_anything() -> None:
    broken = result("entity", "text", "labels", {"start": "soon", "labels": ["PER"]})
    assert "the value is not one of labels (start:" in problems(ENTITIES, answer(broken), text="Ada")[0]
    assert TYPE.distance(task(text="Ada"), answer(broken), answer(broken), config(ENTITIES))["entity"] == 1.0


def test_answers_have_limits() -> None:
    with pytest.raises(ValidationError, match="at most"):
        answer(*[span(0, 1, id=f"r{n}") for n in range(RESULTS_MAX + 1)])
    nested: JsonValue = []
    for _ in range(30):
        nested = [nested]
    with pytest.raises(ValidationError, match="nested deeper"):
        answer(result("a", "b", "c", {"v": nested}))
    with pytest.raises(ValidationError, match="NUL"):
        answer(result("a", "b", "c", {"v": "\0"}))


# Data


def test_missing_and_unfit_data_is_named_with_the_tag_that_needs_it() -> None:
    inner = f'{IMAGE}{TEXT}<Choices name="c" toName="text" value="$options"/>'
    fits = [str(p.message) for p in TYPE.fits(AnnotationPayload(data={"image": "/data/1.png"}), config(inner))]
    assert fits == [
        "$image is '/data/1.png'; it must begin with https: or media: (upload local files, or give signed addresses "
        "for files in a cloud store) (needed by <Image> on line 1)",
        "the data has no field text (needed by <Text> on line 1)",
        "the data has no field options (needed by <Choices> on line 1)",
    ]
    good = task(image=PICTURE, text="t", options=["a", {"value": "b", "alias": "B"}])
    assert TYPE.fits(good, config(inner)) == []
    assert TYPE.unit_labels(good, config(inner)) == {"c": ("a", "B")}


@pytest.mark.parametrize(
    "address", ["http://x.example/a.png", "s3://bucket/a", "javascript:alert(1)", "file:///etc/passwd", "",
                "data:image/svg+xml;base64,PHN2Zy8+", "data:text/html;base64,PGI+",
                'https://x"onerror=1'],
)  # fmt: skip
def test_addresses_that_a_browser_must_not_load_are_refused(address: str) -> None:
    assert TYPE.fits(task(image=address), config(BOXES))


def test_html_is_cleaned_of_everything_that_runs_loads_or_leads_away() -> None:
    inner = '<HyperText name="h" value="$h"/><HyperTextLabels name="l" toName="h"><Label value="A"/></HyperTextLabels>'
    hostile = (
        '<p onclick="x()">Hi <b>you</b></p><script>alert(1)</script><style>p{}</style><a href="javascript:x">go</a>'
        '<form action="/x"><input></form><iframe src="https://x"></iframe><img src="http://t/x.gif" onerror="x()">'
        '<svg><script>1</script></svg><math><mi>x</mi></math><p style="position:fixed">over</p>'
    )
    view = cast("Any", TYPE.view(task(h=hostile), config(inner)))
    content = view["tree"]["children"][0]["content"]
    assert content == {"html": "<p>Hi <b>you</b></p><a>go</a><img><p>over</p>", "text": "Hi yougoover"}


# Truth inference and consensus


def test_units_are_the_questions_with_known_answers() -> None:
    tags = '<Choices name="tags" toName="text" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices>'
    others = '<Rating name="stars" toName="text" maxRating="3"/><TextArea name="free" toName="text"/>'
    inner = TEXT + TOPIC + tags + others
    assert TYPE.unit_labels(task(text="t"), config(inner)) == {
        "topic": ("A", "B"),
        "tags:x": ("yes", "no"),
        "tags:y": ("yes", "no"),
        "stars": ("1", "2", "3"),
    }
    given = answer(
        chosen("topic", "B"), chosen("tags", "y", id="c2"), result("stars", "text", "rating", {"rating": 2}, "c3")
    )
    assert TYPE.labels(task(text="t"), given, config(inner)) == {
        "topic": "B", "tags:x": "no", "tags:y": "yes", "stars": "2",
    }  # fmt: skip


def test_an_answer_that_was_hidden_is_no_vote() -> None:
    inner = (
        TEXT
        + TOPIC
        + (
            '<Choices name="b" toName="text" visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="B">'
            '<Choice value="1"/><Choice value="2"/></Choices>'
        )
    )
    given = answer(chosen("topic", "A"), chosen("b", "1", id="c2"))
    assert TYPE.labels(task(text="t"), given, config(inner)) == {"topic": "A"}


def test_the_joint_answer_is_the_majority_of_choices() -> None:
    answers = [answer(chosen("topic", label)) for label in "ABB"]
    consensus = TYPE.consensus(task(text="t"), answers, config(TEXT + TOPIC))
    assert consensus.units["topic"].label == "B"
    assert consensus.answer is not None
    joint = AnnotationAnswer.model_validate(consensus.answer)
    assert [region.value for region in joint.regions] == [{"choices": ["B"]}]


def test_a_split_vote_decides_nothing() -> None:
    consensus = TYPE.consensus(task(text="t"), [answer(chosen("topic", x)) for x in "AB"], config(TEXT + TOPIC))
    assert consensus.units["topic"].label is None
    assert consensus.answer is None


def test_joint_spans_take_the_borders_and_the_label_of_most() -> None:
    text = "Dr. Ada Byron met Bob"
    answers = [
        answer(span(0, 13)),
        answer(span(4, 13)),
        answer(span(4, 13), span(18, 21, id="r2")),
        answer(span(4, 13, "ORG")),
    ]
    consensus = TYPE.consensus(task(text=text), answers, config(ENTITIES))
    joint = AnnotationAnswer.model_validate(consensus.answer)
    found = [(r.value["start"], r.value["end"], r.value["labels"]) for r in joint.regions]
    assert found == [(4, 13, ["PER"])]


def test_a_joint_box_is_the_one_most_like_all_others() -> None:
    answers = [answer(box(10, 10, 30, 30)), answer(box(11, 10, 30, 30)), answer(box(20, 10, 30, 30))]
    joint = AnnotationAnswer.model_validate(TYPE.consensus(task(image=PICTURE), answers, config(BOXES)).answer)
    assert [region.value["x"] for region in joint.regions] == [11]


def test_the_order_of_the_answers_does_not_change_what_they_say_together() -> None:
    answers = [
        answer(box(10, 10, 30, 30), box(60, 60, 20, 20, "Dog", "r2")), answer(box(12, 10, 30, 30)),
        answer(box(61, 60, 20, 20, "Dog"), box(11, 12, 30, 30, id="r2")),
    ]  # fmt: skip

    def joint(order: tuple[int, ...]) -> list[JsonValue]:
        given = [answers[index] for index in order]
        found = AnnotationAnswer.model_validate(TYPE.consensus(task(image=PICTURE), given, config(BOXES)).answer)
        return sorted(str(region.value) for region in found.regions)  # type: ignore[return-value]

    assert joint((0, 1, 2)) == joint((2, 1, 0)) == joint((1, 2, 0))
    assert len(joint((0, 1, 2))) == 2


# Gold


def test_a_score_is_one_for_the_known_answer_and_tells_what_differs() -> None:
    inner = ENTITIES + TOPIC
    known = answer(span(0, 3), span(8, 11, "ORG", "r2"), chosen("topic", "A"))
    payload = task(text="Ada met IBM")
    assert TYPE.score(payload, known, known, config(inner)).value == 1.0
    given = answer(span(0, 3), chosen("topic", "B"))
    score = TYPE.score(payload, given, known, config(inner))
    assert score.value == pytest.approx((2 / 3 + 0) / 2)
    assert score.reasons == (
        "entity: 1 of 2 known marks found, 0 further ones given.",
        "topic: B instead of A.",
    )


def test_a_reference_that_marks_nothing_counts_every_mark_as_too_many() -> None:
    payload = task(text="nobody here")
    assert TYPE.score(payload, answer(), answer(), config(ENTITIES)).value == 1.0
    assert TYPE.score(payload, answer(span(0, 6)), answer(), config(ENTITIES)).value == 0.0


# Presentation


def test_randomized_choices_get_an_order_of_their_own_for_each_person() -> None:
    inner = (
        TEXT
        + '<Choices name="c" toName="text" randomize="true">'
        + "".join(f'<Choice value="{n}"/>' for n in range(8))
        + "</Choices>"
    )

    def order(seed: str) -> list[str]:
        shown = AnnotationPayload.model_validate(TYPE.present(task(text="t"), [seed]))
        view = cast("Any", TYPE.view(shown, config(inner)))
        return [option["value"] for option in view["tree"]["children"][1]["options"]]

    assert order("1f") == order("1f")
    assert sorted(order("1f")) == sorted(order("2e"))
    assert order("1f") != order("2e")
    assert TYPE.unit_labels(task(text="t"), config(inner))["c"] == tuple("01234567")
