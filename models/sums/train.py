#!/usr/bin/env python3
"""Trains the model `sums` from nothing and writes model.safetensors, config.json, tokenizer.json.

    python3 scripts/tools.py jax                      # prints the Python with JAX that the next line uses
    nice -n 10 PYTHON models/sums/train.py            # about fifteen minutes on one core

Everything is drawn from one seed, and XLA runs on one thread, so that the same machine, Python packages and script give the same
files. Weights and activations are rounded to int8 in the forward pass (quantisation-aware training, straight-through gradients: Bengio,
Leonard, Courville 2013; Jacob et al. 2018).
"""

import argparse
import json
import os
import sys
import time
from functools import partial
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

import task  # noqa: E402

SEED = 20250
WIDTH, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FFN = 64, 4, 4, 2, 16, 128
THETA, EPSILON = 10000.0, 1e-5
ROWS = 16
CYCLES = [(1200, 3e-3), (1000, 1.5e-3), (1000, 1.5e-3)]
"""Steps and highest rate; between cycles the weights are rounded to BF16 and the moments forgotten."""


def fresh(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights under their names in the file; a matrix has a row for each output."""
    weights = {}

    def matrix(name, outputs, inputs, gain=1.0):
        weights[name] = (random.standard_normal((outputs, inputs)) * gain / np.sqrt(inputs)).astype(np.float32)

    matrix("model.embed_tokens.weight", len(task.ALPHABET), WIDTH, np.sqrt(WIDTH))
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        weights[at + "input_layernorm.weight"] = np.ones(WIDTH, np.float32)
        matrix(at + "self_attn.q_proj.weight", HEADS * HEAD_DIM, WIDTH)
        matrix(at + "self_attn.k_proj.weight", KV_HEADS * HEAD_DIM, WIDTH)
        matrix(at + "self_attn.v_proj.weight", KV_HEADS * HEAD_DIM, WIDTH)
        matrix(at + "self_attn.o_proj.weight", WIDTH, HEADS * HEAD_DIM, (2 * LAYERS) ** -0.5)
        weights[at + "post_attention_layernorm.weight"] = np.ones(WIDTH, np.float32)
        matrix(at + "mlp.gate_proj.weight", FFN, WIDTH)
        matrix(at + "mlp.up_proj.weight", FFN, WIDTH)
        matrix(at + "mlp.down_proj.weight", WIDTH, FFN, (2 * LAYERS) ** -0.5)
    weights["model.norm.weight"] = np.ones(WIDTH, np.float32)
    matrix("lm_head.weight", len(task.ALPHABET), WIDTH)
    return weights


def rounded(x):
    """x as int8 with one step for each row, as seen forwards; the gradient passes as if nothing were rounded."""
    step = jnp.maximum(jnp.max(jnp.abs(x), axis=-1, keepdims=True), 1e-8) / 127
    return x + jax.lax.stop_gradient(jnp.round(x / step) * step - x)


def forward(weights, tokens, int8):
    """Logits (rows, positions, vocabulary)."""
    rows, positions = tokens.shape
    maybe = rounded if int8 else (lambda x: x)

    def linear(name, x):
        return maybe(x) @ maybe(weights[name]).T

    def norm(name, x):
        mean = (x * x) @ np.full((WIDTH, 1), 1 / WIDTH, np.float32)
        return x * jax.lax.rsqrt(mean + EPSILON) * weights[name]

    angles = np.arange(positions)[:, None] * THETA ** (-np.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    cos = np.concatenate([np.cos(angles)] * 2, axis=-1)[:, None].astype(np.float32)
    sin = np.concatenate([np.sin(angles)] * 2, axis=-1)[:, None].astype(np.float32)

    def rope(x):
        left, right = jnp.split(x, 2, axis=-1)
        return x * cos + jnp.concatenate([-right, left], axis=-1) * sin

    mask = np.tile(np.tril(np.ones((positions, positions), np.float32)), (HEADS // KV_HEADS, 1))
    x = weights["model.embed_tokens.weight"][tokens]
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        h = norm(at + "input_layernorm.weight", x)
        q = linear(at + "self_attn.q_proj.weight", h).reshape(rows, positions, HEADS, HEAD_DIM)
        k = linear(at + "self_attn.k_proj.weight", h).reshape(rows, positions, KV_HEADS, HEAD_DIM)
        v = linear(at + "self_attn.v_proj.weight", h).reshape(rows, positions, KV_HEADS, HEAD_DIM)
        q, k, v = maybe(rope(q)), maybe(rope(k)), maybe(v)
        # (rows, KV heads, queries of all heads of a group, head_dim): few products of large matrices.
        q = q.transpose(0, 2, 1, 3).reshape(rows, KV_HEADS, -1, HEAD_DIM)
        k, v = k.transpose(0, 2, 3, 1), v.transpose(0, 2, 1, 3)
        # Softmax without the largest score taken off, which changes nothing below an overflow; the sum is one more column of V.
        # XLA is slow at sums along a row on a CPU, and fast at products.
        shares = jnp.exp(jnp.minimum(q @ k * HEAD_DIM**-0.5, 80.0)) * mask
        mixed = shares @ jnp.concatenate([v, jnp.ones_like(v[..., :1])], axis=-1)
        mixed = (mixed[..., :-1] / mixed[..., -1:]).reshape(rows, HEADS, positions, HEAD_DIM).transpose(0, 2, 1, 3)
        x = x + linear(at + "self_attn.o_proj.weight", mixed.reshape(rows, positions, -1))
        h = norm(at + "post_attention_layernorm.weight", x)
        gate = jax.nn.silu(linear(at + "mlp.gate_proj.weight", h)) * linear(at + "mlp.up_proj.weight", h)
        x = x + linear(at + "mlp.down_proj.weight", gate)
    return linear("lm_head.weight", norm("model.norm.weight", x))


def loss(weights, tokens, wanted):
    """Mean negative log-likelihood of the wanted tokens."""
    logits = forward(weights, tokens[:, :-1], True)
    chosen = jax.nn.one_hot(tokens[:, 1:], len(task.ALPHABET)) * wanted[..., None]
    return -jnp.sum(jax.nn.log_softmax(logits) * chosen) / jnp.sum(wanted)


@partial(jax.jit, donate_argnums=(0, 1, 2))
def update(weights, mean, square, step, rate, tokens, wanted):
    """One step of AdamW (Loshchilov, Hutter 2019), gradients clipped to a norm of one."""
    value, gradient = jax.value_and_grad(loss)(weights, tokens, wanted)
    size = jnp.sqrt(sum(jnp.sum(g * g) for g in gradient.values()))
    gradient = {name: g / jnp.maximum(size, 1.0) for name, g in gradient.items()}
    mean = {name: 0.9 * mean[name] + 0.1 * g for name, g in gradient.items()}
    square = {name: 0.98 * square[name] + 0.02 * g * g for name, g in gradient.items()}
    for name in weights:
        m, s = mean[name] / (1 - 0.9**step), square[name] / (1 - 0.98**step)
        decay = 0.02 if weights[name].ndim == 2 else 0.0
        weights[name] = weights[name] - rate * (m / (jnp.sqrt(s) + 1e-8) + decay * weights[name])
    return weights, mean, square, value


def train(weights: dict[str, np.ndarray], cycle: int) -> dict[str, np.ndarray]:
    """One cycle: the rate rises, then falls as a cosine (Loshchilov, Hutter 2017)."""
    steps, peak = CYCLES[cycle]
    random = np.random.default_rng(SEED if cycle == 0 else [SEED, cycle])
    weights = fresh(random) if cycle == 0 else weights
    weights = {name: jnp.asarray(value) for name, value in weights.items()}
    mean = {name: jnp.zeros_like(value) for name, value in weights.items()}
    square = {name: jnp.zeros_like(value) for name, value in weights.items()}
    begun = time.monotonic()
    for step in range(1, steps + 1):
        warm = min(step / 100, 1.0)
        rate = peak * warm * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / steps)))
        tokens, wanted = task.batch(random, ROWS)
        now = jnp.float32(step), jnp.float32(rate)
        weights, mean, square, value = update(weights, mean, square, *now, tokens, wanted)
        if step % 100 == 0 or step == steps:
            print(f"cycle {cycle} step {step} loss {float(value):.5f} {time.monotonic() - begun:.0f} s", flush=True)
    return {name: bfloat16(np.asarray(value)) for name, value in weights.items()}


def exact(weights: dict[str, np.ndarray], int8: bool, count: int = 2000) -> float:
    """Share of held-out problems whose every token is the most likely one, given those before it: greedy decoding gives the same."""
    random = np.random.default_rng(SEED + 1)
    run, right = jax.jit(forward, static_argnames="int8"), 0
    for _ in range(count // 100):
        tokens, wanted = task.batch(random, 100)
        best = np.argmax(run(weights, tokens[:, :-1], int8=int8), axis=-1)
        right += int(np.sum(np.all((best == tokens[:, 1:]) | (wanted == 0), axis=1)))
    return right / count


def bfloat16(values: np.ndarray) -> np.ndarray:
    """The nearest bfloat16 numbers, ties to even, as float32."""
    bits = values.view(np.uint32).astype(np.uint64)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
    return bits.astype(np.uint32).view(np.float32)


def write_safetensors(path: Path, weights: dict[str, np.ndarray]) -> None:
    """BF16 tensors in the order of their names."""
    header, data = {}, b""
    for name in sorted(weights):
        part = (weights[name].view(np.uint32) >> 16).astype("<u2").tobytes()
        header[name] = {
            "dtype": "BF16",
            "shape": list(weights[name].shape),
            "data_offsets": [len(data), len(data) + len(part)],
        }
        data += part
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """What `write_safetensors` wrote."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header, data = json.loads(data[8 : 8 + size]), data[8 + size :]
    weights = {}
    for name, entry in header.items():
        part = np.frombuffer(data[slice(*entry["data_offsets"])], "<u2").astype(np.uint32) << 16
        weights[name] = part.view(np.float32).reshape(entry["shape"])
    return weights


def write_texts(folder: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(task.ALPHABET),
        "hidden_size": WIDTH,
        "intermediate_size": FFN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_DIM,
        "max_position_embeddings": 128,
        "rms_norm_eps": EPSILON,
        "rope_theta": THETA,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "bos_token_id": task.START,
        "eos_token_id": task.END,
        "torch_dtype": "bfloat16",
    }
    special = [
        {
            "id": task.IDS[token],
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for token in ("<s>", "</s>")
    ]
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [task.START], "tokens": ["<s>"]}},
        },
        "decoder": {"type": "Fuse"},
        "model": {"type": "WordLevel", "vocab": task.IDS, "unk_token": "<unk>"},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--cycle", type=int, default=0, help="first cycle to train; those before it are in OUT already")
    arguments = parser.parse_args()
    print(f"python {sys.version.split()[0]}, jax {jax.__version__}, numpy {np.__version__}", flush=True)
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    weights = read_safetensors(out / "model.safetensors") if arguments.cycle else {}
    for cycle in range(arguments.cycle, len(CYCLES)):
        weights = train(weights, cycle)
        write_safetensors(out / "model.safetensors", weights)
    write_texts(out)
    print(f"{sum(value.size for value in weights.values())} parameters")
    print(f"exact answers in f32: {exact(weights, False):.4f}, in int8: {exact(weights, True):.4f}")


if __name__ == "__main__":
    main()
