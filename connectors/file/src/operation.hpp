// Functions made ready.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/file/settings.hpp"
#include "connectors/file/src/glob.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::file {

enum class Format : std::uint8_t { kJsonLines, kCsv };
char character(WatchSettings::Delimiter delimiter);

class WriteOperation final : public sdk::Operation {
 public:
  std::string path;  // a template
  Format format = Format::kJsonLines;
  bool replace = false;
  std::vector<std::string> columns;
  char delimiter = ',';
  bool neutralise = true;
  std::uint64_t rotate_bytes = 0;  // 0: never
  bool sync = true;
};

class ReadOperation final : public sdk::Operation {
 public:
  std::string path;
  Format format = Format::kJsonLines;
  std::size_t from = 0;
  std::size_t limit = 0;
  char delimiter = ',';
  bool numbers = true;
};

class Seen;

class WatchOperation final : public sdk::Operation {
 public:
  WatchOperation(WatchSettings settings, Glob glob);
  const WatchSettings settings;
  const Glob glob;
  // What was read already. It outlives the sessions, because the function does.
  const std::shared_ptr<Seen> seen;
};

// Errors: kFunction, with a pointer below "/settings".
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(
    const ConnectionSettings& connection, const sdk::FunctionSpec& function);

}  // namespace tributary::connectors::file
