"""The seed's whole training step in Keras on TensorFlow, as one graph."""

import math
import os

import peer

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402


def discriminator():
    """D, up to the logit."""
    stack = [keras.Input((28, 28, 1))]
    for k, strides in (64, 2), (128, 2), (256, 2), (512, 1):
        stack += [layers.Conv2D(k, 3, strides, "same"), layers.LeakyReLU(0.2), layers.Dropout(0.4)]
    return keras.Sequential(stack + [layers.Flatten(), layers.Dense(1)])


def generator():
    stack = [keras.Input((peer.LATENT,)), layers.Dense(12544), layers.BatchNormalization(momentum=0.9), layers.ReLU(),
             layers.Reshape((7, 7, 256))]
    for k, strides in (128, 2), (64, 2), (32, 1):
        stack += [layers.Conv2DTranspose(k, 3, strides, "same"), layers.BatchNormalization(momentum=0.9), layers.ReLU()]
    return keras.Sequential(stack + [layers.Conv2DTranspose(1, 3, 1, "same"), layers.Activation("tanh")])


def adam(variables):
    rate = keras.optimizers.schedules.InverseTimeDecay(2e-4, 1, 1e-8)
    optimizer = keras.optimizers.Adam(rate, beta_1=0.5)
    optimizer.build(variables)
    return optimizer


def truncated_normal(shape, low, high):
    """Draws a standard normal truncated to [low, high], through the inverse of its distribution."""
    u = tf.random.uniform(shape, math.erf(low / math.sqrt(2)), math.erf(high / math.sqrt(2)))
    return math.sqrt(2) * tf.math.erfinv(u)


def mean_cross_entropy(labels, logit):
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logit))


def share(condition):
    return tf.reduce_mean(tf.cast(condition, tf.float32))


def step(batch, jit):
    """Returns a function that does one step and returns losses and accuracies."""
    half = batch // 2
    images = tf.constant(peer.mnist()[..., None])
    g, d = generator(), discriminator()
    assert g.count_params() == 1_705_601 and d.count_params() == 1_558_017
    adam_g, adam_d = adam(g.trainable_variables), adam(d.trainable_variables)

    @tf.function(jit_compile=jit)
    def whole():
        real = tf.gather(images, tf.random.uniform((half,), 0, len(images), tf.int32))
        fake = g(truncated_normal((half, peer.LATENT), -1, 1), training=False)
        labels = tf.concat((truncated_normal((half, 1), 0.7, 1.2), truncated_normal((half, 1), 0.0, 0.3)), 0)
        with tf.GradientTape() as tape:
            logit = d(tf.concat((real, fake), 0), training=True)
            d_loss = mean_cross_entropy(labels, logit)
        adam_d.apply(tape.gradient(d_loss, d.trainable_variables), d.trainable_variables)
        d_accuracy = (share(logit[:half] > 0) + share(logit[half:] < 0)) / 2

        with tf.GradientTape() as tape:
            logit = d(g(truncated_normal((batch, peer.LATENT), -1, 1), training=True), training=True)
            g_loss = mean_cross_entropy(truncated_normal((batch, 1), 0.7, 1.2), logit)
        adam_g.apply(tape.gradient(g_loss, g.trainable_variables), g.trainable_variables)
        return d_loss, d_accuracy, g_loss, share(logit > 0)

    return lambda: [value.numpy() for value in whole()]


def main():
    parser = peer.flags()
    parser.add_argument("--jit", type=int, default=0, help="1: compile with XLA")
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    tf.config.threading.set_inter_op_parallelism_threads(args.threads)
    keras.utils.set_random_seed(1)
    detail = f"TensorFlow {tf.__version__}, " + ("XLA" if args.jit else "tf.function")
    peer.serve(step(args.batch, bool(args.jit)), "Keras", keras.__version__, detail)


if __name__ == "__main__":
    main()
