"""Builds a case's model in Keras. What Keras can't compute on a CPU is spelled out in Keras' or TensorFlow's operations."""

import re

import keras
import tensorflow as tf

L = keras.layers
ops = keras.ops


def snake(name):
    return re.sub(r"([A-Z])", lambda match: "_" + match.group(1).lower(), name)


@keras.saving.register_keras_serializable("isobatch", "hard_sigmoid_2")
def hard_sigmoid_2(x):
    """As TensorFlow.js and Keras 2 define it; Keras 3 has x/6 + 1/2."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


ACTIVATIONS = {
    "hardSigmoid": hard_sigmoid_2,
    "logSoftmax": keras.activations.log_softmax,
    "gelu": lambda x: keras.activations.gelu(x, approximate=False),
    "swish": keras.activations.silu,
}


def activation(name):
    return ACTIVATIONS.get(name, name)


# TensorFlow.js's defaults where they differ from those of Keras 3.
DEFAULTS = {
    "LSTM": {"recurrentActivation": "hardSigmoid"},
    "LSTMCell": {"recurrentActivation": "hardSigmoid"},
    "GRU": {"recurrentActivation": "hardSigmoid", "resetAfter": False},
    "GRUCell": {"recurrentActivation": "hardSigmoid", "resetAfter": False},
    "ConvLSTM2D": {"recurrentActivation": "hardSigmoid"},
    "LayerNormalization": {"epsilon": 1e-3},
    "LeakyReLU": {"alpha": 0.3},
    "BatchNormalization": {"epsilon": 1e-3},
}

RENAMED = {"LeakyReLU": {"alpha": "negative_slope"}, "Dot": {}}


def settings(spec):
    """A layer's configuration in Keras' terms."""
    className = spec["layer"]
    config = {**DEFAULTS.get(className, {}), **spec}
    made = {}
    for key, value in config.items():
        if key in ("layer", "of", "dataFormat", "unroll", "implementation"):
            continue
        if key in ("activation", "recurrentActivation"):
            value = activation(value)
        if value in ("oneHot", "multiHot"):
            value = snake(value)
        made[RENAMED.get(className, {}).get(key, snake(key))] = value
    return made


class Written(L.Layer):
    """A layer defined by given weights and arithmetic."""

    def __init__(self, shapes, compute, supports_masking=False):
        super().__init__()
        self.shapes, self.compute = shapes, compute
        self.supports_masking = supports_masking

    def build(self, _):
        self.own = [self.add_weight(shape=shape, name=f"w{i}") for i, shape in enumerate(self.shapes)]

    def call(self, x):
        return self.compute(x, *self.own)


def dilated(kernel, rates):
    """A kernel with zeros between its elements."""
    for axis, rate in enumerate(rates):
        if rate == 1:
            continue
        size = kernel.shape[axis]
        parts = tf.split(kernel, size, axis)
        gap = tf.zeros_like(tf.repeat(parts[0], rate - 1, axis))
        kernel = tf.concat([part for k in range(size) for part in (parts[k], gap)][:-1], axis)
    return kernel


def pair(value, rank):
    return list(value) if isinstance(value, (list, tuple)) else [value] * rank


def convolution(x, kernel, strides, padding, rates):
    kernel = dilated(tf.convert_to_tensor(kernel), rates)
    if len(strides) == 3:
        return convolution3d(x, kernel, strides, padding)
    return tf.nn.convolution(x, kernel, strides, padding.upper())


def convolution3d(x, kernel, strides, padding):
    """Plane by plane: TensorFlow's Keras can't differentiate the operation for volumes eagerly."""
    stride, length, size = strides[0], x.shape[1], kernel.shape[0]
    if padding == "same":
        missing = max((-(-length // stride) - 1) * stride + size - length, 0)
        x = tf.pad(x, [[0, 0], [missing // 2, missing - missing // 2], [0, 0], [0, 0], [0, 0]])
    planes = [
        sum(tf.nn.conv2d(x[:, at + i], kernel[i], strides[1:], padding.upper()) for i in range(size))
        for at in range(0, x.shape[1] - size + 1, stride)
    ]
    return tf.stack(planes, 1)


def depthwise(x, kernel, strides, padding, rates):
    """Channel by channel; output channels in TensorFlow's order, all of an input channel together."""
    kernel = tf.convert_to_tensor(kernel)
    channels = [
        convolution(x[..., c : c + 1], kernel[:, :, c : c + 1, :], strides, padding, rates) for c in range(kernel.shape[2])
    ]
    return tf.concat(channels, -1)


def convolutional(spec, channels):
    """Convolutions are written out, since TensorFlow refuses some strides and dilations on a CPU, and their gradients."""
    className = spec["layer"]
    rank = {"Conv1D": 1, "Conv3D": 3}.get(className, 2)
    sizes = pair(spec["kernelSize"], rank)
    strides, rates = pair(spec.get("strides", 1), rank), pair(spec.get("dilationRate", 1), rank)
    padding = spec.get("padding", "valid")
    multiplier = spec.get("depthMultiplier", 1)
    act = keras.activations.get(activation(spec.get("activation", "linear")))
    if className == "SeparableConv2D":
        shapes = [[*sizes, channels, multiplier], [1, 1, channels * multiplier, spec["filters"]]]
        outputs = spec["filters"]
    elif className == "DepthwiseConv2D":
        shapes = [[*sizes, channels, multiplier]]
        outputs = channels * multiplier
    else:
        shapes = [[*sizes, channels, spec["filters"]]]
        outputs = spec["filters"]
    useBias = spec.get("useBias", True)

    def compute(x, kernel, *rest):
        if className in ("SeparableConv2D", "DepthwiseConv2D"):
            y = depthwise(x, kernel, strides, padding, rates)
            if className == "SeparableConv2D":
                y = convolution(y, rest[0], [1, 1], "valid", [1, 1])
        else:
            y = convolution(x, kernel, strides, padding, rates)
        return act(y + rest[-1] if useBias else y)

    layer = Written(shapes + ([[outputs]] if useBias else []), compute)

    def output_shape(shape):
        zeros = [tf.zeros(of, "float64") for of in [[1, *shape[1:]], *layer.shapes]]
        return (shape[0], *compute(*zeros).shape[1:])

    # TimeDistributed requires it.
    layer.compute_output_shape = output_shape
    return layer


def pool3d(spec):
    """TensorFlow pools volumes in float32 only on a CPU."""
    sizes = pair(spec.get("poolSize", 2), 3)
    strides = pair(spec.get("strides", sizes), 3)
    same = spec.get("padding") == "same"
    largest = spec["layer"] == "MaxPooling3D"

    def window(x, axis, size, stride):
        """The elements of an axis that each place of the window covers, and which of them are within the axis."""
        length = x.shape[axis]
        count = -(-length // stride) if same else (length - size) // stride + 1
        before = max((count - 1) * stride + size - length, 0) // 2 if same else 0
        starts = [[k * stride + i - before for k in range(count)] for i in range(size)]
        return [[(min(max(at, 0), length - 1), 0 <= at < length) for at in part] for part in starts]

    def compute(x):
        parts, inside = [x], [tf.ones_like(x)]
        for axis, (size, stride) in enumerate(zip(sizes, strides), 1):
            shape = [1, 1, 1, 1, 1]
            shape[axis] = -1
            places = window(x, axis, size, stride)
            gather = lambda t, place: tf.gather(t, [at for at, _ in place], axis=axis)  # noqa: E731
            within = lambda place: tf.reshape(tf.constant([float(ok) for _, ok in place], x.dtype), shape)  # noqa: E731
            inside = [gather(t, place) * within(place) for t in inside for place in places]
            parts = [gather(t, place) for t in parts for place in places]
        parts, inside = tf.stack(parts), tf.stack(inside)
        if largest:
            return tf.reduce_max(tf.where(inside > 0, parts, tf.float64.min), 0)
        return tf.reduce_sum(parts * inside, 0) / tf.reduce_sum(inside, 0)

    return Written([], compute)


CONVOLUTIONS = {"Conv1D", "Conv2D", "Conv3D", "SeparableConv2D", "DepthwiseConv2D"}


def attention(spec, length, width):
    """Multi-head attention with Keras' layer, its kernels cut out of those of Isobatch's SelfAttention."""
    heads, causal = spec["heads"], spec.get("causal", False)
    size = width // heads
    useBias = spec.get("useBias", True)
    layer = L.MultiHeadAttention(heads, size, use_bias=useBias)

    class Attention(L.Layer):
        def __init__(self):
            super().__init__()
            self.supports_masking = True

        def build(self, _):
            shapes = [[width, 3 * width], [3 * width], [width, width], [width]]
            kept = [shape for i, shape in enumerate(shapes) if useBias or i % 2 == 0]
            self.own = [self.add_weight(shape=shape, name=f"w{i}") for i, shape in enumerate(kept)]
            layer.build([None, length, width], [None, length, width])

        def call(self, x, mask=None):
            kernel, *rest = [tf.convert_to_tensor(weight) for weight in self.own]
            bias = rest.pop(0) if useBias else None
            q, k, v = [
                tf.reshape(tf.matmul(x, part), [-1, length, heads, size]) for part in tf.split(kernel, 3, 1)
            ]
            if useBias:
                q, k, v = [t + tf.reshape(b, [heads, size]) for t, b in zip((q, k, v), tf.split(bias, 3))]
            seen = layer._compute_attention_mask(x, x, query_mask=mask, value_mask=mask, use_causal_mask=causal)
            mixed, _ = layer._compute_attention(q, k, v, seen)
            y = tf.matmul(tf.reshape(mixed, [-1, length, width]), rest[0])
            return y + rest[1] if useBias else y

    return Attention()


def own_layer(spec, shape):
    """Isobatch's layers, by their definitions."""
    className = spec["layer"]
    length, width = (shape[1], shape[-1]) if shape and len(shape) > 2 else (None, None)
    if className == "SelfAttention":
        return attention(spec, length, width)
    if className == "PositionEmbedding":
        return Written([[length, width]], lambda x, table: x + table, supports_masking=True)
    if className == "FirstPosition":
        return Written([], lambda x: x[:, 0])
    if className == "ClassToken":

        class ClassToken(Written):
            def compute_mask(self, inputs, mask=None):
                return None if mask is None else ops.concatenate([ops.ones_like(mask[:, :1]), mask], 1)

        def prepend(x, token):
            return ops.concatenate([ops.broadcast_to(ops.convert_to_tensor(token), ops.shape(x[:, :1])), x], 1)

        return ClassToken([[1, 1, width]], prepend, supports_masking=True)
    if className == "TokenEmbedding":

        def embed(x, table):
            return ops.matmul(x, ops.transpose(table)) if len(x.shape) == 3 else ops.take(table, x, axis=0)

        return Written([[spec["vocabulary"], spec["width"]]], embed)
    if className == "ThresholdedReLU":
        theta = spec.get("theta", 1.0)
        return Written([], lambda x: x * ops.cast(x > theta, x.dtype), supports_masking=True)
    return None


def keras_layer(spec, shape):
    className = spec["layer"]
    if className in CONVOLUTIONS:
        return convolutional(spec, shape[-1])
    if className in ("MaxPooling3D", "AveragePooling3D"):
        return pool3d(spec)
    written = own_layer(spec, shape)
    if written is not None:
        return written
    if className == "RNN":
        cells = spec["cell"] if isinstance(spec["cell"], list) else [spec["cell"]]
        made = [keras_layer(cell, None) for cell in cells]
        rest = {key: value for key, value in settings(spec).items() if key != "cell"}
        return L.RNN(made if isinstance(spec["cell"], list) else made[0], **rest)
    if className in ("TimeDistributed", "Bidirectional"):
        inner = spec["wraps"]
        step = [shape[0], *shape[2:]] if className == "TimeDistributed" else shape
        rest = {key: value for key, value in settings(spec).items() if key not in ("wraps", "merge_mode")}
        if className == "Bidirectional":
            rest["merge_mode"] = spec.get("mergeMode", "concat")
        return getattr(L, className)(layer_of(inner, step), **rest)
    if className == "GroupNormalization":
        return L.GroupNormalization(spec["groups"], epsilon=spec.get("epsilon", 1e-5))
    if className == "CategoryEncoding":
        return L.CategoryEncoding(num_tokens=spec["numTokens"], output_mode=snake(spec["outputMode"]))
    if className == "Flatten" and "dataFormat" in spec:
        return L.Flatten(data_format=snake(spec["dataFormat"]))
    return getattr(L, className)(**settings(spec))


def layer_of(spec, shape):
    return nested(spec["model"], shape) if "model" in spec else keras_layer(spec, shape)


def nested(case, shape):
    model, _, _ = build_model({"name": "nested", **case})
    return model


def masked(x):
    return getattr(x, "_keras_mask", None)


def call(layer, spec, inputs):
    # Keras permutes a Flatten's channels itself.
    first = spec.get("dataFormat") == "channelsFirst" and spec["layer"] not in ("Flatten",)
    if first:
        rank = len(inputs[0].shape)
        skip = 2 if spec["layer"] == "ConvLSTM2D" else 1
        order = [*range(skip), *range(skip + 1, rank), skip]
        x = ops.transpose(inputs[0], order)
        y = layer(x)
        if len(y.shape) == 2:
            return y
        skip = min(skip, len(y.shape) - 3)
        rank = len(y.shape)
        return ops.transpose(y, [*range(skip), rank - 1, *range(skip, rank - 1)])
    if isinstance(layer, (L.RNN, L.Bidirectional)) and len(inputs) > 1:
        # Keras loses the mask of an input that comes with an initial state.
        return layer(inputs[0], initial_state=inputs[1:], mask=masked(inputs[0]))
    if len(inputs) > 1:
        return layer(inputs)
    return layer(inputs[0])


def build_model(case):
    """The model, its trainable weights and its statistics, in the order of the case's layers."""
    inputs = [
        keras.Input(spec["shape"], dtype="int32" if "tokens" in spec else "float64") for spec in case["inputs"]
    ]
    tensors = list(inputs)
    layers = []
    for spec in case["layers"]:
        of = spec.get("of", [len(tensors) - 1])
        given = [tensors[i] for i in of]
        shape = list(given[0].shape)
        if spec.get("dataFormat") == "channelsFirst":
            skip = 2 if spec["layer"] == "ConvLSTM2D" else 1
            shape = [*shape[:skip], *shape[skip + 1 :], shape[skip]]
        if "same" in spec:
            layer = layers[spec["same"]]
        else:
            layer = layer_of(spec, shape)
        layers.append(layer)
        made = call(layer, {"layer": "", **spec}, given)
        tensors.extend(made if isinstance(made, (list, tuple)) else [made])
    model = keras.Model(inputs, tensors[-1])
    weights, statistics = [], []
    for layer in dict.fromkeys(layers):
        weights.extend(weight for weight in layer.trainable_weights)
        statistics.extend(weight for weight in layer.non_trainable_weights if weight.name.startswith("moving"))
    return model, weights, statistics
