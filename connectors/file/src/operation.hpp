// Functions made ready.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/file/settings.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::file {

enum class Format : std::uint8_t { kJsonLines, kCsv };

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

// Errors: kFunction, with a pointer below "/settings".
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(
    const ConnectionSettings& connection, const sdk::FunctionSpec& function);

}  // namespace tributary::connectors::file
