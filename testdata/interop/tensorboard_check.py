"""Event files in TensorBoard's own reader, also of a run that was killed and went on."""

import json
import signal
import subprocess
import time

import numpy as np
import tensorboard.version
from tensorboard.backend.event_processing import event_accumulator, event_file_loader

VERSIONS = f"TensorBoard {tensorboard.version.VERSION}"

TRAIN = ["--batch", "4", "--g-filters", "4,4,4,4", "--d-filters", "4,4,4,4", "--latent", "4", "--quiet"]


def lines(run):
    """The lines of metrics.jsonl that are whole."""
    text = (run / "metrics.jsonl").read_text() if (run / "metrics.jsonl").exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def check_run(run, steps, report, what):
    """Holds the events against metrics.jsonl, the sample grids and config.json."""
    metrics = lines(run)
    report.require([m["step"] for m in metrics] == list(range(1, steps + 1)), f"{what}: metrics.jsonl")
    (path,) = (run / "tensorboard").iterdir()

    # All records, before the accumulator drops what it takes for the remains of a run that was killed.
    seen = [(e.step, v.tag) for e in event_file_loader.LegacyEventFileLoader(str(path)).Load() for v in e.summary.value]
    report.require(len(seen) == len(set(seen)), f"{what}: something appears twice")

    events = event_accumulator.EventAccumulator(str(run / "tensorboard"), size_guidance=dict.fromkeys(("scalars", "images", "tensors"), 0))
    events.Reload()
    tags = events.Tags()
    report.require(set(tags["scalars"]) == set(metrics[0]) - {"step"}, f"{what}: scalars {tags['scalars']}")
    for tag in tags["scalars"]:
        got = [(e.step, e.value) for e in events.Scalars(tag)]
        want = [(m["step"], float(np.float32(m[tag]))) for m in metrics]
        report.require(got == want, f"{what}: {tag} is {got[:3]}, want {want[:3]}")
    times = [e.wall_time for e in events.Scalars("d_loss")]
    report.require(times == sorted(times) and abs(times[0] - time.time()) < 3600, f"{what}: times {times[:3]}")

    report.require(tags["images"] == ["samples"], f"{what}: images {tags['images']}")
    got = {e.step: e.encoded_image_string for e in events.Images("samples")}
    want = {int(p.stem.rsplit("-", 1)[1]): p.read_bytes() for p in (run / "samples").glob("*.png")}
    report.require(got == want, f"{what}: images of steps {sorted(got)}, want {sorted(want)}")

    report.require(tags["tensors"] == ["config"], f"{what}: texts {tags['tensors']}")
    (text,) = events.Tensors("config")
    config = json.loads((run / "config.json").read_text())
    shown = json.loads(text.tensor_proto.string_val[0])
    report.require(shown.items() <= config.items() and "lr" in shown, f"{what}: the settings differ")


def kill_after(program, run, step, args):
    """Trains and kills the program once the line of a step is written."""
    process = subprocess.Popen([program.dcgan, "train", *args])
    while process.poll() is None and not any(m["step"] >= step for m in lines(run)):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def check(program, models, report):
    del models  # a run is wanted, and its own steps
    whole = program.folder / "whole"
    program.run("train", *TRAIN, "--run", whole, "--steps", 12, "--save-every", 4, "--tensorboard")
    check_run(whole, 12, report, "a run")

    # Killed between two saves, twice; then the end of the file torn as by a power cut.
    killed = program.folder / "killed"
    args = [*TRAIN, "--run", str(killed), "--steps", "100000", "--save-every", "20", "--tensorboard"]
    report.require(kill_after(program, killed, 33, args), "the run ended before it was killed")
    reached = lines(killed)[-1]["step"]
    again = ["--run", str(killed), "--resume", "--quiet"]
    report.require(kill_after(program, killed, reached + 25, again), "the run ended before it was killed again")
    (path,) = (killed / "tensorboard").iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    end = lines(killed)[-1]["step"] + 15
    program.run("train", *again, "--steps", end)
    check_run(killed, end, report, "a run that was killed twice")

    # Wanted only when the run goes on.
    later = program.folder / "later"
    program.run("train", *TRAIN, "--run", later, "--steps", 5, "--save-every", 4)
    program.run("train", "--resume", "--run", later, "--steps", 9, "--tensorboard", "--quiet")
    check_run(later, 9, report, "a run that is shown later")
