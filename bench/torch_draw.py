"""The seed's generator at work in PyTorch: a batch of latents in, images out."""

import torch

import peer
import torch_nets


def main():
    parser = peer.drawing_flags()
    parser.add_argument("--mode", choices=["eager", "channels_last", "compile"], default="eager")
    args = peer.parsed(parser)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    channels_last = args.mode != "eager"
    net = torch_nets.generator(channels_last).eval()
    detail = "channels_last" if channels_last else "contiguous"
    if args.mode == "compile":
        # Weights become constants: packed once, the normalisations folded into them.
        net = torch.compile(net, dynamic=False, options={"freezing": True})
        detail += ", frozen"
    pieces = [torch.from_numpy(p) for p in peer.latents(args.batch, args.piece)]

    @torch.inference_mode()
    def draw():
        return [net(piece) for piece in pieces]

    detail += f", {args.piece} at a time, {torch.backends.cpu.get_cpu_capability()}"
    peer.serve(draw, f"PyTorch {args.mode}", torch.__version__, detail)


if __name__ == "__main__":
    main()
