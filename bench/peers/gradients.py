"""The gradient of one micro-batch in PyTorch, for `npm run bench -- pytorch`: the same models and shapes as bench/models.ts.

Reads one request a line, {"model": NAME, "warmUp": N, "measured": N}, and answers each with {"ms": [...]}: the time of every
measured forward and backward pass, gradients of all parameters left in memory. One thread. The first line has the version.
"""
import json
import sys
import time

import torch
from torch.nn import functional as F

from models import CLASSES, MODELS, VOCABULARY

torch.set_num_threads(1)
torch.manual_seed(1)


def images(batch: int, *shape: int):
    return torch.rand(batch, *shape), torch.randint(CLASSES, (batch,))


def characters(batch: int, context: int):
    return torch.randint(VOCABULARY, (batch, context)), torch.randint(VOCABULARY, (batch * context,))


INPUTS = {
    "mlp": lambda: images(64, 784),
    "mlp-10m": lambda: images(32, 784),
    "cnn": lambda: images(64, 1, 28, 28),
    "resnet18": lambda: images(32, 3, 32, 32),
    "gpt": lambda: characters(16, 128),
}

print(json.dumps({"version": torch.__version__}), flush=True)
made = {}
for line in sys.stdin:
    request = json.loads(line)
    name = request["model"]
    if name not in made:
        made[name] = (MODELS[name](), *INPUTS[name]())
    model, x, labels = made[name]
    times = []
    for i in range(request["warmUp"] + request["measured"]):
        start = time.perf_counter()
        model.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        loss.item()
        if i >= request["warmUp"]:
            times.append(1000 * (time.perf_counter() - start))
    print(json.dumps({"ms": times, "parameters": sum(p.numel() for p in model.parameters())}), flush=True)
