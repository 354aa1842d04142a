"""Names of inputs that are identifiers: TVM's importer changes others, and ``a.b`` and ``a_b`` into one."""

from onnx import GraphProto, ModelProto

from tvm_pipeline.importer.normalise.editor import Editor, graphs_of, replace_all


def inputs_are_identifiers(model: ModelProto) -> None:
    """Rename inputs that are no identifiers, in place; what they are called outside is read from the file."""
    editor = Editor(model)
    renamed: dict[str, str] = {}
    for number, value in enumerate(model.graph.input):
        if not (value.name.isidentifier() and value.name.isascii()):
            renamed[value.name] = editor.fresh(f"input_{number}")
            value.name = renamed[value.name]
    if renamed:
        _rename_reads(model.graph, renamed)


def _rename_reads(graph: GraphProto, renamed: dict[str, str]) -> None:
    for node in graph.node:
        replace_all(node.input, [renamed.get(name, name) for name in node.input])
        for inner in graphs_of(node):
            _rename_reads(inner, renamed)
