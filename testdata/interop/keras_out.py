"""What the program writes, opened in Keras 3, and the legacy files in tf-keras too."""

import contextlib
import math
import re
import shutil
import subprocess

import keras
import numpy as np
import tf_keras

import keras_models  # before anything is computed
import ours

FORMATS = {"keras-h5": ".h5", "keras": ".keras"}

# Networks that the command line trains.
TRAINED = {
    "trained_seed": ["--batch", "8"],
    "trained_no_decay": ["--batch", "8", "--decay", "0", "--lr", "1e-3", "--latent", "16", "--g-filters", "16,12,8,4", "--d-filters", "8,12"],
    "trained_kernel_4": ["--batch", "8", "--kernel", "4", "--latent", "16", "--g-filters", "16,12,8,4", "--d-filters", "8,12"],
}
STEPS = 3


def models(program):
    """Checkpoints by name: some trained, with steps of Adam, and some with random weights."""
    for name, flags in TRAINED.items():
        run = program.folder / f"run_{name}"
        program.run("train", *flags, "--steps", STEPS, "--run", run, "--quiet", "--keras-h5", "--save-every", 2, "--keep", 1)
        yield ours.Model(program, name, run), STEPS
    folder = program.folder / "networks"
    folder.mkdir()
    subprocess.run([program.helper, "networks", str(folder)], check=True)
    for path in sorted(folder.iterdir()):
        yield ours.Model(program, path.stem, path), 0


def check(program, report):
    for model, steps in models(program):
        for network, cases in model.cases.items():
            for form, ending in FORMATS.items():
                check_file(program, report, model, network, cases, steps, form, ending)
        if steps:
            check_pairs(program, report, model)


def check_file(program, report, model, network, cases, steps, form, ending):
    what = f"{model.name}, {network}, {form}"
    path = program.export(model.path, form, network, ending)
    theirs = load(path, network, form)
    for x, y in cases:
        report.close(theirs.predict(x, verbose=0), y, f"Keras 3 of our {form}, {network}", f"{what}, batch {len(x)}")
    report.spread(y, what)
    if form == "keras-h5":
        second = tf_keras.models.load_model(path)
        x, y = cases[1]
        report.close(second.predict(x, verbose=0), y, f"tf-keras of our {form}, {network}", what)
        second.compile("adam", "mse")
        report.require(math.isfinite(second.train_on_batch(x, y)), f"{what}: tf-keras does not train it")
    report.require(theirs.optimizer is not None and int(theirs.optimizer.iterations) == steps, f"{what}: Adam's step is lost")
    weights = theirs.get_weights()
    moments = [v.numpy() for v in theirs.optimizer.variables]
    if steps:
        report.require(any(np.abs(m).max() > 0 for m in moments[-2:]), f"{what}: moments are lost")

    # Saved by Keras and exported again, it is the same file, moments and settings of Adam and all.
    again = program.folder / f"again{ending}"
    theirs.save(again)
    back = program.export(again, form, network, f"-back{ending}")
    if form == "keras-h5" or model.name != "trained_no_decay":  # Keras' .keras forgets the optimizer's settings
        report.require(back.read_bytes() == path.read_bytes(), f"{what}: through Keras and back, it differs")
    back_weights = keras.saving.load_model(back).get_weights()
    report.require(all(a.tobytes() == b.tobytes() for a, b in zip(weights, back_weights, strict=True)), f"{what}: weights differ")

    # Training goes on.
    (x, y), *_ = [c for c in cases if len(c[0]) == 7]
    loss = theirs.train_on_batch(x, np.full_like(y, 0.9))
    moved = max(np.abs(a - b).max() for a, b in zip(theirs.get_weights(), weights))
    report.require(math.isfinite(loss) and moved > 0 and int(theirs.optimizer.iterations) == steps + 1, f"{what}: does not go on: {loss}, {moved}")


def load(path, network, form):
    """The model, compiled with the optimizer of the file, as docs/formats.md says."""
    loss = "mse" if network == "generator" else "binary_crossentropy"
    if form == "keras-h5":
        return page("def load_compiled", path)["load_compiled"](path, loss)
    theirs = keras.saving.load_model(path)
    if network == "generator":
        theirs.compile(theirs.optimizer, loss)
    return theirs


def page(word, path):
    """Runs the code of the page that has a word in it, beside files that it opens, and returns what it defines."""
    text = (ours.ROOT / "docs" / "formats.md").read_text()
    (code,) = [c for c in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if word in c]
    folder = path.parent / "page"
    folder.mkdir(exist_ok=True)
    shutil.copy(path, folder / "discriminator.h5")
    names = {}
    with contextlib.chdir(folder):
        exec(compile(code, "docs/formats.md", "exec"), names)
    return names


def check_pairs(program, report, model):
    """What train --keras-h5 saved: the files that export writes, none of them pruned."""
    names = {p.name for p in model.path.glob("*.h5")}
    want = {f"{network}_{step}.h5" for network in model.cases for step in (2, STEPS)}
    report.require(names == want, f"{model.name}: train --keras-h5 left {names}")
    for network in model.cases:
        path = program.export(model.path, "keras-h5", network, ".h5")
        report.require((model.path / f"{network}_{STEPS}.h5").read_bytes() == path.read_bytes(), f"{model.name}: {network}_{STEPS}.h5 is not what export writes")
