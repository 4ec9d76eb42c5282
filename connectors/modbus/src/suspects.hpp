// Frames of serial lines carry no ids: after a time-out, an answer that comes late looks like the
// answer to the next question (edge case 2). A unit that owes one is asked something first whose
// answer cannot be mistaken; units answer in order, so then nothing is owed any more.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "connectors/modbus/src/codec.hpp"

namespace tributary::connectors::modbus {

// What the units of one line owe. Kept while the process runs, longer than a connection to the
// line. Any thread.
class Suspects {
 public:
  // The answer to this request did not come.
  void owes(std::uint8_t unit, const Request& request);
  bool is_suspect(std::uint8_t unit) const;
  // What to ask next, another one each time: not every device answers all of them. `data` holds the
  // request's data.
  Request question(std::uint8_t unit, std::span<std::byte, 2> data);
  // Whether this reply can only be the answer to the question.
  bool is_proof(std::uint8_t unit, const Request& question, const Reply& reply) const;
  void cleared(std::uint8_t unit);

 private:
  struct Debt {
    std::set<std::pair<std::uint8_t, std::uint16_t>> asked;  // function and quantity
    unsigned attempts = 0;
    bool has(std::uint8_t function) const;
  };
  mutable std::mutex mutex_;
  std::map<std::uint8_t, Debt> debts_;
  std::uint16_t nonce_ = 0;
};

}  // namespace tributary::connectors::modbus
