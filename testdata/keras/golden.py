"""Three training steps of the seed, the loss alone, and single layers, computed by Keras and written as golden files.

Usage: golden.py [--out DIR]

Everything is computed in float64, so that the files hold what the formulas say and not one machine's rounding. The
same steps are then run in float32, Keras' default, and must agree: the largest differences are printed.
README.md describes the files.
"""

import argparse
import json
import pathlib

from deterministic import keras, tf
import numpy as np

from formula import mask, tensor, write_npz
import layers

BATCH, STEPS, LATENT = 8, 3, 100
DROPOUT, SLOPE, MOMENTUM = 0.4, 0.2, 0.9
LEARNING_RATE, BETA_1, BETA_2, EPSILON = 2e-4, 0.5, 0.999, 1e-7
CASES = {"seed": 1e-8, "decay": 0.1}  # file name: decay
SAMPLE, STRIDE = 512, 7919  # the stride is a prime that divides no tensor's size
# Nearer to 0 than this, an input of a ReLU or LeakyReLU may fall to either side by rounding: with other ids, one that
# fell to the other side changed a gradient of Keras' own float32 by 1 %.
KINK = 4e-6
# A gradient of one element may be the small rest of a sum that cancels, with no other element beside which its error is
# small: with other ids one of 0.0017, of 6272 terms, was off by 2e-5 of it in Keras' own float32, and by 1.9e-4 in
# ours, where 1e-4 is allowed.
SINGLE = 0.02
# The ids of what D's and G's half of each step use, in the order of table(), found by trying: in both cases no input of
# a ReLU or LeakyReLU whose gradient is taken is within KINK of 0, and no gradient of one element within SINGLE. They
# were settled one after another: images and latents by the layers up to D's first convolution, then each mask by the
# convolution after it, then labels and the last mask by the gradient.
IDS = {
    "step_1": (
        (1100003, 1110000, 1170000, 1180000, 1140001, 1150000, 1160002, 1190000),
        (1200006, 1260002, 1220004, 1230001, 1240001, 1270002),
    ),
    "step_2": (
        (2100000, 2110001, 2170000, 2180000, 2140000, 2150000, 2160010, 2190000),
        (2200025, 2260002, 2220003, 2230001, 2240000, 2270002),
    ),
    "step_3": (
        (3100000, 3110002, 3170001, 3180001, 3140001, 3150000, 3160028, 3190001),
        (3202090, 3260000, 3220000, 3230002, 3240011, 3270000),
    ),
}


class MaskedDropout(keras.layers.Layer):
    """Dropout as Keras computes it, with a given mask in place of a random one; without a mask nothing is dropped."""

    mask = None

    def call(self, x):
        if self.mask is None:
            return x
        return tf.where(self.mask, x * (1 / (1 - DROPOUT)), tf.zeros_like(x))


def discriminator():
    keras.backend.clear_session()  # layer names count from the start in each network
    d = keras.Sequential([keras.Input((28, 28, 1))])
    for filters, strides in [(64, 2), (128, 2), (256, 2), (512, 1)]:
        d.add(keras.layers.Conv2D(filters, kernel_size=3, strides=strides, padding="same"))
        d.add(keras.layers.LeakyReLU(negative_slope=SLOPE))
        d.add(MaskedDropout())
    d.add(keras.layers.Flatten())
    d.add(keras.layers.Dense(1))
    d.add(keras.layers.Activation("sigmoid"))
    assert d.count_params() == 1_558_017
    return d


def generator():
    keras.backend.clear_session()
    g = keras.Sequential([keras.Input((LATENT,))])

    def normalized_relu():
        g.add(keras.layers.BatchNormalization(momentum=MOMENTUM))
        g.add(keras.layers.Activation("relu"))

    g.add(keras.layers.Dense(256 * 7 * 7))
    normalized_relu()
    g.add(keras.layers.Reshape((7, 7, 256)))
    for filters, strides in [(128, 2), (64, 2), (32, 1)]:
        g.add(keras.layers.Conv2DTranspose(filters, kernel_size=3, strides=strides, padding="same"))
        normalized_relu()
    g.add(keras.layers.Conv2DTranspose(1, kernel_size=3, padding="same"))
    g.add(keras.layers.Activation("tanh"))
    assert g.count_params() == 1_705_601
    return g


# Scale and offset of each weight: such that activations keep their size from layer to layer.
WEIGHTS = {
    "generator.dense/kernel": (2**-2, 0),
    "generator.conv2d_transpose/kernel": (2**-4, 0),
    "generator.conv2d_transpose_1/kernel": (2**-3, 0),
    "generator.conv2d_transpose_2/kernel": (2**-4, 0),
    "generator.conv2d_transpose_3/kernel": (2**-4, 0),
    "discriminator.conv2d/kernel": (2**-1, 0),
    "discriminator.conv2d_1/kernel": (2**-4, 0),
    "discriminator.conv2d_2/kernel": (2**-4, 0),
    "discriminator.conv2d_3/kernel": (2**-5, 0),
    "discriminator.dense/kernel": (2**-6, 0),
    "bias": (2**-4, 0),
    "gamma": (2**-2, 1),
    "beta": (2**-2, 0),
    "moving_mean": (2**-4, 0),
    "moving_variance": (2**-2, 0.75),
}


def variables(network, model):
    """Each variable of a model by its full name, in Keras' order."""
    return {f"{network}.{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}


def before_normalization(network, model):
    """Names of the biases in front of a BatchNormalization: their exact gradient is 0."""
    pairs = zip(model.layers, model.layers[1:])
    return [f"{network}.{a.name}/bias" for a, b in pairs if isinstance(b, keras.layers.BatchNormalization)]


def table():
    """Everything the three steps start from: seed.json."""
    ids = iter(range(1, 1000))

    def entry(name, shape, scale, offset):
        return {"name": name, "id": next(ids), "shape": list(shape), "scale": scale, "offset": offset}

    d, g = discriminator(), generator()
    weights = []
    for network, model in ("generator", g), ("discriminator", d):
        trainable = {id(v) for v in model.trainable_variables}
        for name, v in variables(network, model).items():
            scale, offset = WEIGHTS.get(name) or WEIGHTS[v.name]
            weights.append(entry(name, v.shape, scale, offset) | {"trainable": id(v) in trainable})

    drops = [layer.output.shape[1:] for layer in d.layers if isinstance(layer, MaskedDropout)]

    def masks(prefix):
        keep = 2 * (1 - DROPOUT) - 1
        return [
            {"name": f"{prefix}_{i}", "id": next(ids), "shape": [BATCH, *shape], "keep_below": round(keep, 6)}
            for i, shape in enumerate(drops)
        ]

    inputs, dropout = [entry("inference/latents", (BATCH, LATENT), 1, 0)], []
    for step in range(1, STEPS + 1):
        at = f"step_{step}"
        ids_d, ids_g = IDS[at]
        ids = iter(ids_d)
        inputs += [
            entry(f"{at}/d_images_real", (BATCH // 2, 28, 28, 1), 1, 0),
            entry(f"{at}/d_latents", (BATCH // 2, LATENT), 1, 0),
            entry(f"{at}/d_labels_real", (BATCH // 2, 1), 2**-2, 0.95),
            entry(f"{at}/d_labels_fake", (BATCH // 2, 1), 2**-3, 0.15),
        ]
        dropout += masks(f"{at}/d_dropout")
        ids = iter(ids_g)
        inputs += [
            entry(f"{at}/g_latents", (BATCH, LATENT), 1, 0),
            entry(f"{at}/g_labels", (BATCH, 1), 2**-2, 0.95),
        ]
        dropout += masks(f"{at}/g_dropout")

    return {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "batch": BATCH,
        "steps": STEPS,
        "settings": {
            "latent": LATENT,
            "learning_rate": LEARNING_RATE,
            "beta_1": BETA_1,
            "beta_2": BETA_2,
            "epsilon": EPSILON,
            "dropout": DROPOUT,
            "leaky_relu_slope": SLOPE,
            "batch_normalization_momentum": MOMENTUM,
            "batch_normalization_epsilon": 1e-3,
        },
        "cases": [{"file": f"{name}.npz", "decay": decay} for name, decay in CASES.items()],
        "sample": {"limit": SAMPLE, "stride": STRIDE},
        "weights": weights,
        "inputs": inputs,
        "dropout": dropout,
        "zero_gradients": before_normalization("generator", g),
    }


def sample(array):
    """All of a small array, else SAMPLE elements spread over it."""
    flat = np.asarray(array).reshape(-1)
    if flat.size <= SAMPLE:
        return flat
    assert flat.size % STRIDE
    return flat[np.arange(SAMPLE) * STRIDE % flat.size]


class Measured:
    """What shows that the numbers can tell right from wrong."""

    def __init__(self):
        self.logits, self.std, self.open, self.single, self.kink = [], [], [], [], np.inf

    def near_kink(self, x):
        self.kink = min(self.kink, float(np.min(np.abs(x))))

    def check(self):
        print(
            f"  largest |logit| {max(self.logits):.3f}; images' standard deviation {min(self.std):.3f} to "
            f"{max(self.std):.3f}; ReLUs open {min(self.open):.1%} to {max(self.open):.1%}; "
            f"nearest to a kink {self.kink:.1e}; smallest one-element gradient {min(self.single):.3f}"
        )
        assert max(self.logits) < 4
        assert min(self.std) > 0.1
        assert 0.3 <= min(self.open) and max(self.open) <= 0.7
        assert self.kink > KINK
        assert min(self.single) > SINGLE


def precision(dtype):
    # Keras keeps a policy apart from floatx; where the two differ a loss converts its input, which loses the logits.
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


class Run:
    """The three steps at one decay and one precision; self.out takes the arrays of one .npz file."""

    def __init__(self, table, decay, dtype):
        precision(dtype)
        self.dtype, self.measured, self.out = dtype, Measured(), {}
        self.d, self.g = discriminator(), generator()
        models = {"generator": self.g, "discriminator": self.d}
        self.variables = {network: variables(network, model) for network, model in models.items()}
        for w in table["weights"]:
            self.variables[w["name"].split(".")[0]][w["name"]].assign(tensor(w).astype(dtype))
        self.entries = {e["name"]: e for e in table["inputs"] + table["dropout"]}
        self.adams = {}
        for network in self.variables:
            schedule = keras.optimizers.schedules.InverseTimeDecay(LEARNING_RATE, 1, decay)
            self.adams[network] = keras.optimizers.Adam(schedule, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON)

    def input(self, name):
        return tf.constant(tensor(self.entries[name]), self.dtype)

    def draw(self, latents, training):
        """G's images."""
        x = latents
        for layer in self.g.layers:
            before = x
            x = layer(x, training=training) if isinstance(layer, keras.layers.BatchNormalization) else layer(x)
            if isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.relu:
                self.measured.open.append(float(np.mean(x > 0)))
                if training:
                    self.measured.near_kink(before)
        self.measured.std.append(float(np.std(x)))
        return x

    def judge(self, images, masks):
        """D's logits and probabilities; masks names the dropout masks, None stands for inference."""
        for i, layer in enumerate(layer for layer in self.d.layers if isinstance(layer, MaskedDropout)):
            layer.mask = tf.constant(mask(self.entries[f"{masks}_{i}"])) if masks else None
        x = images
        for layer in self.d.layers[:-1]:
            if isinstance(layer, keras.layers.LeakyReLU) and masks:
                self.measured.near_kink(x)
            x = layer(x)
        self.measured.logits.append(float(np.max(np.abs(x))))
        assert masks is None or np.min(np.abs(x)) > 1e-4  # nearer to 0, rounding could change an accuracy
        return x, self.d.layers[-1](x)

    def forward_d(self, at):
        half = BATCH // 2
        fake = self.draw(self.input(f"{at}/d_latents"), training=False)
        images = tf.concat([self.input(f"{at}/d_images_real"), fake], 0)
        labels = tf.concat([self.input(f"{at}/d_labels_real"), self.input(f"{at}/d_labels_fake")], 0)
        logits, p = self.judge(images, f"{at}/d_dropout")
        real, not_fake = np.mean(p[:half] > 0.5), np.mean(p[half:] < 0.5)
        accuracies = {"d_accuracy_real": real, "d_accuracy_fake": not_fake, "d_accuracy": (real + not_fake) / 2}
        return accuracies, fake, logits, keras.losses.BinaryCrossentropy()(labels, p)

    def forward_g(self, at):
        images = self.draw(self.input(f"{at}/g_latents"), training=True)
        logits, p = self.judge(images, f"{at}/g_dropout")
        loss = keras.losses.BinaryCrossentropy()(self.input(f"{at}/g_labels"), p)
        return {"g_accuracy": np.mean(p > 0.5)}, images, logits, loss

    def learn(self, at, network):
        """One network's half of a step."""
        with tf.GradientTape() as tape:
            accuracies, images, logits, loss = (self.forward_g if network == "generator" else self.forward_d)(at)
        trained = {name: v for name, v in self.variables[network].items() if v.trainable}
        gradients = tape.gradient(loss, [v.value for v in trained.values()])
        self.adams[network].apply(gradients, list(trained.values()))

        letter = network[0]
        self.out[f"{at}/{letter}_images" + ("_fake" if letter == "d" else "")] = images.numpy().astype(np.float32)
        self.out[f"{at}/{letter}_logits"] = logits.numpy().astype(np.float64)
        self.out[f"{at}/{letter}_loss"] = np.float64(loss)
        self.out |= {f"{at}/{name}": share for name, share in accuracies.items()}
        for name, gradient in zip(trained, gradients):
            full = gradient.numpy().astype(np.float64)
            if full.size == 1:
                self.measured.single.append(abs(full.item()))
            self.out[f"{at}/gradient/{name}"] = sample(full).astype(np.float32)
            self.out[f"{at}/gradient_norm/{name}"] = np.sqrt(np.sum(full * full))

    def infer(self, at):
        images = self.draw(self.input("inference/latents"), training=False)
        self.out[f"{at}/images"] = images.numpy().astype(np.float32)
        self.out[f"{at}/logits"] = self.judge(images, None)[0].numpy().astype(np.float64)

    def all(self):
        self.infer("initial")
        for step in range(1, STEPS + 1):
            self.learn(f"step_{step}", "discriminator")
            self.learn(f"step_{step}", "generator")
        for named in self.variables.values():
            for name, v in named.items():
                value = v.numpy().astype(np.float32)
                self.out[f"final/{name}"] = sample(value) if v.trainable else value
        self.infer("final")
        return self


def loss_alone(dtype):
    """Loss and gradient by the logit, each example by itself and as a batch."""
    precision(dtype)
    logits = np.array([-40, -20, -4, -1, -0.25, 0, 0.25, 1, 4, 20, 40], dtype)
    targets = np.array([0, 0.3, 0.7, 1, 1.2], dtype)
    x, t = (a.reshape(-1, 1) for a in np.meshgrid(logits, targets, indexing="ij"))
    sigmoid = keras.layers.Activation("sigmoid")
    logit = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(logit)
        loss = keras.losses.BinaryCrossentropy()(tf.constant(t), sigmoid(logit))
    each = keras.losses.BinaryCrossentropy(reduction=None)(tf.constant(t), sigmoid(logit))
    return {
        "logits": x.astype(np.float32),
        "targets": t.astype(np.float32),
        "loss_each": each.numpy().astype(np.float64),
        "loss": np.float64(loss),
        "gradient": tape.gradient(loss, logit).numpy().astype(np.float64),
    }


def check_loss():
    """A compiled model, with its sigmoid inside a nested model, takes the loss from the logit, not clipped."""
    precision("float32")
    nested = keras.Sequential([keras.Input((1,)), keras.layers.Activation("sigmoid")])
    logit = keras.Input((1,))
    model = keras.Model(logit, nested(logit))
    model.compile(loss="binary_crossentropy")
    assert abs(model.test_on_batch(np.array([[40.0]]), np.array([[0.3]])) - 28) < 1e-5


def check_dropout():
    """MaskedDropout scales as Keras' own Dropout does, bit for bit."""
    precision("float32")
    x = tf.constant(np.linspace(-3, 3, 1000, dtype=np.float32))
    theirs = keras.layers.Dropout(DROPOUT)(x, training=True)
    ours = MaskedDropout()
    ours.mask = theirs != 0
    assert 500 < np.count_nonzero(theirs) < 700
    assert np.array_equal(ours(x), theirs)


def distance(a, b):
    """Relative L2 distance of two arrays."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30)


# What the Go test allows a float32 program, by kind; None where rounding decides.
ALLOWED = {
    "loss, relative": 1e-5,
    "gradient, relative L2": 1e-4,
    "weight of gradient >= 1e-5": 5e-6,
    "weight of any gradient": None,
    "bias before BN": None,
    "its gradient": None,
    "moving statistics": 1e-5,
    "images": 1e-5,
    "logits": 1e-5,
    "accuracies": 0,
}


def compare(float32, float64, zero_gradients):
    """Prints how far Keras' own float32 is from the golden numbers, largest differences by kind."""
    worst = dict.fromkeys(ALLOWED, (0.0, "-"))

    def note(kind, difference):
        worst[kind] = max(worst[kind], (float(difference), name))

    for name, want in float64.items():
        at, _, rest = name.partition("/")
        got = float32[name]
        apart = np.abs(got - want)
        if rest.startswith("gradient_norm/"):
            continue
        if rest.startswith("gradient/"):
            if rest.removeprefix("gradient/") in zero_gradients:
                note("its gradient", np.max(apart))
            else:
                note("gradient, relative L2", distance(got, want))
        elif rest in zero_gradients:
            note("bias before BN", np.max(apart))
        elif "/moving_" in rest:
            note("moving statistics", np.max(apart))
        elif "." in rest:
            gradients = [np.abs(float64[f"step_{step}/gradient/{rest}"]) for step in range(1, STEPS + 1)]
            note("weight of gradient >= 1e-5", np.max(apart, where=np.min(gradients, axis=0) >= 1e-5, initial=0))
            note("weight of any gradient", np.max(apart))
        elif rest.endswith("loss"):
            note("loss, relative", apart / abs(want))
        else:
            note(next(kind for kind in ("images", "logits", "accuracies") if kind[:6] in rest), np.max(apart))
    for kind, (difference, name) in worst.items():
        print(f"  {kind}: {difference:.1e} ({name})")
        assert ALLOWED[kind] is None or difference <= ALLOWED[kind]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    check_loss()
    check_dropout()
    seed = table()
    (out / "seed.json").write_text(to_json(seed))
    for name, decay in CASES.items():
        print(f"{name}: decay {decay}")
        exact = Run(seed, decay, "float64").all()
        exact.measured.check()
        write_npz(out / f"{name}.npz", exact.out)
        compare(Run(seed, decay, "float32").all().out, exact.out, seed["zero_gradients"])
    loss = loss_alone("float64")
    write_npz(out / "loss.npz", loss)
    print(f"loss alone: float32 differs by {distance(loss_alone('float32')['loss_each'], loss['loss_each']):.1e}")
    layers.write(out)


def to_json(value):
    """JSON with a line for each key, and in a list of objects for each entry."""
    lines = []
    for key, v in value.items():
        if isinstance(v, list) and isinstance(v[0], dict):
            v = "[\n" + ",\n".join("  " + json.dumps(e) for e in v) + "\n ]"
        else:
            v = json.dumps(v)
        lines.append(f" {json.dumps(key)}: {v}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
