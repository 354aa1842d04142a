#pragma once

#include <filesystem>
#include <string>

namespace mobilenet_tvm {

/// What a board says of itself: JSON with program, arch, cpu, features, emulated.
std::string DescribeBoard();

/// Registers the functions that TVM's RPC server leaves to its program (where uploaded files go, how one is loaded), and
/// two of ours: mobilenet_tvm.board describes the board, mobilenet_tvm.run runs mobilenet-run on an uploaded package.
/// `folder` is where uploaded files go. Throws SystemError.
void RegisterBoardFunctions(const std::filesystem::path& folder);

}  // namespace mobilenet_tvm
