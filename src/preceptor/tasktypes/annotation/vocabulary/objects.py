"""Tags that show material."""

from preceptor.tasktypes.annotation.vocabulary.spec import (
    NAME,
    STYLED,
    TO_NAME,
    VISIBLE,
    Param,
    Role,
    TagSpec,
    color,
    flag,
    looks,
    number,
    one_of,
    refused,
    text,
)

_SAVE_TEXT = looks("saveTextResult", "the text of a span is always kept")
_RESOLVE = looks("resolver", "addresses are taken as they are")
_ENCODING = one_of("encoding", ("none", "base64", "base64unicode"), "how the value is encoded", "none")


def _value(about: str) -> Param:
    return text("value", about)


def _object(name: str, about: str, *params: Param) -> TagSpec:
    return TagSpec(name, Role.OBJECT, about, (NAME, *params, *STYLED, *VISIBLE))


_TEXT_LIKE = (
    one_of("valueType", ("text", "url"), "whether the value is the text or its address", "text"),
    _SAVE_TEXT,
    _ENCODING,
    flag("selectionEnabled", "spans can be marked", True),
    one_of("granularity", ("symbol", "word", "sentence", "paragraph"), "what a marked span snaps to", "symbol"),
    color("highlightColor", "color of spans instead of their label's"),
    flag("showLabels", "labels are written beside their spans", True),
)

_IMAGE_LOOK_NAMES = (
    "smoothing width maxWidth zoom negativeZoom zoomBy grid gridSize gridColor zoomControl "
    "brightnessControl contrastControl crosshair horizontalAlignment verticalAlignment defaultZoom "
    "crossOrigin selectionControl"
)
_IMAGE_LOOKS = tuple(looks(name, "how the image is shown") for name in _IMAGE_LOOK_NAMES.split())

_AUDIO_LOOK_NAMES = (
    "volume speed defaultspeed defaultscale defaultzoom defaultvolume zoom height waveheight cursorwidth "
    "cursorcolor decoder player spectrogram splitchannels muted"
)
_AUDIO_LOOKS = tuple(looks(name, "how the player is shown or decodes") for name in _AUDIO_LOOK_NAMES.split())

_CHANNEL_LOOK_NAMES = (
    "interpolation showAxis showYAxis showGrid markerColor markerSize markerSymbol markerOpacity "
    "timeRange dataRange fixedScale"
)

OBJECTS = (
    _object("Text", "Plain text.", _value("the text, or its address"), *_TEXT_LIKE),
    _object(
        "HyperText",
        "HTML, cleaned: no scripts, forms, styles or frames; links do not lead away.",
        _value("the HTML, or its address"),
        *_TEXT_LIKE,
        looks("inline", "HTML always stands in the page itself"),
        looks("clickableLinks", "links never lead away from the task"),
        looks("resolveUrls", "addresses are taken as they are"),
    ),
    _object(
        "Paragraphs",
        "A dialogue or other list of paragraphs, each with an author.",
        _value("a list of objects with author and text"),
        one_of("valueType", ("json", "url"), "whether the value is the list or the address of a JSON file", "json"),
        text("audioUrl", "audio that belongs to it; paragraphs with start and end play their part"),
        text("sync", "name of an Audio or Video to move together with"),
        flag("showPlayer", "show the player above"),
        _SAVE_TEXT,
        one_of("layout", ("none", "dialogue"), "author beside the text or before it", "none"),
        text("nameKey", "key of the author", "author"),
        text("textKey", "key of the text", "text"),
        flag("selectionEnabled", "spans can be marked", True),
        one_of("granularity", ("symbol", "word", "sentence", "paragraph"), "what a marked span snaps to", "symbol"),
        flag("showLabels", "labels are written beside their spans", True),
        looks("contextScroll", "scroll with the audio"),
    ),
    _object(
        "Chat",
        "A conversation of messages with role and content.",
        _value("a list of messages"),
        TO_NAME,
        refused("llm", "asking a model while working; use the task type `conversation`"),
        refused("editable", "editing messages; use the task type `conversation`"),
        looks("minMessages", "messages are not added here; the task type `conversation` is for that"),
        looks("maxMessages", "messages are not added here; the task type `conversation` is for that"),
        looks("messageroles", "roles come with the messages"),
    ),
    _object(
        "Image",
        "An image, or several pages.",
        _value("address of the image"),
        text("valueList", "a list of addresses: one image a page"),
        flag("rotateControl", "the image can be turned for viewing"),
        text("sync", "reserved by Label Studio"),
        *_IMAGE_LOOKS,
        _RESOLVE,
    ),
    _object("Pdf", "A PDF document.", _value("address of the document"), looks("toolbar", "tools shown")),
    _object(
        "Audio",
        "A recording with its waveform.",
        _value("address of the recording"),
        text("hotkey", "key that plays and pauses"),
        text("sync", "name of another player or Paragraphs to move together with"),
        *_AUDIO_LOOKS,
    ),
    _object(
        "Video",
        "A video with its timeline.",
        _value("address of the video"),
        number("frameRate", "frames a second; also `$field`", 24),
        text("sync", "name of another player or Paragraphs to move together with"),
        flag("muted", "without sound at the start"),
        number("height", "height in pixels"),
        number("timelineHeight", "height of the timeline in pixels"),
        looks("defaultPlaybackSpeed", "speed at the start"),
        looks("minPlaybackSpeed", "slowest speed"),
        looks("hotkey", "the players' keys are the same everywhere"),
    ),
    TagSpec(
        "TimeSeries",
        Role.OBJECT,
        "Measurements over time, a plot for each channel.",
        (
            NAME,
            _value("columns as JSON, or the address of a CSV file"),
            one_of("valueType", ("url", "json"), "whether the value is an address or the columns", "url"),
            text("timeColumn", "column of times; the row number where there is none"),
            text("timeFormat", "strftime format of the times; plain numbers where it is empty"),
            text("timeDisplayFormat", "format of shown times"),
            text("durationDisplayFormat", "format of shown durations"),
            text("sep", "separator of the CSV file", ","),
            text("overviewChannels", "channels of the overview"),
            looks("overviewWidth", "width of the overview at the start"),
            text("sync", "name of a player to move together with"),
            looks("fixedScale", "scale of the plots"),
            *STYLED,
            *VISIBLE,
        ),
        options=("Channel", "MultiChannel"),
    ),
    TagSpec(
        "Channel",
        Role.OPTION,
        "One channel of a TimeSeries.",
        (
            text("column", "its column"),
            text("legend", "its name", ""),
            text("units", "its unit", ""),
            text("displayFormat", "format of shown values"),
            number("height", "height of its plot in pixels", 200),
            color("strokeColor", "color of the line"),
            number("strokeWidth", "width of the line", 1),
            *(looks(name, "how the plot is drawn") for name in _CHANNEL_LOOK_NAMES.split()),
        ),
    ),
    TagSpec(
        "MultiChannel",
        Role.OPTION,
        "Several channels in one plot.",
        (
            looks("height", "height"),
            looks("showAxis", "axis"),
            looks("showGrid", "grid"),
            looks("legendWidth", "legend"),
        ),
        options=("Channel",),
    ),
    _object("Table", "An object as names and values, or a list of objects as rows.", _value("the object or list")),
    _object(
        "List",
        "Items with id, title and body, to be ranked or put into buckets.",
        _value("a list of items"),
        text("title", "heading", ""),
        refused("elementValue", "an older form of ranking; use a list of {id, title, body} with Ranker"),
        refused("ranked", "an older form of ranking; add a Ranker"),
        looks("elementTag", "items are shown as text"),
        looks("sortedHighlightColor", "color"),
        looks("axis", "direction"),
        looks("lockAxis", "direction"),
    ),
)
