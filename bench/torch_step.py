"""The seed's whole training step in PyTorch, as fast as it goes there."""

import math

import torch
import torch.nn.functional as F

import peer
import torch_nets

LEARNING_RATE, BETA1, BETA2, EPSILON, DECAY = 2e-4, 0.5, 0.999, 1e-7, 1e-8


def truncated_normal(shape, low, high):
    """Draws a standard normal truncated to [low, high], through the inverse of its distribution."""
    u = torch.empty(shape).uniform_(math.erf(low / math.sqrt(2)), math.erf(high / math.sqrt(2)))
    return u.erfinv_().mul_(math.sqrt(2))


def share(condition):
    return condition.float().mean()


class Adam(torch.optim.Adam):
    """Keras' Adam: a rate that decays, and an epsilon that the bias correction does not scale."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
        self.iteration = 0

    def step(self):
        group = self.param_groups[0]
        group["lr"] = LEARNING_RATE / (1 + DECAY * self.iteration)
        self.iteration += 1
        group["eps"] = EPSILON / math.sqrt(1 - BETA2**self.iteration)
        super().step()


class Step:
    def __init__(self, batch, mode):
        channels_last = mode != "eager"
        # Turned by 180 degrees: see torch_nets.
        self.images = torch.from_numpy(peer.mnist()).flip(1, 2).unsqueeze(1).contiguous()
        self.half = batch // 2
        self.g, self.d = torch_nets.generator(channels_last), torch_nets.discriminator(channels_last)
        self.masks = torch_nets.Masks(batch, channels_last)
        self.adam_g, self.adam_d = Adam(self.g.parameters()), Adam(self.d.parameters())
        self.draw, self.judge = self.g, self.d
        if mode == "compile":
            # All but G's training: there eager's batch normalisation is faster than the compiled one.
            self.draw, self.judge = torch.compile(self.g, dynamic=False), torch.compile(self.d, dynamic=False)

    def __call__(self):
        d_loss, d_accuracy = self.learn_d()
        g_loss, g_accuracy = self.learn_g()
        return [value.item() for value in (d_loss, d_accuracy, g_loss, g_accuracy)]

    def learn_d(self):
        half = self.half
        real = self.images[torch.randint(len(self.images), (half,))]
        self.g.eval()
        with torch.no_grad():
            fake = self.draw(truncated_normal((half, peer.LATENT), -1, 1))
        labels = torch.cat((truncated_normal((half, 1), 0.7, 1.2), truncated_normal((half, 1), 0.0, 0.3)))
        logit = self.judge(torch.cat((real, fake)), self.masks.draw())
        loss = F.binary_cross_entropy_with_logits(logit, labels)
        loss.backward()
        self.adam_d.step()
        self.adam_d.zero_grad()
        logit = logit.detach()
        return loss.detach(), (share(logit[:half] > 0) + share(logit[half:] < 0)) / 2

    def learn_g(self):
        batch = 2 * self.half
        self.g.train()
        self.d.requires_grad_(False)  # so that no gradients of D's weights are computed
        images = self.g(truncated_normal((batch, peer.LATENT), -1, 1))
        logit = self.judge(images, self.masks.draw())
        loss = F.binary_cross_entropy_with_logits(logit, truncated_normal((batch, 1), 0.7, 1.2))
        loss.backward()
        self.adam_g.step()
        self.adam_g.zero_grad()
        self.d.requires_grad_(True)
        return loss.detach(), share(logit.detach() > 0)


def main():
    parser = peer.flags()
    parser.add_argument("--mode", choices=["eager", "channels_last", "compile"], default="eager")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    layout = "contiguous" if args.mode == "eager" else "channels_last"
    detail = f"{layout}, fused Adam, {torch.backends.cpu.get_cpu_capability()}"
    peer.serve(Step(args.batch, args.mode), f"PyTorch {args.mode}", torch.__version__, detail)


if __name__ == "__main__":
    main()
