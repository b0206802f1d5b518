"""How alike two marks are, from 0 (apart) to 1 (the same), for every kind of shape."""

from math import exp

import numpy as np

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.agreement import outlines
from preceptor.tasktypes.annotation.brush import BrokenMask, Mask
from preceptor.tasktypes.annotation.shapes import Area, Painted, Shape, Span, Spot, Times, Track, turned_box

KEYPOINT_CONSTANT = 0.1
"""kappa of object keypoint similarity: how far off a point may be, as a share of the image's size, before it counts
little. COCO's own constants lie between 0.05 (eyes) and 0.21 (hips) of the object's size."""
MOMENT_TOLERANCE = 1.0
"""Units (frames, seconds, rows) within which two moments are the same."""
FRAMES_COMPARED_MAX = 2_000


def likeness(a: Shape | None, b: Shape | None) -> float:
    """0 for shapes that cannot be compared."""
    match a, b:
        case Span(), Span():
            return stretch_overlap(a.start, a.end, b.start, b.end)
        case Times(), Times():
            return _times(a, b)
        case Area(), Area():
            return area_overlap(a, b)
        case Spot(), Spot():
            return spot_likeness(a, b)
        case Track(), Track():
            return track_overlap(a, b)
        case Painted(), Painted() | Area():
            return _masks(a, b, a)
        case Area(), Painted():
            return _masks(a, b, b)
        case _:
            return 0.0


def stretch_overlap(start: float, end: float, other_start: float, other_end: float) -> float:
    """Intersection over union of two stretches."""
    shared = max(0.0, min(end, other_end) - max(start, other_start))
    union = (end - start) + (other_end - other_start) - shared
    return shared / union if union > 0 else float((start, end) == (other_start, other_end))


def _times(a: Times, b: Times) -> float:
    if a.channel != b.channel:
        return 0.0
    if a.start == a.end and b.start == b.end:
        return max(0.0, 1 - abs(a.start - b.start) / MOMENT_TOLERANCE)
    return stretch_overlap(a.start, a.end, b.start, b.end)


def area_overlap(a: Area, b: Area) -> float:
    """Intersection over union of two areas, exact."""
    if a.axis_aligned and b.axis_aligned:
        return _box_overlap(a, b)
    if not _reach(a, b):
        return 0.0
    return outlines.overlap(a.pixels, b.pixels)


def _box(area: Area) -> tuple[float, float, float, float]:
    return (*area.corners[0], *area.corners[2])


def _box_overlap(a: Area, b: Area) -> float:
    left, top, right, bottom = _box(a)
    other_left, other_top, other_right, other_bottom = _box(b)
    wide = min(right, other_right) - max(left, other_left)
    high = min(bottom, other_bottom) - max(top, other_top)
    if wide <= 0 or high <= 0:
        return 0.0
    both = (right - left) * (bottom - top) + (other_right - other_left) * (other_bottom - other_top)
    return wide * high / (both - wide * high)


def _reach(a: Area, b: Area) -> bool:
    """Whether the boxes around two areas touch: most pairs of a picture do not, and need no exact answer."""
    for axis in (0, 1):
        first, second = [c[axis] for c in a.corners], [c[axis] for c in b.corners]
        if max(first) <= min(second) or max(second) <= min(first):
            return False
    return True


def spot_likeness(a: Spot, b: Spot) -> float:
    """Object keypoint similarity exp(-d^2 / (2 s^2 k^2)) with the image as the object: s^2 is its area in pixels."""
    dx, dy = (a.x - b.x) * a.width / 100, (a.y - b.y) * a.height / 100
    scale = a.width * a.height * KEYPOINT_CONSTANT**2
    return exp(-(dx * dx + dy * dy) / (2 * scale))


def _mask(shape: Painted | Area, width: int, height: int) -> Mask:
    if isinstance(shape, Painted):
        return shape.mask
    return outlines.rasterised([(x * width / 100, y * height / 100) for x, y in shape.corners], width, height)


def _masks(a: Painted | Area, b: Painted | Area, size: Painted) -> float:
    try:
        return mask_overlap(_mask(a, size.width, size.height), _mask(b, size.width, size.height))
    except BrokenMask:
        return 0.0


def mask_overlap(a: Mask, b: Mask) -> float:
    """Intersection over union of two masks; 0 for different sizes or two empty ones."""
    if a.shape != b.shape:
        return 0.0
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 0.0


def boxes_of(track: Track, frames: int) -> dict[int, values.Keyframe]:
    """Frame -> box, for every frame where the box is there.

    Between keyframes every number moves on a straight line. A keyframe that is not enabled is the last frame of a
    stretch; after the last keyframe an enabled box stays until frame `frames`.
    """
    found: dict[int, values.Keyframe] = {}
    keyframes = track.keyframes
    for index, keyframe in enumerate(keyframes):
        found[keyframe.frame] = keyframe
        if not keyframe.enabled:
            continue
        following = keyframes[index + 1] if index + 1 < len(keyframes) else None
        end = following.frame if following else frames + 1
        for frame in range(keyframe.frame + 1, end):
            share = (frame - keyframe.frame) / (end - keyframe.frame)
            found[frame] = _moved(keyframe, following, frame, share)
    return found


def _moved(start: values.Keyframe, end: values.Keyframe | None, frame: int, share: float) -> values.Keyframe:
    if end is None:
        return start.model_copy(update={"frame": frame})
    keys = ("x", "y", "width", "height", "rotation")
    moved = {key: getattr(start, key) + share * (getattr(end, key) - getattr(start, key)) for key in keys}
    return start.model_copy(update={**moved, "frame": frame})


def track_overlap(a: Track, b: Track) -> float:
    """Shared over joint area, summed over frames: a box counts for every frame it is there (spatio-temporal overlap).

    Of long stretches `FRAMES_COMPARED_MAX` evenly spread frames are looked at.
    """
    last = max(a.frames or 0, b.frames or 0, a.keyframes[-1].frame, b.keyframes[-1].frame)
    first = min(a.keyframes[0].frame, b.keyframes[0].frame)
    frames = range(first, last + 1, max(1, (last + 1 - first) // FRAMES_COMPARED_MAX))
    shared = joint = 0.0
    for frame in frames:
        one, other = box_at(a, frame, last), box_at(b, frame, last)
        in_one, in_other, in_both = _box_areas(one, other)
        shared += in_both
        joint += in_one + in_other - in_both
    return shared / joint if joint > 0 else 0.0


def box_at(track: Track, frame: int, last: int) -> Area | None:
    """The box of a frame, None where it is not there."""
    before = None
    for index, keyframe in enumerate(track.keyframes):
        if keyframe.frame == frame:
            return _area(keyframe)
        if keyframe.frame > frame:
            break
        before = index
    if before is None or not track.keyframes[before].enabled or frame > last:
        return None
    start = track.keyframes[before]
    following = track.keyframes[before + 1] if before + 1 < len(track.keyframes) else None
    if following is None:
        return _area(start)
    return _area(_moved(start, following, frame, (frame - start.frame) / (following.frame - start.frame)))


def _area(keyframe: values.Keyframe) -> Area:
    return turned_box(keyframe.x, keyframe.y, keyframe.width, keyframe.height, keyframe.rotation, (100.0, 100.0))


def _box_areas(a: Area | None, b: Area | None) -> tuple[float, float, float]:
    one, other = (_size(box) if box else 0.0 for box in (a, b))
    if a is None or b is None:
        return one, other, 0.0
    overlap = area_overlap(a, b)
    # overlap = s / (one + other - s)
    return one, other, overlap * (one + other) / (1 + overlap)


def _size(box: Area) -> float:
    (x1, y1), (x2, y2), (x3, y3), _ = box.pixels
    return abs((x2 - x1) * (y3 - y2) - (y2 - y1) * (x3 - x2))
