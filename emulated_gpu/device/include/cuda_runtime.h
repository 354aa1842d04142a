// All of it is in emulated_cuda.h, which is included first.
#pragma once
