// A launch: at once, or noted in the graph that its stream captures.
#pragma once
#include <cstddef>
#include <vector>

#include "execution/block.h"
#include "machine/module.h"

namespace emulated {

struct Launch {
  const Function* function = nullptr;
  Shape shape;
  std::vector<std::vector<unsigned char>> arguments;  // their bytes
};

// The launch with its arguments copied. Nothing is checked yet.
Launch MakeLaunch(const Function& function, const Shape& shape, void** arguments);

// Whether the device allows it; if not, what it exceeds was reported.
bool Allowed(const Launch& launch);

// False if a thread failed; the message was reported.
bool Run(const Launch& launch);

}  // namespace emulated
