// Addresses as people write them: what is understood is written back and understood as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "connectors/s7/src/address.hpp"
#include "connectors/s7/src/calendar.hpp"

using namespace tributary::connectors::s7;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = parse_address(text)) {
    const auto again = parse_address(to_string(*address));
    if (!again || !(*again == *address)) std::abort();
  }
  if (const auto time = parse_clock(text)) {
    const auto again = parse_clock(clock_text(*time));
    if (!again || again->day != time->day || again->nanoseconds != time->nanoseconds) std::abort();
  }
  return 0;
}
