"""The seed's two networks in PyTorch.

Keras pads a stride-2 convolution of an even side below and to the right, PyTorch's padding=1 above and to the left. The
networks here are therefore the seed's seen in a mirror: with images and kernels turned by 180 degrees they compute the
same numbers, and no copy is spent on padding.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Unflatten(nn.Module):
    """N×12544 to N×256×7×7, as a view that is contiguous in the layout asked for."""

    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        if self.channels_last:
            return x.view(-1, 7, 7, 256).permute(0, 3, 1, 2)
        return x.view(-1, 256, 7, 7)


class Flatten(nn.Module):
    """N×512×4×4 to N×8192, as a view of either layout."""

    def __init__(self, channels_last):
        super().__init__()
        self.channels_last = channels_last

    def forward(self, x):
        if self.channels_last:
            x = x.permute(0, 2, 3, 1)
        return x.reshape(x.shape[0], -1)


def batch_norm(kind, channels):
    return kind(channels, eps=1e-3, momentum=0.1)


def generator(channels_last):
    """G. Its transposed convolutions of stride 1 are written as what they are, convolutions, which is a little faster."""
    net = nn.Sequential(
        nn.Linear(100, 12544), batch_norm(nn.BatchNorm1d, 12544), nn.ReLU(True), Unflatten(channels_last),
        nn.ConvTranspose2d(256, 128, 3, 2, 1, 1), batch_norm(nn.BatchNorm2d, 128), nn.ReLU(True),
        nn.ConvTranspose2d(128, 64, 3, 2, 1, 1), batch_norm(nn.BatchNorm2d, 64), nn.ReLU(True),
        nn.Conv2d(64, 32, 3, 1, 1), batch_norm(nn.BatchNorm2d, 32), nn.ReLU(True),
        nn.Conv2d(32, 1, 3, 1, 1), nn.Tanh())
    return initialised(net, channels_last, 1_705_601)


class Masks:
    """What D's dropouts multiply with, drawn all at once from 16 random bits a value.

    PyTorch's own dropout draws a Bernoulli number a value, which takes a tenth of the whole step.
    """

    SHAPES = (64, 14, 14), (128, 7, 7), (256, 4, 4), (512, 4, 4)
    RATE = 0.4

    def __init__(self, batch, channels_last):
        sizes = [batch * c * h * w for c, h, w in self.SHAPES]
        self.words = torch.empty(sum(sizes) // 4, dtype=torch.int64)
        self.keep = torch.empty(sum(sizes), dtype=torch.bool)
        self.masks = torch.empty(sum(sizes))
        self.layers = []
        for mask, (c, h, w) in zip(self.masks.split(sizes), self.SHAPES):
            if channels_last:
                self.layers.append(mask.view(batch, h, w, c).permute(0, 3, 1, 2))
            else:
                self.layers.append(mask.view(batch, c, h, w))

    def draw(self):
        self.words.random_(-(2**63), None)
        torch.ge(self.words.view(torch.int16), round(self.RATE * 2**16) - 2**15, out=self.keep)
        torch.mul(self.keep, 1 / (1 - self.RATE), out=self.masks)
        return self.layers


class Discriminator(nn.Module):
    """D, up to the logit."""

    def __init__(self, channels_last):
        super().__init__()
        layers = (1, 64, 2), (64, 128, 2), (128, 256, 2), (256, 512, 1)
        self.convolutions = nn.ModuleList(nn.Conv2d(c, k, 3, stride, 1) for c, k, stride in layers)
        self.flatten, self.dense = Flatten(channels_last), nn.Linear(8192, 1)

    def forward(self, x, masks):
        for convolution, mask in zip(self.convolutions, masks):
            # Masks are not negative, so dropout and LeakyReLU may change places; this way both are done in place.
            x = F.leaky_relu_(convolution(x).mul_(mask), 0.2)
        return self.dense(self.flatten(x))


def discriminator(channels_last):
    return initialised(Discriminator(channels_last), channels_last, 1_558_017)


def initialised(net, channels_last, parameters):
    """Returns net with Glorot uniform kernels and zero biases, in the layout asked for."""
    for p in net.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    for m in net.modules():
        if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.zeros_(m.bias)
    counted = list(net.parameters()) + [b for b in net.buffers() if b.dim()]
    assert sum(t.numel() for t in counted) == parameters
    return net.to(memory_format=torch.channels_last) if channels_last else net
