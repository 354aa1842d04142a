#include "package/package.h"

#include <unistd.h>

#include <fstream>

#include "check.h"

using mobilenet_tvm::FileInPackage;
namespace fs = std::filesystem;

TEST(paths_stay_inside) {
  const fs::path outer = fs::temp_directory_path() / ("package_test_" + std::to_string(getpid()));
  const fs::path root = outer / "package";
  fs::create_directories(root / "lib");
  std::ofstream(root / "lib/inside") << "x";
  std::ofstream(outer / "outside") << "x";
  fs::create_symlink(outer / "outside", root / "link_out");
  fs::create_symlink("lib/inside", root / "link_in");
  fs::create_directory_symlink(outer, root / "folder_out");

  CHECK_EQ(FileInPackage(root, "lib/inside"), fs::canonical(root / "lib/inside"));
  CHECK_EQ(FileInPackage(root, "link_in"), fs::canonical(root / "lib/inside"));
  for (const std::string& name :
       {std::string("../outside"), std::string("lib/../../outside"), (outer / "outside").string(),
        std::string(), std::string("lib/\0inside", 11)}) {
    CHECK_USER_ERROR(FileInPackage(root, name), "outside the package");
  }
  for (const char* name : {"link_out", "folder_out/outside"}) {
    CHECK_USER_ERROR(FileInPackage(root, name), "a link that leaves");
  }
  for (const char* name : {"nothing", "lib", "."}) {
    CHECK_USER_ERROR(FileInPackage(root, name), "missing from the package");
  }
  fs::remove_all(outer);
}
