"""Forms: what people put together by clicking is a labeling config, and comes back as the same form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from preceptor.tasktypes.annotation.forms import MARK_KINDS, Form, FormField, Shown, config_of, form_of
from preceptor.tasktypes.annotation.reading import plan_of, read

OPTIONS = st.lists(st.from_regex(r"[A-Za-zÄé&<'\" ]{0,9}[a-z]", fullmatch=True), min_size=1, max_size=4, unique=True)
TITLES = st.from_regex(r"([A-Za-z ,&?]{0,11}[a-z?])?", fullmatch=True)
PLAIN = ("choice", "choices", "rating", "number", "text", "long_text", "date", "date_time", "tree")
ON = {"spans": "text", "times": "audio", "frames": "video"}


@st.composite
def forms(draw: st.DrawFn) -> Form:
    kinds = draw(st.lists(st.sampled_from([*PLAIN, *sorted(MARK_KINDS)]), min_size=1, max_size=5))
    shown: dict[str, Shown] = {}
    fields = []
    for number, kind in enumerate(kinds):
        about = ON.get(kind, "image" if kind in MARK_KINDS else "text")
        shown.setdefault(about, Shown(key=about, kind=about, title=draw(TITLES)))
        fields.append(
            FormField(
                key=f"f{number}",
                kind=kind,
                title=draw(TITLES),
                about=about,
                options=tuple(draw(OPTIONS)) if kind in MARK_KINDS or kind in ("choice", "choices", "tree") else (),
                required=draw(st.booleans()),
                help=draw(TITLES),
                least=draw(st.none() | st.integers(0, 5)) if kind == "number" else None,
                most=draw(st.integers(6, 9)) if kind in ("number", "rating") else None,
            )
        )
    return Form(shown=tuple(shown.values()), fields=tuple(fields))


@settings(max_examples=80, deadline=None)
@given(forms())
def test_a_form_is_a_config_that_works_and_comes_back(form: Form) -> None:
    config = config_of(form)
    assert [str(finding) for finding in read(config).findings] == []
    assert form_of(config) == form
    assert list(plan_of(config).controls) == [field.key for field in form.fields]


def test_a_config_of_its_own_that_a_form_can_say_is_read_as_one() -> None:
    form = form_of(
        '<View><Header value="Read"/><Text name="text" value="$text"/>'
        '<Choices toName="text" name="tone" showInline="false"><Choice value="Good"/><Choice value="Bad"/></Choices>'
        "</View>"
    )
    assert form is not None
    assert form.shown == (Shown(key="text", kind="text", title="Read"),)
    assert [(field.key, field.kind, field.options) for field in form.fields] == [("tone", "choice", ("Good", "Bad"))]


def test_places_of_a_tree_are_written_with_their_path() -> None:
    field = FormField(key="k", kind="tree", about="text", options=("Animals", "Animals / Cats", "Plants"))
    form = Form(shown=(Shown(key="text"),), fields=(field,))
    assert form_of(config_of(form)) == form
    assert '<Choice value="Animals">\n      <Choice value="Cats"/>' in config_of(form)


@pytest.mark.parametrize(
    "inner",
    [
        '<Text name="text" value="$other"/><TextArea name="t" toName="text"/>',
        '<Text name="text" value="$text" granularity="word"/><Rating name="r" toName="text"/>',
        '<View><Text name="text" value="$text"/></View><Rating name="r" toName="text"/>',
        '<Text name="text" value="$text"/><Choices name="c" toName="text"><Choice value="a" hotkey="1"/></Choices>',
        '<Text name="text" value="$text"/><Rating name="r" toName="text" visibleWhen="no-region-selected"/>',
        '<Style>.a { color: red }</Style><Text name="text" value="$text"/><Rating name="r" toName="text"/>',
        '<Text name="text" value="$text"/><Rating name="r" toName="text"/><Header value="Thanks"/>',
    ],
)
def test_configs_that_say_more_than_a_form_are_no_forms(inner: str) -> None:
    assert form_of(f"<View>{inner}</View>") is None


def test_broken_configs_are_no_forms() -> None:
    assert form_of("<View>") is None
    assert form_of("<View/>") is None


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"key": "a", "kind": "choice", "about": "text"}, "needs options"),
        ({"key": "a", "kind": "rating", "about": "text", "options": ["x"]}, "has no options"),
        ({"key": "a", "kind": "choice", "about": "text", "options": ["x", "x"]}, "a text of its own"),
        ({"key": "a", "kind": "boxes", "about": "text", "options": ["x"]}, "there are no boxes on text"),
        ({"key": "a", "kind": "rating", "about": "image"}, "which is not shown"),
        ({"key": "text", "kind": "rating", "about": "text"}, "the same key"),
        ({"key": "1a", "kind": "rating", "about": "text"}, "pattern"),
    ],
)
def test_forms_that_cannot_work_are_refused(field: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Form.model_validate({"shown": [{"key": "text"}], "fields": [field]})


def test_titles_never_reach_into_the_data() -> None:
    form = Form(shown=(Shown(key="text"),), fields=(FormField(key="r", kind="rating", about="text", title="$secret"),))
    assert "$secret" not in config_of(form)
