// Stands in for what CUDA's compiler knows by itself, so that its source compiles for the CPU. Included first of all.
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <type_traits>

#include "abi.h"

#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __maxnreg__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))

#include "arithmetic.h"
#include "async_copy.h"
#include "atomics.h"
#include "half.h"
#include "matrix.h"
#include "matrix_registers.h"
#include "vectors.h"
#include "warp.h"
