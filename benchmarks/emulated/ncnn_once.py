"""One inference by ncnn between two marks, one thread: ncnn_once.py MARKS PREFIX, for PREFIX.ncnn.param and .bin."""

import ctypes
import sys

import ncnn
import numpy as np

marks, prefix = ctypes.CDLL(sys.argv[1]), sys.argv[2]
network = ncnn.Net()
network.opt.num_threads = 1
network.opt.use_vulkan_compute = False
if "--float32" in sys.argv:
    network.opt.use_fp16_packed = network.opt.use_fp16_storage = network.opt.use_fp16_arithmetic = False
network.load_param(f"{prefix}.ncnn.param")
network.load_model(f"{prefix}.ncnn.bin")
image = ncnn.Mat(np.random.default_rng(0).standard_normal((3, 224, 224)).astype("float32"))


def prepared() -> ncnn.Extractor:
    extractor = network.create_extractor()
    extractor.input("in0", image)
    return extractor


prepared().extract("out0")
extractor = prepared()
marks.static_model_begin()
_, output = extractor.extract("out0")
marks.static_model_end()
print(np.array(output)[:4])
