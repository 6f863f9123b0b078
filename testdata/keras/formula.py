"""The formula that fills every tensor of the golden cases, and the .npz writer. The Go test repeats the formula."""

import io
import zipfile

import numpy as np


def mix(x):
    """A 32-bit integer hash, in uint32 arithmetic."""
    x = np.asarray(x, np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def values(id, size):
    """Multiples of 2^-23 in [-1, 1), exact in float32; element i depends on id and i alone."""
    start = mix(np.array([id]))
    bits = mix(start + np.arange(size, dtype=np.uint32)) >> np.uint32(8)
    return (bits.astype(np.float64) / 2**23 - 1).astype(np.float32)


def tensor(entry):
    """The float32 tensor of a table's entry: values * scale + offset.

    Scales are powers of two, so the product is exact and the sum rounds once, with or without fused multiply-add.
    """
    scale, offset = np.float32(entry["scale"]), np.float32(entry["offset"])
    assert np.frexp(scale)[0] == 0.5, entry
    v = values(entry["id"], int(np.prod(entry["shape"])))
    return (v * scale + offset).reshape(entry["shape"])


def mask(entry):
    """The dropout mask of a table's entry: true where the unit is kept."""
    v = values(entry["id"], int(np.prod(entry["shape"])))
    return (v < np.float32(entry["keep_below"])).reshape(entry["shape"])


def write_npz(path, arrays):
    """As numpy.savez, with fixed times, so that equal arrays make equal files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as z:
        for name, array in arrays.items():
            data = io.BytesIO()
            np.lib.format.write_array(data, np.asarray(array, order="C"), version=(1, 0))
            z.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), data.getvalue())
