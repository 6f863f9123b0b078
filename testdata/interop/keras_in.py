"""What Keras 3 and tf-keras write, opened by the program."""

import json

import keras
import h5py
import numpy as np

import keras_models

# Files of a pair that differ in how they were made: generation, depth of models around the layers, whether frozen.
KINDS = [("Keras 3", 0, False), ("Keras 3", 1, True), ("Keras 3", 2, False), ("tf-keras", 0, False), ("tf-keras", 1, True), ("tf-keras", 2, True)]


def check(program, report):
    for name in keras_models.SIZES:
        for number, (generation, depth, frozen) in enumerate(KINDS):
            if name != keras_models.SEED and number % 3 != len(name) % 3 and depth != 1:
                continue  # each way at two sizes, and at the seed's all
            for network, make in keras_models.MAKE.items():
                k = keras_models.GENERATIONS[generation]
                model = make(k, name)
                keras_models.randomise(model, number)
                model = keras_models.nested(k, model, depth)
                if network == "discriminator":
                    keras_models.compiled(k, model, 2, number, schedule=depth == 1)
                model.trainable = not frozen
                what = f"{generation}, {name}, {network}, depth {depth}"
                check_model(program, report, model, generation, network, what, f"{name}_{number}_{network}")
    handwritten(program, report)


def check_model(program, report, model, generation, network, what, stem):
    group = f"of {generation}, {network}"
    inputs = np.random.default_rng(3).uniform(-1, 1, (7, *model.input_shape[1:])).astype(np.float32)
    want = model.predict(inputs, verbose=0)
    report.spread(want, what)
    weights = sorted(a.tobytes() for a in model.get_weights())
    description = program.folder / f"{stem}.json"
    description.write_text(model.to_json())
    files = [".h5", ".keras", ".weights.h5"]
    for ending in files + ["-weights.h5"] * (generation == "tf-keras"):
        path = program.folder / (stem + ending)
        (model.save_weights if "weights" in ending else model.save)(path)
        arch = ["--arch", description] if "weights" in ending else []
        # As .h5 of ours, which Keras 3 opens with the same weights.
        ours = program.folder / f"{stem}-ours.h5"
        program.run("export", path, *arch, "--format", "keras-h5", "--network", network, "--out", ours)
        back = keras.saving.load_model(ours, compile=False)
        report.require(sorted(a.tobytes() for a in back.get_weights()) == weights, f"{what}{ending}: weights differ through the program")
        if network == "generator":
            got = images(program, path, inputs, *arch)
        else:
            got = program.probabilities(ours if arch else path, inputs)
        report.close(got, want, f"{ending} {group}", f"{what}{ending}")
        path.unlink()


def images(program, path, latents, *args):
    np.save(program.folder / "latents.npy", latents)
    program.run("sample", path, *args, "--latents", program.folder / "latents.npy", "--out", program.folder / "images.npy")
    return np.load(program.folder / "images.npy")


def handwritten(program, report):
    """Old layouts, which no Keras of today writes: a Sequential as a bare list, names split over attributes, moments
    without names."""
    k = keras_models.tf_keras
    model = keras_models.discriminator(k, "rgb")
    keras_models.randomise(model, 5)
    model.compile(loss="binary_crossentropy", optimizer=k.optimizers.legacy.Adam(2e-4, 0.5, decay=1e-8))
    random = np.random.default_rng(4)
    inputs = random.uniform(-1, 1, (7, *model.input_shape[1:])).astype(np.float32)
    model.train_on_batch(inputs, np.ones((7, 1)))
    want = model.predict(inputs, verbose=0)
    path = program.folder / "old.h5"
    model.save(path)
    report.close(program.probabilities(path, inputs), want, "old layouts", "legacy Adam")
    moments = export_state(program, path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "InputLayer"]
        for layer in layers:
            if layer["class_name"] == "LeakyReLU":
                layer["config"]["alpha"] = {"type": "ndarray", "value": layer["config"]["alpha"]}
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": layers}).encode()
        split(file["model_weights"], "layer_names", 5)
        for group in file["model_weights"].values():
            split(group, "weight_names", 1)
        state = file["optimizer_weights"]
        values = [state[n][()] for n in state.attrs["weight_names"]]
        del file["optimizer_weights"]
        names = ["Adam/iterations:0"] + [f"training/Adam/Variable{f'_{i}' if i else ''}:0" for i in range(3 * (len(values) // 2))]
        values += [np.zeros(1, np.float32)] * (len(values) // 2)
        state = file.create_group("optimizer_weights")
        for name, value in zip(names, values, strict=True):
            state[name] = value
        state.attrs["weight_names"] = [n.encode() for n in names]
    report.close(program.probabilities(path, inputs), want, "old layouts", "bare list, split names")
    report.require(export_state(program, path) == moments and moments, "moments called Variable_3 differ from those with names")


def split(group, name, size):
    names = list(group.attrs[name])
    del group.attrs[name]
    for i in range(0, len(names), size):
        group.attrs[f"{name}{i // size}"] = [n.encode() for n in names[i : i + size]]


def export_state(program, path):
    """Adam's state as the program exports it."""
    out = program.folder / "state.h5"
    program.run("export", path, "--format", "keras-h5", "--network", "discriminator", "--out", out)
    with h5py.File(out) as file:
        if "optimizer_weights" not in file:
            return None
        state = file["optimizer_weights"]
        return [state[n][()].tobytes() for n in state.attrs["weight_names"] if b"learning_rate" not in n]
