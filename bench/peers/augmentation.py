"""AutoAugment's operations in torchvision and Pillow on one small image: the expected values of
tasks/augmentation/augmentation.test.json, which `python bench/peers/augmentation.py > FILE` writes.
"""
import json

import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import AutoAugment, AutoAugmentPolicy, InterpolationMode
from torchvision.transforms.autoaugment import _apply_op

HEIGHT, WIDTH = 16, 16
pixels = bytes((7 * i * i + 13 * i + (i // 48) * 40) % 200 + 20 for i in range(HEIGHT * WIDTH * 3))
image = Image.frombytes("RGB", (WIDTH, HEIGHT), pixels)
policy = AutoAugment(AutoAugmentPolicy.CIFAR10)
space = policy._augmentation_space(10, (HEIGHT, WIDTH))
cases = {}
for pair in policy.policies:
    for name, _, level in pair:
        magnitudes, signed = space[name]
        for sign in (1, -1) if signed else (1,):
            magnitude = sign * float(magnitudes[level].item()) if level is not None else 0.0
            out = _apply_op(image, name, magnitude, interpolation=InterpolationMode.NEAREST, fill=None)
            cases[(name, level or 0, sign)] = out.tobytes().hex()
print(json.dumps({
    "torchvision": torchvision.__version__, "pillow": PIL.__version__, "height": HEIGHT, "width": WIDTH,
    "image": pixels.hex(), "policy": [[[name, p] if level is None else [name, p, level] for name, p, level in pair] for pair in policy.policies],
    "cases": [{"name": n, "level": l, "sign": s, "bytes": b} for (n, l, s), b in cases.items()],
}))
