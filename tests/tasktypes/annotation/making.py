"""Annotations in few words."""

from pydantic import JsonValue

from preceptor.tasktypes.annotation import AnnotationAnswer, AnnotationConfig, AnnotationPayload, AnnotationType

TYPE = AnnotationType()


def config(inner: str, **settings: object) -> AnnotationConfig:
    """A config with that inside its View."""
    return AnnotationConfig.model_validate({"label_config": f"<View>{inner}</View>", **settings})


def task(**data: JsonValue) -> AnnotationPayload:
    """A task with that data."""
    return AnnotationPayload(data=data)


def result(
    from_name: str, to_name: str, kind: str, value: dict[str, JsonValue], id: str = "r1", **more: JsonValue
) -> dict[str, JsonValue]:
    """A result of a control."""
    return {"id": id, "from_name": from_name, "to_name": to_name, "type": kind, "value": value, **more}


def answer(*results: dict[str, JsonValue]) -> AnnotationAnswer:
    """An answer with those results."""
    return AnnotationAnswer.model_validate({"result": list(results)})


TEXT = '<Text name="text" value="$text"/>'
ENTITIES = f'{TEXT}<Labels name="entity" toName="text"><Label value="PER"/><Label value="ORG"/></Labels>'
IMAGE = '<Image name="image" value="$image"/>'
BOXES = f'{IMAGE}<RectangleLabels name="box" toName="image"><Label value="Cat"/><Label value="Dog"/></RectangleLabels>'
PICTURE = "https://images.example/1.png"


def span(start: int, end: int, label: str = "PER", id: str = "r1") -> dict[str, JsonValue]:
    """A labelled span of `ENTITIES`."""
    return result("entity", "text", "labels", {"start": start, "end": end, "labels": [label]}, id)


def box(
    x: float, y: float, width: float, height: float, label: str = "Cat", id: str = "r1", rotation: float = 0.0
) -> dict[str, JsonValue]:
    """A labelled box of `BOXES`, on an image of 200 x 100 pixels."""
    value: dict[str, JsonValue] = {
        "x": x, "y": y, "width": width, "height": height, "rotation": rotation, "rectanglelabels": [label]
    }  # fmt: skip
    return result("box", "image", "rectanglelabels", value, id, original_width=200, original_height=100)
