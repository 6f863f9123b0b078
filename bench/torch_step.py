"""The seed's whole training step in PyTorch, as fast as it goes there."""

import math

import torch
import torch.nn.functional as F

import peer
import torch_nets

LEARNING_RATE, BETA1, BETA2, DECAY = 2e-4, 0.5, 0.999, 1e-8


def truncated_normal(shape, low, high):
    """Draws a standard normal truncated to [low, high], through the inverse of its distribution."""
    u = torch.empty(shape).uniform_(math.erf(low / math.sqrt(2)), math.erf(high / math.sqrt(2)))
    return u.erfinv_().mul_(math.sqrt(2))


def accuracy(logit, real):
    return ((logit > 0) == real).float().mean()


class Adam(torch.optim.Adam):
    """Keras' Adam: a rate that decays, and an epsilon that the bias correction does not scale."""

    def __init__(self, parameters, **how):
        super().__init__(parameters, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=1e-7, **how)
        self.iteration = 0

    def step(self):
        group = self.param_groups[0]
        group["lr"] = LEARNING_RATE / (1 + DECAY * self.iteration)
        self.iteration += 1
        group["eps"] = 1e-7 / math.sqrt(1 - BETA2**self.iteration)
        super().step()


class Step:
    def __init__(self, args):
        last = args.layout == "channels_last"
        # Turned by 180 degrees: see torch_nets.
        self.images = torch.from_numpy(peer.mnist()).flip(1, 2).unsqueeze(1).contiguous()
        self.half = args.batch // 2
        self.g, self.d = torch_nets.generator(last), torch_nets.discriminator(last)
        self.masks = torch_nets.Masks(args.batch, last)
        how = {args.adam: True}
        self.adam_g, self.adam_d = Adam(self.g.parameters(), **how), Adam(self.d.parameters(), **how)
        if args.mode == "compile":
            # All but G's training: there eager's batch normalisation is the faster.
            self.draw = torch.compile(self.draw, dynamic=False)
            self.d = torch.compile(self.d, dynamic=False)

    def draw(self, noise):
        return self.g(noise)

    def d_loss(self, real, fake, labels, masks):
        logit = self.d(torch.cat((real, fake)), masks)
        loss = F.binary_cross_entropy_with_logits(logit, labels)
        logit = logit.detach()
        right = (accuracy(logit[:self.half], True) + accuracy(logit[self.half:], False)) / 2
        return loss, right

    def g_loss(self, noise, labels, masks):
        logit = self.d(self.g(noise), masks)
        loss = F.binary_cross_entropy_with_logits(logit, labels)
        return loss, accuracy(logit.detach(), True)

    def __call__(self):
        half = self.half
        real = self.images[torch.randint(len(self.images), (half,))]
        self.g.eval()
        with torch.no_grad():
            fake = self.draw(truncated_normal((half, peer.LATENT), -1, 1))
        labels = torch.cat((truncated_normal((half, 1), 0.7, 1.2), truncated_normal((half, 1), 0.0, 0.3)))
        d_loss, d_accuracy = self.d_loss(real, fake, labels, self.masks.draw())
        d_loss.backward()
        self.adam_d.step()
        self.adam_d.zero_grad(set_to_none=True)

        self.g.train()
        self.d.requires_grad_(False)  # so that no gradients of D's weights are computed
        noise = truncated_normal((2 * half, peer.LATENT), -1, 1)
        g_loss, g_accuracy = self.g_loss(noise, truncated_normal((2 * half, 1), 0.7, 1.2), self.masks.draw())
        g_loss.backward()
        self.adam_g.step()
        self.adam_g.zero_grad(set_to_none=True)
        self.d.requires_grad_(True)
        return d_loss.item(), d_accuracy.item(), g_loss.item(), g_accuracy.item()


def main():
    parser = peer.flags()
    parser.add_argument("--mode", choices=["eager", "channels_last", "compile"], default="eager")
    parser.add_argument("--layout", choices=["contiguous", "channels_last"])
    parser.add_argument("--adam", choices=["fused", "foreach"], default="fused")
    parser.add_argument("--plain", type=int, default=1)
    parser.add_argument("--denormals", action="store_true", help="compute them, where others flush them")
    parser.add_argument("--option", action="append", default=[])
    args = parser.parse_args()
    if not args.layout:
        args.layout = "channels_last" if args.mode == "channels_last" else "contiguous"
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(not args.denormals)
    torch.manual_seed(1)
    detail = f"{args.layout}, {args.adam} Adam, {torch.backends.cpu.get_cpu_capability()}"
    peer.serve(Step(args), f"PyTorch {args.mode}", torch.__version__, detail, warmup=3)


main()
