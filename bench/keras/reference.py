"""
Makes reference.json: what Keras computes, in float64, of every layer and setting that Isobatch trains. Nothing of
TensorFlow.js takes part: the cases come from cases.py, all numbers from the generator below.

    python bench/keras/reference.py

with a Python that has TensorFlow 2.21 and Keras 3.15 (the one that `isobatch tensorflow install` makes, or a virtual
environment with `pip install tensorflow-cpu`). It takes minutes and writes bench/keras/reference.json.

Of a case's output and of the gradients of sum(weight * output) for the inputs and for each weight, the file holds sums
with random factors ("projections"): an error in any element shows in them.
"""

import json
import os
import pathlib

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from build import build_model  # noqa: E402
from cases import all_cases  # noqa: E402

BATCH = 3
PROJECTIONS = 2


def numbers(name, size):
    """Numbers in [-1, 1) that are exact in float32, by name: FNV-1a seeds a linear congruential generator."""
    seed = 2166136261
    for byte in name.encode():
        seed = ((seed ^ byte) * 16777619) % 2**32
    values = np.empty(size)
    for i in range(size):
        seed = (seed * 1664525 + 1013904223) % 2**32
        values[i] = (seed >> 8) / 2**23 - 1
    return values


def input_values(case, i, spec):
    shape = [BATCH, *spec["shape"]]
    values = numbers(f"{case['name']}/input {i}", int(np.prod(shape))).reshape(shape)
    if "tokens" in spec:
        return np.floor((values + 1) / 2 * spec["tokens"]).astype("int32")
    if spec.get("absent"):
        # Entire steps of zeros, which Masking masks.
        steps = numbers(f"{case['name']}/absent {i}", shape[0] * shape[1]).reshape(shape[:2])
        values[steps < -0.4] = 0
    return values


def projections(case, name, tensor):
    flat = np.asarray(tensor, dtype="float64").reshape(-1)
    sums = [numbers(f"{case['name']}/{name}/{k}", flat.size) @ flat for k in range(PROJECTIONS)]
    assert np.all(np.isfinite(sums)), (case, name)
    return [float(f"{value:.8g}") for value in sums]


def weight_values(case, k, weight):
    values = numbers(f"{case['name']}/weight {k}", int(np.prod(weight.shape))).reshape(weight.shape)
    # A variance is positive.
    return values + 1.5 if weight.name == "moving_variance" else values


def reference(case):
    model, weights, statistics = build_model(case)
    for k, weight in enumerate([*weights, *statistics]):
        weight.assign(weight_values(case, k, weight))
    inputs = [tf.constant(input_values(case, i, spec)) for i, spec in enumerate(case["inputs"])]
    real = [x for x in inputs if x.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(real)
        y = model(inputs if len(inputs) > 1 else inputs[0], training=case.get("training", True))
        factors = numbers(f"{case['name']}/loss", int(np.prod(y.shape))).reshape(y.shape)
        loss = tf.reduce_sum(y * factors)
    sources = [weight.value for weight in weights] + real
    gradients = tape.gradient(loss, sources, unconnected_gradients="zero")
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    return {
        "shape": list(y.shape)[1:],
        "output": projections(case, "output", y),
        "gradients": [projections(case, f"gradient {k}", gradient) for k, gradient in enumerate(gradients)],
    }


LOSSES = {
    "softmaxCrossEntropy": lambda smoothing: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
    "binaryCrossEntropy": lambda _: keras.losses.BinaryCrossentropy(from_logits=True),
    "meanSquaredError": lambda _: keras.losses.MeanSquaredError(),
}


def masked_loss(loss, shape, smoothing):
    """A loss whose outputs have a mask, as when Keras trains; all axes but the output's last one are masked."""
    case = {"name": f"loss {loss} {shape} {smoothing}", "loss": loss, "shape": shape, "labelSmoothing": smoothing}
    outputs = tf.constant(3 * numbers(f"{case['name']}/outputs", BATCH * int(np.prod(shape))).reshape([BATCH, *shape]))
    rows = [BATCH, *shape[:-1]]
    mask = numbers(f"{case['name']}/mask", int(np.prod(rows))).reshape(rows) > -0.3
    if loss == "softmaxCrossEntropy":
        classes = np.floor((numbers(f"{case['name']}/labels", int(np.prod(rows))) + 1) / 2 * shape[-1]).astype(int)
        labels = np.eye(shape[-1])[classes].reshape([*rows, shape[-1]])
    else:
        labels = numbers(f"{case['name']}/labels", BATCH * int(np.prod(shape))).reshape([BATCH, *shape])
        labels = labels > 0 if loss == "binaryCrossEntropy" else labels
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        given = tf.identity(outputs)
        keras.src.backend.set_keras_mask(given, tf.constant(mask))
        value = LOSSES[loss](smoothing)(tf.constant(labels, "float64"), given)
    gradient = projections(case, "gradient", tape.gradient(value, outputs))
    return {**case, "value": float(f"{float(value):.8g}"), "gradient": gradient}


def main():
    keras.backend.set_floatx("float64")
    lines = []
    names = set()
    for case in all_cases():
        assert case["name"] not in names, case["name"]
        names.add(case["name"])
        lines.append(json.dumps({**case, **reference(case)}, separators=(",", ":")))
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "batch": BATCH, "projections": PROJECTIONS}
    head = json.dumps(versions, separators=(",", ":"))[:-1]
    path = pathlib.Path(__file__).with_name("reference.json")
    losses = [
        masked_loss(loss, shape, smoothing)
        for loss, smoothing in [("softmaxCrossEntropy", 0), ("softmaxCrossEntropy", 0.2), ("binaryCrossEntropy", 0), ("meanSquaredError", 0)]
        for shape in [[4], [5, 4], [2, 3, 4]]
    ]
    ends = ',"losses":[\n' + ",\n".join(json.dumps(loss, separators=(",", ":")) for loss in losses) + "\n]}\n"
    path.write_text(head + ',"cases":[\n' + ",\n".join(lines) + "\n]" + ends)
    print(f"{path}: {len(lines)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
