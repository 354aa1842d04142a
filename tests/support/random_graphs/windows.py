"""Random nodes that slide a window: convolutions and pools over one to three axes."""

from __future__ import annotations

from typing import Any

from random_graphs.graph import Graph, Value


def is_image(value: Value) -> bool:
    """Whether a value is ``[N, C, ...]`` with one to three axes behind."""
    return value.is_float and 3 <= value.rank <= 5


def _window(graph: Graph, value: Value, *, dilates: bool = True) -> tuple[list[int], dict[str, Any]]:
    """A kernel's shape, and the attributes of its way over the image."""
    axes = value.rank - 2
    kernel = [graph.integer(1, 3, "kernel") for _ in range(axes)]
    attributes: dict[str, Any] = {"strides": [graph.integer(1, 2, "stride") for _ in range(axes)]}
    if dilates and graph.flag("dilated"):
        attributes["dilations"] = [graph.integer(1, 2, "dilation") for _ in range(axes)]
    padding = graph.choose(["none", "pads", "SAME_UPPER", "SAME_LOWER", "VALID"], "padding")
    if padding == "pads":
        attributes["pads"] = [graph.integer(0, (kernel[side % axes]) // 2, "pad") for side in range(2 * axes)]
    elif padding != "none":
        attributes["auto_pad"] = padding
    return kernel, attributes


def conv(graph: Graph, value: Value) -> None:
    channels = value.shape[1]
    groups = graph.choose([count for count in range(1, channels + 1) if channels % count == 0], "groups")
    kernel, attributes = _window(graph, value)
    out = groups * graph.integer(1, 4, "multiplier")
    operands = [value, graph.normal(out, channels // groups, *kernel)]
    operands += [graph.normal(out)] if graph.flag("bias") else []
    graph.node("Conv", operands, group=groups, kernel_shape=kernel, **attributes)


def conv_transpose(graph: Graph, value: Value) -> None:
    channels = value.shape[1]
    groups = graph.choose([count for count in range(1, channels + 1) if channels % count == 0], "groups")
    kernel, attributes = _window(graph, value)
    if max(attributes["strides"]) == 2 and graph.flag("output padding"):
        attributes["output_padding"] = [graph.integer(0, stride - 1) for stride in attributes["strides"]]
    weight = graph.normal(channels, graph.integer(1, 4, "out"), *kernel)
    operands = [value, weight, *([graph.normal(weight.shape[1] * groups)] if graph.flag("bias") else [])]
    graph.node("ConvTranspose", operands, group=groups, kernel_shape=kernel, **attributes)


def max_pool(graph: Graph, value: Value) -> None:
    kernel, attributes = _window(graph, value, dilates=graph.opset >= 10)
    if graph.opset >= 10:
        attributes["ceil_mode"] = graph.integer(0, 1, "ceil")
    graph.node("MaxPool", [value], exact=True, kernel_shape=kernel, **attributes)


def average_pool(graph: Graph, value: Value) -> None:
    kernel, attributes = _window(graph, value, dilates=graph.opset >= 19)
    if graph.opset >= 10:
        attributes["ceil_mode"] = graph.integer(0, 1, "ceil")
    graph.node(
        "AveragePool", [value], kernel_shape=kernel, count_include_pad=graph.integer(0, 1, "counted"), **attributes
    )


def lp_pool(graph: Graph, value: Value) -> None:
    kernel, attributes = _window(graph, value, dilates=graph.opset >= 18)
    if graph.opset >= 18:
        attributes["ceil_mode"] = graph.integer(0, 1, "ceil")
    graph.node("LpPool", [value], kernel_shape=kernel, p=graph.integer(1, 3, "p"), **attributes)


def global_pool(graph: Graph, value: Value) -> None:
    operator = graph.choose(["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"])
    graph.node(operator, [value], exact=operator == "GlobalMaxPool")


def resize(graph: Graph, value: Value) -> None:
    """By scales, a factor per axis; Upsample where the opset has it."""
    axes = value.rank - 2
    scales = graph.constant([1, 1, *(graph.choose([0.5, 1, 1.5, 2, 2.5, 3], "scale") for _ in range(axes))])
    if graph.opset < 9:
        graph.node("Upsample", [value], mode="nearest", scales=[max(float(scale), 1.0) for scale in scales.array])
        return
    if graph.opset < 11:
        operator = "Upsample" if graph.opset == 9 else "Resize"
        mode = graph.choose(["nearest", "linear"] if axes == 2 else ["nearest"], "mode")
        graph.node(operator, [value, scales], mode=mode)
        return
    mode = graph.choose(["nearest", "linear", *(["cubic"] if axes == 2 else [])], "mode")
    attributes: dict[str, Any] = {"mode": mode}
    ways = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    attributes["coordinate_transformation_mode"] = graph.choose(ways, "coordinates")
    if mode == "nearest":
        ways = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
        attributes["nearest_mode"] = graph.choose(ways, "rounding")
    if mode == "cubic":
        attributes["cubic_coeff_a"] = graph.choose([-0.75, -0.5], "coefficient")
        attributes["exclude_outside"] = graph.integer(0, 1, "outside")
    if graph.opset >= 18 and mode != "nearest":
        attributes["antialias"] = graph.integer(0, 1, "antialias")
    graph.node("Resize", [value, graph.constant([]) if graph.opset < 13 else None, scales], **attributes)


def depth_to_space(graph: Graph, value: Value) -> None:
    attributes = {"mode": graph.choose(["DCR", "CRD"], "mode")} if graph.opset >= 11 else {}
    graph.node("DepthToSpace", [value], exact=True, blocksize=graph.choose([1, 2]), **attributes)


def space_to_depth(graph: Graph, value: Value) -> None:
    graph.node("SpaceToDepth", [value], exact=True, blocksize=graph.choose([1, 2]))


WINDOWS = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalPool": global_pool,
    "Resize": resize,
}
IMAGES_OF_RANK_4 = {"DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth}
