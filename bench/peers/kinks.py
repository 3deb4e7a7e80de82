"""Outputs and gradients of Keras 3 on TensorFlow where functions have kinks and where elements are equal: the expected values
of backends/kinks.test.json, which `python bench/peers/kinks.py > backends/kinks.test.json` and then `npm run
format` write. They were made with TensorFlow 2.21.0 and Keras 3.15.1 on a CPU.

Three kinds are written out instead of taken from Keras: functions that Keras 3 defines otherwise than tfjs (hardSigmoid, and
the epsilon under Dot's norm), with TensorFlow's operations; and pooling over volumes, of which TensorFlow's gradient on a CPU
counts each of several equal maxima: here the first of them has all of it, as in Keras' pooling over images.
"""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import tensorflow as tf

cases = []


def tensor(values):
    array = np.asarray(values, np.float32)
    return {"shape": list(array.shape), "values": [float(f"{value:.9g}") for value in array.ravel()]}


def weights_of(shape):
    """The factors of the output before it is summed up: none is 0, none is equal to its neighbour."""
    return (np.arange(np.prod(shape, dtype=int)) * 7 % 5 / 2 - 0.75).reshape(shape).astype(np.float32)


def case(name, compute, *inputs, layer=None, integers=False):
    """`compute` takes the inputs; `layer`, if it has weights, gets 0.5, -1, 1.5, -2, … for each tensor."""
    given = [tf.Variable(np.asarray(x), dtype=tf.int32 if integers else tf.float32) for x in inputs]
    compute(*given)
    weights = [] if layer is None else layer.trainable_variables
    for weight in weights:
        count = np.prod(weight.shape, dtype=int)
        weight.assign((np.arange(1, count + 1) / 2 * np.where(np.arange(count) % 2, -1, 1)).reshape(weight.shape))
    with tf.GradientTape() as tape:
        y = compute(*given)
        dy = weights_of(y.shape)
        loss = tf.reduce_sum(y * dy)
    variables = ([] if integers else given) + [weight.value for weight in weights]
    gradients = [tf.convert_to_tensor(gradient).numpy() for gradient in tape.gradient(loss, variables)]
    cases.append({
        "name": name,
        "inputs": [tensor(x) for x in inputs],
        "weights": [tensor(weight.numpy()) for weight in weights],
        "outputWeights": tensor(dy),
        "output": tensor(y.numpy()),
        "gradients": [tensor(gradient) for gradient in gradients],
    })


# Kinks at 0, 0.5, 1, 2.5, 3 and 6 among them, and numbers whose exponentials overflow.
POINTS = [[-1e4, -100, -20, -6, -3, -2.5, -1, -0.5, -0.0, 0.0, 0.3, 0.5, 1, 2.5, 3, 6, 7, 20, 100, 1e4]]

for ours, keras_name in {
    "elu": "elu", "selu": "selu", "relu": "relu", "relu6": "relu6", "linear": "linear", "sigmoid": "sigmoid",
    "softplus": "softplus", "softsign": "softsign", "tanh": "tanh", "gelu": "gelu", "mish": "mish", "swish": "silu",
}.items():
    case(f"Activation {ours}", keras.activations.get(keras_name), POINTS)
case("Activation gelu_new", lambda x: keras.activations.gelu(x, approximate=True), POINTS)
case("Activation hardSigmoid", lambda x: tf.clip_by_value(0.5 + 0.2 * x, 0.0, 1.0), POINTS)
case("ReLU", keras.layers.ReLU(), POINTS)
case("ReLU up to 6", keras.layers.ReLU(max_value=6.0), POINTS)
case("ReLU up to 2.5", keras.layers.ReLU(max_value=2.5), POINTS)
case("LeakyReLU", keras.layers.LeakyReLU(negative_slope=0.25), POINTS)
prelu = keras.layers.PReLU()
case("PReLU", prelu, POINTS, layer=prelu)
case("ELU", keras.layers.ELU(), POINTS)
case("ThresholdedReLU", lambda x: x * tf.cast(x > 1.0, tf.float32), POINTS)

PLATEAUS = [[0, 0, 0], [1e4, 1e4, -1e4], [-7, -7, -7], [1e4, 0, 0]]
case("Activation softmax", keras.activations.softmax, PLATEAUS)
case("Activation logSoftmax", keras.activations.log_softmax, PLATEAUS)
case("Softmax", keras.layers.Softmax(), PLATEAUS)

TIED = [[1, 2, 0, -1], [0, 0, -3, -3]]
OTHER = [[1, 1, 0, 2], [0, -1, -3, 5]]
case("Maximum", lambda *x: keras.layers.Maximum()(x), TIED, OTHER)
case("Minimum", lambda *x: keras.layers.Minimum()(x), TIED, OTHER)
case("Maximum of three", lambda *x: keras.layers.Maximum()(x), TIED, OTHER, TIED)
case("Minimum of three", lambda *x: keras.layers.Minimum()(x), OTHER, TIED, TIED)
case("Maximum, broadcast", lambda a, b: tf.maximum(a, b), np.reshape(TIED, (2, 2, 2)), np.reshape(OTHER, (2, 2, 2))[:, :1])
case("Minimum, broadcast", lambda a, b: tf.minimum(a, b), np.reshape(TIED, (2, 2, 2)), np.reshape(OTHER, (2, 2, 2))[:, :1])
case("Multiply", lambda *x: keras.layers.Multiply()(x), TIED, OTHER)


def few(*shape, least=-2, different=3):
    """Few different numbers, 0 among them, so that the maximum occurs more than once in most windows."""
    count = np.prod(shape, dtype=int)
    return (np.arange(count) * np.arange(count) % 7 % different + least).reshape(shape)


for what, values in {"": few(2, 4, 5, 2), " of equal ones": np.zeros((2, 4, 5, 2)), " below zero": few(2, 4, 5, 2, least=-5)}.items():
    case(f"GlobalMaxPooling1D{what}", keras.layers.GlobalMaxPooling1D(), values[:, 0])
    case(f"GlobalMaxPooling2D{what}", keras.layers.GlobalMaxPooling2D(), values)
    case(f"GlobalMaxPooling2D, channels first{what}", keras.layers.GlobalMaxPooling2D(data_format="channels_first"), values)
    case(f"MaxPooling1D{what}", keras.layers.MaxPooling1D(3, 2, "same"), values[:, 0])
    case(f"MaxPooling2D{what}", keras.layers.MaxPooling2D(2), values)
    case(f"MaxPooling2D, overlapping{what}", keras.layers.MaxPooling2D(3, 2, "same"), values)


def first_maxima(x):
    """Windows of 2 x 2 x 2 points, the last ones narrower, in plain loops; the gradient goes to the first maximum."""
    batch, depth, height, width, channels = x.shape
    out = [batch, -(-depth // 2), -(-height // 2), -(-width // 2), channels]
    y, dx, dy = np.zeros(out), np.zeros(x.shape), weights_of(out)
    for n, i, j, k, c in np.ndindex(*out):
        window = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, 2 * k : 2 * k + 2, c]
        a, b, d = np.unravel_index(np.argmax(window), window.shape)
        y[n, i, j, k, c] = window[a, b, d]
        dx[n, 2 * i + a, 2 * j + b, 2 * k + d, c] = dy[n, i, j, k, c]
    return y, dx, dy


for what, values in {"": few(2, 3, 4, 4, 1), " of equal ones": np.zeros((2, 3, 4, 4, 1)), " below zero": few(2, 3, 4, 4, 1, least=-5)}.items():
    y, dx, dy = first_maxima(values)
    assert np.array_equal(y, keras.layers.MaxPooling3D(2, padding="same")(values.astype(np.float32)))
    cases.append({
        "name": f"MaxPooling3D{what}", "inputs": [tensor(values)], "weights": [],
        "outputWeights": tensor(dy), "output": tensor(y), "gradients": [tensor(dx)],
    })

embedding = keras.layers.Embedding(4, 3)
case("Embedding of repeated tokens", embedding, [[1, 1, 1], [2, 1, 2], [2, 2, 2]], layer=embedding, integers=True)
case(
    "Embedding under a global maximum",
    lambda x: keras.layers.GlobalMaxPooling1D()(embedding(x)),
    [[1, 1, 3], [2, 2, 2], [3, 2, 3]], layer=embedding, integers=True,
)
case("L1L2", keras.regularizers.L1L2(l1=0.2, l2=0.3), [[0, 0.5, -0.25], [-0.0, 0, 2]])
case("Masking", keras.layers.Masking(0.0), [[[0, 0], [0, 1], [0, 0]], [[2, 0], [0, 0], [-1, 0]]])

CONSTANT = [[0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0], [-3, -3, -3, -3]]
batch = keras.layers.BatchNormalization()
case("BatchNormalization", lambda x: batch(x, training=True), np.full((5, 3), 0.1), layer=batch)
normalization = keras.layers.LayerNormalization()
case("LayerNormalization", normalization, CONSTANT, layer=normalization)
group = keras.layers.GroupNormalization(2, epsilon=1e-5)
case("GroupNormalization", group, np.reshape(CONSTANT, (3, 1, 4)), layer=group)


def normalized(x):
    return x / tf.sqrt(tf.maximum(tf.reduce_sum(x * x, -1, keepdims=True), 1e-7))


case(
    "Dot, normalized",
    lambda a, b: tf.reduce_sum(normalized(a) * normalized(b), -1, keepdims=True),
    [[0, 0, 0], [0, 0, 0], [1, 2, 3], [1e-5, 0, -1e-5]], [[0, 0, 0], [3, 0, -4], [1, 2, 3], [1, 0, 0]],
)

LABELS = tf.constant([0, 1, 2, 2])
case("softmaxCrossEntropy", lambda x: keras.losses.SparseCategoricalCrossentropy(from_logits=True)(LABELS, x), PLATEAUS)
TARGETS = tf.constant([[0.0, 1, 0, 1], [1, 0, 0, 1]])
case("binaryCrossEntropy", lambda x: keras.losses.BinaryCrossentropy(from_logits=True)(TARGETS, x), [[0, 0, 1e4, -1e4], [-0.0, 0, -1e4, 1e4]])
case("meanSquaredError", lambda x: keras.losses.MeanSquaredError()(TARGETS, x), TARGETS.numpy())

print('{"cases": [\n' + ",\n".join(json.dumps(example) for example in cases) + "\n]}")
