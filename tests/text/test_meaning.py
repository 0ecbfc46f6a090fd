"""A sentence model in numpy, against plain loops over a small made model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartwheel.errors import Misuse
from cartwheel.text.meaning import port
from cartwheel.text.meaning.folder import read_folder
from cartwheel.text.meaning.port import open_embedder
from cartwheel.text.meaning.sentences import SentenceModel, gelu

Array = np.ndarray[Any, Any]

HIDDEN, WIDE, HEADS, LAYERS, PLACES = 12, 20, 3, 2, 16
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "shoe", "##s", "hat", "for"]
TEXTS = ["red shoes", "blue hat for red shoes red", "", "unheard", "HAT", "🎩 hat"]


def made_weights() -> dict[str, Array]:
    rng = np.random.default_rng(3)

    def some(*shape: int) -> Array:
        return rng.normal(0, 0.4, shape).astype(np.float32)

    weights = {
        "embeddings.word_embeddings.weight": some(len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": some(PLACES, HIDDEN),
        "embeddings.token_type_embeddings.weight": some(2, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    dense: dict[str, tuple[int, int]] = {}
    for at in range(LAYERS):
        own = f"encoder.layer.{at}"
        for name in ("query", "key", "value"):
            dense[f"{own}.attention.self.{name}"] = (HIDDEN, HIDDEN)
        dense[f"{own}.attention.output.dense"] = (HIDDEN, HIDDEN)
        dense[f"{own}.intermediate.dense"] = (WIDE, HIDDEN)
        dense[f"{own}.output.dense"] = (HIDDEN, WIDE)
        norms += [f"{own}.attention.output.LayerNorm", f"{own}.output.LayerNorm"]
    for name, shape in dense.items():
        weights |= {f"{name}.weight": some(*shape), f"{name}.bias": some(shape[0])}
    for name in norms:
        weights |= {f"{name}.weight": 1 + some(HIDDEN), f"{name}.bias": some(HIDDEN)}
    return weights


def write_model(folder: Path, weights: Mapping[str, Array], **config: Any) -> Path:
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    folder.mkdir(exist_ok=True)
    save_file(dict(weights), folder / "model.safetensors")
    words = {word: at for at, word in enumerate(WORDS)}
    cutter = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    cutter.normalizer = normalizers.BertNormalizer()
    cutter.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cutter.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    cutter.save(str(folder / "tokenizer.json"))
    said = {
        "model_type": "bert",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": PLACES,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"), made_weights())


@pytest.fixture(scope="module")
def model(folder: Path) -> SentenceModel:
    return SentenceModel(read_folder(folder))


def by_hand(weights: Mapping[str, Array], ids: list[int]) -> Array:
    """Return a text's vector by the formulas, position by position, in doubles."""

    def linear(name: str, x: Array) -> Array:
        return weights[f"{name}.weight"].astype(float) @ x + weights[f"{name}.bias"]

    def norm(name: str, x: Array) -> Array:
        out = (x - x.mean()) / math.sqrt(x.var() + 1e-12)
        return out * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    word, place, kind = (
        weights[f"embeddings.{name}_embeddings.weight"].astype(float)
        for name in ("word", "position", "token_type")
    )
    state = [
        norm("embeddings.LayerNorm", word[token] + place[at] + kind[0])
        for at, token in enumerate(ids)
    ]
    each = HIDDEN // HEADS
    for layer in range(LAYERS):
        own = f"encoder.layer.{layer}"
        q, k, v = (
            [linear(f"{own}.attention.self.{name}", x) for x in state]
            for name in ("query", "key", "value")
        )
        after = []
        for at, x in enumerate(state):
            seen = []
            for head in range(HEADS):
                part = slice(head * each, (head + 1) * each)
                says = [math.exp(q[at][part] @ other[part] / each**0.5) for other in k]
                share = [one / sum(says) for one in says]
                seen.append(sum(s * o[part] for s, o in zip(share, v, strict=True)))
            mixed = linear(f"{own}.attention.output.dense", np.concatenate(seen))
            x = norm(f"{own}.attention.output.LayerNorm", x + mixed)
            wide = linear(f"{own}.intermediate.dense", x)
            wide = np.array([w * (1 + math.erf(w / 2**0.5)) / 2 for w in wide])
            down = linear(f"{own}.output.dense", wide)
            after.append(norm(f"{own}.output.LayerNorm", x + down))
        state = after
    mean = np.mean(state, axis=0)
    return mean / np.linalg.norm(mean)


def test_vectors_are_those_of_the_formulas(model: SentenceModel) -> None:
    ids = [[2, 4, 6, 7, 3], [2, 5, 8, 9, 4, 6, 7, 4, 3], [2, 3], [2, 1, 3]]
    expected = [by_hand(made_weights(), one) for one in ids]
    np.testing.assert_allclose(model.embed(TEXTS[:4]), expected, atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(TEXTS)), max_size=9))
def test_a_text_has_its_vector_whoever_is_beside_it(
    model: SentenceModel, texts: list[str]
) -> None:
    together = model.embed(texts)
    assert together.shape == (len(texts), HIDDEN)
    assert together.dtype == np.float32
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(model.embed([text])[0], vector, atol=1e-5)
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_a_long_text_is_read_up_to_the_models_length(model: SentenceModel) -> None:
    long = "red " * 100_000
    assert model.embed([long]).shape == (1, HIDDEN)
    np.testing.assert_array_equal(model.embed([long]), model.embed(["red " * PLACES]))


def test_gelu_is_the_normal_distribution_function() -> None:
    x = np.linspace(-9, 9, 2001, dtype=np.float32)
    exact = [v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x.tolist()]
    np.testing.assert_allclose(gelu(x), exact, atol=2e-6)


Change = Callable[[dict[str, Array]], object]


def _without(name: str) -> Change:
    return lambda weights: weights.pop(name)


def _as(name: str, shape: tuple[int, ...]) -> Change:
    return lambda weights: weights.update({name: np.zeros(shape, np.float32)})


OUT = "encoder.layer.1.output.dense.weight"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without(OUT), f"lack {OUT}"),
        (_as(OUT, (HIDDEN, WIDE + 1)), r"shape \(12, 21\); expected \(12, 20\)"),
        (_as(OUT, (HIDDEN,)), "shape"),
        (_as("embeddings.word_embeddings.weight", (3, HIDDEN)), "knows 10 tokens"),
        (_as("embeddings.position_embeddings.weight", (4, HIDDEN)), "4 positions"),
        (_as("embeddings.word_embeddings.weight", (0, HIDDEN)), "shape"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    tmp_path: Path, change: Change, said: str
) -> None:
    weights = made_weights()
    change(weights)
    write_model(tmp_path, weights)
    with pytest.raises(Misuse, match=said):
        SentenceModel(read_folder(tmp_path))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "gpt2"}, "'gpt2'; expected 'bert'"),
        ({"hidden_act": "relu"}, "'relu'; expected 'gelu'"),
        ({"num_hidden_layers": 10**9}, "expected 1 to 48"),
        ({"num_attention_heads": "3"}, "expected 1 to 64"),
        ({"num_attention_heads": 5}, "5 heads"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    tmp_path: Path, config: dict[str, Any], said: str
) -> None:
    write_model(tmp_path, made_weights(), **config)
    with pytest.raises(Misuse, match=said):
        SentenceModel(read_folder(tmp_path))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("broken", [None, b"", b"[]", b"\x00" * 64, b"\xff{"])
def test_a_broken_file_is_refused(
    tmp_path: Path, name: str, broken: bytes | None
) -> None:
    write_model(tmp_path, made_weights())
    if broken is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(broken)
    with pytest.raises(Misuse):
        SentenceModel(read_folder(tmp_path))


def test_changed_weights_of_a_pinned_package_are_refused(folder: Path) -> None:
    with pytest.raises(Misuse, match="SHA-256"):
        read_folder(folder, digest="0" * 64)


def test_a_setting_names_a_folder_or_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_embedder.cache_clear()
    package = tmp_path / "made_minilm"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('never imported')")
    write_model(package / "model", made_weights())
    monkeypatch.syspath_prepend(str(tmp_path))
    by_name, by_folder = (
        open_embedder(where) for where in ("made_minilm", str(package / "model"))
    )
    assert by_name.fingerprint == by_folder.fingerprint
    assert by_name.dimensions == HIDDEN
    monkeypatch.setattr(port, "PINNED", {"made_minilm": "0" * 64})
    open_embedder.cache_clear()
    with pytest.raises(Misuse, match="SHA-256"):
        open_embedder("made_minilm")
    for nothing in ("no_such_package", "/no/such/folder", "json", "../..", ""):
        with pytest.raises(Misuse):
            open_embedder(nothing)
