// A function made ready: points checked and planned once.
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "connectors/modbus/src/plan.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::modbus {

struct ReadWork {
  std::vector<Point> points;
  std::vector<Block> blocks;
  // Called again and again by the framework: a refused point is not asked in every scan.
  bool polled = false;
};

struct WriteWork {
  std::vector<Point> points;
  Json values;             // by point name; parameters of the call go first
  bool multiple = false;   // function codes 15 and 16 even for one value
  bool mask_write = true;  // bits by function 22; else read, modify, write
  bool verify = false;     // read back
  std::uint16_t max_registers = kMaxWriteRegisters;
  std::uint16_t max_bits = kMaxWriteBits;
};

// Function 23. ModbusOperation::names() are those of `write`.
struct ExchangeWork {
  WriteWork write;           // without a gap, from the first point on
  std::vector<Point> reads;  // all in one block
  std::shared_ptr<const PointNames> read_names;
  Block block;
};

struct FifoWork {
  std::uint8_t unit = 1;
  std::uint16_t address = 0;
  field::Format format;
};

struct DiagnoseWork {
  std::uint8_t unit = 1;
};

using Work = std::variant<ReadWork, WriteWork, ExchangeWork, FifoWork, DiagnoseWork>;

class ModbusOperation final : public sdk::Operation {
 public:
  ModbusOperation(std::uint64_t id, std::shared_ptr<const PointNames> names, Work work)
      : id_(id), names_(std::move(names)), work_(std::move(work)) {}

  // Names of what is in its scans; null for diagnose, which gives a record.
  std::shared_ptr<const PointNames> points() const override;
  std::size_t round_trips() const override;
  // Never used twice by one connector, so that what a session learns about an operation cannot be
  // taken for another's.
  std::uint64_t id() const { return id_; }
  const PointNames& names() const { return *names_; }
  const Work& work() const { return work_; }
  // Whom it asks.
  std::bitset<256> units() const;

 private:
  std::uint64_t id_;
  std::shared_ptr<const PointNames> names_;
  Work work_;
};

// Checks what the schema cannot: data types that fit their area, addresses with their length,
// values that fit. Errors: kFunction "wrong_type", "out_of_range", "too_long", "unknown_point" and
// those of make_points, with a pointer below "/settings"; kConfiguration "unknown_function".
Result<std::shared_ptr<const ModbusOperation>> prepare_operation(const Json& connection_settings,
                                                                 const sdk::FunctionSpec& function,
                                                                 std::uint64_t id);

}  // namespace tributary::connectors::modbus
