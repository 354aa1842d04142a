"""Outputs: each from a node of its own, without a declared shape; results that nobody reads are not made."""

from onnx import ModelProto, TypeProto, helper

from tvm_pipeline.importer.normalise.editor import Editor, constants_of, replace_all, values_read


def own_outputs(model: ModelProto) -> None:
    """Put an Identity before every output that is an input, an initialiser, or an output already."""
    graph, editor = model.graph, Editor(model)
    taken = {value.name for value in graph.input} | set(constants_of(graph))
    for value in graph.output:
        if value.name in taken:
            name = editor.fresh(f"{value.name}_again")
            graph.node.append(helper.make_node("Identity", [value.name], [name]))
            value.name = name
        taken.add(value.name)


def forget_declared_shapes(model: ModelProto) -> None:
    """Drop what a file declares of shapes besides its inputs': it need not be true, and follows from them."""
    del model.graph.value_info[:]
    for value in model.graph.output:
        kind = TypeProto()
        kind.CopyFrom(value.type)
        if kind.HasField("tensor_type"):
            kind.tensor_type.ClearField("shape")
            value.type.CopyFrom(kind)


def drop_unread_results(model: ModelProto) -> None:
    """Cut a node's last results off where nothing reads them: MaxPool's indices, Dropout's mask, running means."""
    read = values_read(model.graph)
    for node in model.graph.node:
        kept = list(node.output)
        while len(kept) > 1 and kept[-1] not in read and node.op_type not in ("Split", "If"):
            kept.pop()
        replace_all(node.output, kept)
