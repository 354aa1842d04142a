// What went wrong on the emulated GPU, in words: printed at once, and kept as the name of the error that CUDA returns.
#pragma once
#include <string>

namespace emulated {

void Report(const std::string& message);

// The last message; empty before the first.
const std::string& LastMessage();

}  // namespace emulated
