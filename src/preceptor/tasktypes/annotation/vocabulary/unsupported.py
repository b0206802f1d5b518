"""Tags of Label Studio that this task type does not offer, each with what to use instead."""

UNSUPPORTED: dict[str, str] = {
    "magicwand": "use BrushLabels",
    "bitmask": "use Brush",
    "bitmasklabels": "use BrushLabels",
    "vector": "use PolygonLabels or KeyPointLabels",
    "vectorlabels": "use PolygonLabels or KeyPointLabels",
    "videovector": "use VideoRectangle",
    "videovectorlabels": "use VideoRectangle with Labels",
    "cube": "three-dimensional scenes are not offered",
    "cubelabels": "three-dimensional scenes are not offered",
    "object3d": "three-dimensional scenes are not offered",
    "reactcode": "code of your own runs as a task type package instead",
    "custominterface": "code of your own runs as a task type package instead",
    "hypertextregion": "use HyperTextLabels",
    "dialog": 'use Paragraphs with layout="dialogue"',
}
