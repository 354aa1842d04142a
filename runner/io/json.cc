#include "io/json.h"

#include <tvm/ffi/extra/json.h>
#include <tvm/ffi/function.h>

#include <cmath>
#include <optional>

#include "error.h"

namespace mobilenet_tvm {
namespace {

namespace ffi = tvm::ffi;

// TVM's parser recurses once per level and has no limit of its own.
constexpr int kMaxDepth = 64;

void CheckDepth(std::string_view text, const std::string& source) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        throw UserError(source + ": is nested more than " + std::to_string(kMaxDepth) +
                        " levels deep");
      }
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

std::string FirstLine(const std::string& message) { return message.substr(0, message.find('\n')); }

}  // namespace

/// Turns TVM's values into Json.
class JsonBuilder {
 public:
  // As deep as the document, which CheckDepth has bounded.
  // NOLINTNEXTLINE(misc-no-recursion)
  static Json Build(const ffi::Any& value, std::string where) {
    Json json;
    json.where_ = std::move(where);
    if (auto truth = value.as<bool>()) {
      json.value_ = *truth;
    } else if (auto integer = value.as<std::int64_t>()) {
      json.value_ = *integer;
    } else if (auto number = value.as<double>()) {
      json.value_ = *number;
    } else if (auto text = value.as<ffi::String>()) {
      json.value_ = std::string(*text);
    } else if (auto array = value.as<ffi::json::Array>()) {
      std::vector<Json> items;
      items.reserve(array->size());
      for (const ffi::Any& item : *array) {
        items.push_back(Build(item, json.where_ + "[" + std::to_string(items.size()) + "]"));
      }
      json.value_ = std::move(items);
    } else if (auto object = value.as<ffi::json::Object>()) {
      const bool at_root = !json.where_.empty() && json.where_.back() == ' ';
      Json::Members members;
      for (const auto& [key_any, member] : *object) {
        const std::string key = key_any.cast<ffi::String>();
        members.emplace_back(key, Build(member, json.where_ + (at_root ? "" : ".") + key));
      }
      json.value_ = std::move(members);
    }
    return json;
  }
};

Json Json::Parse(std::string_view text, const std::string& source) {
  CheckDepth(text, source);
  // Called through the registry: an exception of TVM's own C++ runtime must not unwind through this program's.
  const auto parse = ffi::Function::GetGlobal("ffi.json.Parse");
  if (!parse) {
    throw SystemError("the TVM runtime in lib/ has no JSON parser: it is of another version");
  }
  const auto value = parse->CallExpected<ffi::Any>(ffi::String(text.data(), text.size()));
  if (value.is_err()) {
    throw UserError(source + ": is not JSON: " + FirstLine(value.error().message()));
  }
  return JsonBuilder::Build(value.value(), source + ": ");
}

void Json::Fail(const std::string& complaint) const {
  const bool at_root = !where_.empty() && where_.back() == ' ';
  throw UserError(where_ + (at_root ? "" : " ") + complaint);
}

const Json* Json::Find(const std::string& key) const {
  for (const auto& [name, member] : Object()) {
    if (name == key) {
      return member.IsNull() ? nullptr : &member;
    }
  }
  return nullptr;
}

const Json& Json::At(const std::string& key) const {
  const Json* member = Find(key);
  if (member == nullptr) {
    Fail("has no \"" + key + "\"");
  }
  return *member;
}

const std::string& Json::String() const {
  const auto* text = std::get_if<std::string>(&value_);
  if (text == nullptr) {
    Fail("is not a string");
  }
  return *text;
}

std::int64_t Json::Integer(std::int64_t low, std::int64_t high) const {
  const auto* integer = std::get_if<std::int64_t>(&value_);
  if (integer == nullptr || *integer < low || *integer > high) {
    Fail("is not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return *integer;
}

double Json::Number() const {
  std::optional<double> number;
  if (const auto* integer = std::get_if<std::int64_t>(&value_)) {
    number = static_cast<double>(*integer);
  } else if (const auto* real = std::get_if<double>(&value_)) {
    number = *real;
  }
  if (!number || !std::isfinite(*number)) {
    Fail("is not a number");
  }
  return *number;
}

const std::vector<Json>& Json::Array() const {
  const auto* array = std::get_if<std::vector<Json>>(&value_);
  if (array == nullptr) {
    Fail("is not a list");
  }
  return *array;
}

const std::vector<std::pair<std::string, Json>>& Json::Object() const {
  const auto* object = std::get_if<Members>(&value_);
  if (object == nullptr) {
    Fail("is not an object");
  }
  return *object;
}

std::vector<std::string> Json::Strings() const {
  std::vector<std::string> strings;
  for (const Json& item : Array()) {
    strings.push_back(item.String());
  }
  return strings;
}

}  // namespace mobilenet_tvm
