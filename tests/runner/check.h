#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "error.h"

/// The little that the unit tests need: TEST(name) { CHECK(...); CHECK_EQ(a, b); CHECK_USER_ERROR(f(), "part"); }
namespace check {

inline int failures = 0;

inline std::vector<std::pair<const char*, std::function<void()>>>& Tests() {
  static std::vector<std::pair<const char*, std::function<void()>>> tests;
  return tests;
}

struct Registration {
  Registration(const char* name, std::function<void()> body) {
    Tests().emplace_back(name, std::move(body));
  }
};

inline void Fail(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what.c_str());
  ++failures;
}

template <typename A, typename B>
void Equal(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (!(actual == expected)) {
    std::ostringstream what;
    what << text << ": is " << actual << ", not " << expected;
    Fail(file, line, what.str());
  }
}

template <typename Body>
void ExpectUserError(Body body, const std::string& part, const char* file, int line) {
  try {
    body();
  } catch (const mobilenet_tvm::UserError& error) {
    if (std::string(error.what()).find(part) == std::string::npos) {
      Fail(file, line, std::string("\"") + error.what() + "\" does not say \"" + part + "\"");
    }
    return;
  }
  Fail(file, line, "no UserError that says \"" + part + "\"");
}

inline int RunAll() {
  for (const auto& [name, body] : Tests()) {
    try {
      body();
    } catch (const std::exception& error) {
      Fail(name, 0, std::string("threw: ") + error.what());
    }
  }
  std::printf("%zu tests, %d failures\n", Tests().size(), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace check

#define TEST(name)                                                      \
  static void Test_##name();                                            \
  static const check::Registration register_##name(#name, Test_##name); \
  static void Test_##name()
#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) check::Fail(__FILE__, __LINE__, #condition " is false"); \
  } while (false)
#define CHECK_EQ(actual, expected) check::Equal((actual), (expected), #actual, __FILE__, __LINE__)
#define CHECK_USER_ERROR(expression, part) \
  check::ExpectUserError([&] { static_cast<void>(expression); }, (part), __FILE__, __LINE__)

int main() { return check::RunAll(); }
