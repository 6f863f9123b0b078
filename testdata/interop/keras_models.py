"""Pairs of networks as Keras' users write them, in Keras 3 and in Keras 2, which lives on as tf-keras."""

import os

os.environ.update(CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import keras
import numpy as np
import tensorflow
import tf_keras

# Without graphs: TensorFlow 2.21's optimizer of graphs fails on some of these networks ("remapper failed"), and making a
# graph for each costs more than it saves.
tensorflow.config.run_functions_eagerly(True)

GENERATIONS = {"Keras 3": keras, "tf-keras": tf_keras}

VERSIONS = f"Keras {keras.__version__}, tf-keras {tf_keras.__version__}"

SEED = "seed"

# Image, kernel, strides of G's transposed convolutions, which D's convolutions have in reverse, and G's first channels.
SIZES = {
    SEED: ((28, 28, 1), 3, (2, 2, 1), 256),
    "odd": ((9, 9, 1), 3, (1, 1), 8),
    "rgb": ((16, 16, 3), 3, (2, 2), 8),
    "wide": ((12, 20, 2), 4, (2, 1), 6),
    "kernel_5": ((28, 20, 3), 5, (2, 1, 2), 6),
}


def generator(k, name):
    """Without an Input: Keras 2 gave the shape to the first layer."""
    image, kernel, strides, channels = SIZES[name]
    latent = 100 if name == SEED else 10
    total = int(np.prod(strides))
    start = (image[0] // total, image[1] // total, channels)
    layers = [
        k.layers.Dense(int(np.prod(start)), input_shape=(latent,)),
        k.layers.BatchNormalization(momentum=0.9),
        k.layers.Activation("relu"),
        k.layers.Reshape(start if name != "rgb" else (*start[:2], -1)),
    ]
    for i, stride in enumerate(strides):
        filters = max(2, channels >> (i + 1))
        # Options and their defaults in several ways.
        layers += [
            k.layers.Conv2DTranspose(filters, kernel, strides=stride, padding="same", activation="relu" if name == "odd" else None),
            k.layers.BatchNormalization(momentum=0.8, epsilon=1e-2),
            k.layers.ReLU() if name == "wide" else k.layers.Activation("relu"),
        ]
    layers += [k.layers.Conv2DTranspose(image[2], kernel, padding="same")]
    if name == "odd":
        layers[-1] = k.layers.Conv2DTranspose(image[2], kernel, padding="same", activation="tanh")
    else:
        layers += [k.layers.Activation("tanh")]
    return k.Sequential(layers)


def discriminator(k, name, dropout=0.4):
    image, kernel, strides, channels = SIZES[name]
    layers, filters = [], 64 if name == SEED else 4
    for i, stride in enumerate((2,) + strides[::-1]):
        shape = {"input_shape": image} if i == 0 else {}
        layers += [k.layers.Conv2D(filters << i, kernel, strides=stride if name != SEED else (2, 2, 2, 1)[i], padding="same", **shape)]
        if name != SEED:
            layers += [k.layers.BatchNormalization(momentum=0.7)]
        layers += [k.layers.LeakyReLU(0.2), k.layers.Dropout(dropout)]
    layers += [k.layers.Flatten()]
    if name == "rgb":
        layers += [k.layers.Dense(5, activation="tanh")]
    layers += [k.layers.Dense(1, activation="sigmoid")] if name == "wide" else [k.layers.Dense(1), k.layers.Activation("sigmoid")]
    return k.Sequential(layers)


MAKE = {"generator": generator, "discriminator": discriminator}


def nested(k, model, depth):
    """The model in functional models around it, as the seed's program returns it at depth 1."""
    for _ in range(depth):
        x = k.Input(model.input_shape[1:])
        model = k.Model(x, model(x))
    return model


def randomise(model, seed):
    """Weights that neither fade nor saturate, with statistics that are not those of a new network."""
    random = np.random.default_rng(seed)
    values = []
    for variable in model.weights:
        kind = variable.name.split("/")[-1].split(":")[0]
        shape = tuple(variable.shape)
        if kind == "kernel":
            high = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-1] + shape[-2])))
            value = random.uniform(-high, high, shape)
        elif kind in ("gamma", "moving_variance"):
            value = random.uniform(0.5, 1.5, shape)
        else:
            value = random.uniform(-0.3, 0.3, shape)
        values.append(value.astype(np.float32))
    model.set_weights(values)


def compiled(k, model, steps, seed, schedule=False):
    """The model compiled with the seed's optimizer, and trained some steps on noise."""
    rate = k.optimizers.schedules.InverseTimeDecay(2e-4, 1, 1e-3) if schedule else 2e-4
    model.compile(loss="binary_crossentropy", optimizer=k.optimizers.Adam(learning_rate=rate, beta_1=0.5))
    random = np.random.default_rng(seed)
    for _ in range(steps):
        images = random.uniform(-1, 1, (8, *model.input_shape[1:])).astype(np.float32)
        targets = random.uniform(0, 1, (8, *model.output_shape[1:])).astype(np.float32)
        model.train_on_batch(images, targets)
    return model
