"""Which converter takes which ONNX operator; TVM's own takes those that are not here."""

from collections.abc import Mapping

from tvm import relax

from tvm_pipeline.importer.operators.clip import convert_clip
from tvm_pipeline.importer.operators.conv_transpose import convert_conv_transpose
from tvm_pipeline.importer.operators.node import Convert
from tvm_pipeline.importer.operators.pooling import (
    convert_average_pool,
    convert_global_lp_pool,
    convert_lp_pool,
    convert_max_pool,
    convert_max_unpool,
)
from tvm_pipeline.importer.operators.resize import convert_resize, convert_upsample
from tvm_pipeline.importer.operators.variadic import chain_of, convert_mean

CONVERTERS: Mapping[str, Convert] = {
    "AveragePool": convert_average_pool,
    "Clip": convert_clip,
    "ConvTranspose": convert_conv_transpose,
    "GlobalLpPool": convert_global_lp_pool,
    "LpPool": convert_lp_pool,
    "MaxPool": convert_max_pool,
    "MaxUnpool": convert_max_unpool,
    "Max": chain_of(relax.op.maximum),
    "Mean": convert_mean,
    "Min": chain_of(relax.op.minimum),
    "Resize": convert_resize,
    "Sum": chain_of(relax.op.add),
    "Upsample": convert_upsample,
}
