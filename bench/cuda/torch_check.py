"""PyTorch on the same device, for `npm run check:cuda`: gradients of single micro-batches, and whole training loops.

    python torch_check.py '{"runs": 30, "endsAt": …, "gradients": […], "loops": […]}'

A model is {"name", "kind", "batch", …its sizes}; a loop is a model with "microBatches" and "steps". The models are those of
../peers/models.py. It prints one line of JSON for each result. Without a GPU it computes on one thread, and there is no TF32.

A gradient is timed as a worker of a parameter server needs it: the samples come from pinned memory, and the gradients of all
parameters end up in pinned memory; "inPlaceMs" leaves them on the device. A loop is PyTorch's own training as its users write it,
with the fused AdamW and samples uploaded as bytes from pinned memory. A step of several micro-batches is computed both at once and
one by one with accumulated gradients.
"""
import json
import os
import statistics
import sys
import time

import torch
from torch.nn import functional as F

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))
from models import CLASSES, VOCABULARY, Gpt, Vit, cnn, mlp, resnet18  # noqa: E402

OPTIONS = json.loads(sys.argv[1])
CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda" if CUDA else "cpu")
WARM_UP = 10 if CUDA else 2
if not CUDA:
    torch.set_num_threads(1)
torch.manual_seed(1)


def say(**line):
    print(json.dumps(line), flush=True)


def synchronize():
    if CUDA:
        torch.cuda.synchronize()


def build(spec):
    kind = spec["kind"]
    if kind == "mlp":
        return torch.nn.Sequential(torch.nn.Flatten(), *mlp(spec["units"]))
    if kind == "cnn":
        return cnn()
    if kind == "resnet18":
        return resnet18(spec["width"])
    if kind == "gpt":
        sizes = [spec[name] for name in ("layers", "heads", "width", "context")]
        return Gpt(*sizes, dropout=spec.get("dropout", 0.0))
    if kind == "vit":
        return Vit(*[spec[name] for name in ("layers", "heads", "width")])
    raise ValueError(f"there is no model {kind}")


def samples(spec, count):
    """Bytes, and the classes of each sample or position."""
    if spec["kind"] == "gpt":
        shape = (count, spec["context"])
        x, labels = torch.randint(VOCABULARY, shape, dtype=torch.uint8), torch.randint(VOCABULARY, shape)
    else:
        shape = (1, 28, 28) if spec["kind"] in ("mlp", "cnn") else (3, 32, 32)
        x, labels = torch.randint(256, (count, *shape), dtype=torch.uint8), torch.randint(CLASSES, (count,))
    return (x.pin_memory(), labels.pin_memory()) if CUDA else (x, labels)


def loss_of(spec, model, x, labels):
    x, labels = x.to(DEVICE, non_blocking=True), labels.to(DEVICE, non_blocking=True)
    x = x.int() if spec["kind"] == "gpt" else x.float().div_(255)
    return F.cross_entropy(model(x), labels.flatten())


def set_tf32(on):
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on


def gradient(spec):
    model = build(spec).to(DEVICE).train()
    x, labels = samples(spec, spec["batch"])
    parameters = list(model.parameters())
    count = sum(parameter.numel() for parameter in parameters)
    host = torch.empty(count, pin_memory=CUDA)

    def compute():
        model.zero_grad(set_to_none=True)
        loss = loss_of(spec, model, x, labels)
        loss.backward()
        return loss

    def to_host():
        loss = compute()
        host.copy_(torch.cat([parameter.grad.reshape(-1) for parameter in parameters]), non_blocking=True)
        return loss.item()

    for precision in ("float32", "tf32") if CUDA else ("float32",):
        set_tf32(precision == "tf32")
        times, in_place = times_of(to_host), times_of(compute)
        say(kind="gradient", model=spec["name"], precision=precision, parameters=count, batch=spec["batch"],
            ms=statistics.median(times), fastestMs=min(times), runs=len(times), inPlaceMs=statistics.median(in_place))


def times_of(compute):
    times = []
    for _ in range(WARM_UP):
        compute()
    for _ in range(OPTIONS["runs"]):
        synchronize()
        start = time.perf_counter()
        compute()
        synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return times


def loop(spec, at_once):
    set_tf32(False)
    batch, micro_batches, steps = spec["batch"], spec["microBatches"], spec["steps"]
    rows, parts = (batch * micro_batches, 1) if at_once else (batch, micro_batches)
    model = build(spec).to(DEVICE).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    batches = [samples(spec, rows) for _ in range(4)]

    def step(number):
        optimizer.zero_grad(set_to_none=True)
        for part in range(parts):
            loss = loss_of(spec, model, *batches[(number + part) % len(batches)]) / parts
            loss.backward()
        optimizer.step()

    for number in range(min(WARM_UP, steps)):
        step(number)
    synchronize()
    start = time.perf_counter()
    for number in range(steps):
        step(number)
    synchronize()
    seconds = time.perf_counter() - start
    memory = torch.cuda.max_memory_allocated() / 2**20 if CUDA else None
    say(kind="loop", task=spec["name"], atOnce=at_once, samplesPerSecond=steps * batch * micro_batches / seconds,
        stepMs=1000 * seconds / steps, steps=steps, memoryMiB=memory)


def attempt(name, compute, *arguments):
    if time.time() * 1000 > OPTIONS["endsAt"]:
        say(kind="failed", name=name, reason="no time was left")
        return
    try:
        compute(*arguments)
    except Exception as error:  # noqa: BLE001: one model's failure must not cost the others
        say(kind="failed", name=name, reason=f"{type(error).__name__}: {error}".split("\n")[0][:300])
    if CUDA:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


say(kind="opened", version=torch.__version__, cuda=torch.version.cuda,
    cudnn=torch.backends.cudnn.version() if CUDA else None,
    device=torch.cuda.get_device_name() if CUDA else "cpu, one thread")
for spec in OPTIONS["gradients"]:
    attempt(spec["name"], gradient, spec)
for spec in OPTIONS["loops"]:
    for at_once in (True, False) if spec["microBatches"] > 1 else (True,):
        attempt(spec["name"], loop, spec, at_once)
