"""Chat messages in the OpenAI shape: the form in which every prompt and response is kept.

`content` is either Markdown text or a list of parts (text, image, audio, video, file), as in the Chat Completions API.
Files stand as `media:med_…`, the address of a file of the organization, which never changes, or as https: addresses.
Limits are generous for people's reading and strict enough that one row cannot fill a page or a disk.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MESSAGE_CHARACTERS_MAX = 200_000
CONVERSATION_CHARACTERS_MAX = 1_000_000
MESSAGES_MAX = 200
PARTS_MAX = 50
URL_CHARACTERS_MAX = 2_048
DATA_IMAGE_CHARACTERS_MAX = 4 * 1024 * 1024

# SVG is left out on purpose: it is a document that can carry script, not a picture.
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}\Z")
_HTTPS = re.compile(r"https://[^\s\"'<>\\]+\Z")
_MEDIA = re.compile(r"media:med_[0-9a-f]{32}\Z")
DESCRIPTION_CHARACTERS_MAX = 1_000
FILENAME_CHARACTERS_MAX = 200

Role = Literal["system", "developer", "user", "assistant", "tool"]


def storable_text(text: str) -> str:
    """The text itself, or ValueError when no database or UTF-8 file could keep it.

    Refused are the NUL character (PostgreSQL has no place for it) and lone surrogates, which
    come from cut emoji in JSON escapes and cannot be written as UTF-8.
    """
    if "\0" in text:
        raise ValueError("contains a NUL character; remove it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"contains half a character (lone surrogate) at position {error.start}; remove or repair it"
            ) from None
    return text


Text = Annotated[str, AfterValidator(storable_text)]


def _safe_image_url(url: str) -> str:
    if url.startswith("data:"):
        if len(url) > DATA_IMAGE_CHARACTERS_MAX:
            raise ValueError(f"image is larger than {DATA_IMAGE_CHARACTERS_MAX:,} characters; link to it instead")
        if not _DATA_IMAGE.match(url):
            raise ValueError("data image must be base64 of image/png, image/jpeg, image/gif or image/webp")
        return url
    return _safe_url(url, "image must be a media: address, an https: URL or a data:image/... URL")


def _safe_url(url: str, otherwise: str) -> str:
    if len(url) > URL_CHARACTERS_MAX:
        raise ValueError(f"URL is longer than {URL_CHARACTERS_MAX:,} characters")
    if not (_HTTPS.match(url) or _MEDIA.match(url)):
        raise ValueError(otherwise)
    return storable_text(url)


def safe_file_url(url: str) -> str:
    """The address of a file: `media:med_…` of an uploaded one, or https:. Else ValueError."""
    if url.startswith("data:"):
        raise ValueError("upload the file and give its media: address instead of its data")
    return _safe_url(url, "must be a media: address (media:med_...) or an https: URL")


def _safe_sound(data: str) -> str:
    try:
        return safe_file_url(data)
    except ValueError:
        raise ValueError("upload the recording and give its media: address as data, or an https: URL") from None


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextPart(_Shape):
    """A piece of Markdown text."""

    type: Literal["text"]
    text: Text = Field(max_length=MESSAGE_CHARACTERS_MAX)


FileAddress = Annotated[str, AfterValidator(safe_file_url)]
Description = Annotated[Text, Field(max_length=DESCRIPTION_CHARACTERS_MAX)]


class ImageUrl(_Shape):
    """Where an image is: a media: or https: address, or the image itself as a data: URL."""

    url: Annotated[str, AfterValidator(_safe_image_url)]
    detail: Literal["auto", "low", "high"] | None = None
    alt: Description | None = Field(None, description="What the image shows, for people who do not see it.")


class ImagePart(_Shape):
    """An image shown within a message."""

    type: Literal["image_url"]
    image_url: ImageUrl


class FileUrl(_Shape):
    """Where a recording or film is."""

    url: FileAddress
    title: Description | None = None


class AudioPart(_Shape):
    """A recording that is played within a message."""

    type: Literal["audio_url"]
    audio_url: FileUrl


class InputAudio(_Shape):
    """OpenAI's form of a recording, with an address in place of base64."""

    data: Annotated[str, AfterValidator(_safe_sound)]
    format: Literal["wav", "mp3", "flac", "ogg", "opus", "m4a", "webm"] | None = None
    title: Description | None = None


class InputAudioPart(_Shape):
    """A recording that is played within a message."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class VideoPart(_Shape):
    """A film that is played within a message."""

    type: Literal["video_url"]
    video_url: FileUrl


class File(_Shape):
    """A document or other file, shown as a card that opens it."""

    file_url: FileAddress
    filename: Annotated[Text, Field(max_length=FILENAME_CHARACTERS_MAX)] | None = None


class FilePart(_Shape):
    """A file that belongs to a message."""

    type: Literal["file"]
    file: File


Part = Annotated[TextPart | ImagePart | AudioPart | InputAudioPart | VideoPart | FilePart, Field(discriminator="type")]


class Message(_Shape):
    """One turn of a conversation. Text content is Markdown with math and code."""

    role: Role
    content: (
        Annotated[Text, Field(max_length=MESSAGE_CHARACTERS_MAX)]
        | Annotated[list[Part], Field(min_length=1, max_length=PARTS_MAX)]
    )

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        if not isinstance(self.content, str):
            text_length = sum(len(part.text) for part in self.content if isinstance(part, TextPart))
            if text_length > MESSAGE_CHARACTERS_MAX:
                raise ValueError(f"message is longer than {MESSAGE_CHARACTERS_MAX:,} characters")
        return self


def _conversation_fits(messages: list[Message]) -> list[Message]:
    if sum(text_length(message) for message in messages) > CONVERSATION_CHARACTERS_MAX:
        raise ValueError(f"conversation is longer than {CONVERSATION_CHARACTERS_MAX:,} characters")
    return messages


def text_length(message: Message) -> int:
    """Characters of text in a message; images and files count as nothing."""
    if isinstance(message.content, str):
        return len(message.content)
    return sum(len(part.text) for part in message.content if isinstance(part, TextPart))


Conversation = Annotated[
    list[Message], Field(min_length=1, max_length=MESSAGES_MAX), AfterValidator(_conversation_fits)
]


def plain_content(message: Message) -> str:
    """The message as one Markdown string, parts joined by a blank line.

    Images are `![image](<url>)`, recordings, films and files links such as `[audio](<url>)`.
    """
    if isinstance(message.content, str):
        return message.content
    return "\n\n".join(_plain_part(part) for part in message.content)


def _plain_part(part: Part) -> str:
    match part:
        case TextPart():
            return part.text
        case ImagePart():
            return f"![{_in_brackets(part.image_url.alt or 'image')}](<{part.image_url.url}>)"
        case AudioPart():
            return f"[{_in_brackets(part.audio_url.title or 'audio')}](<{part.audio_url.url}>)"
        case InputAudioPart():
            return f"[{_in_brackets(part.input_audio.title or 'audio')}](<{part.input_audio.data}>)"
        case VideoPart():
            return f"[{_in_brackets(part.video_url.title or 'video')}](<{part.video_url.url}>)"
        case FilePart():
            return f"[{_in_brackets(part.file.filename or 'file')}](<{part.file.file_url}>)"


_BRACKETS = str.maketrans("[]\\", "()/")


def _in_brackets(words: str) -> str:
    """Words that can stand between brackets of Markdown as they are."""
    return " ".join(words.split()).translate(_BRACKETS)


def trainer_messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages in the trainers' conversational form: `role` and `content`, the content always text.

    A column must have one type in Parquet, so messages with parts become Markdown text.
    """
    return [{"role": message.role, "content": plain_content(message)} for message in messages]
