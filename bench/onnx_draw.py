"""The seed's generator at work in onnxruntime: a batch of latents in, images out."""

import onnxruntime

import onnx_generator
import peer


def main():
    args = peer.parsed(peer.drawing_flags())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    model = onnx_generator.build(args.piece)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    pieces = peer.latents(args.batch, args.piece)

    def draw():
        return [session.run(None, {"latents": piece}) for piece in pieces]

    peer.serve(draw, "onnxruntime", onnxruntime.__version__, f"{args.piece} at a time, instruction set of its choice")


if __name__ == "__main__":
    main()
