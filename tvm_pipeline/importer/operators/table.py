"""Which converter takes which ONNX operator; TVM's own takes those that are not here."""

from collections.abc import Mapping

from tvm import relax

from tvm_pipeline.importer.operators.arithmetic import (
    convert_bit_cast,
    convert_celu,
    convert_equal,
    convert_is_inf,
    convert_matmul,
    convert_mod,
    convert_pow,
    convert_prelu,
    convert_thresholded_relu,
)
from tvm_pipeline.importer.operators.clip import convert_clip
from tvm_pipeline.importer.operators.conv_transpose import convert_conv_transpose
from tvm_pipeline.importer.operators.dropout import convert_dropout
from tvm_pipeline.importer.operators.fourier import convert_dft, convert_stft
from tvm_pipeline.importer.operators.hyperbolic import (
    convert_acosh,
    convert_asinh,
    convert_atanh,
    convert_cosh,
    convert_sinh,
)
from tvm_pipeline.importer.operators.node import Convert
from tvm_pipeline.importer.operators.normalization import (
    convert_layer_normalization,
    convert_lp_normalization,
    convert_rms_normalization,
)
from tvm_pipeline.importer.operators.pool_indices import convert_max_unpool
from tvm_pipeline.importer.operators.pooling import (
    convert_average_pool,
    convert_global_lp_pool,
    convert_global_max_pool,
    convert_lp_pool,
    convert_max_pool,
)
from tvm_pipeline.importer.operators.rearrangement import convert_col2im, convert_space_to_depth
from tvm_pipeline.importer.operators.resize import convert_resize, convert_upsample
from tvm_pipeline.importer.operators.roi_align import convert_roi_align
from tvm_pipeline.importer.operators.selection import (
    convert_compress,
    convert_one_hot,
    convert_reverse_sequence,
    convert_slice,
    convert_tensor_scatter,
)
from tvm_pipeline.importer.operators.variadic import chain_of, convert_mean

CONVERTERS: Mapping[str, Convert] = {
    "Acosh": convert_acosh,
    "Asinh": convert_asinh,
    "Atanh": convert_atanh,
    "AveragePool": convert_average_pool,
    "BitCast": convert_bit_cast,
    "Clip": convert_clip,
    "Col2Im": convert_col2im,
    "Compress": convert_compress,
    "ConvTranspose": convert_conv_transpose,
    "Cosh": convert_cosh,
    "DFT": convert_dft,
    "Dropout": convert_dropout,
    "Equal": convert_equal,
    "GlobalLpPool": convert_global_lp_pool,
    "GlobalMaxPool": convert_global_max_pool,
    "IsInf": convert_is_inf,
    "LayerNormalization": convert_layer_normalization,
    "LpNormalization": convert_lp_normalization,
    "LpPool": convert_lp_pool,
    "MatMul": convert_matmul,
    "Max": chain_of(relax.op.maximum),
    "MaxPool": convert_max_pool,
    "MaxUnpool": convert_max_unpool,
    "Mean": convert_mean,
    "Min": chain_of(relax.op.minimum),
    "Mod": convert_mod,
    "OneHot": convert_one_hot,
    "PRelu": convert_prelu,
    "Pow": convert_pow,
    "RMSNormalization": convert_rms_normalization,
    "Resize": convert_resize,
    "ReverseSequence": convert_reverse_sequence,
    "RoiAlign": convert_roi_align,
    "STFT": convert_stft,
    "Sinh": convert_sinh,
    "Slice": convert_slice,
    "SpaceToDepth": convert_space_to_depth,
    "Sum": chain_of(relax.op.add),
    "TensorScatter": convert_tensor_scatter,
    "Celu": convert_celu,
    "ThresholdedRelu": convert_thresholded_relu,
    "Upsample": convert_upsample,
}
