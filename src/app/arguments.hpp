// Command line arguments: "--name value", "--name=value", "--flag" and plain words.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tributary::app {

struct Option {
  std::string_view name;   // "--listen"
  std::string_view value;  // "HOST:PORT"; empty: a flag
  std::string_view help;   // one sentence; its default in words
};

class Arguments {
 public:
  // Errors, all with code "usage": an unknown option, an option without its value, more words than
  // `max_words`.
  static Result<Arguments> parse(std::span<const std::string> arguments,
                                 std::span<const Option> options, std::size_t max_words);

  bool has(std::string_view name) const;
  // The last value given, or the fallback.
  std::string get(std::string_view name, std::string_view fallback = {}) const;
  // Every value of an option that may be repeated.
  std::vector<std::string> all(std::string_view name) const;
  const std::vector<std::string>& words() const { return words_; }
  // A whole number between the bounds. Error: "usage".
  Result<std::int64_t> number(std::string_view name, std::int64_t fallback, std::int64_t minimum,
                              std::int64_t maximum) const;
  // Error "usage" when it is absent or empty.
  Result<std::string> required(std::string_view name) const;

 private:
  std::multimap<std::string, std::string, std::less<>> values_;
  std::vector<std::string> words_;
};

Error usage_error(std::string message);

// "HOST:PORT" or "[IPv6]:PORT". Error: "usage".
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

}  // namespace tributary::app
