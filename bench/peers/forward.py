"""One forward pass of each built-in model in PyTorch, in a small size, in float64: the expected values of
tasks/models/built-in/forward.test.json, which `python bench/peers/forward.py > tasks/models/built-in/forward.test.json` writes.

Weights and inputs follow a formula, so that both sides have them without a file: number i of tensor k, in the order and
the shapes listed here, is 0.3 sin(1 + 7k + 1.3 i); of a scale 1 more.
"""
import json
import math

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def formula(k, shape, factor=0.3, offset=0.0):
    count = math.prod(shape)
    return torch.tensor([offset + factor * math.sin(1 + 7 * k + 1.3 * i) for i in range(count)]).reshape(shape)


class Weights:
    """Hands out tensors by name in the layout's order, and remembers their names and shapes."""

    def __init__(self):
        self.names, self.shapes, self.tensors = [], [], {}

    def add(self, name, *shape):
        k = len(self.names)
        self.names.append(name)
        self.shapes.append(list(shape))
        self.tensors[name] = formula(k, shape, offset=1.0 if name.endswith("gamma") else 0.0)

    def __getitem__(self, name):
        return self.tensors[name]


def resnet(width, classes):
    w = Weights()

    def norm_weights(name, channels):
        w.add(f"{name}_norm/gamma", channels)
        w.add(f"{name}_norm/beta", channels)

    w.add("stem/kernel", 3, 3, 3, width)
    norm_weights("stem", width)
    plan, channels = [], width
    for stage, factor in enumerate([1, 2, 4, 8], 1):
        for block in (1, 2):
            name, filters = f"stage{stage}_block{block}", factor * width
            stride = 2 if stage > 1 and block == 1 else 1
            projects = channels != filters
            w.add(f"{name}_conv1/kernel", 3, 3, channels, filters)
            norm_weights(f"{name}_conv1", filters)
            w.add(f"{name}_conv2/kernel", 3, 3, filters, filters)
            if projects:
                w.add(f"{name}_shortcut/kernel", 1, 1, channels, filters)
            norm_weights(f"{name}_conv2", filters)
            if projects:
                norm_weights(f"{name}_shortcut", filters)
            plan.append((name, stride, projects))
            channels = filters
    w.add("classes/kernel", channels, classes)
    w.add("classes/bias", classes)

    def convolve(x, name, stride):
        kernel = w[f"{name}/kernel"].permute(3, 2, 0, 1)
        size = kernel.shape[-1]
        # TensorFlow's "same" padding: the larger half comes after.
        total = max(0, size - stride) if x.shape[-1] % stride == 0 else size - 1
        before = total // 2
        x = F.pad(x, (before, total - before, before, total - before))
        x = F.conv2d(x, kernel, stride=stride)
        return F.batch_norm(x, None, None, w[f"{name}_norm/gamma"], w[f"{name}_norm/beta"], training=True, eps=1e-5)

    x = formula(1000, (2, 8, 8, 3), 1.0).permute(0, 3, 1, 2)
    x = F.relu(convolve(x, "stem", 1))
    for name, stride, projects in plan:
        y = convolve(F.relu(convolve(x, f"{name}_conv1", stride)), f"{name}_conv2", 1)
        x = F.relu(y + (convolve(x, f"{name}_shortcut", stride) if projects else x))
    return w, x.mean((2, 3)) @ w["classes/kernel"] + w["classes/bias"]


def block_weights(w, i, width, mlp, bias):
    for name, shape in [
        ("norm1/gamma", (width,)), ("norm1/beta", (width,)),
        ("attention/kernel", (width, 3 * width)), ("attention/bias", (3 * width,)),
        ("attention/output_kernel", (width, width)), ("attention/output_bias", (width,)),
        ("norm2/gamma", (width,)), ("norm2/beta", (width,)),
        ("mlp1/kernel", (width, mlp)), ("mlp1/bias", (mlp,)), ("mlp2/kernel", (mlp, width)), ("mlp2/bias", (width,)),
    ]:
        if bias or not name.endswith(("bias", "beta")):
            w.add(f"block{i}_{name}", *shape)


def block(w, i, x, heads, bias, causal):
    def get(name):
        return w[f"block{i}_{name}"] if bias or not name.endswith(("bias", "beta")) else 0.0

    def norm(x, n):
        return F.layer_norm(x, x.shape[-1:], eps=1e-5) * get(f"norm{n}/gamma") + get(f"norm{n}/beta")

    batch, length, width = x.shape
    qkv = norm(x, 1) @ get("attention/kernel") + get("attention/bias")
    q, k, v = (part.reshape(batch, length, heads, -1).transpose(1, 2) for part in qkv.chunk(3, -1))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).reshape(batch, length, width)
    x = x + mixed @ get("attention/output_kernel") + get("attention/output_bias")
    hidden = F.gelu(norm(x, 2) @ get("mlp1/kernel") + get("mlp1/bias"))
    return x + hidden @ get("mlp2/kernel") + get("mlp2/bias")


def vit(layers, heads, width, mlp, patch, classes):
    w = Weights()
    w.add("patches/kernel", patch, patch, 3, width)
    w.add("patches/bias", width)
    w.add("class_token/embeddings", 1, 1, width)
    count = (8 // patch) ** 2
    w.add("positions/embeddings", count + 1, width)
    for i in range(1, layers + 1):
        block_weights(w, i, width, mlp, True)
    w.add("norm/gamma", width)
    w.add("norm/beta", width)
    w.add("classes/kernel", width, classes)
    w.add("classes/bias", classes)
    images = formula(1000, (2, 8, 8, 3), 1.0).permute(0, 3, 1, 2)
    x = F.conv2d(images, w["patches/kernel"].permute(3, 2, 0, 1), w["patches/bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([w["class_token/embeddings"].expand(2, 1, width), x], 1) + w["positions/embeddings"]
    for i in range(1, layers + 1):
        x = block(w, i, x, heads, True, False)
    x = F.layer_norm(x, (width,), w["norm/gamma"], w["norm/beta"], 1e-5)
    return w, x[:, 0] @ w["classes/kernel"] + w["classes/bias"]


def gpt(layers, heads, width, context, vocabulary):
    w = Weights()
    w.add("tokens/embeddings", vocabulary, width)
    w.add("positions/embeddings", context, width)
    for i in range(1, layers + 1):
        block_weights(w, i, width, 4 * width, False)
    w.add("norm/gamma", width)
    tokens = torch.tensor([[(3 * b + i * i) % vocabulary for i in range(context)] for b in range(2)])
    x = F.embedding(tokens, w["tokens/embeddings"]) + w["positions/embeddings"]
    for i in range(1, layers + 1):
        x = block(w, i, x, heads, False, True)
    x = F.layer_norm(x, (width,), w["norm/gamma"], None, 1e-5)
    return w, x @ w["tokens/embeddings"].T


models = {
    "resnet18": (resnet(width=2, classes=3), {"kind": "resnet18", "width": 2}),
    "vit": (vit(2, 2, 8, 16, 4, 3), {"kind": "vit", "layers": 2, "heads": 2, "width": 8, "patch": 4, "mlpWidth": 16}),
    "gpt": (gpt(2, 2, 8, 5, 7), {"kind": "gpt", "layers": 2, "heads": 2, "width": 8, "dropout": 0}),
}
print(json.dumps({
    "pytorch": torch.__version__,
    "models": {
        name: {
            "model": model,
            "tensors": [{"name": n, "shape": s} for n, s in zip(w.names, w.shapes)],
            "output": [float(f"{value:.9g}") for value in out.flatten().tolist()],
        }
        for name, ((w, out), model) in models.items()
    },
}))
