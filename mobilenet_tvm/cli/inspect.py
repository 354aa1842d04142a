"""``inspect``"""

from __future__ import annotations

import argparse

from mobilenet_tvm.cli import arguments, output

HELP = "what a package holds, and which record each kernel came from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("package", metavar="PACKAGE", help=arguments.PACKAGE_HELP)


def run(args: argparse.Namespace) -> int:
    """Print the manifest."""
    from mobilenet_tvm.verbs.inspect import inspect

    result = inspect(args.package)
    if args.json:
        output.print_json(result)
        return 0
    model, target = result.model, result.target
    print(f"model    {model.name} ({model.weights}), ONNX {model.onnx_sha256[:12]}")
    print(f"target   {target.name} ({target.arch}), {result.dtype}, {result.threads} thread(s)")
    print(f"needs    {' '.join(target.cpu_features)}")
    if target.cpu:
        print(f"tuned    for {target.cpu}, or what is nearest to it")
    for kind, tensors in (("input", result.inputs), ("output", result.outputs)):
        for tensor in tensors:
            print(f"{kind:<8} {tensor.name} {'x'.join(map(str, tensor.shape))} {tensor.dtype}")
    print(f"classes  {'names of ' + str(len(result.labels)) if result.labels else 'no names'}")
    made_by = dict(result.versions)
    if (code := result.device_code) is not None:
        print(f"GPU      {code.arch} machine code, {code.ptx} PTX, driver {code.driver}, source {code.source}")
        made_by |= {"device code": code.compiler} if code.compiler else {}
    print("made by  " + ", ".join(f"{name} {version}" for name, version in made_by.items()))
    print(f"size     {sum(result.sizes.values()) / 1e6:.1f} MB in {len(result.sizes)} files\n")
    explained = any(kernel.why for kernel in result.kernels)
    rows = [
        (
            kernel.name,
            kernel.layer or "",
            kernel.dtype,
            kernel.generator or "",
            kernel.record,
            kernel.campaign or "",
            kernel.cpu or "",
            f"{1e3 * kernel.seconds:.4f}" if kernel.seconds else "",
            *([kernel.why or ""] if explained else []),
        )
        for kernel in result.kernels
    ]
    heading = ("kernel", "layer", "dtype", "schedule", "record", "campaign", "CPU", ">ms when tuned")
    output.print_table((*heading, "why not in int8") if explained else heading, rows)
    return 0
