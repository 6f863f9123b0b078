"""What a reader of the DCGAN listing in Keras meets today.

Usage: listing_today.py

The class below is the listing as published, with the edits that Keras 3 and the lost return values ask for; each is
marked. The output is kept in listing_today.txt.
"""

import gzip
import pathlib
import warnings

from deterministic import keras
import numpy as np
from keras.layers import (
    Activation, BatchNormalization, Conv2D, Conv2DTranspose, Dense, Dropout, Flatten, Input, LeakyReLU, Reshape,
)
from keras.models import Model, Sequential
from keras.optimizers import Adam
from scipy.stats import truncnorm

MNIST = pathlib.Path(__file__).parents[2] / "dataset" / "mnist"
BATCH, STEPS = 16, 4


def load_images():  # edit: from the repository, where the listing calls mnist.load_data()
    data = gzip.decompress((MNIST / "train-images-idx3-ubyte.gz").read_bytes())
    return np.frombuffer(data, np.uint8, offset=16).reshape(-1, 28, 28)


class DCGAN:
    def __init__(self, train_before_freezing=False, freeze_by_step=False, optimizers=None):
        self.freeze_by_step = freeze_by_step
        # Input shape
        self.img_rows = 28
        self.img_cols = 28
        self.channels = 1
        self.img_shape = (self.img_rows, self.img_cols, self.channels)
        self.latent_dim = 100

        if optimizers is None:
            optimizer = Adam(learning_rate=0.0002, beta_1=0.5, decay=1e-8)  # edit: was lr=0.0002
            optimizers = optimizer, optimizer

        # Build and compile the discriminator
        self.discriminator = self.discriminator_model()
        self.discriminator.compile(loss='binary_crossentropy',
                                   optimizer=optimizers[0],
                                   metrics=['accuracy'])

        if train_before_freezing:  # not in the listing: builds the training function while D's weights can be trained
            # The listing's own shapes and types (float64 labels): for others Keras builds it once more, too late.
            x, y = np.zeros((BATCH, *self.img_shape), np.float32), np.ones((BATCH, 1), np.float64)
            self.discriminator.train_on_batch(x, y)

        # Build the generator
        self.generator = self.generator_model()

        # The generator takes noise as input and generates images
        noise = Input(shape=(self.latent_dim,))
        images = self.generator(noise)

        # For the combined model we will only train the generator
        self.discriminator.trainable = False
        # The discriminator takes generated images as input and determines validity
        validity = self.discriminator(images)

        # The adversarial model (stacked generator and discriminator)
        self.adversarial = Model(noise, validity)
        self.adversarial.compile(loss='binary_crossentropy',
                                 optimizer=optimizers[1],
                                 metrics=['accuracy'])

    def discriminator_model(self):
        # 28*28*1-->14*14*64-->7*7*128-->4*4*256-->4*4*512
        dropout = 0.4

        model = Sequential()
        model.add(Conv2D(64, kernel_size=3, strides=2, padding="same",
                         input_shape=self.img_shape))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(dropout))

        model.add(Conv2D(128, kernel_size=3, strides=2, padding="same"))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(dropout))

        model.add(Conv2D(256, kernel_size=3, strides=2, padding="same"))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(dropout))

        model.add(Conv2D(512, kernel_size=3, strides=1, padding="same"))
        model.add(LeakyReLU(alpha=0.2))
        model.add(Dropout(dropout))

        model.add(Flatten())
        model.add(Dense(1))
        model.add(Activation('sigmoid'))

        image = Input(shape=self.img_shape)
        validity = model(image)

        return Model(image, validity)  # edit: the value was lost

    def generator_model(self):
        # 100-->7*7*256-->14*14*128-->28*28*64-->28*28*32-->28*28*1
        model = Sequential()
        model.add(Dense(256 * 7 * 7, input_shape=(self.latent_dim,)))
        model.add(BatchNormalization(momentum=0.9))
        model.add(Activation('relu'))
        model.add(Reshape((7, 7, 256)))

        model.add(Conv2DTranspose(128, kernel_size=3, strides=2, padding='same'))
        model.add(BatchNormalization(momentum=0.9))
        model.add(Activation('relu'))

        model.add(Conv2DTranspose(64, kernel_size=3, strides=2, padding='same'))
        model.add(BatchNormalization(momentum=0.9))
        model.add(Activation('relu'))

        model.add(Conv2DTranspose(32, kernel_size=3, padding='same'))
        model.add(BatchNormalization(momentum=0.9))
        model.add(Activation('relu'))

        model.add(Conv2DTranspose(self.channels, kernel_size=3, padding='same'))
        model.add(Activation('tanh'))

        noise = Input(shape=(self.latent_dim,))
        image = model(noise)
        return Model(noise, image)  # edit: the value was lost

    def train(self, epochs, batch_size=256):  # edit: saves nothing
        # Load the dataset
        x_train = load_images()
        # Rescale to [-1, 1]
        x_train = (x_train.astype(np.float32) - 127.5) / 127.5
        x_train = np.expand_dims(x_train, axis=3)

        for epoch in range(epochs):
            # Train Discriminator
            half_batch = int(batch_size / 2)
            # Select a random half batch of images
            idx = np.random.randint(0, x_train.shape[0], half_batch)
            real_img = x_train[idx]

            # Sample noise and generate a half batch of new images
            noise = truncnorm.rvs(-1, 1, size=(half_batch, self.latent_dim))
            fake_img = self.generator.predict(noise, verbose=0)  # edit: Keras 3 prints a bar

            # Train the discriminator (real classified as ones and generated as zeros)
            x = np.concatenate((real_img, fake_img))
            real_label = truncnorm.rvs(0.7, 1.2, size=(half_batch, 1))
            fake_label = truncnorm.rvs(0.0, 0.3, size=(half_batch, 1))
            y = np.concatenate((real_label, fake_label))
            if self.freeze_by_step:  # not in the listing
                self.discriminator.trainable = True
            d_loss = self.discriminator.train_on_batch(x, y)

            # Train Generator
            # Sample generator input
            noise = truncnorm.rvs(-1, 1, size=(batch_size, self.latent_dim))

            # Train the generator (wants discriminator to mistake images as real)
            real_label = truncnorm.rvs(0.7, 1.2, size=(batch_size, 1))
            if self.freeze_by_step:  # not in the listing
                self.discriminator.trainable = False
            a_loss = self.adversarial.train_on_batch(noise, real_label)

            # Plot the progress
            print('{} [D loss: {:.5f}, acc: {:.3f}] [A loss: {:.5f}, acc: {:.3f}]'.
                  format(epoch, d_loss[0], d_loss[1], a_loss[0], a_loss[1]))


said = set()  # each warning is printed once, where it first comes


def attempt(title, make):
    """Makes a DCGAN, trains it a little, and prints what Keras has to say and how far both networks moved."""
    print(f"\n{title}")
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    moved = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            gan = make()
            d, g = weights(gan.discriminator), weights(gan.generator)
            gan.train(STEPS, BATCH)
            moved = movement(gan.discriminator, d), movement(gan.generator, g)
            d = weights(gan.discriminator)
            gan.adversarial.train_on_batch(np.zeros((BATCH, gan.latent_dim)), np.ones((BATCH, 1)))
            assert movement(gan.discriminator, d) == 0  # D is fixed in the adversarial step, as meant
        except ValueError as e:
            print(f"error: {str(e).strip().splitlines()[0]}")
    for message in dict.fromkeys(str(w.message).strip().splitlines()[0] for w in caught):
        if message not in said:
            print(f"warning: {message}")
        said.add(message)
    if moved:
        print(f"largest movement of a weight in {STEPS} steps: D {moved[0]:.1e}, G {moved[1]:.1e}")
    return moved


def weights(model):
    return [w.numpy() for w in model.weights if not w.name.startswith("moving")]


def movement(model, before):
    return max(float(np.max(np.abs(new - old))) for new, old in zip(weights(model), before, strict=True))


def two_adams():
    return [Adam(learning_rate=0.0002, beta_1=0.5) for _ in range(2)]


def main():
    print(f"Keras {keras.__version__}, {STEPS} steps at batch {BATCH}")

    print("\nAs published: Adam(lr=0.0002, beta_1=0.5, decay=1e-8)")
    with warnings.catch_warnings(action="ignore"):
        try:
            Adam(lr=0.0002, beta_1=0.5, decay=1e-8)
        except ValueError as e:
            print(f"error: {e}")

    moved = attempt("With learning_rate= and the return values: it runs, and D never trains", DCGAN)
    assert moved[0] == 0

    print("\nKeras 3 reads `trainable` when D's training function is built, at its first train_on_batch: frozen by then.")
    attempt("Built before D is frozen, one Adam for both as in the listing", lambda: DCGAN(train_before_freezing=True))
    moved = attempt(
        "Built before D is frozen, an Adam for each: D trains",
        lambda: DCGAN(train_before_freezing=True, optimizers=two_adams()),
    )
    assert moved[0] > 0
    moved = attempt(
        "D.trainable set before each of the two train_on_batch, an Adam for each: D trains",
        lambda: DCGAN(freeze_by_step=True, optimizers=two_adams()),
    )
    assert moved[0] > 0


if __name__ == "__main__":
    main()
