"""What the editor of labeling configs is told while somebody writes."""

import pytest

from preceptor.tasktypes.annotation import AnnotationType
from preceptor.tasktypes.annotation.models import LABEL_CONFIG_CHARACTERS_MAX
from tests.web.acting import Desk

CHECK = "/annotation/config/check"
GOOD = '<View><Text name="text" value="$text"/><Rating name="stars" toName="text"/></View>'


def test_a_good_config_comes_with_a_task_to_look_at(desk: Desk) -> None:
    checked = desk.send("POST", CHECK, {"config": GOOD}).json()
    assert checked["findings"] == checked["data_problems"] == []
    assert list(checked["data"]) == ["text"]
    assert [child["tag"] for child in checked["view"]["tree"]["children"]] == ["Text", "Rating"]


def test_what_is_wrong_is_named_with_its_line(desk: Desk) -> None:
    checked = desk.send(
        "POST", CHECK, {"config": '<View>\n<Text name="a" value="$a"/>\n<Ratting toName="a"/></View>'}
    ).json()
    assert [(each["level"], each["line"], each["tag"]) for each in checked["findings"]] == [("error", 3, "Ratting")]
    assert checked["view"] is None


def test_own_data_is_tried_and_what_it_lacks_is_named(desk: Desk) -> None:
    own = desk.send("POST", CHECK, {"config": GOOD, "data": {"text": "Mine"}}).json()
    assert own["view"]["tree"]["children"][0]["content"] == {"text": "Mine"}
    lacking = desk.send("POST", CHECK, {"config": GOOD, "data": {"words": "Mine"}}).json()
    assert lacking["view"] is None
    assert "text" in lacking["data_problems"][0]


def test_a_config_that_is_too_long_is_refused(desk: Desk) -> None:
    assert desk.send("POST", CHECK, {"config": "x" * (LABEL_CONFIG_CHARACTERS_MAX + 1)}).status_code == 422


def test_a_stranger_to_the_house_is_told_nothing(desk: Desk) -> None:
    assert desk.client.post(CHECK, json={"config": GOOD}).status_code in (401, 403)


@pytest.mark.parametrize("template", [each.key for each in AnnotationType().templates()])
def test_every_template_can_be_looked_at_without_data(desk: Desk, template: str) -> None:
    config = next(each.config["label_config"] for each in AnnotationType().templates() if each.key == template)
    checked = desk.send("POST", CHECK, {"config": config}).json()
    assert checked["data_problems"] == []
    assert checked["view"]["tree"]["tag"] == "View"
