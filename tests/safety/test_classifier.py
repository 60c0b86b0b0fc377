"""A safeguard that is a classifier: a tiny one of random weights, made here."""

import json

import pytest

from lm_eval_ext.grading.judge import JudgeError
from lm_eval_ext.safety import SafeguardConfig, load
from lm_eval_ext.safety.classifier import safe_labels, verdict_of

WINDOW = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A classifier over bytes that finds whatever has more exclamation marks unsafe."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast

    place = tmp_path_factory.mktemp("classifier")
    vocabulary = {c: i for i, c in enumerate(["<pad>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>").save_pretrained(place)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=WINDOW,
        pad_token_id=0,
        id2label={0: "unsafe", 1: "safe"},
        label2id={"unsafe": 0, "safe": 1},
    )
    model = LlamaForSequenceClassification(config)
    with torch.no_grad():  # the last token decides: "!" points one way, everything else the other
        for parameter in model.parameters():
            parameter.zero_()
        for norm in (model.model.norm, model.model.layers[0].input_layernorm):
            norm.weight.fill_(1)
        model.model.embed_tokens.weight[:, 0] = 1
        model.model.embed_tokens.weight[vocabulary["!"], 0] = -1
        model.score.weight[:, 0] = torch.tensor([-1.0, 1.0])
    model.save_pretrained(place)
    return place


@pytest.mark.model
def test_verdicts_with_their_probabilities(folder):
    guard = load(SafeguardConfig(model=str(folder)))
    assert guard.probe() is None
    safe, unsafe, long = guard.review([("a", "b"), ("a", "b!"), ("a", "b" * WINDOW)])
    assert (safe.safe, unsafe.safe, long.safe) == (True, False, None)
    assert json.loads(unsafe.reply)["unsafe"] > 0.9 and f"the classifier reads {WINDOW}" in long.reason
    assert (guard.usage.safe, guard.usage.unsafe, guard.usage.rejected) == (1, 1, 1)
    assert guard.record()["labels"] == {"unsafe": False, "safe": True}


@pytest.mark.model
def test_what_it_reads(folder, tmp_path):
    (tmp_path / "g.txt").write_text("GUIDELINES")
    both = load(SafeguardConfig(model=str(folder), guidelines=str(tmp_path / "g.txt")))
    alone = load(SafeguardConfig(model=str(folder), guidelines=str(tmp_path / "g.txt"), reads="response"))
    assert both._text("request", "response") == "GUIDELINES\n\nrequest\n\nresponse"
    assert alone._text("request", "response") == "GUIDELINES\n\nresponse"
    assert load(SafeguardConfig(model=str(folder)))._text("q", "r") == "q\n\nr"
    assert both.record()["guidelines_sha256"] and both.record() != alone.record()


@pytest.mark.model
def test_a_folder_without_a_classifier_is_refused_before_anything_is_read(folder, tmp_path):
    def probe(place, **settings):
        return load(SafeguardConfig(model=str(place), **settings)).probe()

    with pytest.raises(JudgeError, match=f"safeguard: {tmp_path}"):
        probe(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(JudgeError, match="has no weights"):
        probe(tmp_path)
    with pytest.raises(JudgeError, match=r"labels are unsafe, safe; .*safeguard_safe_label.*, not 'fine'"):
        probe(folder, safe_label="fine")
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": ["LlamaForCausalLM"]}))
    with pytest.raises(JudgeError, match=r"no ForSequenceClassification; .*safeguard_base_url"):
        probe(tmp_path)


@pytest.mark.model
def test_weights_that_cannot_be_loaded_leave_the_responses_undecided(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    guard = load(SafeguardConfig(model=str(tmp_path)))
    assert guard.probe() is None
    (verdict,) = guard.review([("a", "b")])
    assert verdict.safe is None and str(tmp_path) in verdict.reason and guard.usage.unreachable == 1


@pytest.mark.unit
def test_labels():
    assert safe_labels({0: "Safe", 1: "hate", 2: "threat"}, None) == {
        "Safe": True,
        "hate": False,
        "threat": False,
    }
    assert safe_labels({0: "LABEL_0", 1: "LABEL_1"}, "label_1") == {"LABEL_0": False, "LABEL_1": True}
    for labels in ({0: "LABEL_0", 1: "LABEL_1"}, {0: "safe"}):
        with pytest.raises(JudgeError, match="name the one that means safe"):
            safe_labels(labels, None)
    said = verdict_of(
        {"Safe": 0.2, "hate": 0.7, "threat": 0.1}, {"Safe": True, "hate": False, "threat": False}
    )
    assert (said.safe, said.categories) == (False, ("hate",))
    assert verdict_of({"safe": float("nan"), "unsafe": 0.5}, {"safe": True, "unsafe": False}).safe is None
