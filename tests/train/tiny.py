"""A model and a tokenizer so small that a trainer's step takes a moment; nothing is downloaded."""

from importlib import import_module
from pathlib import Path
from typing import Any

CHAT_TEMPLATE = "{% for message in messages %}{{ message['role'] }} : {{ message['content'] }} </s> {% endfor %}"


def tiny_tokenizer() -> Any:
    """A word tokenizer made here: nothing is downloaded."""
    tokenizers = import_module("tokenizers")
    transformers = import_module("transformers")
    words = ["<unk>", "<pad>", "</s>", "user", "assistant", ":", "What", "is", "It", "+", ".", "?"]
    words += [str(number) for number in range(40)]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", eos_token="</s>"
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def tiny_config(tokenizer: Any, **more: Any) -> Any:
    transformers = import_module("transformers")
    return transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        **more,
    )


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    """Two steps on the CPU, saying nothing to anybody."""
    return {
        "output_dir": str(folder),
        "max_steps": 2,
        "per_device_train_batch_size": 2,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 1,
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "max_length": 64,
        **more,
    }


def losses(trainer: Any) -> list[float]:
    return [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
