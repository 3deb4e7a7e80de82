"""Trains one of the models on MNIST with DistributedDataParallel, for `npm run bench -- peers`, and prints its step times in JSON.

    torchrun --standalone --nproc-per-node 2 ddp.py --model mlp --batch 64 --steps 120 --warm-up 20 --threads 1 --data FOLDER

As one would write it for a few CPUs: gloo, the fused AdamW, the data set as bytes in memory, of which each step copies its
batch. In a single process there is nothing to reduce, and the model is trained as it is.
"""
import argparse
import json
import os
import statistics
import time

import torch
import torch.distributed as dist
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from models import MODELS

IMAGES_HEADER, LABELS_HEADER = 16, 8


def read_idx(folder: str, name: str, header: int) -> torch.Tensor:
    with open(os.path.join(folder, name), "rb") as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--batch", type=int, required=True, help="samples of one process in a step")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--warm-up", type=int, required=True, help="steps before the first one that counts")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--data", required=True, help="the folder of MNIST's IDX files")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()

    model = MODELS[options.model]()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if world > 1:
        model = DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    shape = (1, 28, 28) if options.model == "cnn" else (784,)
    images = read_idx(options.data, "train-images-idx3-ubyte", IMAGES_HEADER).view(-1, *shape)
    labels = read_idx(options.data, "train-labels-idx1-ubyte", LABELS_HEADER).long()
    order = torch.randperm(len(images)).repeat(1 + options.steps * world * options.batch // len(images))
    mine = order[rank::world]

    losses, times = [], []
    for step in range(options.steps):
        if step == options.warm_up:
            measured_from = time.perf_counter()
        start = time.perf_counter()
        batch = mine[step * options.batch : (step + 1) * options.batch]
        x, y = images[batch].float().div_(255), labels[batch]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        times.append(1000 * (time.perf_counter() - start))
    wall = 1000 * (time.perf_counter() - measured_from) / (options.steps - options.warm_up)

    if rank == 0:
        print(json.dumps({
            "version": torch.__version__, "parameters": parameters,
            "stepMs": statistics.median(times[options.warm_up:]), "wallMs": wall, "losses": losses,
        }))
    dist.destroy_process_group()


main()
