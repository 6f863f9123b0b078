"""The seed's generator at work in onnxruntime: a batch of latents in, images out."""

import onnxruntime

import onnx_generator
import peer


def main():
    parser = peer.flags()
    parser.add_argument("--plain", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=0)
    args = parser.parse_args()
    chunk = min(args.chunk or args.batch, args.batch)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # Waits for work, of this process or another, without keeping a core busy.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    model = onnx_generator.build(chunk, bool(args.plain))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    noise = peer.latents(args.batch)

    def draw():
        return [session.run(None, {"latents": noise[i:i + chunk]}) for i in range(0, args.batch, chunk)]

    peer.serve(draw, "onnxruntime", onnxruntime.__version__, f"plain {args.plain}, chunks of {chunk}")


main()
