// What a CPU tells about itself: system status lists, lists of blocks, its clock. Bytes to values.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/s7/src/calendar.hpp"

namespace tributary::connectors::s7 {

struct SystemList {
  std::uint16_t id = 0;
  std::uint16_t index = 0;
  std::size_t record_size = 0;
  std::span<const std::byte> records;  // a whole number of them
};
// Nothing when it is no system status list. What is cut off at the end is left out.
std::optional<SystemList> parse_system_list(std::span<const std::byte> bytes);

struct CpuInfo {
  std::string order_number;  // "6ES7 315-2EH14-0AB0"
  std::string version;       // "V3.2.6"
  std::string module;        // "CPU 315-2 PN/DP"
  std::string name;          // of the station
  std::string serial;
  std::string plant;
};
// From the lists 0x0011 (module) and 0x001C (component). Each fills in what it knows.
void add_module(const SystemList& list, CpuInfo& info);
void add_component(const SystemList& list, CpuInfo& info);
// "run", "stop", "unknown". From list 0x0424.
std::string_view parse_state(const SystemList& list);

// In the order in which CPUs list them.
struct BlockType {
  std::byte code;  // behind a 0x30
  std::string_view name;
};
std::span<const BlockType> block_types();
struct BlockCount {
  const BlockType* type = nullptr;
  std::uint16_t count = 0;
};
// Types that are not known are left out.
std::vector<BlockCount> parse_block_counts(std::span<const std::byte> bytes);
std::vector<std::uint16_t> parse_block_numbers(std::span<const std::byte> bytes);

// Ten bytes: a reserved one, the century, DATE_AND_TIME.
std::optional<ClockTime> parse_clock_reply(std::span<const std::byte> bytes);
std::optional<std::array<std::byte, 10>> clock_request(const ClockTime& time);

}  // namespace tributary::connectors::s7
