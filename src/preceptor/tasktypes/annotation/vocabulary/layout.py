"""Tags that arrange: views, headings, styles, panels, repetition."""

from preceptor.tasktypes.annotation.vocabulary.spec import (
    STYLED,
    VISIBLE,
    Role,
    TagSpec,
    flag,
    looks,
    one_of,
    text,
)

LAYOUT = (
    TagSpec(
        "View",
        Role.LAYOUT,
        "A block that holds other tags.",
        (one_of("display", ("block", "inline"), "how its content flows", "block"), *STYLED, *VISIBLE),
    ),
    TagSpec(
        "Header",
        Role.LAYOUT,
        "A heading or a line of text; `value` may name a data field.",
        (
            text("value", "the text"),
            one_of("size", ("1", "2", "3", "4", "5"), "level of the heading", "4"),
            flag("underline", "draw a line below"),
            looks("name", "not needed"),
            *STYLED,
            *VISIBLE,
        ),
    ),
    TagSpec(
        "Markdown",
        Role.LAYOUT,
        "Markdown text with math and code.",
        (text("value", "the text, or a data field"), looks("name", "not needed"), *STYLED, *VISIBLE),
    ),
    TagSpec("Style", Role.LAYOUT, "CSS for class names used in the config; cleaned, and kept inside the task.", ()),
    TagSpec(
        "Collapse",
        Role.LAYOUT,
        "Panels that open and close.",
        (
            flag("accordion", "opening one closes the others", True),
            flag("open", "open at the start"),
            looks("bordered", "border"),
            *STYLED,
            *VISIBLE,
        ),
    ),
    TagSpec(
        "Panel",
        Role.LAYOUT,
        "One panel of a Collapse.",
        (text("value", "its title"), flag("open", "open at the start"), *STYLED, *VISIBLE),
    ),
    TagSpec(
        "Repeater",
        Role.LAYOUT,
        "Repeats what is in it for every entry of a list in the data.",
        (
            text("on", "the list, as `$field`"),
            text("indexFlag", "placeholder for the index, counted from 0", "{{idx}}"),
            one_of("mode", ("list", "pagination"), "all below each other, or one at a time", "list"),
            *STYLED,
            *VISIBLE,
        ),
    ),
    TagSpec(
        "Filter",
        Role.LAYOUT,
        "A field that narrows a long list of labels or choices while one types.",
        (
            looks("name", "not needed"),
            text("toName", "the labels or choices that it narrows"),
            text("placeholder", "shown while it is empty", ""),
            flag("casesensetive", "capitals matter"),
            flag("cleanup", "empty the field after a label is taken", True),
            text("minlength", "characters before it starts to narrow", "3"),
            text("hotkey", "key that goes to the field"),
            *STYLED,
            *VISIBLE,
        ),
    ),
)
