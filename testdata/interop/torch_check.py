"""safetensors files in PyTorch, by the code that docs/formats.md shows."""

import contextlib
import re

import torch

import ours

VERSIONS = f"PyTorch {torch.__version__}"


def snippet(program, model):
    """Runs the page's code beside the files that it opens, and returns what it defines."""
    page = (ours.ROOT / "docs" / "formats.md").read_text()
    (code,) = [c for c in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "import torch" in c]
    program.run("export", model.path, "--format", "safetensors", "--network", "both", "--out", program.folder / "page")
    names = {}
    with contextlib.chdir(program.folder / "page"):
        exec(compile(code, "docs/formats.md", "exec"), names)
    return names


def check(program, models, report):
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    names = snippet(program, models[0])
    report.require(tuple(names["images"].shape) == (25, 28, 28, 1), "the page's code draws no 25 images")
    report.require(tuple(names["probabilities"].shape) == (25, 1), "the page's code judges no 25 images")
    for model in models:
        for network, cases in model.cases.items():
            what = f"{model.name}, {network}"
            path = program.export(model.path, "safetensors", network, ".pt.safetensors")
            net = names["load"](path)
            for x, y in cases:
                x = torch.from_numpy(x)
                got = net(x).permute(0, 2, 3, 1) if network == "generator" else net(x.permute(0, 3, 1, 2))
                report.close(got.numpy(), y, f"PyTorch, {network}", f"{what}, batch {len(x)}")

            again = program.export(path, "safetensors", network, "-again.safetensors")
            report.require(again.read_bytes() == path.read_bytes(), f"{what}: exported again, it differs")
            x, y = cases[1]
            back = program.images(path, x) if network == "generator" else program.probabilities(path, x)
            report.require((back == y).all(), f"{what}: read back, it computes something else")
