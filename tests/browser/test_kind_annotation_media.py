"""Pictures, documents, sound, video and measurements annotated in a real browser: by mouse and by keyboard alone."""

import base64
from collections.abc import Callable
from typing import Any, cast

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete, select

from preceptor.kit.ids import show_id
from preceptor.projects.models import Task
from preceptor.tasktypes.annotation import brush
from preceptor.work.models import Submission
from tests.browser.conftest import Live, Scheme, check_axe, shoot, sign_in
from tests.browser.material import data_url, document, measurements, picture, sound
from tests.factories import join, make_world

pytestmark = pytest.mark.browser

SHAPES = """
<View>
  <Image name="img" value="$image"/>
  <RectangleLabels name="box" toName="img">
    <Label value="Car" background="#b4541a"/><Label value="Tree"/>
  </RectangleLabels>
  <PolygonLabels name="outline" toName="img"><Label value="Roof"/></PolygonLabels>
  <EllipseLabels name="round" toName="img"><Label value="Wheel"/></EllipseLabels>
  <KeyPointLabels name="point" toName="img"><Label value="Corner"/></KeyPointLabels>
  <BrushLabels name="mask" toName="img"><Label value="Road"/></BrushLabels>
</View>
"""
OCR = """
<View>
  <Image name="img" value="$image"/>
  <Rectangle name="box" toName="img"/>
  <Labels name="kind" toName="img"><Label value="Sum"/></Labels>
  <TextArea name="words" toName="img" perRegion="true" required="true" editable="true"/>
</View>
"""
SPEAKERS = """
<View>
  <Audio name="talk" value="$audio"/>
  <Labels name="speaker" toName="talk"><Label value="Anna"/><Label value="Ben"/></Labels>
  <TextArea name="words" toName="talk" perRegion="true" editable="true"/>
</View>
"""
SERIES = """
<View>
  <TimeSeries name="ts" value="$csv" valueType="url" timeColumn="time">
    <Channel column="speed" units="m/s"/><Channel column="load"/>
  </TimeSeries>
  <TimeSeriesLabels name="phase" toName="ts"><Label value="Run"/><Label value="Rest"/></TimeSeriesLabels>
</View>
"""
PAPER = """
<View>
  <Pdf name="pdf" value="$pdf"/>
  <OcrLabels name="field" toName="pdf"><Label value="Amount"/><Label value="Number"/></OcrLabels>
</View>
"""
FILM = """
<View>
  <Video name="film" value="$video" frameRate="10"/>
  <VideoRectangle name="box" toName="film"/>
  <Labels name="who" toName="film"><Label value="Dog"/></Labels>
  <TimelineLabels name="what" toName="film"><Label value="Runs"/></TimelineLabels>
</View>
"""
RECORD = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
  const paint = canvas.getContext('2d');
  const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm;codecs=vp8' });
  const parts = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.start();
  for (let frame = 0; frame < 20; frame++) {
    paint.fillStyle = '#dde'; paint.fillRect(0, 0, 320, 180);
    paint.fillStyle = '#a33'; paint.fillRect(10 + frame * 8, 60, 50, 50);
    await new Promise((next) => setTimeout(next, 100));
  }
  recorder.stop();
  await new Promise((done) => (recorder.onstop = done));
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""


def started(live: Live, page: Page, config: str, data: dict[str, Any], **further: Any) -> None:
    """A contributor's desk with one annotation task of this config."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = make_world(session, now=now, tasks=1, overlap=1, rubric=False)
        project = world.project
        project.task_type = "annotation"
        project.config = {"label_config": config}
        session.execute(delete(Task).where(Task.project_id == project.id))
        session.add(
            Task(
                project_id=project.id,
                external_id="one",
                payload={"data": data, **further},
                position=0,
                wanted=1,
                created_at=now,
            )
        )
        worker = join(session, world, now=now)[0]
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', project.id)}")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("preceptor-annotation .media").first).to_be_visible()


def submitted(live: Live, page: Page) -> list[dict[str, Any]]:
    """The result of the task after Submit."""
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    with live.runtime.sessions.begin() as session:
        [submission] = session.scalars(select(Submission))
        return cast(list[dict[str, Any]], submission.answer["result"])


def drag(page: Page, over: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A drag from one part of an element to another, both from 0 to 1."""
    frame = over.bounding_box()
    assert frame is not None
    places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in (start, end)]
    (x1, y1), (x2, y2) = places
    page.mouse.move(x1, y1)
    page.mouse.down()
    page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
    page.mouse.move(x2, y2)
    page.mouse.up()


def click(page: Page, over: Locator, x: float, y: float) -> None:
    frame = over.bounding_box()
    assert frame is not None
    page.mouse.click(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])


def label(page: Page, name: str) -> None:
    page.locator(".anno-labels").get_by_role("button", name=name).first.click()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def near(value: dict[str, Any], **wanted: float) -> None:
    for key, number in wanted.items():
        assert value[key] == pytest.approx(number, abs=0.6), (key, value)


@pytest.fixture
def shapes(live: Live, page: Page) -> Locator:
    started(live, page, SHAPES, {"image": picture()})
    expect(page.locator(".picture-view")).to_be_visible()
    return page.locator(".shape-layer")


def test_every_shape_on_an_image_by_mouse_and_an_eraser_for_masks(page: Page, live: Live, shapes: Locator) -> None:
    label(page, "Car")
    drag(page, shapes, (0.1, 0.1), (0.3, 0.4))
    label(page, "Roof")
    for x, y in ((0.5, 0.1), (0.7, 0.15), (0.6, 0.35), (0.5, 0.1)):
        click(page, shapes, x, y)
    label(page, "Wheel")
    drag(page, shapes, (0.2, 0.7), (0.3, 0.8))
    label(page, "Corner")
    click(page, shapes, 0.9, 0.2)
    label(page, "Road")
    drag(page, shapes, (0.5, 0.8), (0.9, 0.8))
    drag(page, shapes, (0.5, 0.9), (0.9, 0.9))
    page.get_by_role("button", name="Eraser").click()
    drag(page, shapes, (0.7, 0.7), (0.7, 0.97))
    shoot(page, "annotation-image")
    check_axe(page)
    found = {each["type"]: each for each in submitted(live, page)}
    near(found["rectanglelabels"]["value"], x=10, y=10, width=20, height=30, rotation=0)
    assert found["rectanglelabels"]["value"]["rectanglelabels"] == ["Car"]
    assert (found["rectanglelabels"]["original_width"], found["rectanglelabels"]["original_height"]) == (1200, 800)
    near(found["ellipselabels"]["value"], x=20, y=70, radiusX=10, radiusY=10)
    near(found["keypointlabels"]["value"], x=90, y=20)
    assert len(found["polygonlabels"]["value"]["points"]) == 3
    assert len(found) == 5
    mask = brush.decode(found["brushlabels"]["value"]["rle"], 1200, 800)
    painted = [bool(mask[y, x]) for x, y in ((660, 640), (960, 640), (660, 720), (960, 720))]
    assert painted == [True] * 4
    assert [bool(mask[y, 840]) for y in (640, 720)] == [False, False]
    assert brush.encode(mask) == found["brushlabels"]["value"]["rle"]


def test_shapes_by_keyboard_alone(page: Page, live: Live, shapes: Locator) -> None:
    page.locator(".picture-view").focus()
    press(page, "1", *["ArrowLeft"] * 6, "Enter", *["ArrowRight", "ArrowDown"] * 8, "Enter")
    press(page, "ArrowRight", "Shift+ArrowRight", ".")
    press(page, "Escape", "3", "Enter", *["ArrowRight"] * 6, "Enter", *["ArrowDown"] * 6, "Enter", "Enter")
    press(page, "Escape", "6", *["Shift+ArrowUp"] * 2, "Enter", *["ArrowRight"] * 6, "Enter")
    shoot(page, "annotation-image-keys")
    found = {each["type"]: each["value"] for each in submitted(live, page)}
    assert found["rectanglelabels"]["rotation"] == 5
    assert found["rectanglelabels"]["rectanglelabels"] == ["Car"]
    assert len(found["polygonlabels"]["points"]) == 3
    assert found["brushlabels"]["brushlabels"] == ["Road"]
    assert len(found) == 3


def test_a_finger_draws_and_two_fingers_zoom(open_page: Callable[..., Page], live: Live) -> None:
    page = open_page(viewport={"width": 820, "height": 1180})
    started(live, page, SHAPES, {"image": picture()})
    layer = page.locator(".shape-layer")
    expect(layer).to_be_visible()
    label(page, "Tree")
    frame = layer.bounding_box()
    assert frame is not None
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [
            {"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"], "id": number}
            for number, (x, y) in enumerate(places)
        ]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0.2, 0.2))
    touch("touchMove", (0.3, 0.3))
    touch("touchMove", (0.6, 0.5))
    touch("touchEnd")
    expect(page.locator(".shape[data-region]")).to_have_count(1)
    before = page.locator(".media-percent").inner_text()
    touch("touchStart", (0.4, 0.8))
    touch("touchStart", (0.4, 0.8), (0.6, 0.8))
    for spread in (0.25, 0.3, 0.35):
        touch("touchMove", (0.5 - spread, 0.8), (0.5 + spread, 0.8))
    touch("touchEnd")
    expect(page.locator(".media-percent")).not_to_have_text(before)
    [result] = submitted(live, page)
    near(result["value"], x=20, y=20, width=40, height=30)


def test_undo_takes_back_a_drag_as_one_step(page: Page, live: Live, shapes: Locator) -> None:
    label(page, "Car")
    drag(page, shapes, (0.1, 0.1), (0.3, 0.4))
    drag(page, shapes, (0.2, 0.2), (0.5, 0.5))
    press(page, "Control+z")
    [result] = submitted(live, page)
    near(result["value"], x=10, y=10, width=20, height=30)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_suggestions_are_shown_dashed_and_stay_as_they_are(
    open_page: Callable[..., Page], live: Live, scheme: Scheme
) -> None:
    page = open_page(scheme)
    value = {"x": 30, "y": 30, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Tree"]}
    region = {"id": "a1", "from_name": "box", "to_name": "img", "type": "rectanglelabels", "value": value}
    image = {"original_width": 1200, "original_height": 800, "image_rotation": 0}
    started(
        live, page, SHAPES, {"image": picture()}, predictions=[{"model_version": "m1", "result": [{**region, **image}]}]
    )
    expect(page.locator(".shape[data-suggested]")).to_have_count(0)
    page.get_by_role("button", name="Use it").click()
    expect(page.locator(".shape[data-suggested]")).to_have_count(1)
    shoot(page, f"annotation-image-{scheme}")
    check_axe(page)
    [result] = submitted(live, page)
    assert result["value"] == value
    assert result["origin"] == "prediction"


def test_boxes_with_their_text(page: Page, live: Live) -> None:
    started(live, page, OCR, {"image": picture()})
    label(page, "Sum")
    drag(page, page.locator(".shape-layer"), (0.2, 0.2), (0.4, 0.3))
    field = page.locator(".anno-side").get_by_role("textbox").first
    field.fill("42.50")
    found = {each["type"]: each for each in submitted(live, page)}
    assert {each["id"] for each in found.values()} == {found["rectangle"]["id"]}
    assert found["textarea"]["value"]["text"] == ["42.50"]
    assert found["labels"]["value"]["labels"] == ["Sum"]


def test_pages_keep_their_regions_and_a_broken_one_says_so(page: Page, live: Live) -> None:
    config = SHAPES.replace('value="$image"', 'valueList="$pages"')
    broken = data_url("image/png", b"\x89PNG\r\n\x1a\nnothing")
    started(live, page, config, {"pages": [picture(seed=3), picture(seed=5), broken]})
    expect(page.locator(".picture-view")).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("img", name="Page 2 of 3")).to_be_visible()
    label(page, "Car")
    drag(page, page.locator(".shape-layer"), (0.1, 0.1), (0.3, 0.4))
    page.get_by_role("button", name="Page before").click()
    expect(page.get_by_role("img", name="Page 1 of 3")).to_be_visible()
    expect(page.locator(".shape[data-region]")).to_have_count(0)
    page.get_by_role("button", name="Next page").click()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("The image could not be loaded.")).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The image could not be loaded.")).to_be_visible()
    [result] = submitted(live, page)
    assert result["item_index"] == 1


def test_speakers_and_their_words_by_mouse_without_other_views(page: Page, live: Live) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    started(live, page, SPEAKERS, {"audio": sound()})
    line = page.locator(".track-over")
    expect(line).to_be_visible()
    drag(page, line, (0.25, 0.6), (0.5, 0.6))
    label(page, "Ben")
    field = page.locator(".anno-side").get_by_role("textbox").first
    field.fill("Good morning.")
    shoot(page, "annotation-audio")
    check_axe(page)
    found = {each["type"]: each for each in submitted(live, page)}
    value = found["labels"]["value"]
    assert (value["start"], value["end"]) == (pytest.approx(2, abs=0.05), pytest.approx(4, abs=0.05))
    assert value["labels"] == ["Ben"]
    assert found["labels"]["original_length"] == pytest.approx(8, abs=0.01)
    assert found["textarea"]["value"]["text"] == ["Good morning."]
    assert any(name.startswith("chunk-audio") for name in asked)
    others = ("chunk-pdf", "chunk-image", "chunk-video", "chunk-timeseries", "chunk-uPlot", "pdf.worker")
    assert [name for name in asked if name.startswith(others)] == []


def test_speakers_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, SPEAKERS, {"audio": sound()})
    expect(page.locator(".track-over")).to_be_visible()
    page.locator(".media-audio").focus()
    press(page, "1", "ArrowRight", "Enter", "ArrowRight", "ArrowRight", "Enter")
    press(page, "ArrowRight", ".")
    press(page, "Escape", "2", "ArrowRight", "Enter", "ArrowRight", "Enter")
    press(page, "Enter", "ArrowRight", "Enter")
    values = [each["value"] for each in submitted(live, page)]
    assert [(each["start"], each["end"], each["labels"]) for each in values] == [
        (1, 4, ["Anna"]),
        (5, 6, ["Ben"]),
        (6, 7, ["Ben"]),
    ]


def test_phases_of_a_time_series(page: Page, live: Live) -> None:
    started(live, page, SERIES, {"csv": measurements()})
    line = page.locator(".track-over")
    expect(page.locator(".series-plot canvas")).to_have_count(2)
    label(page, "Run")
    drag(page, line, (0.1, 0.5), (0.3, 0.5))
    page.locator(".media-series").focus()
    press(
        page, "Escape", "2", "Home", *["Shift+ArrowRight"] * 5, "Enter", "Shift+ArrowRight", "Alt+ArrowRight", "Enter"
    )
    shoot(page, "annotation-series")
    check_axe(page)
    run, rest = [each["value"] for each in submitted(live, page)]
    assert (run["start"], run["end"]) == (pytest.approx(20, abs=0.3), pytest.approx(60, abs=0.3))
    assert run["timeserieslabels"] == ["Run"]
    assert (rest["start"], rest["end"]) == (pytest.approx(100, abs=0.3), pytest.approx(120.1, abs=0.3))
    assert rest["instant"] is False


def test_a_document_gives_the_text_under_a_box_and_runs_no_script(page: Page, live: Live) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    paper = document([["Invoice 2026-17", "Total 42.50 EUR"], *[[f"Page {number}"] for number in range(2, 31)]])
    started(live, page, PAPER, {"pdf": paper})
    first = page.locator(".pdf-page[data-page='1'] .shape-layer")
    expect(page.locator(".pdf-page[data-page='1'] .pdf-text span").first).to_be_attached()
    label(page, "Amount")
    drag(page, first, (60 / 612, 76 / 792), (250 / 612, 104 / 792))
    expect(page.get_by_label("Text", exact=True)).to_have_value("Total 42.50 EUR")
    page.locator(".pdf-view").focus()
    press(page, "Escape", "2", "PageDown", "Enter", *["ArrowRight", "ArrowDown"] * 4, "Enter")
    expect(page.locator(".anno-regions > li")).to_have_count(2)
    drawn = page.evaluate("[...document.querySelectorAll('.pdf-page canvas')].filter((each) => each.width > 0).length")
    assert drawn < 10
    shoot(page, "annotation-pdf")
    check_axe(page)
    amount, number = [each["value"] for each in submitted(live, page)]
    assert amount["ocrtext"] == "Total 42.50 EUR"
    assert (amount["pageIndex"], number["pageIndex"]) == (1, 2)
    assert amount["x"] == pytest.approx(60 / 612, abs=0.01)
    assert asked == []


def test_a_turned_document_keeps_its_regions_and_is_drawn_on_as_before(page: Page, live: Live) -> None:
    started(live, page, PAPER, {"pdf": document([["Invoice 2026-17", "Total 42.50 EUR"]])})
    sheet = page.locator(".pdf-page[data-page='1']")
    layer = sheet.locator(".shape-layer")
    expect(sheet.locator(".pdf-text span").first).to_be_attached()
    label(page, "Amount")
    drag(page, layer, (60 / 612, 76 / 792), (250 / 612, 104 / 792))
    upright = sheet.bounding_box()
    page.get_by_role("button", name="Turn by 90 degrees").click()
    turned = sheet.bounding_box()
    assert upright is not None
    assert turned is not None
    assert turned["width"] / turned["height"] == pytest.approx(upright["height"] / upright["width"], rel=0.01)
    # What was at the top is at the right now.
    shape, seen = sheet.locator(".shape[data-region] rect.shape-line").bounding_box(), turned
    assert shape is not None
    assert (shape["x"] - seen["x"]) / seen["width"] == pytest.approx(1 - 104 / 792, abs=0.02)
    assert (shape["y"] - seen["y"]) / seen["height"] == pytest.approx(60 / 612, abs=0.02)
    label(page, "Number")
    drag(page, layer, (1 - 70 / 792, 60 / 612), (1 - 44 / 792, 250 / 612))
    shoot(page, "annotation-pdf-turned")
    check_axe(page)
    page.locator(".pdf-view").focus()
    press(page, "z", "z", "z")
    expect(page.get_by_text("Pages are upright.")).to_be_attached()
    amount, number = [each["value"] for each in submitted(live, page)]
    assert (amount["ocrtext"], number["ocrtext"]) == ("Total 42.50 EUR", "Invoice 2026-17")
    assert number["x"] == pytest.approx(60 / 612, abs=0.01)
    assert number["y"] == pytest.approx(44 / 792, abs=0.01)


def film(page: Page, live: Live) -> str:
    """A short film recorded by this browser, as a data: address."""
    page.goto(f"{live.url}/static/dist/assets.json")
    if not page.evaluate(
        "typeof MediaRecorder === 'function' && MediaRecorder.isTypeSupported('video/webm;codecs=vp8')"
    ):
        pytest.skip("this browser cannot record a film to test with")
    return data_url("video/webm", base64.b64decode(page.evaluate(RECORD)))


def test_a_box_is_followed_through_a_video(page: Page, live: Live) -> None:
    started(live, page, FILM, {"video": film(page, live)})
    picture_view = page.locator(".picture-view")
    expect(picture_view).to_be_visible()
    layer = page.locator(".shape-layer")
    label(page, "Dog")
    drag(page, layer, (0.1, 0.3), (0.3, 0.6))
    page.locator(".video-line").focus()
    press(page, "Shift+ArrowRight")
    expect(page.get_by_text("frame 11 of")).to_be_visible()
    drag(page, layer, (0.2, 0.45), (0.5, 0.45))
    page.locator(".video-line").focus()
    press(page, *["ArrowLeft"] * 5)
    expect(page.get_by_text("frame 6 of")).to_be_visible()
    middle = page.locator(".shape[data-region] rect.shape-line").get_attribute("x")
    shoot(page, "annotation-video")
    check_axe(page)
    [result] = submitted(live, page)
    first, second = result["value"]["sequence"]
    assert (first["frame"], second["frame"]) == (1, 11)
    assert second["x"] - first["x"] == pytest.approx(30, abs=1)
    assert float(str(middle)) == pytest.approx((first["x"] + second["x"]) / 2 * 3.2, abs=0.1)
    assert result["value"]["labels"] == ["Dog"]


def test_a_video_is_labelled_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, FILM, {"video": film(page, live)})
    expect(page.locator(".video-line")).to_be_visible()
    page.locator(".video-line").focus()
    press(page, "2", *["ArrowRight"] * 3, "Enter", *["ArrowRight"] * 4, "Enter", "Escape")
    page.locator(".picture-view").focus()
    press(page, "1", "Enter", *["ArrowRight", "ArrowDown"] * 4, "Enter")
    press(page, "d", "d", "d", "k", "ArrowRight", "d", "x")
    found = {each["type"]: each["value"] for each in submitted(live, page)}
    assert found["timelinelabels"]["ranges"] == [{"start": 4, "end": 8}]
    sequence = found["videorectangle"]["sequence"]
    assert [(each["frame"], each["enabled"]) for each in sequence] == [(8, True), (11, True), (12, False)]
    assert sequence[1]["x"] > sequence[0]["x"]


def test_views_fit_a_phone(open_page: Callable[..., Page], live: Live) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    both = f"<View>{OCR}{SPEAKERS.replace('words', 'speech')}</View>"
    started(live, page, both, {"image": picture(), "audio": sound()})
    expect(page.locator(".picture-view")).to_be_visible()
    expect(page.locator(".track-over")).to_be_visible()
    shoot(page, "annotation-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    check_axe(page)
