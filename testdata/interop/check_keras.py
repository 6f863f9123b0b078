"""Usage: check_keras.py DCGAN

Opens what the program DCGAN writes for Keras in Keras, and what Keras writes in DCGAN, and compares. See README.md.
"""

import logging
import pathlib
import subprocess
import sys
import tempfile
import warnings

import keras_models  # before h5py: loaded the other way round, TensorFlow was seen to corrupt the heap

import keras_bad
import keras_in
import keras_out
import keras_steps
import ours


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    report = ours.Report()
    logging.getLogger().setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        helper = pathlib.Path(folder) / "helper"
        subprocess.run(["go", "build", "-o", str(helper), "./testdata/interop/helper"], cwd=ours.ROOT, check=True)
        program = ours.Program(sys.argv[1], helper, folder)
        for part in (keras_out, keras_in, keras_steps, keras_bad):
            before = report.passed + report.failed
            part.check(program, report)
            print(f"{part.__name__}: {report.passed + report.failed - before} comparisons", flush=True)
    print(keras_models.VERSIONS)
    for group, difference in report.largest.items():
        print(f"largest difference, {group}: {difference:.1e}")
    print(f"{report.passed} passed, {report.failed} failed")
    sys.exit(report.failed > 0)


if __name__ == "__main__":
    main()
