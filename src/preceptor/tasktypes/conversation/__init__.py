"""Conversations with models: red-teaming and live preference."""

from preceptor.tasktypes.conversation.models import ConversationAnswer, ConversationConfig, ConversationPayload
from preceptor.tasktypes.conversation.task_type import ConversationType

__all__ = ["ConversationAnswer", "ConversationConfig", "ConversationPayload", "ConversationType"]
