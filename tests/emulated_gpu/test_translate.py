"""What the emulated GPU does not know is named, by line."""

from __future__ import annotations

import pytest

from emulated_gpu.build import compile_kernels
from emulated_gpu.ptx import translate_asm
from emulated_gpu.translate import find_kernels, translate
from mobilenet_tvm.base.errors import SystemFailure

UNKNOWN_PTX = """
extern "C" __global__ void clock(unsigned* out) {
  asm volatile("mov.u32 %0, %%globaltimer_lo;" : "=r"(out[0]));
}
"""
UNKNOWN_FUNCTION = """
extern "C" __global__ void sleepy(float* out) {
  __nanosleep(1);
}
"""
UNKNOWN_HEADER = "#include <cuda/barrier>\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            UNKNOWN_PTX,
            "kernels.cu, line 3: the emulated GPU does not know the PTX instruction mov.u32 %0, %%globaltimer_lo",
        ),
        (UNKNOWN_FUNCTION, "kernels.cu, line 3: use of undeclared identifier '__nanosleep'"),
        (UNKNOWN_HEADER, "kernels.cu, line 1: 'cuda/barrier' file not found"),
        ('extern "C" __global__ void broken(float* a) {', "cannot read the CUDA source: '{' at"),
    ],
)
def test_the_unknown_is_named(source: str, said: str) -> None:
    with pytest.raises(SystemFailure) as failure:
        compile_kernels(source, 80)
    assert said in str(failure.value)


def test_unknown_instructions_that_nobody_compiles_do_no_harm() -> None:
    function = UNKNOWN_PTX.replace('extern "C" __global__', "__device__")
    compile_kernels("#if __CUDA_ARCH__ < 600\n" + function + "#endif\n", 80)


def test_lines_stay_where_they_were() -> None:
    source = 'void f() {\n  asm volatile(\n    "cp.async.commit_group;"\n    : : : "memory");\n}\nint last;\n'
    assert translate_asm(source).splitlines()[5] == "int last;"
    assert len(translate_asm(source).splitlines()) == 6


def test_kernels_are_found_and_declarations_are_not() -> None:
    source = (
        'extern "C" __global__ void __launch_bounds__(64, 2) first(float* __restrict__ a, int n);\n'
        'extern "C" __global__ void __launch_bounds__(64, 2) first(float* __restrict__ a, int n) { a[n] = "}"[0]; }\n'
        "__global__ __launch_bounds__(32) void second() {}\n"
    )
    first, second = find_kernels(source)
    assert (first.name, first.parameters, first.max_threads) == ("first", (("float*", "a"), ("int", "n")), 64)
    assert (second.name, second.parameters, second.max_threads) == ("second", (), 32)


def test_a_kernel_waits_if_a_function_of_its_does() -> None:
    source = (
        "__device__ void inner() { __syncwarp(); }\n__device__ void outer() { inner(); }\n"
        'extern "C" __global__ void waits() { outer(); }\nextern "C" __global__ void runs(int* a) { a[0] = 1; }\n'
    )
    rows = translate(source).split("emulated_kernels[] = {")[1].splitlines()
    assert [row.split(",")[6].strip() for row in rows[1:3]] == ["1", "0"]
