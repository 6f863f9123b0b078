"""The seed's generator as an ONNX model with random weights, for onnxruntime and OpenVINO."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import peer


class Builder:
    """Collects nodes, each taking what the one before gave."""

    def __init__(self, source):
        self.nodes, self.weights, self.last = [], [], source
        self.random = np.random.default_rng(1)

    def weight(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def glorot(self, *shape, fans):
        limit = np.sqrt(6 / fans)
        return self.weight(self.random.uniform(-limit, limit, shape).astype(np.float32))

    def zeros(self, n):
        return self.weight(np.zeros(n, np.float32))

    def add(self, op, *weights, **attributes):
        self.nodes.append(helper.make_node(op, [self.last, *weights], [f"t{len(self.nodes)}"], **attributes))
        self.last = self.nodes[-1].output[0]

    def normalised_relu(self, n):
        gamma, beta, mean = (self.weight(self.random.normal(m, 0.1, n).astype(np.float32)) for m in (1, 0, 0))
        self.add("BatchNormalization", gamma, beta, mean, self.weight(np.ones(n, np.float32)), epsilon=1e-3)
        self.add("Relu")

    def transposed(self, c, k, stride):
        """A transposed convolution to stride times the side; a stride of 2 is cropped at the end, as Keras does."""
        pads = [0, 0, 1, 1] if stride == 2 else [1, 1, 1, 1]
        self.add("ConvTranspose", self.glorot(c, k, 3, 3, fans=9 * (c + k)), self.zeros(k),
                 strides=[stride, stride], pads=pads)


def build(batch):
    """Returns the model's bytes."""
    b = Builder("latents")
    b.add("Gemm", b.glorot(peer.LATENT, 12544, fans=peer.LATENT + 12544), b.zeros(12544))
    b.normalised_relu(12544)
    b.add("Reshape", b.weight(np.array([batch, 256, 7, 7])))
    b.transposed(256, 128, 2)
    b.normalised_relu(128)
    b.transposed(128, 64, 2)
    b.normalised_relu(64)
    b.transposed(64, 32, 1)
    b.normalised_relu(32)
    b.transposed(32, 1, 1)
    b.add("Tanh")
    b.nodes[-1].output[0] = "images"
    graph = helper.make_graph(
        b.nodes, "generator",
        [helper.make_tensor_value_info("latents", TensorProto.FLOAT, [batch, peer.LATENT])],
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 1, 28, 28])], b.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return model.SerializeToString()
