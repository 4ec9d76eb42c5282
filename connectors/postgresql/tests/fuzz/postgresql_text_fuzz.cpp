// What a server or a person may send: no crash, and what is bound stays outside of the text.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connectors/postgresql/src/decode.hpp"
#include "connectors/postgresql/src/encode.hpp"
#include "connectors/postgresql/src/operation.hpp"
#include "connectors/postgresql/src/statement.hpp"

namespace {

using namespace tributary::connectors::postgresql;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Type type{static_cast<Kind>(data[0] % 11U), (data[0] & 0x80U) != 0};
  const tributary::Json value = decode_value(text, type);
  // What came from a server can be sent back, or is refused.
  std::string out;
  static_cast<void>(encode_value(value, type, out));
  std::string line;
  append_copy_value(text, line);
  require(line.find_first_of("\t\n\r") == std::string::npos);
  if (const auto statement = bind_placeholders(text, "/settings/query"))
    require(statement->text.size() <= text.size() + 8 * statement->parameters.size());
  if (const auto table = quote_table(text)) require(table->front() == '"' && table->back() == '"');
  static_cast<void>(parse_path(text));
  return 0;
}
