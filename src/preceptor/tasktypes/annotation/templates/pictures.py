"""Templates for images and documents: boxes, polygons, masks, points, preference, text in pictures."""

from typing import Final

from preceptor.tasktypes.annotation.templates.making import shipped, template
from preceptor.tasktypes.annotation.templates.samples import picture
from preceptor.tasktypes.base import Row, Template

_BOXES: Final = """\
<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="object" toName="image">
    <Label value="Circle" background="#c53030" hotkey="1" category="1"/>
    <Label value="Square" background="#2b6cb0" hotkey="2" category="2"/>
    <Label value="Triangle" background="#2f855a" hotkey="3" category="3"/>
  </RectangleLabels>
  <Choices name="cut" toName="image" perRegion="true" choice="single" showInline="true">
    <Choice value="Whole"/>
    <Choice value="Cut by the edge"/>
    <Choice value="Partly covered"/>
  </Choices>
</View>
"""

_BOXES_GUIDE: Final = """\
# Boxes

Draw one box around each thing of the named kinds.

- **Tight**: every side touches the thing; nothing of it sticks out.
- A thing partly hidden by another gets a box around **what can be seen**.
- Things smaller than a fingertip at full size are left out.
- Say whether it is whole, cut by the edge, or partly covered.
"""

_POLYGONS: Final = """\
<View>
  <Image name="image" value="$image"/>
  <PolygonLabels name="outline" toName="image" pointSize="small">
    <Label value="Circle" background="#c53030"/>
    <Label value="Square" background="#2b6cb0"/>
    <Label value="Triangle" background="#2f855a"/>
  </PolygonLabels>
</View>
"""

_POLYGONS_GUIDE: Final = """\
# Outlines

Click along the edge; corners of the thing are corners of the outline.

- Straight edges need two points, curves as many as it takes to follow them.
- Outlines of two things may touch, but not overlap.
"""

_MASKS: Final = """\
<View>
  <Image name="image" value="$image"/>
  <BrushLabels name="surface" toName="image">
    <Label value="Shape" background="#c53030"/>
    <Label value="Shadow" background="#4a5568"/>
  </BrushLabels>
</View>
"""

_MASKS_GUIDE: Final = """\
# Masks

Paint every pixel that belongs to the thing, and no other.

- Zoom in at edges; where a pixel is half and half, leave it out.
- Use one mask for each thing, also where two of a kind touch.
- Holes through which something else can be seen are not painted.
"""

_POINTS: Final = """\
<View>
  <Image name="image" value="$image"/>
  <KeyPointLabels name="corner" toName="image">
    <Label value="Top" background="#c53030" maxUsages="1"/>
    <Label value="Left" background="#2b6cb0" maxUsages="1"/>
    <Label value="Right" background="#2f855a" maxUsages="1"/>
  </KeyPointLabels>
</View>
"""

_POINTS_GUIDE: Final = """\
# Key points

Set each point once, exactly on the corner of the triangle.

- *Top*, *Left* and *Right* are meant as you see them in the picture.
- Zoom in before you set a point; a few pixels make a difference.
- Leave out a corner that cannot be seen, even if you know where it must be.
"""

_PREFERENCE: Final = """\
<View>
  <Header value="$prompt" size="4"/>
  <Pairwise name="better" toName="left,right"/>
  <View style="display: flex; gap: 1em">
    <View style="flex: 1"><Image name="left" value="$image_a"/></View>
    <View style="flex: 1"><Image name="right" value="$image_b"/></View>
  </View>
  <Choices name="reason" toName="left" choice="multiple" showInline="true">
    <Choice value="Follows the prompt"/>
    <Choice value="Looks better"/>
    <Choice value="Fewer flaws"/>
  </Choices>
</View>
"""

_PREFERENCE_GUIDE: Final = """\
# Which image is better?

Read the prompt first. The better image shows **what was asked for**; only between two that do, the better looking one
wins. Tick what decided it.

Count, colour and position that the prompt names are part of what was asked for. Style is not, unless it is named.
"""

_OCR: Final = """\
<View>
  <Image name="page" value="$image"/>
  <RectangleLabels name="part" toName="page">
    <Label value="Heading" background="#c53030"/>
    <Label value="Line" background="#2b6cb0"/>
    <Label value="Total" background="#2f855a"/>
  </RectangleLabels>
  <TextArea name="text" toName="page" perRegion="true" required="true" editable="true" maxSubmissions="1"
      displayMode="region-list" placeholder="What does it say?"/>
</View>
"""

_OCR_GUIDE: Final = """\
# Text in documents

1. Draw a box around each heading, each line of text and the total.
2. Write what stands in it, letter by letter: errors, capitals and signs as printed.

Write `[?]` for a letter that cannot be read.
"""

_PDF: Final = """\
<View style="display: flex; gap: 1em">
  <View style="flex: 3"><Pdf name="document" value="$pdf"/></View>
  <View style="flex: 1">
    <Choices name="kind" toName="document" choice="single" required="true">
      <Choice value="Invoice"/>
      <Choice value="Contract"/>
      <Choice value="Letter"/>
      <Choice value="Other"/>
    </Choices>
    <DateTime name="date" toName="document" only="date"/>
    <TextArea name="sender" toName="document" maxSubmissions="1" placeholder="Who wrote it?"/>
  </View>
</View>
"""

_PDF_GUIDE: Final = """\
# PDF documents

Choose what the document **is**, not what it is about. The date is the one of writing; leave it empty where there is
none. The sender is a person or an organization, as it stands in the letterhead.
"""

_SHAPES: Final[Row] = {"image": picture((("circle", 30, 34, 18), ("square", 70, 30, 15), ("triangle", 48, 72, 18)))}
_OTHER: Final[Row] = {"image": picture((("triangle", 26, 30, 16), ("circle", 72, 62, 20), ("circle", 30, 76, 10)))}

PICTURES: Final[tuple[Template, ...]] = (
    template(
        "boxes",
        "Boxes in images",
        "Draw labelled boxes, and answer a question about each.",
        _BOXES,
        _BOXES_GUIDE,
        (_SHAPES, _OTHER),
    ),
    template(
        "polygons", "Outlines in images", "Trace things with polygons.", _POLYGONS, _POLYGONS_GUIDE, (_SHAPES, _OTHER)
    ),
    template(
        "masks", "Masks in images", "Paint the pixels that belong to a thing.", _MASKS, _MASKS_GUIDE, (_SHAPES, _OTHER)
    ),
    template("key-points", "Key points in images", "Set named points.", _POINTS, _POINTS_GUIDE, (_OTHER, _SHAPES)),
    template(
        "image-preference",
        "Image preference",
        "Choose the better of two images for a prompt.",
        _PREFERENCE,
        _PREFERENCE_GUIDE,
        (
            {
                "prompt": "A red circle to the left of a blue square",
                "image_a": picture((("circle", 28, 50, 20), ("square", 72, 50, 18))),
                "image_b": picture((("square", 28, 50, 18), ("circle", 72, 50, 20))),
            },
        ),
    ),
    template(
        "document-ocr",
        "Text in document images",
        "Box each part of a page and write what it says.",
        _OCR,
        _OCR_GUIDE,
        (
            {"image": shipped("receipt.jpg"), "about": "A drawn receipt of a made-up bakery."},
            {"image": shipped("form.jpg"), "about": "A drawn form, filled in for nobody."},
        ),
    ),
    template(
        "pdf",
        "PDF documents",
        "Say what a document is, who wrote it and when.",
        _PDF,
        _PDF_GUIDE,
        (
            {"pdf": shipped("letter.pdf"), "about": "A letter of a made-up company, two pages."},
            {"pdf": shipped("invoice.pdf"), "about": "An invoice of a made-up company."},
        ),
    ),
)
