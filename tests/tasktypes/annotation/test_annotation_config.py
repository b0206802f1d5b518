"""Labeling configs: what is understood, what is refused, and how it is said."""

import pytest
from pydantic import ValidationError

from preceptor.tasktypes.annotation.markup import CONFIG_CHARACTERS_MAX, DEPTH_MAX, MarkupError, parse
from preceptor.tasktypes.annotation.models import AnnotationConfig
from preceptor.tasktypes.annotation.reading import plan_of, read
from preceptor.tasktypes.annotation.vocabulary import SPECS, UNSUPPORTED, Role
from preceptor.tasktypes.annotation.vocabulary.spec import Support


def errors(config: str) -> list[str]:
    return [str(finding) for finding in read(config).errors]


def notes(config: str) -> list[str]:
    return [str(finding) for finding in read(config).notes]


def view(inner: str) -> str:
    return f"<View>\n{inner}\n</View>"


TEXT = '<Text name="text" value="$text"/>'
LABELS = '<Labels name="entity" toName="text"><Label value="A"/><Label value="B"/></Labels>'


def test_tags_keep_the_line_they_begin_on() -> None:
    tree = parse('<View>\n  <Text name="t"\n        value="$t"/>\n  <Header value="x"/>\n</View>')
    assert [(tag.name, tag.line) for tag in tree.walk()] == [("View", 1), ("Text", 2), ("Header", 4)]


def test_document_types_and_entities_are_refused() -> None:
    laughs = '<!DOCTYPE View [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><View><Header value="&b;"/></View>'
    with pytest.raises(MarkupError, match="document types"):
        parse(laughs)
    with pytest.raises(MarkupError, match="entity"):
        parse('<View><Header value="&nbsp;"/></View>')
    with pytest.raises(MarkupError, match="processing instruction"):
        parse('<View><?php echo 1 ?><Header value="x"/></View>')


def test_limits_of_size_and_depth_hold() -> None:
    assert parse("<View>" * DEPTH_MAX + "</View>" * DEPTH_MAX).name == "View"
    with pytest.raises(MarkupError, match="deeper"):
        parse("<View>" * (DEPTH_MAX + 1) + "</View>" * (DEPTH_MAX + 1))
    with pytest.raises(MarkupError, match="longer"):
        parse("<View>" + " " * CONFIG_CHARACTERS_MAX + "</View>")
    with pytest.raises(MarkupError, match="more than"):
        parse("<View>" + "<View/>" * 5_001 + "</View>")


def test_broken_xml_says_where_and_how_to_mend_it() -> None:
    assert errors("<View>\n<Text>\n</View>") == [
        "line 3, <config>: not well-formed XML: a tag is closed that is not the last one opened (every <Tag> needs its "
        "</Tag> or ends in />)"
    ]
    assert "write & as &amp;" in errors('<View>\n<Header value="a & b"/></View>')[0]


def test_text_between_tags_that_nobody_would_see_is_refused() -> None:
    assert "would not be shown" in errors("<View>Read this first<Header/></View>")[0]


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_tags_that_are_not_offered_are_named_with_their_line(name: str) -> None:
    found = errors(view(f'{TEXT}{LABELS}\n<{name} name="x" toName="text"/>'))
    assert len(found) == 1
    assert found[0].startswith(f"line 3, <{name}>: this tag of Label Studio is not supported; ")


def test_an_unknown_tag_gets_a_suggestion() -> None:
    assert errors(view(f"{TEXT}{LABELS}<Choises/>")) == ["line 2, <Choises>: unknown tag (did you mean Choices?)"]


def test_a_misspelt_parameter_is_named_and_does_not_pass_in_silence() -> None:
    config = view(f'{TEXT}<Labels name="e" toName="text"><Label value="A" maxUsage="1"/></Labels>')
    assert notes(config) == ["line 2, <Label>: unknown parameter maxUsage (did you mean maxUsages?); it has no effect"]


REFUSED = [(spec.name, param.name) for spec in SPECS.values() for param in spec.params if param.support is Support.NO]


@pytest.mark.parametrize(("tag", "param"), REFUSED, ids=[f"{tag}-{param}" for tag, param in REFUSED])
def test_parameters_whose_meaning_is_not_offered_are_refused(tag: str, param: str) -> None:
    found = errors(view(f'{TEXT}<{tag} name="x" toName="text" {param}="true"/>'))
    assert any(f"the parameter {param} is not supported" in message for message in found)
    assert not any("is not supported" in message for message in errors(view(f'{TEXT}<{tag} {param}="false"/>')))


def test_parameters_that_concern_looks_are_noted_and_accepted() -> None:
    config = view(
        '<Image name="i" value="$i" crosshair="true"/><RectangleLabels name="r" toName="i"><Label value="A"/>'
        "</RectangleLabels>"
    )
    assert not errors(config)
    assert notes(config) == ["line 2, <Image>: the parameter crosshair has no effect here (how the image is shown)"]


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        (
            '<Choices name="c" toName="text" choice="sinlge"><Choice value="1"/></Choices>',
            "is not one of single, single-radio, multiple",
        ),
        ('<Choices name="c" toName="text" required="maybe"><Choice value="1"/></Choices>', "neither true nor false"),
        ('<Number name="n" toName="text" min="ten"/>', "min: 'ten' is no number"),
        ('<Number name="n" toName="text" min="5" max="1"/>', "min 5 is not below max 1"),
        ('<Rating name="r" toName="text" maxRating="0"/>', "maxRating must lie between 1 and 100"),
        ('<DateTime name="d" toName="text" only="date,hour"/>', "'hour' is not date, time, month or year"),
        (
            '<Choices name="c" toName="texts"><Choice value="1"/></Choices>',
            "there is no object 'texts' (did you mean text?)",
        ),
        (
            '<Choices name="c" toName="text,text"><Choice value="1"/></Choices>',
            "toName must name 1 object (objects: text)",
        ),
        ('<Pairwise name="p" toName="text"/>', "toName must name 2 objects"),
        ('<Choices name="c" toName="text"/>', "has no Choice in it"),
        ('<Labels name="l" toName="text"/>', "has no Label in it"),
        ('<Choices toName="text"><Choice value="1"/></Choices>', "needs a name"),
        ('<Choices name="text" toName="text"><Choice value="1"/></Choices>', "the name 'text' is taken by line 2"),
        ('<Choices name="c" toName="text"><Choice/></Choices>', "needs a value"),
        (
            '<RectangleLabels name="r" toName="text"><Label value="1"/></RectangleLabels>',
            "works on Image, but 'text' is Text",
        ),
        ('<Choice value="1"/>', "belongs inside Choices or Choice or Taxonomy"),
        ('<Label value="1"/>', "belongs inside Labels"),
        ('<Panel value="1"/>', "belongs inside Collapse"),
        ('<Rating name="r" toName="text" perRegion="true"/>', "no control makes regions on 'text'"),
        ('<Rating name="r" toName="text" perItem="true"/>', "Text has no items"),
        ('<View visibleWhen="choice-selected"><Header value="x"/></View>', "needs whenTagName"),
        ('<View visibleWhen="choice-selected" whenTagName="x"><Header value="x"/></View>', "there is no tag named 'x'"),
        ('<View whenTagName="text"><Header value="x"/></View>', "without visibleWhen shows it always"),
        ('<Repeater on="list"><Header value="x"/></Repeater>', 'needs on="$field"'),
        ('<Repeater on="$l"><Text name="same" value="$l[{{idx}}]"/></Repeater>', "the name must hold {{idx}}"),
        ('<Filter toName="text"/>', "toName must name labels or choices"),
        ('<Image name="i" value="picture"/>', "names no data field"),
        ('<Image name="i"/>', 'needs value="$field"'),
        ('<TimeSeries name="ts" value="$ts"/>', "needs at least one Channel"),
        (
            '<Image name="i" value="$i"/><Labels name="l" toName="i"><Label value="1"/></Labels>',
            "need a control that draws",
        ),
        ('<Paragraphs name="p" value="$p" valueType="url"/>', 'valueType="url" is not supported'),
    ],
)
def test_what_does_not_fit_together_is_refused(inner: str, message: str) -> None:
    found = errors(view(f"{TEXT}\n{inner}"))
    assert any(message in each for each in found), found


def test_a_config_that_asks_nothing_is_refused() -> None:
    assert "nothing is asked" in errors(view(TEXT))[0]


def test_a_condition_on_a_choice_that_does_not_exist_is_refused() -> None:
    config = view(
        f'{TEXT}<Choices name="c" toName="text"><Choice value="Yes, all"/><Choice value="No"/></Choices>'
        '<TextArea name="why" toName="text" visibleWhen="choice-selected" whenTagName="c" whenChoiceValue="{}"/>'
    )
    assert not errors(config.replace("{}", "No"))
    assert not errors(config.replace("{}", "Yes, all"))
    assert "'c' has no 'Non' (did you mean No?)" in errors(config.replace("{}", "Non"))[0]


def test_names_of_tags_and_parameters_are_read_without_regard_to_case() -> None:
    plan = plan_of(
        '<view><text NAME="t" value="$t"/><choices name="c" toname="t" showInLine="true">'
        '<choice value="1"/></choices></view>'
    )
    assert plan.controls["c"].spec.name == "Choices"
    assert plan.controls["c"].flag("showInline")


def test_a_control_without_to_name_takes_the_only_object_and_says_so() -> None:
    config = view(f'{TEXT}\n<TextArea name="answer"/>')
    assert plan_of(config).controls["answer"].to == ("text",)
    assert notes(config) == ["line 3, <TextArea>: toName is missing; it is taken to work on 'text'"]


def test_labels_may_stand_in_blocks_within_their_control() -> None:
    plan = plan_of(
        view(
            f'{TEXT}<Labels name="l" toName="text"><Header value="People"/><View><Label value="A"/></View>'
            '<Label value="B"/></Labels>'
        )
    )
    assert [option.text("value") for option in plan.controls["l"].options] == ["A", "B"]


def test_older_names_of_tags_are_understood() -> None:
    config = view('<AudioPlus name="a" value="$a"/><Labels name="l" toName="a"><Label value="S"/></Labels>')
    assert plan_of(config).objects["a"].spec.name == "Audio"
    assert notes(config) == ["line 2, <AudioPlus>: is Label Studio's older name of Audio"]


def test_styles_that_reach_outside_are_left_out_and_named() -> None:
    config = view(
        f"<Style>.a {{ color: red; background: url(https://x.example/y) }} @import 'z';</Style>{TEXT}{LABELS}"
    )
    assert not errors(config)
    assert len(notes(config)) == 2


def test_a_project_cannot_be_saved_with_a_config_that_does_not_work() -> None:
    with pytest.raises(ValidationError, match="line 2, <Choises>: unknown tag"):
        AnnotationConfig(label_config=view(f"{TEXT}{LABELS}<Choises/>"))
    assert AnnotationConfig().label_config


@pytest.mark.parametrize("spec", [s for s in SPECS.values() if s.role is Role.CONTROL], ids=lambda spec: spec.name)
def test_every_control_has_an_object_it_works_on_and_a_result_type(spec: object) -> None:
    assert spec.result  # type: ignore[attr-defined]
    for name in spec.objects:  # type: ignore[attr-defined]
        assert SPECS[name.lower()].role is Role.OBJECT
