"""Annotation tasks in a real browser: marked, related, chosen and ranked by mouse, by keys alone, and by touch."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.tasktypes.annotation import AnnotationAnswer, AnnotationPayload, AnnotationType
from preceptor.tasktypes.base import Row
from preceptor.work.models import Submission
from tests.browser.conftest import PHONE, Live, by_mouse_and_by_finger, check_axe, check_in_both_schemes, shoot, sign_in
from tests.factories import User, World, join, make_world

pytestmark = pytest.mark.browser

KIND = AnnotationType()
TEMPLATES = {template.key: template for template in KIND.templates()}


class Desk:
    """A project of one template, and a contributor who takes its task."""

    def __init__(self, live: Live, template: str, payload: Row | None = None, config: Row | None = None) -> None:
        self.live = live
        settings = config or TEMPLATES[template].config
        self.config = KIND.config_model.model_validate(settings)
        self.payload = AnnotationPayload.model_validate(payload or TEMPLATES[template].examples[0])
        with live.runtime.sessions.begin() as session:
            self.world: World = make_world(session, now=live.clock.now(), tasks=1, overlap=1, lease_seconds=1800)
            project = self.world.project
            project.task_type, project.config, project.opened_at = "annotation", settings, live.clock.now()
            project.title = TEMPLATES[template].title
            self.world.tasks[0].payload = self.payload.model_dump(mode="json", exclude_none=True)
            session.flush()
            self.worker: User = join(session, self.world, now=live.clock.now())[0]

    def open(self, page: Page) -> Page:
        sign_in(page, self.live, self.worker)
        page.goto(f"{self.live.url}/board/{show_id('project', self.world.project.id)}")
        page.get_by_role("button", name="Start").or_(
            page.get_by_role("link", name="Go on with your task")
        ).first.click()
        expect(page.locator("preceptor-annotation .anno")).to_be_visible()
        expect(page.locator("[data-object]:empty")).to_have_count(0)
        return page

    def submitted(self, page: Page) -> list[dict[str, Any]]:
        """What came to the server after Submit; it is complete by the server's own rules."""
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("heading", name="No work left")).to_be_visible()
        with self.live.runtime.sessions() as session:
            answer = session.scalars(select(Submission.answer)).one()
        given = AnnotationAnswer.model_validate(answer)
        assert KIND.check(self.payload, given, self.config) == []
        return [result.model_dump(mode="json", exclude_none=True) for result in given.result]


@pytest.fixture
def at_desk(live: Live) -> Callable[..., Desk]:
    def make(template: str, payload: Row | None = None, config: Row | None = None) -> Desk:
        return Desk(live, template, payload, config)

    return make


FIND_WORDS = """([root, words]) => {
    const walker = document.createTreeWalker(document.querySelector(root), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.data.indexOf(words);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + words.length);
        const box = range.getBoundingClientRect();
        return [box.left, box.right, box.top + box.height / 2];
    }
}"""


def drag_over(page: Page, words: str, root: str = "[data-object]") -> None:
    """Select words in the material with the mouse."""
    left, right, y = page.evaluate(FIND_WORDS, [root, words])
    page.mouse.move(left + 1, y)
    page.mouse.down()
    page.mouse.move(right - 1, y, steps=4)
    page.mouse.up()


def tab_to(page: Page, target: Locator) -> None:
    """Go on with Tab until the target has the focus."""
    for _ in range(60):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {target}")


def caret_to(page: Page, words: str) -> None:
    """Walk with the arrows to words and select them, by the keyboard alone. Begins at the text's start."""
    text = page.locator("[data-object]:focus").evaluate("each => each.querySelector('.anno-plain').textContent")
    at = text.index(words)
    page.keyboard.press("Home")
    for _ in range(at):
        page.keyboard.press("ArrowRight")
    for _ in range(len(words)):
        page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("getSelection().toString()") == words


def spans(results: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Text and label of every span."""
    return [
        (each["value"]["text"], each["value"][each["type"]][0]) for each in results if each["type"].endswith("labels")
    ]


def value_of(results: list[dict[str, Any]], name: str) -> Mapping[str, Any]:
    return next(each["value"] for each in results if each.get("from_name") == name)


# Named entities

ENTITIES = "Ines Calder opened the second Harbour Mills bakery in Porto on 3 March 2021."


def test_entities_are_marked_with_the_mouse(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("named-entities")
    desk.open(page)
    labels = page.get_by_role("group", name="Entity")
    labels.get_by_role("button", name="Person").click()
    drag_over(page, "Ines Cald")
    expect(page.locator("mark", has_text="Ines Calder")).to_be_visible()
    # The label stays in hand: the next selection is marked with it at once. A label after a selection marks that.
    labels.get_by_role("button", name="Person").click()
    drag_over(page, "Porto")
    labels.get_by_role("button", name="Place").click()
    expect(page.get_by_role("button", name="Place Porto")).to_be_visible()
    assert spans(desk.submitted(page)) == [("Ines Calder", "Person"), ("Porto", "Place")]


def test_entities_are_marked_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("named-entities")
    desk.open(page)
    tab_to(page, page.locator("[data-object=text]"))
    caret_to(page, "Ines Calder")
    page.keyboard.press("1")
    for _ in range(len(ENTITIES.split("Ines Calder")[1].split("Porto")[0])):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+Shift+ArrowRight")
    page.keyboard.press("3")
    expect(page.locator(".anno-region")).to_have_count(2)
    assert spans(desk.submitted(page)) == [("Ines Calder", "Person"), ("Porto", "Place")]


def test_a_region_is_walked_to_relabelled_deleted_and_brought_back_by_keys(
    at_desk: Callable[..., Desk], page: Page
) -> None:
    desk = at_desk("named-entities")
    desk.open(page)
    for words, key in (("Ines Calder", "1"), ("Porto", "1")):
        drag_over(page, words)
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    page.keyboard.press("]")
    expect(page.locator(".anno-region[data-selected]")).to_contain_text("Porto")
    page.keyboard.press("3")
    page.keyboard.press("[")
    page.keyboard.press("Backspace")
    expect(page.locator(".anno-region")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator(".anno-region")).to_have_count(2)
    assert spans(desk.submitted(page)) == [("Ines Calder", "Person"), ("Porto", "Place")]


def test_overlapping_spans_stand_over_each_other(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("named-entities")
    desk.open(page)
    drag_over(page, "Harbour Mills bakery in Porto")
    page.keyboard.press("2")
    drag_over(page, "bakery")
    page.keyboard.press("3")
    inner = page.locator("mark", has_text="bakery")
    assert len((inner.first.get_attribute("data-ids") or "").split()) == 2
    # A click takes the inner one, the next click what lies under it.
    inner.first.click()
    expect(page.locator(".anno-region[data-selected]")).to_contain_text("Place")
    inner.first.click()
    expect(page.locator(".anno-region[data-selected]")).to_contain_text("Organization")
    assert sorted(spans(desk.submitted(page))) == [
        ("Harbour Mills bakery in Porto", "Organization"),
        ("bakery", "Place"),
    ]


def test_suggestions_are_kept_changed_and_deleted(at_desk: Callable[..., Desk], page: Page) -> None:
    def suggested(mark: str, words: str, label: str) -> Row:
        start = ENTITIES.index(words)
        value: Row = {"start": start, "end": start + len(words), "text": words, "labels": [label]}
        return {"id": mark, "from_name": "entity", "to_name": "text", "type": "labels", "value": value}

    guesses = [
        suggested("a", "Ines Calder", "Person"),
        suggested("b", "Porto", "Person"),
        suggested("c", "second", "Date"),
    ]
    payload = {
        "data": {"text": ENTITIES},
        "predictions": [{"result": guesses, "model_version": "tagger-7", "score": 0.8}],
    }
    desk = at_desk("named-entities", payload)
    desk.open(page)
    expect(page.get_by_text("A model (tagger-7) suggests an answer")).to_be_visible()
    expect(page.locator(".anno-region")).to_have_count(0)
    page.keyboard.press("Alt+u")
    expect(page.get_by_text("suggestions to check")).to_be_visible()
    page.keyboard.press("]")
    page.keyboard.press("Enter")
    expect(page.locator(".anno-region[data-selected]")).not_to_contain_text("suggested")
    page.keyboard.press("]")
    page.keyboard.press("Backspace")
    page.keyboard.press("]")
    page.keyboard.press("]")
    expect(page.locator(".anno-region[data-selected]")).to_contain_text("Porto")
    page.keyboard.press("3")
    expect(page.get_by_text("suggestions to check")).to_be_hidden()
    given = {each["id"]: (each["origin"], each["value"]["labels"]) for each in desk.submitted(page)}
    assert given == {"a": ("prediction", ["Person"]), "b": ("prediction-changed", ["Place"])}


# Relations

PEOPLE = "Mara Lindt left Copperline, where she had designed the K2 kettle, to found Brightwater."


def test_two_regions_are_related_with_the_mouse(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("relations")
    desk.open(page)
    for words, key in (("Mara Lindt", "1"), ("Brightwater", "2")):
        drag_over(page, words)
        page.keyboard.press(key)
    page.locator("mark", has_text="Mara Lindt").click()
    page.get_by_role("button", name="Relate to another region").click()
    page.locator("mark", has_text="Brightwater").click()
    page.get_by_role("group", name="Kind of relation").get_by_role("button", name="founded").click()
    expect(page.locator(".anno-arcs text")).to_have_text("founded")
    results = desk.submitted(page)
    ids = {each["value"]["text"]: each["id"] for each in results if "value" in each}
    assert [each for each in results if each["type"] == "relation"] == [
        {
            "type": "relation",
            "from_id": ids["Mara Lindt"],
            "to_id": ids["Brightwater"],
            "direction": "right",
            "labels": ["founded"],
        }
    ]


def test_two_regions_are_related_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("relations")
    desk.open(page)
    tab_to(page, page.locator("[data-object=text]"))
    caret_to(page, "Mara Lindt")
    page.keyboard.press("1")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+Shift+ArrowLeft")
    page.keyboard.press("2")
    for key in ("[", "r", "]", "Enter", "2"):
        page.keyboard.press(key)
    expect(page.locator(".anno-relation")).to_contain_text("Mara Lindt")
    related = [each for each in desk.submitted(page) if each["type"] == "relation"]
    assert [each["labels"] for each in related] == [["founded"]]


# Classification, dialogue, survey, ranking


def test_a_text_is_classified_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("classification")
    desk.open(page)
    for key in ("1", "5", "6", "5"):
        page.keyboard.press(key)
    results = desk.submitted(page)
    assert [each["value"]["choices"] for each in results] == [["Delivery"], ["Thankful"]]


def test_what_is_missing_is_named_before_submitting(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("classification")
    desk.open(page)
    page.get_by_role("checkbox", name="Angry").check()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("“Topic” needs an answer.")
    page.get_by_role("radio", name="Payment").check()
    assert value_of(desk.submitted(page), "topic") == {"choices": ["Payment"]}


def test_a_dialogue_is_marked_across_paragraphs(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("dialogue")
    desk.open(page)
    left, _, top = page.evaluate(FIND_WORDS, ["[data-object]", "Is the water tap open?"])
    _, right, bottom = page.evaluate(FIND_WORDS, ["[data-object]", "It is."])
    page.mouse.move(left + 1, top)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=6)
    page.mouse.up()
    page.get_by_role("button", name="Question").first.click()
    expect(page.locator(".anno-region")).to_have_count(1)
    page.get_by_role("radio", name="Solved", exact=True).check()
    results = desk.submitted(page)
    marked = next(each["value"] for each in results if each["type"] == "paragraphlabels")
    assert (marked["start"], marked["end"], marked["text"]) == ("1", "2", "Is the water tap open?\nIt is.")
    assert (marked["startOffset"], marked["endOffset"]) == (25, 6)


def test_a_dialogue_is_marked_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("dialogue")
    desk.open(page)
    tab_to(page, page.locator("[data-kind=Paragraphs]"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+End")
    page.keyboard.press("3")
    tab_to(page, page.get_by_role("radio", name="Solved", exact=True))
    page.keyboard.press("Space")
    results = desk.submitted(page)
    marked = next(each["value"] for each in results if each["type"] == "paragraphlabels")
    assert marked["text"] == "I am sorry to hear that. Is the water tap open?"
    assert (marked["start"], marked["end"], marked["paragraphlabels"]) == ("1", "1", ["Apology"])


@by_mouse_and_by_finger
def test_a_survey_is_filled_in_with_the_mouse(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("survey")
    desk.open(page)
    page.locator(".anno-rating label").nth(3).click()
    page.get_by_role("checkbox", name="Children").check()
    page.get_by_label("Minutes you needed").fill("12")
    page.get_by_label("When did you last read about this?").fill("2026-03-01")
    page.get_by_role("button", name="Open Nature").click()
    page.get_by_role("checkbox", name="Animals").check()
    page.get_by_role("textbox", name="Anything else?").fill("Lovely.")
    results = desk.submitted(page)
    assert {each["from_name"]: each["value"] for each in results} == {
        "ease": {"rating": 4},
        "audience": {"choices": ["Children"]},
        "minutes": {"number": 12},
        "last": {"datetime": "2026-03-01"},
        "shelf": {"taxonomy": [["Nature", "Animals"]]},
        "remarks": {"text": ["Lovely."]},
    }


def test_a_survey_is_filled_in_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("survey")
    desk.open(page)
    tab_to(page, page.get_by_role("radio", name="1 of 5"))
    page.keyboard.press("4")
    page.keyboard.press("2")
    tab_to(page, page.get_by_role("checkbox", name="Everybody"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_label("Minutes you needed"))
    page.keyboard.type("7")
    tab_to(page, page.get_by_role("button", name="Open Nature"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("checkbox", name="Plants"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("textbox", name="Anything else?"))
    page.keyboard.type("No.")
    results = desk.submitted(page)
    assert {each["from_name"]: each["value"] for each in results} == {
        "ease": {"rating": 2},
        "minutes": {"number": 7},
        "shelf": {"taxonomy": [["Nature", "Plants"]]},
        "remarks": {"text": ["No."]},
        "audience": {"choices": ["Everybody"]},
    }


def sorted_titles(desk: Desk, results: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What lies in each bucket, in order."""
    ranked = next(each["value"]["ranker"] for each in results if each["type"] == "ranker")
    items = cast("list[dict[str, str]]", desk.payload.data["results"])
    titles = {item["id"]: item["title"] for item in items}
    return {bucket: [titles[each] for each in column] for bucket, column in ranked.items()}


@by_mouse_and_by_finger
def test_results_are_sorted_into_buckets_with_the_mouse(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("search-ranking")
    desk.open(page)
    columns = page.locator(".anno-column")
    items = page.locator(".anno-rank")
    items.filter(has_text="Boiling eggs").drag_to(columns.nth(1))
    expect(columns.nth(1)).to_contain_text("Boiling eggs")
    items.filter(has_text="Storing eggs").get_by_role("combobox").select_option(label="Answers the question")
    expect(columns.nth(0)).to_contain_text("Storing eggs")
    assert sorted_titles(desk, desk.submitted(page)) == {
        "answers": ["Storing eggs"],
        "helps": ["Boiling eggs"],
        "off": ["Egg colours"],
    }


def test_results_are_sorted_into_buckets_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("search-ranking")
    desk.open(page)
    for words, steps in (("Storing eggs", 2), ("Boiling eggs", 1), ("Egg colours", 2)):
        tab_to(page, page.locator(".anno-rank", has_text=words))
        for _ in range(steps):
            page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    expect(page.locator(".anno-column").nth(0).locator(".anno-rank").first).to_contain_text("Egg colours")
    assert sorted_titles(desk, desk.submitted(page)) == {
        "answers": ["Egg colours", "Storing eggs"],
        "helps": ["Boiling eggs"],
        "off": [],
    }


# Questions about regions and items, and web pages


def test_every_error_of_a_translation_is_rated_by_keys_alone(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("translation")
    desk.open(page)
    tab_to(page, page.locator("[data-object=target]"))
    caret_to(page, "The train")
    page.keyboard.press("1")
    expect(page.locator(".anno-region-details")).to_contain_text("Severity")
    page.keyboard.press("8")
    tab_to(page, page.get_by_role("radio", name="1 of 5"))
    page.keyboard.press("4")
    results = desk.submitted(page)
    marked = next(each for each in results if each["type"] == "labels")
    severity = next(each for each in results if each["from_name"] == "severity")
    assert (severity["id"], severity["value"]["choices"]) == (marked["id"], ["Major"])


def test_every_message_is_judged(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("chat-review")
    desk.open(page)
    for message, choice in enumerate(["Not a reply", "Good", "Not a reply", "Wrong"], start=1):
        page.get_by_role("button", name=f"Message {message}").click()
        page.get_by_role("radio", name=choice, exact=True).check()
    page.get_by_role("radio", name="2 of 5").check(force=True)
    page.get_by_role("textbox", name="Reason").fill("The last reply is wrong.")
    results = desk.submitted(page)
    judged = {each["item_index"]: each["value"]["choices"] for each in results if each["from_name"] == "reply"}
    assert judged == {0: ["Not a reply"], 1: ["Good"], 2: ["Not a reply"], 3: ["Wrong"]}


PAGE_CONFIG = """\
<View>
  <HyperTextLabels name="clause" toName="page" choice="multiple">
    <Label value="Money"/><Label value="Duty"/>
  </HyperTextLabels>
  <HyperText name="page" value="$html"/>
</View>"""
PAGE = (
    "<h2>Notice</h2><p>The <b>tenant</b> pays <i>900 euros</i> a month.</p>"
    "<ul><li>Heating is <em>not</em> included.</li></ul>"
)


def test_a_web_page_is_marked_across_its_elements(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("named-entities", {"data": {"html": PAGE}}, {"label_config": PAGE_CONFIG})
    desk.open(page)
    left, _, y = page.evaluate(FIND_WORDS, ["[data-object]", "tenant"])
    _, right, _ = page.evaluate(FIND_WORDS, ["[data-object]", "900"])
    page.mouse.move(left + 1, y)
    page.mouse.down()
    page.mouse.move(right, y, steps=5)
    page.mouse.up()
    page.keyboard.press("2")
    page.keyboard.press("1")
    drag_over(page, "euros")
    page.keyboard.press("1")
    first, second = (each["value"] for each in desk.submitted(page))
    assert (first["text"], first["hypertextlabels"]) == ("tenant pays 900", ["Duty", "Money"])
    assert (first["start"], first["startOffset"]) == ("/p[1]/b[1]/text()[1]", 0)
    assert (first["end"], first["endOffset"]) == ("/p[1]/i[1]/text()[1]", 3)
    # The second was made where marks already stood: its path is that of the page as it came.
    assert (second["start"], second["startOffset"], second["endOffset"]) == ("/p[1]/i[1]/text()[1]", 4, 9)
    assert second["globalOffsets"] == {"start": 26, "end": 31}


# How it looks and holds


@pytest.mark.parametrize(
    "template", ["named-entities", "relations", "dialogue", "survey", "search-ranking", "chat-review", "translation"]
)
def test_every_text_template_is_accessible(at_desk: Callable[..., Desk], page: Page, template: str) -> None:
    at_desk(template).open(page)
    if template in ("named-entities", "relations", "translation", "dialogue"):
        root = "[data-object]:not([data-object=source])"
        words = page.locator(root).first.locator(".anno-plain").first.inner_text()[:9]
        drag_over(page, words, root)
        page.keyboard.press("1")
        expect(page.locator(".anno-region")).to_have_count(1)
    check_in_both_schemes(page, f"annotation-{template}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    check_axe(page)
    shoot(page, f"annotation-{template}-phone")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_marks_what_was_selected_by_touch(at_desk: Callable[..., Desk], open_page: Callable[..., Page]) -> None:
    page = open_page("light", PHONE)
    desk = at_desk("named-entities")
    desk.open(page)
    # What a long press and its handles leave behind; a tap on a label then takes the native selection away.
    page.evaluate(
        """() => {
            const node = document.querySelector("[data-object=text] .anno-plain").firstChild;
            getSelection().setBaseAndExtent(node, 0, node, 11);
        }"""
    )
    label = page.get_by_role("group", name="Entity").get_by_role("button", name="Person")
    expect(label).to_be_in_viewport()
    page.evaluate("getSelection().removeAllRanges()")
    label.click()
    expect(page.locator("mark", has_text="Ines Calder")).to_be_visible()
    assert spans(desk.submitted(page)) == [("Ines Calder", "Person")]


def test_a_view_that_cannot_be_loaded_says_so_and_tries_again(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("classification")
    page.route("**/chunk-text-*", lambda route: route.abort())
    desk.open(page)
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")


def test_the_draft_comes_back_after_a_reload(at_desk: Callable[..., Desk], page: Page) -> None:
    desk = at_desk("named-entities")
    desk.open(page)
    drag_over(page, "Porto")
    page.keyboard.press("3")
    expect(page.get_by_text("Saved")).to_be_visible()
    page.reload()
    expect(page.locator("mark", has_text="Porto")).to_be_visible()
    assert spans(desk.submitted(page)) == [("Porto", "Place")]
