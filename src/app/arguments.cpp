#include "app/arguments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tributary::app {

Error usage_error(std::string message) {
  return Error(ErrorClass::kFunction, "usage", std::move(message), "Try --help.");
}

Result<Arguments> Arguments::parse(std::span<const std::string> arguments,
                                   std::span<const Option> options, std::size_t max_words) {
  Arguments parsed;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (!argument.starts_with("-") || argument == "-") {
      if (parsed.words_.size() == max_words) {
        return fail(usage_error(fmt::format("\"{}\" is one word too many.", argument)));
      }
      parsed.words_.push_back(argument);
      continue;
    }
    const auto equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    auto option = std::ranges::find(options, std::string_view(name), &Option::name);
    if (option == options.end())
      return fail(usage_error(fmt::format("There is no option {}.", name)));
    if (option->value.empty()) {
      if (equals != std::string::npos)
        return fail(usage_error(fmt::format("{} takes no value.", name)));
      parsed.values_.emplace(name, "");
    } else if (equals != std::string::npos) {
      parsed.values_.emplace(name, argument.substr(equals + 1));
    } else if (i + 1 < arguments.size()) {
      parsed.values_.emplace(name, arguments[++i]);
    } else {
      return fail(usage_error(fmt::format("{} needs a value: {}.", name, option->value)));
    }
  }
  return parsed;
}

bool Arguments::has(std::string_view name) const {
  return values_.find(name) != values_.end();
}

std::string Arguments::get(std::string_view name, std::string_view fallback) const {
  auto [first, last] = values_.equal_range(name);
  return first == last ? std::string(fallback) : std::prev(last)->second;
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  std::vector<std::string> found;
  auto [first, last] = values_.equal_range(name);
  for (auto it = first; it != last; ++it) found.push_back(it->second);
  return found;
}

Result<std::int64_t> Arguments::number(std::string_view name, std::int64_t fallback,
                                       std::int64_t minimum, std::int64_t maximum) const {
  if (!has(name)) return fallback;
  const std::string text = get(name);
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < minimum ||
      number > maximum) {
    return fail(usage_error(fmt::format("{} takes a whole number from {} to {}, not \"{}\".", name,
                                        minimum, maximum, text)));
  }
  return number;
}

Result<std::string> Arguments::required(std::string_view name) const {
  std::string value = get(name);
  if (value.empty()) return fail(usage_error(fmt::format("{} is needed.", name)));
  return value;
}

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return fail(
        usage_error(fmt::format("\"{}\" is not HOST:PORT, for example 127.0.0.1:8443.", text)));
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  unsigned number = 0;
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || error != std::errc() || end != port.data() + port.size() || number > 65535) {
    return fail(
        usage_error(fmt::format("\"{}\" is not HOST:PORT, for example 127.0.0.1:8443.", text)));
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(number)};
}

}  // namespace tributary::app
