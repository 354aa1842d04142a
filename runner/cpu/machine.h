#pragma once

#include <string>

namespace mobilenet_tvm {

/// Whether an emulator, and no CPU of this architecture, runs this program: its times say nothing about a board.
bool IsEmulated();

/// What the machine calls itself: the board's name, else its CPU's.
std::string BoardName();

/// The governor of the clock; empty where the kernel does not tell.
std::string ClockGovernor();

}  // namespace mobilenet_tvm
