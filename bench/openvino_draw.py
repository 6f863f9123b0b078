"""The seed's generator at work in OpenVINO: a batch of latents in, images out."""

import openvino

import onnx_generator
import peer


def main():
    args = peer.parsed(peer.drawing_flags())
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(onnx_generator.build(args.piece)), "CPU", {
        "INFERENCE_PRECISION_HINT": "f32",  # else it takes bfloat16 where the processor has it
        "PERFORMANCE_HINT": "LATENCY",  # one image batch at a time, on all threads
        "INFERENCE_NUM_THREADS": args.threads,
        "CPU_DENORMALS_OPTIMIZATION": True,
    })
    pieces = peer.latents(args.batch, args.piece)
    request = compiled.create_infer_request()

    def draw():
        return [request.infer({0: piece}, share_inputs=True)[0] for piece in pieces]

    peer.serve(draw, "OpenVINO", openvino.__version__.split("-")[0], f"float32, {args.piece} at a time")


if __name__ == "__main__":
    main()
