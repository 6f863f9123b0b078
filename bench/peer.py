"""What every peer program shares: its flags, the data, and the conversation with the runner.

A peer builds its network, warms up, and says on standard output that it is ready, in one line of JSON. From then on it
times one unit of work for each line `run` that it reads, and answers {"seconds": x}.
"""

import argparse
import gzip
import json
import math
import os
import pathlib
import statistics
import sys
import time

import numpy as np

LATENT = 100
BURST = 1.5  # seconds: a unit shorter than this is repeated, and the median reported


def flags(batch=256):
    """Returns a parser with the flags that all peers have."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    return parser


def mnist():
    """Returns the 60,000 training images, N×28×28 float32 in [-1, 1]."""
    path = pathlib.Path(__file__).parent.parent / "dataset" / "mnist" / "train-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return (pixels.reshape(-1, 28, 28).astype(np.float32) - 127.5) / 127.5


def latents(batch, piece):
    """Returns the latents to draw from, a list of arrays piece×100: a batch in pieces, which stay in a core's cache."""
    noise = np.random.default_rng(1).uniform(-1, 1, (batch, LATENT)).astype(np.float32)
    return list(noise.reshape(-1, piece, LATENT))


def drawing_flags():
    """Returns the flags of a peer that draws, read; piece divides batch."""
    parser = flags()
    parser.add_argument("--piece", type=int, default=32, help="images drawn at a time")
    return parser


def parsed(parser):
    args = parser.parse_args()
    args.piece = math.gcd(args.piece, args.batch)
    return args


def serve(unit, name, version, detail, warmup=3):
    """Warms unit up, then runs it as told on standard input until that ends."""
    for _ in range(warmup):
        unit()
    print(json.dumps({"ready": True, "name": name, "version": version, "detail": detail}), flush=True)
    for line in sys.stdin:
        if line.strip() == "run":
            print(json.dumps({"seconds": timed(unit)}), flush=True)


def timed(unit):
    """Returns the median seconds of as many units as fit into a burst, at least one."""
    seconds = []
    while sum(seconds) < BURST:
        start = time.perf_counter()
        unit()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
