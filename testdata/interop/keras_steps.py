"""Discriminators with the state of their optimizer, and three steps that Keras 3 trains them on from there: for the Go test
that makes the same steps, train's TestKerasFiles.

    keras_steps.py FOLDER    writes small ones, those that the Go test has
"""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np

import keras_models
import ours

BATCH, STEPS = 8, 3


def small(name, normalised):
    """A network of a few hundred weights."""
    layers = [
        keras.layers.Conv2D(4, 3, strides=2, padding="same", input_shape=(7, 7, 2)),
        keras.layers.LeakyReLU(0.2),
        keras.layers.Dropout(0),
        keras.layers.Conv2D(6, 4, strides=1, padding="same"),
    ]
    if normalised:
        layers += [keras.layers.BatchNormalization(momentum=0.8)]
    layers += [keras.layers.LeakyReLU(0.2), keras.layers.Flatten(), keras.layers.Dense(1), keras.layers.Activation("sigmoid")]
    model = keras.Sequential(layers, name=name)
    keras_models.randomise(model, 7)
    return model


def steps(folder, model, depth, schedule, ending):
    """Writes the compiled model after two steps, and what three more on fixed batches make of it."""
    folder.mkdir(parents=True)
    inner = model
    model = keras_models.compiled(keras, keras_models.nested(keras, model, depth), 2, 1, schedule)
    model.save(folder / f"discriminator{ending}")
    random = np.random.default_rng(2)
    arrays = {}
    for step in range(1, STEPS + 1):
        images = random.uniform(-1, 1, (BATCH, *model.input_shape[1:])).astype(np.float32)
        targets = random.uniform(0, 1, (BATCH, 1)).astype(np.float32)
        model.reset_metrics()
        arrays |= {f"images_{step}": images, f"targets_{step}": targets}
        arrays[f"loss_{step}"] = np.float32(model.train_on_batch(images, targets))
    names = {}
    for layer, after in zip(inner.layers, inner.layers[1:] + [None]):
        for variable in layer.weights:
            # A bias before a normalisation has no gradient but rounding's, which Adam divides by itself.
            free = variable.name == "bias" and isinstance(after, keras.layers.BatchNormalization)
            arrays[f"{'free' if free else 'weight'}_{len(names)}"] = variable.numpy()
            names[variable.path] = None
    np.savez_compressed(folder / "steps.npz", **arrays)


def write_small(folder):
    steps(folder / "nested_h5", small("inner", True), 1, True, ".h5")
    steps(folder / "flat_keras", small("flat", False), 0, False, ".keras")


def check(program, report):
    folder = program.folder / "steps"
    write_small(folder / "small")
    for name in keras_models.SIZES:
        for number, (depth, ending) in enumerate([(0, ".h5"), (1, ".keras")]):
            model = keras_models.discriminator(keras, name, dropout=0)
            keras_models.randomise(model, 11)
            steps(folder / f"{name}{ending}", model, depth, number == 0, ending)
    for path in (folder / "small").iterdir():
        path.rename(folder / path.name)
    (folder / "small").rmdir()
    go = ["go", "test", "-count=1", "-v", "-run", "^TestKerasFiles$", "./train"]
    result = subprocess.run(go, cwd=ours.ROOT, env=os.environ | {"DCGAN_KERAS_STEPS": str(folder)}, capture_output=True, text=True)
    passed = result.stdout.count("    --- PASS: TestKerasFiles/")
    for line in result.stdout.splitlines():
        if "largest difference" in line:
            print(line.strip(), flush=True)
    report.require(result.returncode == 0 and passed >= len(list(folder.iterdir())), f"steps in Go:\n{result.stdout}{result.stderr}")
    report.passed += max(passed - 1, 0)


if __name__ == "__main__":
    write_small(pathlib.Path(sys.argv[1]))
