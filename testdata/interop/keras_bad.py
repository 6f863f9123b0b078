"""Files that are wrong: each gets one line that says so, status 2, and takes no more memory than is due."""

import resource
import subprocess
import zipfile

import keras
import h5py
import numpy as np

import keras_models

LIMIT = 200 << 20  # of memory; the bombs are of 2 GB


def check(program, report):
    folder = program.folder / "bad"
    folder.mkdir()
    model = keras_models.generator(keras, "rgb")
    for ending in (".h5", ".keras"):
        model.save(folder / f"whole{ending}")

    def wants(name, *says, args=()):
        status, said = call(program, folder / name, args)
        one = status == 2 and said.count("\n") == 1 and all(word in said for word in (str(folder / name), *says))
        report.require(one, f"{name}: status {status}, {said!r}, want {says}")

    for ending in (".h5", ".keras"):
        content = (folder / f"whole{ending}").read_bytes()
        for share in range(1, 40):
            (folder / f"cut{ending}").write_bytes(content[: len(content) * share // 40])
            wants(f"cut{ending}")
    (folder / "empty.h5").write_bytes(b"")
    wants("empty.h5")
    (folder / "text.h5").write_text("no model")
    wants("text.h5", "neither")

    # HDF5 and zip of others.
    with h5py.File(folder / "foreign.h5", "w") as file:
        file["numbers"] = np.arange(5)
    wants("foreign.h5", "no file of Keras")
    with h5py.File(folder / "latest.h5", "w", libver="latest") as file:
        file["numbers"] = np.arange(5)
    wants("latest.h5", "libver")
    with zipfile.ZipFile(folder / "foreign.keras", "w") as file:
        file.writestr("a.txt", "a")
    wants("foreign.keras", "config.json")

    # A zip bomb, as weights and as description.
    config = zipfile.ZipFile(folder / "whole.keras").read("config.json")
    for name in ("model.weights.h5", "config.json"):
        with zipfile.ZipFile(folder / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as file:
            if name != "config.json":
                file.writestr("config.json", config)
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(2000):
                    member.write(bytes(1 << 20))
        wants("bomb.keras", name, "more than")

    # Layers and options that are not known.
    for says, layers in {
        ("Lambda",): [keras.layers.Lambda(lambda x: x)],
        ("Conv2DTranspose", "padding", "valid"): [keras.layers.Conv2DTranspose(3, 3)],
        ("kernel_size",): [keras.layers.Conv2DTranspose(3, (3, 5), padding="same")],
        ("dilation_rate",): [keras.layers.Conv2D(3, 3, padding="same", dilation_rate=2)],
        ("use_bias",): [keras.layers.Conv2D(3, 3, padding="same", use_bias=False)],
        ("kernel_regularizer",): [keras.layers.Conv2D(3, 3, padding="same", kernel_regularizer="l2")],
        ("activation", "softmax"): [keras.layers.Activation("softmax")],
        ("axis",): [keras.layers.BatchNormalization(axis=1)],
        ("UpSampling2D",): [keras.layers.UpSampling2D()],
        ("dtype",): [keras.layers.Activation("relu", dtype="mixed_float16")],
        ("max_value",): [keras.layers.ReLU(max_value=6)],
    }.items():
        other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16), keras.layers.Reshape((4, 4, 1)), *layers])
        other.save(folder / "option.keras")
        wants("option.keras", *says)
        other.save(folder / "option.h5")
        wants("option.h5", *says)
    x = keras.Input((4,))
    h = keras.layers.Dense(4)(x)
    keras.Model(x, keras.layers.Add()([x, h])).save(folder / "branch.keras")
    wants("branch.keras", "one chain")
    keras.Model(x, [h, keras.layers.Dense(2)(h)]).save(folder / "outputs.keras")
    wants("outputs.keras", "2 outputs")

    # Weights that are others, chunked or compressed, or claim too much.
    for name, change in {"shape": wrong_shape, "chunked": chunked, "compressed": compressed, "missing": missing, "halves": halves}.items():
        path = folder / f"{name}.h5"
        path.write_bytes((folder / "whole.h5").read_bytes())
        with h5py.File(path, "a") as file:
            group = file["model_weights"]
            inner = group[next(n for n in group.attrs["layer_names"] if "dense" in n)]
            change(inner, next(n for n in inner.attrs["weight_names"] if "kernel" in n))
        wants(f"{name}.h5")

    model.save_weights(folder / "only.weights.h5")
    wants("only.weights.h5", "--arch")
    wants("only.weights.h5", "weights", args=["--arch", "seed"])


def call(program, path, args):
    """Status and standard error of a call of sample, which dies where it takes more memory than LIMIT."""
    command = [program.dcgan, "sample", str(path), *args, "--out", str(path.parent / "out.npy")]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT)))
    return done.returncode, done.stderr


def wrong_shape(group, name):
    values = group[name][()]
    del group[name]
    group[name] = values.T.copy()


def chunked(group, name):
    values = group[name][()]
    del group[name]
    group.create_dataset(name, data=values, chunks=(1, values.shape[1]))


def compressed(group, name):
    values = group[name][()]
    del group[name]
    group.create_dataset(name, data=values, compression="gzip")


def missing(group, name):
    del group[name]


def halves(group, name):
    values = group[name][()]
    del group[name]
    group[name] = values.astype(np.float16)
