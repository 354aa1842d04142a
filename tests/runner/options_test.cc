#include "options.h"

#include "check.h"

using mobilenet_tvm::ParseOptions;

TEST(reads_all) {
  const auto options = ParseOptions({"--threads", "4", "pkg", "a.png", "--json", "--repeat=7",
                                     "b.png", "--top", "3", "--", "--odd.png"});
  CHECK_EQ(options.package, "pkg");
  CHECK_EQ(options.images.size(), 3U);
  CHECK_EQ(options.images[2], "--odd.png");
  CHECK_EQ(*options.threads, 4);
  CHECK_EQ(*options.repeat, 7);
  CHECK_EQ(options.top, 3);
  CHECK(options.json);
  CHECK(!options.self_test);
  CHECK(ParseOptions({"--help"}).help);
  CHECK(ParseOptions({"--version"}).version);
  CHECK(ParseOptions({"pkg", "--self-test"}).self_test);
}

TEST(a_static_program_names_no_package) {
  const auto options = ParseOptions({"a.png", "b.png"}, "/home/pi/net");
  CHECK_EQ(options.package, "/home/pi/net");
  CHECK(options.is_own_package);
  CHECK_EQ(options.images.size(), 2U);
  CHECK_USER_ERROR(ParseOptions({}, "/home/pi/net"), "no image given: IMAGE...");
  CHECK(!ParseOptions({"pkg", "a.png"}).is_own_package);
}

TEST(refuses) {
  CHECK_USER_ERROR(ParseOptions({}), "no package");
  CHECK_USER_ERROR(ParseOptions({"pkg"}), "no image");
  CHECK_USER_ERROR(ParseOptions({"pkg", "a", "--fast"}), "unknown option \"--fast\"");
  CHECK_USER_ERROR(ParseOptions({"pkg", "a", "--threads"}), "takes a number");
  for (const char* count : {"0", "-1", "x", "", "4x", "1.5", "99999999999"}) {
    CHECK_USER_ERROR(ParseOptions({"pkg", "a", "--threads", count}), "whole number");
    CHECK_USER_ERROR(ParseOptions({"pkg", std::string("--repeat=") + count}), "whole number");
  }
  CHECK_USER_ERROR(ParseOptions({"pkg", "--self-test", "a.png"}), "neither");
  CHECK(ParseOptions({"pkg", "--profile", "--repeat", "3"}).profile);
  CHECK_USER_ERROR(ParseOptions({"pkg", "--profile"}), "--repeat");
  CHECK_USER_ERROR(ParseOptions({"pkg", "--profile", "--repeat", "3", "a.png"}), "neither");
  CHECK_USER_ERROR(ParseOptions({"pkg", "a", "--json=yes"}), "takes no value");
}

TEST(reads_where_to_serve) {
  const auto plain = ParseOptions({"pkg", "--serve", "127.0.0.1:9190"});
  CHECK_EQ(plain.serve->tracker.Text(), "127.0.0.1:9190");
  CHECK_EQ(plain.serve->key, "");
  CHECK_EQ(plain.serve->listen.Text(), "127.0.0.1:9090");
  CHECK(plain.serve->tracker.IsLoopback());
  const auto full = ParseOptions({"pkg", "--listen=0.0.0.0:0", "--serve=tracker://laptop:7/my-pi"});
  CHECK_EQ(full.serve->tracker.Text(), "laptop:7");
  CHECK_EQ(full.serve->key, "my-pi");
  CHECK_EQ(full.serve->listen.Text(), "0.0.0.0:0");
  CHECK(!full.serve->tracker.IsLoopback());
  CHECK(!full.serve->listen.IsLoopback());
  CHECK_EQ(ParseOptions({"pkg", "--serve", "9190"}).serve->tracker.Text(), "127.0.0.1:9190");
}

TEST(refuses_where_to_serve) {
  for (const char* where : {"", ":", "host:", ":9190", "host:0", "host:65536", "h:1/a b", "h:x"}) {
    CHECK_USER_ERROR(ParseOptions({"pkg", std::string("--serve=") + where}), "--serve");
  }
  CHECK_USER_ERROR(ParseOptions({"pkg", "--serve"}), "takes a value");
  CHECK_USER_ERROR(ParseOptions({"pkg", "--serve", "1", "--self-test"}), "neither");
  CHECK_USER_ERROR(ParseOptions({"pkg", "a.png", "--listen", "1"}), "goes with --serve");
}
