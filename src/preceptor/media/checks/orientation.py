"""The one piece of a picture's metadata that is kept: which way up it is shown."""

import struct

_TAG = 0x0112
_ENTRIES_MAX = 1_000


def orientation(tiff: bytes) -> int:
    """The orientation (1 to 8) that an EXIF block in TIFF form tells; 1, as it lies, where it tells none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, at)
        for entry in range(min(entries, _ENTRIES_MAX)):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * entry)
            if tag == _TAG and kind == 3 and count == 1:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def only_orientation(value: int) -> bytes:
    """An EXIF block in TIFF form that tells this orientation and nothing else."""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, _TAG, 3, 1, value, 0, 0)
