#!/usr/bin/env python3
"""Random models with their logits in double precision, as an outside opinion on the reference engine.

    outside.py FOLDER SEED      writes a model into each of several folders, with tokens.bin (int32) and logits.bin (float64)

The forward pass is written from the papers on whole sequences, without a cache: attention (Vaswani et al. 2017), grouped queries (Ainslie et
al. 2023), RMSNorm (Zhang, Sennrich 2019), rotation (Su et al. 2021) with the frequencies of Llama 3.1, SwiGLU (Shazeer 2020), GELU
(Hendrycks, Gimpel 2016), mixtures of experts (Shazeer et al. 2017; Jiang et al. 2024). Sizes are awkward on purpose.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

TOKENS = 23


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def silu(x):
    return x / (1 + np.exp(-x))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def rms(x, weight, epsilon):
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + epsilon) * weight


def layer_norm(x, weight, bias, epsilon):
    return (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + epsilon) * weight + bias


def frequencies(dim, theta, scaling):
    """Radians per position of each pair."""
    found = []
    for pair in range(dim // 2):
        frequency = theta ** (-2 * pair / dim)
        kind = scaling.get("rope_type")
        if kind == "linear":
            frequency /= scaling["factor"]
        if kind == "llama3":
            wavelength = 2 * math.pi / frequency
            old = scaling["original_max_position_embeddings"]
            low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
            if wavelength > old / low:
                frequency /= scaling["factor"]
            elif wavelength >= old / high:
                smooth = (old / wavelength - low) / (high - low)
                frequency = (1 - smooth) * frequency / scaling["factor"] + smooth * frequency
        found.append(frequency)
    return np.array(found)


def rotate(x, angles, neighbours):
    """x (positions, heads, dim) as complex numbers turned by angles (positions, dim / 2)."""
    half = x.shape[-1] // 2
    real, imaginary = (x[..., 0::2], x[..., 1::2]) if neighbours else (x[..., :half], x[..., half:])
    turned = (real + 1j * imaginary) * np.exp(1j * angles)[:, None]
    if neighbours:
        return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)
    return np.concatenate([turned.real, turned.imag], axis=-1)


def attend(q, k, v):
    """(positions, heads, dim), causal."""
    heads, groups = q.shape[1], q.shape[1] // k.shape[1]
    mixed = np.zeros_like(q)
    for head in range(heads):
        scores = q[:, head] @ k[:, head // groups].T / math.sqrt(q.shape[-1])
        scores[np.triu_indices(len(q), 1)] = -np.inf
        mixed[:, head] = softmax(scores) @ v[:, head // groups]
    return mixed.reshape(len(q), -1)


class Weights:
    """Named random tensors, rounded to the precision of the file."""

    def __init__(self, random, dtype):
        self.random, self.dtype, self.tensors = random, dtype, {}

    def tensor(self, name, *shape, scale=None, mean=0.0):
        scale = shape[-1] ** -0.5 if scale is None else scale
        values = (mean + scale * self.random.standard_normal(shape)).astype(np.float32)
        if self.dtype == "BF16":
            values = ((values.view(np.uint32) + 0x8000) & 0xFFFF0000).view(np.float32)
        if self.dtype == "F16":
            values = values.astype(np.float16).astype(np.float32)
        self.tensors[name] = values
        return values.astype(np.float64)

    def bytes(self, name):
        values = self.tensors[name]
        if self.dtype == "BF16":
            return (values.view(np.uint32) >> 16).astype("<u2").tobytes()
        return values.astype("<f2" if self.dtype == "F16" else "<f4").tobytes()

    def write(self, path, names):
        header, at = {"__metadata__": {"format": "pt"}}, 0
        for name in names:
            size = len(self.bytes(name))
            header[name] = {"dtype": self.dtype, "shape": self.tensors[name].shape, "data_offsets": [at, at + size]}
            at += size
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(map(self.bytes, names)))

    def save(self, folder, config, shards):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
        names = list(self.tensors)
        if shards == 1:
            return self.write(folder / "model.safetensors", names)
        files = {}
        for shard in range(shards):
            file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
            self.write(folder / file, names[shard::shards])
            files |= dict.fromkeys(names[shard::shards], file)
        index = {"metadata": {"total_size": 0}, "weight_map": files}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def llama(config, w, tokens, neighbours=False, biases=False):
    width, heads, kv = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    dim, family = config.get("head_dim", width // heads), config["model_type"]
    epsilon, vocabulary = config["rms_norm_eps"], config["vocab_size"]
    scaling = config.get("rope_scaling", {})
    angles = np.arange(len(tokens))[:, None] * frequencies(dim, config["rope_theta"], scaling)
    embedding = w.tensor("model.embed_tokens.weight", vocabulary, width, scale=1.0)
    x = embedding[tokens]

    def norm(name, x, size):
        return rms(x, w.tensor(name, size, scale=0.2, mean=1.0), epsilon)

    def linear(name, x, outputs, bias=False):
        y = x @ w.tensor(name + ".weight", outputs, x.shape[-1]).T
        return y + w.tensor(name + ".bias", outputs, scale=0.3) if bias else y

    def gated(at, names, x, hidden):
        gate, up, down = names
        inner = silu(linear(f"{at}.{gate}", x, hidden)) * linear(f"{at}.{up}", x, hidden)
        return linear(f"{at}.{down}", inner, width)

    def experts(at, x, names, count, hidden, renormalise):
        shares = softmax(linear(f"{at}.gate", x, count))
        outputs = [gated(f"{at}.experts.{n}", names, x, hidden) for n in range(count)]
        mixed = np.zeros_like(x)
        for row, share in enumerate(shares):
            best = sorted(range(count), key=lambda n: -share[n])[: config["num_experts_per_tok"]]
            total = sum(share[n] for n in best) if renormalise else 1.0
            mixed[row] = sum(share[n] / total * outputs[n][row] for n in best)
        return mixed

    hugging = ("gate_proj", "up_proj", "down_proj")
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        h = norm(at + ".input_layernorm.weight", x, width)
        q = linear(at + ".self_attn.q_proj", h, heads * dim, biases).reshape(-1, heads, dim)
        k = linear(at + ".self_attn.k_proj", h, kv * dim, biases).reshape(-1, kv, dim)
        v = linear(at + ".self_attn.v_proj", h, kv * dim, biases).reshape(-1, kv, dim)
        if family.startswith("qwen3"):
            q, k = norm(at + ".self_attn.q_norm.weight", q, dim), norm(at + ".self_attn.k_norm.weight", k, dim)
        mixed = attend(rotate(q, angles, neighbours), rotate(k, angles, neighbours), v)
        x = x + linear(at + ".self_attn.o_proj", mixed, width)
        h = norm(at + ".post_attention_layernorm.weight", x, width)
        if family == "mixtral":
            names = ("w1", "w3", "w2")
            y = experts(at + ".block_sparse_moe", h, names, config["num_local_experts"], config["intermediate_size"], True)
        elif family.endswith("_moe") and layer not in config.get("mlp_only_layers", []):
            count, hidden = config["num_experts"], config["moe_intermediate_size"]
            y = experts(at + ".mlp", h, hugging, count, hidden, config["norm_topk_prob"])
            if shared := config.get("shared_expert_intermediate_size"):
                share = 1 / (1 + np.exp(-linear(at + ".mlp.shared_expert_gate", h, 1)))
                y = y + share * gated(at + ".mlp.shared_expert", hugging, h, shared)
        else:
            y = gated(at + ".mlp", hugging, h, config["intermediate_size"])
        x = x + y
    x = norm("model.norm.weight", x, width)
    return x @ (embedding if config["tie_word_embeddings"] else w.tensor("lm_head.weight", vocabulary, width)).T


def gpt2(config, w, tokens, prefix):
    width, heads, epsilon = config["n_embd"], config["n_head"], config["layer_norm_epsilon"]
    embedding = w.tensor(prefix + "wte.weight", config["vocab_size"], width, scale=1.0)
    x = embedding[tokens] + w.tensor(prefix + "wpe.weight", config["n_positions"], width, scale=0.5)[: len(tokens)]

    def norm(name, x):
        weight = w.tensor(name + ".weight", width, scale=0.2, mean=1.0)
        return layer_norm(x, weight, w.tensor(name + ".bias", width, scale=0.2), epsilon)

    def linear(name, x, outputs):
        weight = w.tensor(name + ".weight", x.shape[-1], outputs, scale=x.shape[-1] ** -0.5)
        return x @ weight + w.tensor(name + ".bias", outputs, scale=0.2)

    for layer in range(config["n_layer"]):
        at = f"{prefix}h.{layer}"
        fused = linear(at + ".attn.c_attn", norm(at + ".ln_1", x), 3 * width)
        q, k, v = (part.reshape(-1, heads, width // heads) for part in np.split(fused, 3, axis=-1))
        x = x + linear(at + ".attn.c_proj", attend(q, k, v), width)
        inner = linear(at + ".mlp.c_fc", norm(at + ".ln_2", x), config["n_inner"] or 4 * width)
        inner = gelu(inner) if config["activation_function"] == "gelu" else gelu_tanh(inner)
        x = x + linear(at + ".mlp.c_proj", inner, width)
    return norm(prefix + "ln_f", x) @ embedding.T


def llama2c(config, w, path, tied):
    """Writes a checkpoint of version 0; the names are those of the other format."""
    layers = config["num_hidden_layers"]
    heads, kv, width = config["num_attention_heads"], config["num_key_value_heads"], config["hidden_size"]
    vocabulary, context = config["vocab_size"], config["max_position_embeddings"]
    header = [width, config["intermediate_size"], layers, heads, kv, vocabulary if tied else -vocabulary, context]
    inner = ["input_layernorm", *(f"self_attn.{x}_proj" for x in "qkvo"), "post_attention_layernorm"]
    inner += ["mlp.gate_proj", "mlp.down_proj", "mlp.up_proj"]
    names = ["model.embed_tokens.weight"]
    names += [f"model.layers.{layer}.{part}.weight" for part in inner for layer in range(layers)] + ["model.norm.weight"]
    data = np.array(header, "<i4").tobytes() + b"".join(map(w.bytes, names))
    data += np.zeros(context * (width // heads), "<f4").tobytes()
    path.parent.mkdir(parents=True)
    path.write_bytes(data + (b"" if tied else w.bytes("lm_head.weight")))


LLAMA = {
    "model_type": "llama", "hidden_size": 200, "num_hidden_layers": 5, "num_attention_heads": 5, "num_key_value_heads": 1,
    "intermediate_size": 333, "vocab_size": 97, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "tie_word_embeddings": False, "hidden_act": "silu",
}  # fmt: skip
SMALL = {**LLAMA, "hidden_size": 60, "num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2, "intermediate_size": 37}
EXPERTS = {**SMALL, "num_experts": 7, "num_experts_per_tok": 3, "moe_intermediate_size": 19}
STRETCHED = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16,
}  # fmt: skip
GPT2 = {
    "model_type": "gpt2", "n_embd": 84, "n_head": 7, "n_layer": 3, "n_positions": 40, "vocab_size": 101, "n_inner": None,
    "layer_norm_epsilon": 1e-5, "activation_function": "gelu_new",
}  # fmt: skip
# Name, precision, number of files, configuration, options of the forward pass.
CASES = [
    ("llama", "F32", 1, LLAMA, {}),
    ("llama3", "BF16", 3, {**SMALL, "rope_theta": 500000.0, "rope_scaling": STRETCHED, "tie_word_embeddings": True}, {}),
    ("mistral", "F16", 2, {**SMALL, "model_type": "mistral", "head_dim": 14, "rope_scaling": {"rope_type": "linear", "factor": 3.0}}, {}),
    ("qwen2", "F32", 1, {**SMALL, "model_type": "qwen2"}, {"biases": True}),
    ("qwen3", "BF16", 1, {**SMALL, "model_type": "qwen3", "head_dim": 18}, {}),
    ("mixtral", "F32", 2, {**SMALL, "model_type": "mixtral", "num_local_experts": 5, "num_experts_per_tok": 2}, {}),
    ("qwen2_moe", "F32", 1, {**EXPERTS, "model_type": "qwen2_moe", "norm_topk_prob": False, "shared_expert_intermediate_size": 23,
                             "mlp_only_layers": [0]}, {"biases": True}),
    ("qwen3_moe", "F16", 1, {**EXPERTS, "model_type": "qwen3_moe", "norm_topk_prob": True}, {}),
]  # fmt: skip


def main():
    folder, random = Path(sys.argv[1]), np.random.default_rng(int(sys.argv[2]))

    def record(place, tokens, logits):
        (place / "tokens.bin").write_bytes(tokens.astype("<i4").tobytes())
        (place / "logits.bin").write_bytes(logits.astype("<f8").tobytes())

    for name, dtype, shards, config, options in CASES:
        w, tokens = Weights(random, dtype), random.integers(0, config["vocab_size"], TOKENS)
        logits = llama(config, w, tokens, **options)
        w.save(folder / name, config, shards)
        record(folder / name, tokens, logits)
    for prefix, act, inner in [("", "gelu_new", None), ("transformer.", "gelu", 55)]:
        config = {**GPT2, "activation_function": act, "n_inner": inner}
        w, tokens = Weights(random, "F32" if prefix else "F16"), random.integers(0, 101, TOKENS)
        logits = gpt2(config, w, tokens, prefix)
        name = "gpt2_" + act
        w.save(folder / name, config, 1)
        record(folder / name, tokens, logits)
    for name, tied in [("llama2c", True), ("llama2c_head", False)]:
        config = {**SMALL, "tie_word_embeddings": tied}
        w, tokens = Weights(random, "F32"), random.integers(0, 97, TOKENS)
        logits = llama(config, w, tokens, neighbours=True)
        llama2c(config, w, folder / name / "model.bin", tied)
        record(folder / name, tokens, logits)


if __name__ == "__main__":
    main()
