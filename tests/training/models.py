"""A Qwen3 of random weights, under a million parameters: for what must be fast, not good."""

from __future__ import annotations

from pathlib import Path

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>")
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def write_copy(model: str, folder: Path, *, ends: str | None = None, **tokens: str) -> str:
    """Saves tokenizer and configurations of a model under another name, changed; no weights.

    Args:
        model: the folder of the original.
        folder: of the copy.
        ends: the token in `eos_token_id` of generation_config; None: as it was.
        tokens: of the tokenizer, `eos_token`, `pad_token`.
    """
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(model)
    special = {name: tokens.get(name, getattr(tokenizer, name)) for name in ("eos_token", "pad_token")}
    for name, token in special.items():
        setattr(tokenizer, name, token)
    tokenizer.save_pretrained(folder)
    AutoConfig.from_pretrained(model).save_pretrained(folder)
    generation = GenerationConfig.from_pretrained(model)
    if ends is not None:
        generation.eos_token_id = tokenizer.convert_tokens_to_ids(ends)
    generation.save_pretrained(folder)
    return str(folder)


def write_tiny_qwen3(folder: Path, *, seed: int = 0, bos: bool = False) -> str:
    """Saves model and tokenizer (bytes, and Qwen's special tokens) in `folder`; returns its name.

    With `bos` both the tokenizer and its chat template write one, as Llama 3's and Gemma's do.
    """
    import torch
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    if bos:
        tokenizer.add_special_tokens([AddedToken("<s>", special=True)])
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
        )
    named = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", **({"bos_token": "<s>"} if bos else {})}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, padding_side="left", **named)
    fast.chat_template = "{{ bos_token }}" * bos + CHAT_TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=fast.bos_token_id,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    model = Qwen3ForCausalLM(config).to(torch.bfloat16)
    assert model.num_parameters() < 1_000_000, f"{model.num_parameters()} parameters are not tiny"
    model.save_pretrained(folder)
    return str(folder)
