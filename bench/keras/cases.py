"""
The cases, as data: a case has inputs and layers, written as in a task file. A layer is applied to what came before it,
or to what `of` counts (the inputs first, then each layer's outputs); `same` calls a former layer again. The last output
counts. Settings are enumerated: every value of one with every value of the others, where that says anything.
"""

from itertools import product

PLANE = [5, 6, 3]
VOLUME = [3, 4, 4, 2]
SEQUENCE = [5, 3]
FORMATS = ["channelsLast", "channelsFirst"]
PADDINGS = ["valid", "same"]


def first(shape):
    """Channels first."""
    return [shape[-1], *shape[:-1]]


class Cases:
    def __init__(self):
        self.cases = []
        self.counts = {}

    def add(self, className, inputs, layers, name=None, **more):
        n = self.counts[className] = self.counts.get(className, 0) + 1
        self.cases.append({"layer": className, "name": name or f"{className} {n}", "inputs": inputs, "layers": layers, **more})

    def alone(self, shape, className, **config):
        """A model of one layer. `shape` has the channels last, or is a list of shapes."""
        if config.get("dataFormat") == "channelsFirst":
            skip = 1 if className == "ConvLSTM2D" else 0
            shape = [*shape[:skip], *first(shape[skip:])]
        shapes = shape if isinstance(shape[0], list) else [shape]
        config = {key: value for key, value in config.items() if value is not None and value != "channelsLast"}
        layer = {"layer": className, **config}
        if len(shapes) > 1:
            layer["of"] = list(range(len(shapes)))
        self.add(className, [{"shape": s} for s in shapes], [layer])


def grid(**settings):
    for values in product(*settings.values()):
        yield dict(zip(settings, values))


def not_both(config):
    """TensorFlow and TensorFlow.js refuse strides together with dilation."""
    return config["strides"] == 1 or config["dilationRate"] == 1


def convolutions(c):
    for config in filter(
        not_both,
        grid(padding=PADDINGS, strides=[1, 2], dilationRate=[1, 2], useBias=[True, False], activation=[None, "tanh", "relu"]),
    ):
        if config["activation"] != "relu" or config["useBias"]:
            c.alone([7, 3], "Conv1D", filters=2, kernelSize=3, **config)
    planes = list(
        filter(
            not_both,
            grid(
                padding=PADDINGS,
                strides=[1, 2, [2, 1]],
                dilationRate=[1, 2, [1, 2]],
                dataFormat=FORMATS,
                useBias=[True, False],
            ),
        )
    )
    for i, config in enumerate(planes):
        activation = [None, "relu", "tanh"][i % 3]
        c.alone(PLANE, "Conv2D", filters=4, kernelSize=[3, 2], activation=activation, **config)
        c.alone(
            PLANE, "SeparableConv2D", filters=4, kernelSize=[2, 3], depthMultiplier=1 + i // 3 % 2, activation=activation, **config
        )
        c.alone(PLANE, "DepthwiseConv2D", kernelSize=[3, 2], depthMultiplier=1 + i // 3 % 2, activation=activation, **config)
    for activation in ["relu6", "elu", "sigmoid", "linear", "selu"]:
        c.alone(PLANE, "Conv2D", filters=2, kernelSize=2, activation=activation)
    for config in filter(
        not_both,
        grid(padding=PADDINGS, strides=[1, 2, [1, 2, 2]], dilationRate=[1, 2], dataFormat=FORMATS, useBias=[True, False]),
    ):
        c.alone([4, 5, 4, 2], "Conv3D", filters=3, kernelSize=[2, 3, 2], **config)
    for config in grid(
        padding=PADDINGS, strides=[1, 2, [2, 1]], kernelSize=[3, [2, 3]], dataFormat=FORMATS, useBias=[True, False]
    ):
        c.alone([3, 4, 3], "Conv2DTranspose", filters=2, activation="tanh" if config["useBias"] else None, **config)
    for config in grid(padding=PADDINGS, strides=[1, 2], kernelSize=[2, [1, 2, 3]], dataFormat=FORMATS, useBias=[True, False]):
        c.alone([2, 3, 2, 2], "Conv3DTranspose", filters=3, **config)
    for i, config in enumerate(
        filter(
            not_both,
            grid(padding=PADDINGS, strides=[1, 2], dilationRate=[1, 2], dataFormat=FORMATS, returnSequences=[None, True]),
        )
    ):
        more = [{}, {"goBackwards": True}, {"useBias": False}, {"unitForgetBias": False}][i % 4]
        c.alone([3, 5, 5, 2], "ConvLSTM2D", filters=2, kernelSize=[2, 3], **config, **more)
    c.add(
        "ConvLSTM2DCell", [{"shape": [3, 4, 4, 2]}], [{"layer": "ConvLSTM2D", "filters": 1, "kernelSize": 2, "activation": "relu"}]
    )


def pools(c):
    for kind in ["Max", "Average"]:
        for config in grid(padding=PADDINGS, poolSize=[2, 3], strides=[None, 1, 2]):
            c.alone([7, 2], f"{kind}Pooling1D", **config)
        for config in grid(padding=PADDINGS, poolSize=[2, [3, 2]], strides=[None, 1, [1, 2]], dataFormat=FORMATS):
            c.alone(PLANE, f"{kind}Pooling2D", **config)
        for config in grid(padding=PADDINGS, poolSize=[2, [1, 2, 3]], strides=[None, 1, [1, 2, 1]], dataFormat=FORMATS):
            c.alone(VOLUME, f"{kind}Pooling3D", **config)
        c.alone(SEQUENCE, f"Global{kind}Pooling1D")
        for dataFormat in FORMATS:
            c.alone(PLANE, f"Global{kind}Pooling2D", dataFormat=dataFormat)


def planes(c):
    for config in grid(size=[None, [2, 3], [3, 1]], interpolation=["nearest", "bilinear"], dataFormat=FORMATS):
        c.alone(PLANE, "UpSampling2D", **config)
    for config in grid(padding=[None, 2, [1, 2], [[1, 0], [2, 1]]], dataFormat=FORMATS):
        c.alone(PLANE, "ZeroPadding2D", **config)
    for config in grid(cropping=[1, [1, 2], [[1, 0], [2, 1]]], dataFormat=FORMATS):
        c.alone(PLANE, "Cropping2D", **config)
    for shape in [[4], SEQUENCE, PLANE, VOLUME]:
        for dataFormat in FORMATS:
            c.alone(shape, "Flatten", dataFormat=dataFormat)
    for shape, target in [([12], [3, 4]), ([4, 3], [12]), (PLANE, [9, -1]), ([4, 3], [-1, 2, 2])]:
        c.alone(shape, "Reshape", targetShape=target)
    for shape, dims in [([4, 3], [2, 1]), (PLANE, [3, 1, 2]), (PLANE, [2, 3, 1]), (VOLUME, [4, 2, 1, 3])]:
        c.alone(shape, "Permute", dims=dims)
    c.alone([4], "RepeatVector", n=3)


def normalizations(c):
    for shape in [[4], SEQUENCE, PLANE]:
        for axis in [-1, *range(1, len(shape) + 1)]:
            for config in grid(center=[None, False], scale=[None, False]):
                c.alone(shape, "BatchNormalization", axis=axis, **config)
            inference = {"layer": "BatchNormalization", "axis": axis, "epsilon": 0.01}
            c.add("BatchNormalization", [{"shape": shape}], [inference], training=False)
    for shape, axes in [([4], [-1]), (SEQUENCE, [-1, 1, [1, 2]]), (PLANE, [-1, 1, 2, [2, 3], [1, 2], [1, 3], [1, 2, 3]])]:
        for axis in axes:
            for config in grid(center=[None, False], scale=[None, False]):
                c.alone(shape, "LayerNormalization", axis=axis, epsilon=0.01 if axis == 1 else None, **config)
    for shape, groups in [([3, 4], 1), ([3, 4], 2), ([3, 4], 4), (PLANE, 1), (PLANE, 3)]:
        c.alone(shape, "GroupNormalization", groups=groups)


def activations(c):
    names = ["elu", "selu", "relu", "relu6", "linear", "sigmoid", "hardSigmoid", "softplus", "softsign", "tanh"]
    names += ["softmax", "logSoftmax", "gelu", "mish", "swish"]
    for name in names:
        c.alone([6], "Activation", activation=name)
        c.alone([4], "Dense", units=5, activation=name)
    c.alone(SEQUENCE, "Activation", activation="softmax")
    c.alone(PLANE, "Activation", activation="logSoftmax")
    for config in [{}, {"maxValue": 0.5}]:
        c.alone([9], "ReLU", **config)
    for config in [{}, {"alpha": 0.1}]:
        c.alone([9], "LeakyReLU", **config)
        c.alone([9], "ELU", **config)
    for config in [{}, {"theta": 0.3}]:
        c.alone([9], "ThresholdedReLU", **config)
    for shape, sharedAxes in [([6], None), (SEQUENCE, [1]), (PLANE, None), (PLANE, [1, 2]), (PLANE, [3])]:
        c.alone(shape, "PReLU", sharedAxes=sharedAxes)
    for shape in [[4], SEQUENCE, PLANE]:
        for axis in [-1, *range(1, len(shape) + 1)]:
            c.alone(shape, "Softmax", axis=axis)


def plain(c):
    c.add("InputLayer", [{"shape": [3]}], [{"layer": "Dense", "units": 2}])
    for shape, useBias in product([[4], SEQUENCE, PLANE], [True, False]):
        c.alone(shape, "Dense", units=2, useBias=useBias)
    c.alone([4], "Rescaling", scale=0.3, offset=2)
    c.alone([4], "Dropout", rate=0)
    c.alone(SEQUENCE, "SpatialDropout1D", rate=0)
    for name in ["Add", "Multiply", "Average", "Maximum", "Minimum"]:
        for shapes in [[[4], [4]], [[3, 4], [3, 4], [3, 4]], [[3, 4], [1, 4]], [[3, 4], [3, 1], [1, 4]], [PLANE, [1, 1, 3]]]:
            c.alone(shapes, name)
    for shapes, axis in [
        ([[4], [3]], -1),
        ([[4], [3], [2]], 1),
        ([[5, 3], [2, 3]], 1),
        ([[5, 3], [5, 2]], 2),
        ([[5, 3], [2, 3]], -2),
        ([PLANE, PLANE], -1),
        ([PLANE, PLANE], 1),
        ([PLANE, PLANE], 2),
    ]:
        c.alone(shapes, "Concatenate", axis=axis)
    for shapes, axes, normalize in [
        ([[4], [4]], -1, None),
        ([[4], [4]], 1, True),
        ([[3, 4], [5, 4]], 2, None),
        ([[3, 4], [5, 4]], -1, True),
        ([[3, 4], [3, 5]], 1, None),
        ([[3, 4], [4, 5]], [2, 1], None),
    ]:
        c.alone(shapes, "Dot", axes=axes, normalize=normalize)
    for shape in [[6], [2, 3]]:
        c.add("Embedding", [{"shape": shape, "tokens": 4}], [{"layer": "Embedding", "inputDim": 4, "outputDim": 3}])
    for mode in ["multiHot", "count"]:
        layers = [{"layer": "CategoryEncoding", "numTokens": 4, "outputMode": mode}, {"layer": "Dense", "units": 2}]
        c.add("CategoryEncoding", [{"shape": [3], "tokens": 4}], layers)


def recurrent(c):
    for name in ["SimpleRNN", "GRU", "LSTM"]:
        for i, config in enumerate(
            grid(returnSequences=[None, True], goBackwards=[None, True], useBias=[None, False], activation=[None, "relu"])
        ):
            more = {} if name == "SimpleRNN" else [{}, {"recurrentActivation": "sigmoid"}, {"implementation": 1}][i % 3]
            if name == "LSTM" and i % 2:
                more = {**more, "unitForgetBias": False}
            c.alone(SEQUENCE, name, units=2, **config, **more)
        cell = {"layer": f"{name}Cell", "units": 2}
        for config in grid(returnSequences=[None, True], goBackwards=[None, True]):
            config = {key: value for key, value in config.items() if value}
            c.add(f"{name}Cell", [{"shape": SEQUENCE}], [{"layer": "RNN", "cell": cell, **config}])
    mixed = [{"layer": "LSTMCell", "units": 2}, {"layer": "SimpleRNNCell", "units": 4}, {"layer": "GRUCell", "units": 3}]
    for returnSequences in [None, True]:
        layer = {"layer": "RNN", "cell": mixed, **({"returnSequences": True} if returnSequences else {})}
        c.add("StackedRNNCells", [{"shape": SEQUENCE}], [layer])
        c.add("RNN", [{"shape": SEQUENCE}], [{**layer, "cell": mixed[0], "goBackwards": True}])
    states = [{"layer": "LSTM", "units": 2, "returnState": True}, {"layer": "Concatenate", "of": [1, 2, 3]}]
    c.add("LSTM", [{"shape": SEQUENCE}], states, name="LSTM, its states")
    for name in ["SimpleRNN", "GRU", "LSTM"]:
        for mode, returnSequences in product(["concat", "sum", "mul", "ave", None], [None, True]):
            inner = {"layer": name, "units": 2, **({"returnSequences": True} if returnSequences else {})}
            layers = [{"layer": "Bidirectional", "wraps": inner, "mergeMode": mode}]
            if mode is None:
                layers.append({"layer": "Concatenate", "of": [1, 2]})
            if name == "LSTM" or (mode == "concat"):
                c.add("Bidirectional", [{"shape": SEQUENCE}], layers)
    within = [
        (SEQUENCE, {"layer": "Dense", "units": 2, "activation": "tanh"}),
        ([2, *PLANE], {"layer": "Conv2D", "filters": 2, "kernelSize": 2}),
        ([2, *PLANE], {"layer": "MaxPooling2D"}),
        ([2, *PLANE], {"layer": "Flatten"}),
        ([2, 4, 3], {"layer": "LSTM", "units": 2}),
        ([2, 4, 3], {"layer": "LayerNormalization"}),
    ]
    for shape, inner in within:
        c.add("TimeDistributed", [{"shape": shape}], [{"layer": "TimeDistributed", "wraps": inner}])


def own(c):
    for config in grid(causal=[None, True], useBias=[None, False]):
        c.alone([4, 6], "SelfAttention", heads=2, **config)
    for name in ["PositionEmbedding", "ClassToken", "FirstPosition"]:
        c.alone(SEQUENCE, name)
    both = {"layer": "TokenEmbedding", "vocabulary": 5, "width": 3}
    c.add("TokenEmbedding", [{"shape": [4], "tokens": 5}], [both, {"same": 0}])


def models(c):
    inner = {"inputs": [{"shape": [4]}], "layers": [{"layer": "Dense", "units": 3, "activation": "sigmoid"}]}
    layers = [{"model": inner, "of": [0]}, {"same": 0, "of": [1]}, {"layer": "Add", "of": [2, 3]}]
    for name in ["Functional", "Model"]:
        c.add(name, [{"shape": [4]}, {"shape": [4]}], layers)
    stacked = {"sequential": True, "inputs": [{"shape": [5]}], "layers": [{"layer": "Dense", "units": 4}, {"layer": "ReLU"}]}
    c.add("Sequential", [{"shape": [5]}], [{"model": stacked}, {"layer": "Dense", "units": 2}])


WORDS = [{"shape": [5], "tokens": 3}]
EMBEDDED = {"layer": "Embedding", "inputDim": 3, "outputDim": 3, "maskZero": True, "of": [0]}
LSTM = {"layer": "LSTM", "units": 2}
SEQUENCES = {**LSTM, "returnSequences": True}


def masks(c):
    def words(name, *layers, of="Embedding"):
        c.add(of, WORDS, [EMBEDDED, *layers], name=f"masked: {name}")

    words("LSTM", LSTM)
    words("GRU", {"layer": "GRU", "units": 2}, of="GRU")
    words("SimpleRNN", {"layer": "SimpleRNN", "units": 2}, of="SimpleRNN")
    words("LSTM backwards", {**LSTM, "goBackwards": True}, of="LSTM")
    words("sequences, then LSTM", SEQUENCES, LSTM, of="LSTM")
    words("sequences backwards", {**SEQUENCES, "goBackwards": True}, {"layer": "Flatten"}, of="LSTM")
    words("what a masked step puts out", SEQUENCES, {"layer": "Flatten"}, of="LSTM")
    cells = [{"layer": "LSTMCell", "units": 2}, {"layer": "SimpleRNNCell", "units": 4}, {"layer": "GRUCell", "units": 3}]
    stack = {"layer": "RNN", "cell": cells}
    words("stacked cells", stack, of="StackedRNNCells")
    words("stacked cells, sequences", {**stack, "returnSequences": True}, {"layer": "Flatten"}, of="StackedRNNCells")
    # Only one branch has a mask, in both orders.
    numbers = {"layer": "Reshape", "targetShape": [5, 1], "of": [0]}
    for order in [[2, 4], [4, 2]]:
        layers = [
            EMBEDDED,
            {**LSTM, "of": [1]},
            numbers,
            {**LSTM, "of": [3]},
            {"layer": "Concatenate", "of": order},
            {"layer": "Dense", "units": 1},
        ]
        c.add("Concatenate", WORDS, layers, name=f"masked: one of two branches, {order}")
    # Each layer that passes a mask on, between the embedding and the layer that uses it.
    for layer in [
        {"layer": "Dense", "units": 2, "activation": "tanh"},
        {"layer": "Activation", "activation": "tanh"},
        {"layer": "Dropout", "rate": 0},
        {"layer": "SpatialDropout1D", "rate": 0},
        {"layer": "ReLU"},
        {"layer": "LeakyReLU"},
        {"layer": "PReLU"},
        {"layer": "ELU"},
        {"layer": "ThresholdedReLU", "theta": 0.2},
        {"layer": "LayerNormalization"},
        {"layer": "BatchNormalization"},
        {"layer": "BatchNormalization", "axis": 1, "scale": False},
        {"layer": "GroupNormalization", "groups": 3},
        {"layer": "Rescaling", "scale": 2},
        {"layer": "TimeDistributed", "wraps": {"layer": "Dense", "units": 2}},
        {"layer": "PositionEmbedding"},
        {"layer": "SelfAttention", "heads": 1},
        {"layer": "ClassToken"},
        {"layer": "Bidirectional", "wraps": SEQUENCES},
    ]:
        of = f" over axis {layer['axis']}" if "axis" in layer else ""
        words(f"{layer['layer']}{of} passes it on", layer, LSTM, of=layer["layer"])
    # Each layer that drops it.
    for layer in [
        {"layer": "Conv1D", "filters": 2, "kernelSize": 2},
        {"layer": "MaxPooling1D", "strides": 1},
        {"layer": "AveragePooling1D", "poolSize": 2, "strides": 1},
        {"layer": "Permute", "dims": [2, 1]},
        {"layer": "Reshape", "targetShape": [3, 5]},
    ]:
        words(f"{layer['layer']} drops it", layer, LSTM, of=layer["layer"])
    words("Flatten drops it", {"layer": "Flatten"}, {"layer": "Dense", "units": 2}, of="Flatten")
    words("GlobalMaxPooling1D drops it", {"layer": "GlobalMaxPooling1D"}, of="GlobalMaxPooling1D")
    words("RepeatVector after it", LSTM, {"layer": "RepeatVector", "n": 3}, SEQUENCES, of="RepeatVector")
    average = {"layer": "GlobalAveragePooling1D"}
    words("GlobalAveragePooling1D takes it", average, of="GlobalAveragePooling1D")
    words("of sequences, GlobalAveragePooling1D", SEQUENCES, average, of="GlobalAveragePooling1D")
    for mode, returnSequences in product(["concat", "sum", "mul", "ave"], [False, True]):
        inner = SEQUENCES if returnSequences else LSTM
        end = [{"layer": "Flatten"}] if returnSequences else []
        both = {"layer": "Bidirectional", "wraps": inner, "mergeMode": mode}
        words(f"Bidirectional {mode}{', sequences' * returnSequences}", both, *end, of="Bidirectional")
    for layer in [{"layer": "SelfAttention", "heads": 3, "causal": True}, {"layer": "SelfAttention", "heads": 3}]:
        words(f"{'causal ' if 'causal' in layer else ''}attention, flat", layer, {"layer": "Flatten"}, of="SelfAttention")
        words(f"{'causal ' if 'causal' in layer else ''}attention, averaged", layer, average, of="SelfAttention")
    words("ClassToken, attention, FirstPosition", {"layer": "ClassToken"}, {"layer": "SelfAttention", "heads": 1},
          {"layer": "FirstPosition"}, of="FirstPosition")
    two_inputs(c)
    nested_masks(c)
    # Masking of numbers.
    absent = [{"shape": SEQUENCE, "absent": True}]
    masking = {"layer": "Masking"}
    c.add("Masking", absent, [masking, LSTM], name="masked: numbers, LSTM")
    c.add("Masking", absent, [masking, SEQUENCES, {"layer": "Flatten"}], name="masked: numbers, sequences")
    c.add("Masking", absent, [masking, average], name="masked: numbers, averaged")
    c.add("Masking", absent, [masking, {"layer": "Dense", "units": 2}, LSTM], name="masked: numbers, Dense, LSTM")
    images = [{"shape": [4, 18], "absent": True}]
    convolved = {"layer": "ConvLSTM2D", "filters": 2, "kernelSize": 2}
    to_image = {"layer": "TimeDistributed", "wraps": {"layer": "Reshape", "targetShape": [3, 3, 2]}}
    for end in [convolved, {**convolved, "returnSequences": True, "goBackwards": True}]:
        c.add("ConvLSTM2D", images, [masking, to_image, end, {"layer": "Flatten"}],
              name=f"masked: images, {'all outputs' if len(end) > 3 else 'last output'}")


def two_inputs(c):
    both = [{"shape": [5], "tokens": 3}, {"shape": [5], "tokens": 4}]
    second = {"layer": "Embedding", "inputDim": 4, "outputDim": 3, "maskZero": True, "of": [1]}
    bare = {"layer": "Embedding", "inputDim": 4, "outputDim": 3, "of": [1]}
    for name in ["Add", "Multiply", "Average", "Maximum", "Minimum"]:
        merge = {"layer": name, "of": [2, 3]}
        c.add(name, both, [EMBEDDED, second, merge, LSTM], name=f"masked: {name} of two masks")
        c.add(name, both, [EMBEDDED, bare, merge, LSTM], name=f"masked: {name} of one mask")
        c.add(name, both, [EMBEDDED, bare, {**merge, "of": [3, 2]}, LSTM], name=f"masked: {name} of one mask, second")
    three = [EMBEDDED, second, {"layer": "Dense", "units": 3, "of": [2]}, {"layer": "Add", "of": [2, 3, 4]}, LSTM]
    c.add("Add", both, three, name="masked: Add of three")
    for axis in [-1, 1]:
        merge = {"layer": "Concatenate", "axis": axis, "of": [2, 3]}
        c.add("Concatenate", both, [EMBEDDED, second, merge, LSTM], name=f"masked: Concatenate {axis} of two masks")
        c.add("Concatenate", both, [EMBEDDED, bare, merge, LSTM], name=f"masked: Concatenate {axis} of one mask")
        c.add("Concatenate", both, [EMBEDDED, bare, {**merge, "of": [3, 2]}, LSTM],
              name=f"masked: Concatenate {axis} of one mask, second")
    dot = {"layer": "Dot", "axes": 2, "of": [2, 3]}
    c.add("Dot", both, [EMBEDDED, second, dot, LSTM], name="masked: Dot ends masks")
    # An encoder's states start the decoder, which has its own mask; a third layer has neither.
    for name, states in [("LSTM", 2), ("GRU", 1)]:
        encoder = {"layer": name, "units": 2, "returnState": True, "of": [2]}
        of = 2 + 1 + (1 + states)
        decoder = {"layer": name, "units": 2, "returnSequences": True, "of": [of, *range(4, 4 + states)]}
        layers = [EMBEDDED, encoder, second, decoder, {**LSTM, "of": [of + 1]}, {**LSTM, "of": [of]}]
        layers.append({"layer": "Concatenate", "of": [of + 2, of + 3, 3]})
        c.add(name, both, layers, name=f"masked: {name} decoder")
        flat = [EMBEDDED, encoder, second, decoder, {"layer": "Flatten"}]
        c.add(name, both, flat, name=f"masked: {name} decoder, flat")
        unmasked = [EMBEDDED, encoder, bare, decoder, {**LSTM, "of": [of]}, {"layer": "Concatenate", "of": [of + 2, 3]}]
        c.add(name, both, unmasked, name=f"masked: {name} encoder only")


def nested_masks(c):
    inside = {"inputs": [{"shape": [5], "tokens": 3}], "layers": [EMBEDDED, {"layer": "Dense", "units": 2}]}
    taking = {"inputs": [{"shape": [5, 3]}], "layers": [{"layer": "Dense", "units": 2}, LSTM]}
    for kind in [{}, {"sequential": True}]:
        name = "Sequential" if kind else "Functional"
        c.add(name, WORDS, [{"model": {**inside, **kind}}, LSTM], name=f"masked: out of a {name}")
        c.add(name, WORDS, [EMBEDDED, {"model": {**taking, **kind}}], name=f"masked: into a {name}")
        twice = [EMBEDDED, {"model": {**taking, **kind}, "of": [1]}, {"layer": "Embedding", "inputDim": 3, "outputDim": 3, "of": [0]},
                 {"same": 1, "of": [3]}, {"layer": "Concatenate", "of": [2, 4]}]
        c.add(name, WORDS, twice, name=f"masked: a {name} called with a mask and without")
        deep = {"inputs": [{"shape": [5, 3]}], "layers": [{"model": {**taking, **kind}}]}
        c.add(name, WORDS, [EMBEDDED, {"model": deep}], name=f"masked: into a {name} twice nested")
    # Sentences of words: TimeDistributed gives the layer inside its step's part of the mask.
    sentences = [{"shape": [2, 4], "tokens": 3}]
    each = {"layer": "TimeDistributed", "wraps": LSTM}
    c.add("TimeDistributed", sentences, [EMBEDDED, each, {"layer": "Flatten"}], name="masked: LSTM of each sentence")
    mean = {"layer": "TimeDistributed", "wraps": {"layer": "GlobalAveragePooling1D"}}
    c.add("TimeDistributed", sentences, [EMBEDDED, mean, {"layer": "Flatten"}], name="masked: mean of each sentence")


def small_windows(c):
    """Strides longer than the window that they move."""
    for i, config in enumerate(grid(padding=PADDINGS, strides=[2, 3])):
        planar = {**config, "dataFormat": FORMATS[i % 2]}
        c.alone([7, 3], "Conv1D", filters=2, kernelSize=1, **config)
        c.alone(PLANE, "Conv2D", filters=2, kernelSize=[1, 2], **planar)
        c.alone(PLANE, "SeparableConv2D", filters=2, kernelSize=1, **planar)
        c.alone(PLANE, "DepthwiseConv2D", kernelSize=[2, 1], **planar)
        c.alone([3, 4, 3], "Conv2DTranspose", filters=2, kernelSize=[1, 2], **planar)
        c.alone([3, 5, 5, 2], "ConvLSTM2D", filters=2, kernelSize=1, **planar)
        for kind in ["Max", "Average"]:
            c.alone([7, 2], f"{kind}Pooling1D", poolSize=1, **config)
            c.alone(PLANE, f"{kind}Pooling2D", poolSize=[1, 2], **planar)
        c.alone([4, 5, 4, 2], "Conv3D", filters=2, kernelSize=[1, 2, 1], **planar)
        c.alone([2, 3, 2, 2], "Conv3DTranspose", filters=2, kernelSize=[1, 2, 1], **planar)
        c.alone(VOLUME, "MaxPooling3D", poolSize=[1, 2, 1], **planar)


def all_cases():
    c = Cases()
    for part in [own, plain, activations, planes, pools, normalizations, convolutions, recurrent, models, masks, small_windows]:
        part(c)
    return c.cases
