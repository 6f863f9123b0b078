"""Runs golden.py again and compares what it writes with the files that stand here.

Tables must be equal. Of each array, shape and type must be equal, and the numbers within 1e-6 in relative L2 distance.
One that is 0 but for rounding, as the gradient of a bias in front of a BatchNormalization, may differ by 1e-12 instead.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

RELATIVE, ABSOLUTE = 1e-6, 1e-12
HERE = pathlib.Path(__file__).parent


def difference(got, want):
    """Relative L2 distance, or 0 where the arrays are the same but for less than ABSOLUTE."""
    got, want = got.astype(np.float64), want.astype(np.float64)
    if np.max(np.abs(got - want), initial=0) <= ABSOLUTE:
        return 0.0
    return float(np.linalg.norm(got - want) / np.linalg.norm(want))


def compare(new, failures):
    """Compares the folder new with HERE; returns the number of things compared and the largest difference."""
    count, largest = 0, (0.0, "none")
    names = {p.name for folder in (new, HERE) for p in folder.iterdir() if p.suffix in (".json", ".npz")}
    for name in sorted(names):
        count += 1
        if not (new / name).exists() or not (HERE / name).exists():
            failures.append(f"{name}: only in one of the two")
        elif name.endswith(".json"):
            if json.loads((new / name).read_text()) != json.loads((HERE / name).read_text()):
                failures.append(f"{name}: differs")
        else:
            with np.load(new / name) as got, np.load(HERE / name) as want:
                if got.files != want.files:
                    failures.append(f"{name}: holds other arrays")
                    continue
                for key in want.files:
                    count += 1
                    if got[key].shape != want[key].shape or got[key].dtype != want[key].dtype:
                        failures.append(f"{name} {key}: another shape or type")
                        continue
                    d = difference(got[key], want[key])
                    largest = max(largest, (d, f"{name} {key}"))
                    if not d <= RELATIVE:
                        failures.append(f"{name} {key}: differs by {d:.1e}")
    return count, largest


def main():
    with tempfile.TemporaryDirectory() as new:
        subprocess.run([sys.executable, HERE / "golden.py", "--out", new], check=True)
        failures = []
        count, (largest, where) = compare(pathlib.Path(new), failures)
    for failure in failures:
        print(failure)
    print(f"largest difference: {largest:.1e} ({where})")
    print(f"{count - len(failures)} passed, {len(failures)} failed")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
