"""Usage: check.py DCGAN

Opens what the program DCGAN writes for other systems in those systems, and compares. See README.md.
"""

import pathlib
import subprocess
import sys
import tempfile

import onnx_check
import ours
import tensorboard_check
import torch_check

SYSTEMS = [onnx_check, torch_check, tensorboard_check]

# Networks that the command line makes: the seed's, and others by its flags.
TRAINED = {
    "trained_seed": ["--batch", "8"],
    "trained_kernel_4": ["--batch", "8", "--kernel", "4", "--latent", "16", "--g-filters", "16,12,8,4", "--d-filters", "8,12"],
    "trained_kernel_5": ["--batch", "8", "--kernel", "5", "--latent", "16", "--g-filters", "16,12,8,4", "--d-filters", "8,12,6"],
}


def make_models(program):
    models = []
    for name, flags in TRAINED.items():
        run = program.folder / f"run_{name}"
        program.run("train", *flags, "--steps", 5, "--run", run, "--quiet")
        models.append(ours.Model(program, name, run))
    folder = program.folder / "networks"
    folder.mkdir()
    subprocess.run([program.helper, "networks", str(folder)], check=True)
    models += [ours.Model(program, path.stem, path) for path in sorted(folder.iterdir())]
    return models


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    report = ours.Report()
    with tempfile.TemporaryDirectory() as folder:
        helper = pathlib.Path(folder) / "helper"
        subprocess.run(["go", "build", "-o", str(helper), "./testdata/interop/helper"], cwd=ours.ROOT, check=True)
        program = ours.Program(sys.argv[1], helper, folder)
        models = make_models(program)
        print(f"{len(models)} pairs of networks: {', '.join(m.name for m in models)}", flush=True)
        for system in SYSTEMS:
            before = report.passed + report.failed
            system.check(program, models, report)
            print(f"{system.VERSIONS}: {report.passed + report.failed - before} comparisons", flush=True)
    for group, difference in report.largest.items():
        print(f"largest difference, {group}: {difference:.1e}")
    print(f"{report.passed} passed, {report.failed} failed")
    sys.exit(report.failed > 0)


if __name__ == "__main__":
    main()
