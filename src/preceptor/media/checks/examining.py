"""A whole file: what it is, whether it may stay, and what the sender should be told."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from preceptor.media import kinds
from preceptor.media.checks import audio, polyglots
from preceptor.media.checks.images import check_image
from preceptor.media.checks.mp4 import forget_people, read_mp4
from preceptor.media.checks.pdf import check_pdf
from preceptor.media.checks.sniffing import HEAD_BYTES, sniff
from preceptor.media.checks.texts import check_text
from preceptor.media.checks.webm import read_webm
from preceptor.media.errors import MediaRefused, MediaTooLarge
from preceptor.media.kinds import MediaKind, MediaType


@dataclass(frozen=True)
class Examined:
    """A file that may stay. Sizes in pixels and length in seconds where they are known.

    `remark` is for the sender: that the name or the announced type said something else.
    """

    media_type: MediaType
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    remark: str | None = None
    small: bytes | None = None
    """A small WebP of a picture, for lists."""


def first_look(head: bytes, size: int) -> MediaType:
    """Refuse by the first bytes what can never stay, so that nobody uploads two gigabytes for nothing."""
    found = sniff(head[:HEAD_BYTES])
    limit = kinds.BYTES_MAX[found.kind]
    # Sound can lie in a container of film, so that only the larger limit is certain yet.
    if found.kind is MediaKind.VIDEO:
        limit = max(limit, kinds.BYTES_MAX[MediaKind.AUDIO])
    if size > limit:
        raise too_large(found)
    return found


def too_large(found: MediaType) -> MediaTooLarge:
    mebibytes = kinds.BYTES_MAX[found.kind] // kinds.MEBI
    return MediaTooLarge(f"A file of this kind ({found.words}) may have {mebibytes:,} MiB. Make it smaller.")


def examine(path: Path, name: str, announced: str = "") -> Examined:
    """Look into a file on local disk and take personal metadata out of it, in place.

    `name` and `announced` (a type such as "image/png") are compared with what was found and never believed.
    `MediaRefused` says in words for the sender why a file cannot be taken.
    """
    with path.open("rb") as file:
        found = first_look(file.read(HEAD_BYTES), path.stat().st_size)
    polyglots.refuse_second_face(path, found.words, binary=found.kind is not MediaKind.TEXT)
    seen = _looked_into(path, found, PurePosixPath(name.lower()).suffix)
    if path.stat().st_size > kinds.BYTES_MAX[seen.media_type.kind]:
        raise too_large(seen.media_type)
    _refuse_long(seen)
    return replace(seen, remark=_remark(seen.media_type, name, announced))


def _looked_into(path: Path, found: MediaType, ending: str) -> Examined:
    if found.kind is MediaKind.IMAGE:
        picture = check_image(path, found)
        return Examined(found, picture.width, picture.height, small=picture.small)
    if found.kind is MediaKind.TEXT:
        return Examined(check_text(path, ending))
    if found is kinds.PDF:
        check_pdf(path)
        return Examined(found)
    return _recording(path, found)


def _recording(path: Path, found: MediaType) -> Examined:
    limit = kinds.DURATION_MAX[MediaKind.AUDIO].total_seconds()
    with audio.mapped(path) as data:
        try:
            if found is kinds.MP4:
                film = read_mp4(data)
            elif found is kinds.WEBM:
                clip = read_webm(data)
                return Examined(
                    kinds.WEBM if clip.picture else kinds.WEBM_AUDIO,
                    clip.width or None,
                    clip.height or None,
                    clip.seconds,
                )
            elif found is kinds.MP3:
                return Examined(found, seconds=audio.mp3_seconds(data, limit))
            else:
                ask = {kinds.WAV: audio.wav_seconds, kinds.OGG: audio.ogg_seconds, kinds.FLAC: audio.flac_seconds}
                return Examined(found, seconds=ask[found](data))
        except IndexError:
            raise MediaRefused(audio.BROKEN) from None
    forget_people(path, film)
    shown = film.picture
    if shown is None:
        return Examined(kinds.M4A, seconds=film.seconds)
    return Examined(kinds.MP4, shown.width or None, shown.height or None, film.seconds)


def _refuse_long(seen: Examined) -> None:
    limit = kinds.DURATION_MAX.get(seen.media_type.kind)
    if limit is not None and seen.seconds is not None and seen.seconds > limit.total_seconds():
        hours = limit.total_seconds() / 3600
        lasts = f"{seen.seconds / 3600:.1f} hours or more" if seen.media_type is kinds.MP3 else _hours(seen.seconds)
        raise MediaRefused(f"A recording may last {hours:g} hours; this one lasts {lasts}. Cut it into parts.")


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours"


def _remark(found: MediaType, name: str, announced: str) -> str | None:
    ending = PurePosixPath(name.lower()).suffix
    if ending and ending not in found.extensions:
        return f"The name ends in {ending}, but this is {_article(found.words)}. It is kept as what it is."
    said = announced.partition(";")[0].strip().lower()
    if said and said not in (found.mime, "application/octet-stream") and said.split("/")[0] != found.mime.split("/")[0]:
        return f"It was announced as {said}, but this is {_article(found.words)}. It is kept as what it is."
    return None


def _article(words: str) -> str:
    return words if words in ("plain text", "JSON") else f"{'an' if words[0] in 'AEIOUM' else 'a'} {words}"
