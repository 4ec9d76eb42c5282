#include "connectors/file/src/operation.hpp"

#include <fmt/format.h>

#include "connectors/file/src/path.hpp"
#include "connectors/file/src/watch.hpp"

namespace tributary::connectors::file {
namespace {

using Prepared = Result<std::shared_ptr<const sdk::Operation>>;

template <typename Delimiter>
char character(Delimiter delimiter) {
  switch (delimiter) {
    case Delimiter::kComma:
      return ',';
    case Delimiter::kSemicolon:
      return ';';
    case Delimiter::kTab:
      return '\t';
  }
  return ',';
}

Prepared prepare_write(const ConnectionSettings& connection, const Json& json) {
  const WriteSettings settings = WriteSettings::from_json(json);
  if (connection.read_only) {
    return fail(ErrorClass::kFunction, "read_only_connection",
                "The connection is read-only, and this function writes",
                "Switch \"Read only\" off, or write through another connection.", "/settings/path");
  }
  TRIBUTARY_TRY(check_template(settings.path));
  auto operation = std::make_shared<WriteOperation>();
  operation->path = settings.path;
  operation->format =
      settings.format == WriteSettings::Format::kCsv ? Format::kCsv : Format::kJsonLines;
  operation->replace = settings.mode == WriteSettings::Mode::kReplace;
  operation->columns = settings.columns.value_or(std::vector<std::string>{});
  operation->delimiter = character(settings.delimiter);
  operation->neutralise = settings.neutralise_formulas;
  operation->rotate_bytes = static_cast<std::uint64_t>(settings.rotate_bytes);
  operation->sync = settings.sync == WriteSettings::Sync::kBatch;
  return operation;
}

Prepared prepare_read(const Json& json) {
  const ReadSettings settings = ReadSettings::from_json(json);
  TRIBUTARY_TRY(check_template(settings.path));
  auto operation = std::make_shared<ReadOperation>();
  operation->path = settings.path;
  operation->format =
      settings.format == ReadSettings::Format::kCsv ? Format::kCsv : Format::kJsonLines;
  operation->from = static_cast<std::size_t>(settings.from);
  operation->limit = static_cast<std::size_t>(settings.limit);
  operation->delimiter = character(settings.delimiter);
  operation->numbers = settings.numbers == ReadSettings::Numbers::kAuto;
  return operation;
}

Prepared prepare_watch(const ConnectionSettings& connection, const Json& json) {
  WatchSettings settings = WatchSettings::from_json(json);
  auto glob = Glob::parse(settings.pattern);
  TRIBUTARY_TRY(glob);
  if (settings.after != WatchSettings::After::kNothing && connection.read_only) {
    return fail(ErrorClass::kFunction, "read_only_connection",
                "The connection is read-only, and this function takes files away",
                "Switch \"Read only\" off, or let the files stay.", "/settings/after");
  }
  if (settings.after == WatchSettings::After::kMove) {
    if (auto checked = check_path(settings.move_to); !checked) {
      checked.error().pointer = "/settings/moveTo";
      return fail(std::move(checked.error()));
    }
    if (glob->begins_in(settings.move_to)) {
      return fail(ErrorClass::kFunction, "moves_into_itself",
                  fmt::format("Files are looked for in {}, where they are moved to as well",
                              settings.move_to),
                  "Choose another folder.", "/settings/moveTo");
    }
  }
  return std::make_shared<const WatchOperation>(std::move(settings), *std::move(glob));
}

}  // namespace

char character(WatchSettings::Delimiter delimiter) {
  return character<WatchSettings::Delimiter>(delimiter);
}

WatchOperation::WatchOperation(WatchSettings settings_, Glob glob_)
    : settings(std::move(settings_)), glob(std::move(glob_)), seen(std::make_shared<Seen>()) {}

Prepared prepare_operation(const ConnectionSettings& connection,
                           const sdk::FunctionSpec& function) {
  if (function.type == "file.write") return prepare_write(connection, function.settings);
  if (function.type == "file.watch") return prepare_watch(connection, function.settings);
  if (function.type == "file.read") return prepare_read(function.settings);
  return fail(ErrorClass::kFunction, "unknown_function",
              fmt::format("File connections have no function {}", function.type));
}

}  // namespace tributary::connectors::file
