// Logging: one JSON object a line (spdlog inside). Never a secret: values come from settings
// without their secret fields.
#pragma once

#include <fmt/format.h>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tributary::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };
struct Field {
  std::string_view name;
  std::string value;
};

// Once, before the first line. `file` empty: standard error.
void start(Level level, const std::string& file);
void write(Level level, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields = {});

inline void debug(std::string_view component, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
  write(Level::kDebug, component, message, fields);
}
inline void info(std::string_view component, std::string_view message,
                 std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, component, message, fields);
}
inline void warning(std::string_view component, std::string_view message,
                    std::initializer_list<Field> fields = {}) {
  write(Level::kWarning, component, message, fields);
}
inline void error(std::string_view component, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
  write(Level::kError, component, message, fields);
}

}  // namespace tributary::log
