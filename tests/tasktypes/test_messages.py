"""Chat messages: which contents are kept, and which are refused with a reason."""

import pytest
from pydantic import TypeAdapter, ValidationError

from preceptor.tasktypes.messages import (
    CONVERSATION_CHARACTERS_MAX,
    DATA_IMAGE_CHARACTERS_MAX,
    MESSAGE_CHARACTERS_MAX,
    Conversation,
    Message,
    plain_content,
    trainer_messages,
)

CONVERSATION = TypeAdapter(Conversation)


def image(url: str) -> Message:
    return Message.model_validate({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", "data:image/png;base64,AAAA", "data:image/webp;base64,AA=="]
)
def test_https_and_embedded_pictures_are_kept(url: str) -> None:
    assert plain_content(image(url)) == f"![image](<{url}>)"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a.png",
        "javascript:alert(1)",
        "data:image/svg+xml;base64,AAAA",
        "data:text/html;base64,AAAA",
        "data:image/png,raw",
        'https://e.org/" onerror="x',
        "https://e.org/a\nb",
        "//e.org/a.png",
        "data:image/png;base64," + "A" * DATA_IMAGE_CHARACTERS_MAX,
        "https://e.org/" + "a" * 5_000,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        image(url)


@pytest.mark.parametrize("text", ["a\0b", "\ud83d cut emoji", "x" * (MESSAGE_CHARACTERS_MAX + 1)])
def test_text_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Message(role="user", content=text)


def test_limits_hold_across_parts_and_messages() -> None:
    half = {"type": "text", "text": "x" * (MESSAGE_CHARACTERS_MAX // 2 + 1)}
    with pytest.raises(ValidationError, match="longer than"):
        Message.model_validate({"role": "user", "content": [half, half]})
    long = {"role": "user", "content": "x" * MESSAGE_CHARACTERS_MAX}
    with pytest.raises(ValidationError, match="conversation is longer"):
        CONVERSATION.validate_python([long] * (CONVERSATION_CHARACTERS_MAX // MESSAGE_CHARACTERS_MAX + 1))
    with pytest.raises(ValidationError):
        CONVERSATION.validate_python([])
    with pytest.raises(ValidationError):
        CONVERSATION.validate_python([{"role": "user", "content": "x"}] * 201)


def test_unknown_keys_and_roles_are_refused() -> None:
    with pytest.raises(ValidationError):
        Message.model_validate({"role": "root", "content": "x"})
    with pytest.raises(ValidationError):
        Message.model_validate({"role": "user", "content": "x", "tool_calls": []})


def test_trainers_get_text_only() -> None:
    parts = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "https://e.org/a.png"}}]
    message = Message.model_validate({"role": "user", "content": parts})
    assert trainer_messages([message]) == [{"role": "user", "content": "See\n\n![image](<https://e.org/a.png>)"}]
