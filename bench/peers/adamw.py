"""torch.optim.AdamW in float64 on a few numbers: the expected values of shared/optimizer/adamw.test.json, which
`python bench/peers/adamw.py > FILE` writes.
"""
import json
import math

import torch

PARAMETERS, STEPS, WARMUP = 12, 60, 10
options = {"lr": 1e-2, "betas": (0.9, 0.99), "eps": 1e-6, "weight_decay": 0.1}
generator = torch.Generator().manual_seed(1)


def float32(shape, scale=1.0):
    """Numbers that float32 holds exactly."""
    return (torch.randn(shape, generator=generator) * scale).double()


# From gradients far below epsilon to large ones.
scales = torch.logspace(-8, 1, PARAMETERS, dtype=torch.float32)
gradients = float32((STEPS, PARAMETERS), scales) + (0.3 * scales).double()
gradients = gradients.float().double()
start = float32((PARAMETERS,))
theta = torch.nn.Parameter(start.clone())
optimizer = torch.optim.AdamW([theta], **options)
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: step / WARMUP if step < WARMUP else (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2
)
states = []
for step, gradient in enumerate(gradients, 1):
    theta.grad = gradient.clone()
    optimizer.step()
    schedule.step()
    if step in (1, 2, WARMUP, STEPS // 2, STEPS):
        state = optimizer.state[theta]
        states.append({
            "step": step, "theta": theta.tolist(), "m": state["exp_avg"].tolist(), "v": state["exp_avg_sq"].tolist(),
        })
print(json.dumps({
    "pytorch": torch.__version__, "steps": STEPS, "warmup": WARMUP, "learningRate": options["lr"],
    "beta1": options["betas"][0], "beta2": options["betas"][1], "epsilon": options["eps"],
    "weightDecay": options["weight_decay"], "start": start.tolist(), "gradients": gradients.tolist(), "states": states,
}))
