"""Calls of the program under test, and the list of what was compared."""

import pathlib
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5
BATCHES = (1, 7, 256)


class Program:
    """The program and its helper, with a folder for files that are passed between them."""

    def __init__(self, dcgan, helper, folder):
        self.dcgan, self.helper, self.folder = str(pathlib.Path(dcgan).resolve()), str(helper), pathlib.Path(folder)

    def run(self, *args):
        subprocess.run([self.dcgan, *map(str, args)], check=True, stdout=subprocess.DEVNULL)

    def export(self, model, form, network, ending):
        """Exports one network of a model to a file of its own and returns its path."""
        out = self.folder / f"{pathlib.Path(model).stem}-{network}{ending}"
        self.run("export", model, "--format", form, "--network", network, "--out", out)
        return out

    def images(self, model, latents):
        """What the model draws of latents, N x H x W x C."""
        np.save(self.folder / "latents.npy", latents)
        self.run("sample", model, "--latents", self.folder / "latents.npy", "--out", self.folder / "images.npy")
        return np.load(self.folder / "images.npy")

    def probabilities(self, model, images):
        """What the model's discriminator says of images, N x 1."""
        np.save(self.folder / "judged.npy", images)
        files = [str(self.folder / name) for name in ("judged.npy", "probabilities.npy")]
        subprocess.run([self.helper, "judge", str(model), *files], check=True)
        return np.load(self.folder / "probabilities.npy")


class Model:
    """A checkpoint, with inputs for both networks and what this program makes of them: {network: {batch: (in, out)}}."""

    def __init__(self, program, name, path):
        self.name, self.path = name, path
        random = np.random.default_rng(1)
        shape = program.images(path, np.zeros((1, self.latent(program)), np.float32)).shape[1:]
        latents = [random.uniform(-1, 1, (n, self.latent(program))).astype(np.float32) for n in BATCHES]
        images = [random.uniform(-1, 1, (n, *shape)).astype(np.float32) for n in BATCHES]
        self.cases = {
            "generator": [(x, program.images(path, x)) for x in latents],
            "discriminator": [(x, program.probabilities(path, x)) for x in images],
        }

    def latent(self, program):
        """The size of a latent, as the summary tells it."""
        text = subprocess.run([program.dcgan, "summary", str(self.path)], check=True, capture_output=True, text=True).stdout
        line = next(line for line in text.splitlines() if line.startswith("input"))
        return int(line.split("(None,")[1].split(")")[0])


class Report:
    """Counts comparisons and keeps the largest difference of each thing compared."""

    def __init__(self):
        self.passed, self.failed, self.largest = 0, 0, {}

    def require(self, ok, what):
        """Counts one comparison, and tells of it if it failed."""
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what}", flush=True)

    def close(self, got, want, group, what):
        """Wants arrays of one shape whose values differ by at most TOLERANCE."""
        if got.shape != want.shape:
            self.require(False, f"{group}, {what}: shape {got.shape}, want {want.shape}")
            return
        difference = float(np.abs(got.astype(np.float64) - want).max())
        self.largest[group] = max(self.largest.get(group, 0.0), difference)
        self.require(difference <= TOLERANCE, f"{group}, {what}: differs by {difference:.1e}")

    def spread(self, array, what):
        """Wants values that differ from each other: comparing constants would show little."""
        self.require(float(array.std()) > 1e-4, f"{what}: all values are nearly the same")
