"""ONNX files in onnx' own checker and in onnxruntime."""

import onnx
import onnxruntime

VERSIONS = f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}"

ENDS = {"generator": ("latent", "image"), "discriminator": ("image", "probability")}


def sizes(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def check(program, models, report):
    for model in models:
        for network, cases in model.cases.items():
            what = f"{model.name}, {network}"
            path = program.export(model.path, "onnx", network, ".onnx")
            file = onnx.load(path)
            try:
                onnx.checker.check_model(file, full_check=True)
                inferred = onnx.shape_inference.infer_shapes(file, check_type=True, strict_mode=True, data_prop=True)
                report.require(True, what)
            except Exception as error:
                report.require(False, f"onnx' checker: {what}: {error}")
                continue
            known = {v.name: sizes(v) for v in inferred.graph.value_info}
            report.require(
                all(n.output[0] in known or n is file.graph.node[-1] for n in file.graph.node)
                and all(s[0] == "N" and all(isinstance(d, int) and d > 0 for d in s[1:]) for s in known.values()),
                f"{what}: shapes are not inferred to the end: {known}")
            report.require(file.opset_import[0].version >= 17, f"{what}: opset {file.opset_import[0].version}")
            (one,), (other,) = file.graph.input, file.graph.output
            x, y = cases[0]
            report.require(
                (one.name, other.name) == ENDS[network]
                and sizes(one) == ["N", *x.shape[1:]] and sizes(other) == ["N", *y.shape[1:]],
                f"{what}: its ends are {one}, {other}")
            report.require({"architecture", "config", "step"} <= {p.key for p in file.metadata_props}, f"{what}: metadata")
            report.require(file.SerializeToString(deterministic=True) == path.read_bytes(), f"{what}: onnx writes it otherwise")

            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            for x, y in cases:
                (got,) = session.run(None, {ENDS[network][0]: x})
                report.close(got, y, f"onnxruntime, {network}", f"{what}, batch {len(x)}")
            report.spread(y, what)

            # Read back, it is the same network.
            again = program.export(path, "onnx", network, "-again.onnx")
            report.require(again.read_bytes() == path.read_bytes(), f"{what}: exported again, it differs")
            x, y = cases[1]
            ours = program.images(path, x) if network == "generator" else program.probabilities(path, x)
            report.require((ours == y).all(), f"{what}: read back, it computes something else")
