"""Single layers, forward and backward, computed by Keras in float64: layers.npz and layers.json."""

import json

from deterministic import keras, tf
import numpy as np

from formula import tensor, write_npz

BATCH = 2
SIDES = [(7, 8), (5, 5), (6, 9)]
CHANNELS = [(3, 5), (1, 2), (6, 4)]  # in, out
SLOPE, MOMENTUM = 0.2, 0.9

# Scale and offset of each tensor of a layer.
SCALES = {"kernel": (2**-2, 0), "gamma": (2**-2, 1), "moving_variance": (2**-2, 0.75)}


def cases():
    """Name, layer, settings, input shape."""
    for kind, layer in ("conv2d", keras.layers.Conv2D), ("conv2d_transpose", keras.layers.Conv2DTranspose):
        for kernel in range(1, 8):
            for strides in 1, 2:
                for i, (h, w) in enumerate(SIDES):
                    c, filters = CHANNELS[(i + kernel) % 3]  # over the kernels every side meets every channel count
                    settings = {"filters": filters, "kernel_size": kernel, "strides": strides, "padding": "same"}
                    yield f"{kind}_k{kernel}_s{strides}_{h}x{w}x{c}", layer, settings, (BATCH, h, w, c)
    yield "dense_37_to_11", keras.layers.Dense, {"units": 11}, (5, 37)
    yield "dense_64_to_1", keras.layers.Dense, {"units": 1}, (5, 64)
    for shape in (BATCH, 7, 8, 3), (BATCH, 5, 5, 6), (8, 19):
        name = "batch_normalization_" + "x".join(map(str, shape[1:]))
        yield name, keras.layers.BatchNormalization, {"momentum": MOMENTUM, "epsilon": 1e-3}, shape
    yield "relu", keras.layers.Activation, {"activation": "relu"}, (BATCH, 5, 7, 3)
    yield "leaky_relu", keras.layers.LeakyReLU, {"negative_slope": SLOPE}, (BATCH, 5, 7, 3)
    yield "tanh", keras.layers.Activation, {"activation": "tanh"}, (BATCH, 5, 7, 3)
    yield "sigmoid", keras.layers.Activation, {"activation": "sigmoid"}, (BATCH, 5, 7, 3)


def write(out):
    table, arrays, ids = [], {}, iter(range(1, 10000))

    def entry(name, shape):
        scale, offset = SCALES.get(name, (1, 0))
        return {"name": name, "id": next(ids), "shape": list(shape), "scale": scale, "offset": offset}

    for name, make, settings, shape in cases():
        layer = make(**settings, dtype="float64")
        layer.build(shape)
        tensors = [entry("input", shape)] + [entry(v.name, v.shape) for v in layer.weights]
        x = tf.constant(tensor(tensors[0]), "float64")
        for v, e in zip(layer.weights, tensors[1:]):
            v.assign(tensor(e))

        normalization = isinstance(layer, keras.layers.BatchNormalization)
        if normalization:
            arrays[f"{name}/inference_output"] = layer(x, training=False).numpy()
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True) if normalization else layer(x)
            tensors.append(entry("d_output", y.shape))
            scalar = tf.reduce_sum(y * tf.constant(tensor(tensors[-1]), "float64"))
        arrays[f"{name}/output"] = y.numpy()
        sources = {"input": x} | {v.name: v.value for v in layer.trainable_variables}
        for source, gradient in tape.gradient(scalar, sources).items():
            arrays[f"{name}/d_{source}"] = gradient.numpy()
        for v in layer.non_trainable_variables:
            arrays[f"{name}/{v.name}"] = v.numpy()
        table.append({"name": name, "layer": make.__name__, "settings": settings, "tensors": tensors})

    write_npz(out / "layers.npz", {name: a.astype(np.float32) for name, a in arrays.items()})
    lines = ",\n".join("  " + json.dumps(case) for case in table)
    (out / "layers.json").write_text('{\n "cases": [\n' + lines + "\n ]\n}\n")
    print(f"layers: {len(table)} cases, {len(arrays)} arrays")
