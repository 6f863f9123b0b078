"""The seed's generator at work in OpenVINO: a batch of latents in, images out."""

import openvino

import onnx_generator
import peer


def main():
    parser = peer.flags()
    parser.add_argument("--plain", type=int, default=1)
    parser.add_argument("--chunk", type=int, default=0)
    args = parser.parse_args()
    chunk = min(args.chunk or args.batch, args.batch)
    core = openvino.Core()
    model = core.read_model(onnx_generator.build(chunk, bool(args.plain)))
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": "f32",  # else it takes bfloat16 where the processor has it
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": args.threads,
        "CPU_DENORMALS_OPTIMIZATION": True,
    })
    noise = peer.latents(args.batch)
    request = compiled.create_infer_request()

    def draw():
        return [request.infer({0: noise[i:i + chunk]}, share_inputs=True) for i in range(0, args.batch, chunk)]

    detail = f"{compiled.get_property('NUM_STREAMS')} stream, plain {args.plain}, chunks of {chunk}"
    peer.serve(draw, "OpenVINO", openvino.__version__.split("-")[0], detail)


main()
