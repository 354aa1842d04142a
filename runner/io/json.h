#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mobilenet_tvm {

/// A parsed JSON value that knows its place in the document, so that an error can name it.
///
/// Every accessor throws UserError ("manifest.json: target.arch is not a string") when the value is of another
/// kind.
class Json {
 public:
  /// Parses a document; `source` is its name in messages. Throws UserError.
  static Json Parse(std::string_view text, const std::string& source);

  bool IsNull() const { return std::holds_alternative<std::monostate>(value_); }
  /// Member `key` of an object, or nullptr where it is missing or null.
  const Json* Find(const std::string& key) const;
  /// Member `key` of an object, which must be there.
  const Json& At(const std::string& key) const;
  const std::string& String() const;
  /// An integer in [low, high].
  std::int64_t Integer(std::int64_t low, std::int64_t high) const;
  /// A finite number.
  double Number() const;
  const std::vector<Json>& Array() const;
  const std::vector<std::pair<std::string, Json>>& Object() const;
  std::vector<std::string> Strings() const;

  /// A UserError about this value: "manifest.json: inputs[0].shape <complaint>".
  [[noreturn]] void Fail(const std::string& complaint) const;

 private:
  friend class JsonBuilder;
  using Members = std::vector<std::pair<std::string, Json>>;
  std::string where_;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Json>, Members>
      value_;
};

}  // namespace mobilenet_tvm
