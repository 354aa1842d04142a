#include "execution/threads.h"

#include <algorithm>

#include "checks/failure.h"
#include "execution/fiber.h"

namespace emulated {

Running running;
Block block;

namespace {

std::string Triple(const unsigned* values) {
  return "(" + std::to_string(values[0]) + ", " + std::to_string(values[1]) + ", " +
         std::to_string(values[2]) + ")";
}

std::string Where() {
  return "kernel " + std::string(running.kernel->name) + ", block " +
         Triple(&running.coordinates[3]);
}

}  // namespace

std::string AtLine(int line) {
  return line > 0 ? " (kernels.cu, line " + std::to_string(line) + ")" : "";
}

void SetThread(unsigned thread) {
  running.thread = thread;
  std::copy_n(block.coordinates[thread].begin(), 3, running.coordinates.begin());
}

bool FailBlock(const std::string& message) {
  Report(Where() + ": " + message);
  block.failed = true;
  return false;
}

void Yield() {
  Thread& self = block.threads[running.thread];
  SwitchStack(&self.stack, block.scheduler);
}

void ThreadStart() {
  running.kernel->enter(block.arguments);
  block.threads[running.thread].state = State::kDone;
  Yield();
  __builtin_unreachable();
}

void Resume(unsigned thread) {
  SetThread(thread);
  running.warp_step = block.warp_steps[thread / kWarp];
  SwitchStack(&block.scheduler, block.threads[thread].stack);
}

void FailThread(const std::string& message, int line) {
  Report(Where() + ", thread " + Triple(running.coordinates.data()) + ": " + message +
         AtLine(line));
  block.failed = true;
  Yield();
  __builtin_unreachable();
}

}  // namespace emulated

using emulated::running;

extern "C" {

unsigned emulated_coordinate(int which) { return running.coordinates[static_cast<size_t>(which)]; }

unsigned emulated_lane() { return running.thread % emulated::kWarp; }

void emulated_fail(const char* message, int line) { emulated::FailThread(message, line); }

void emulated_atomic_begin() { running.atomic = true; }
void emulated_atomic_end() { running.atomic = false; }

}  // extern "C"
