#include "connectors/modbus/src/suspects.hpp"

#include <algorithm>
#include <array>

namespace tributary::connectors::modbus {
namespace {

// Questions in turn: echo (function 8), a read of another area, a read of another length.
constexpr unsigned kQuestions = 3;

std::uint8_t code(FunctionCode function) {
  return static_cast<std::uint8_t>(function);
}

}  // namespace

bool Suspects::Debt::has(std::uint8_t function) const {
  return std::ranges::any_of(asked, [&](const auto& shape) { return shape.first == function; });
}

void Suspects::owes(std::uint8_t unit, const Request& request) {
  const std::lock_guard lock(mutex_);
  debts_[unit].asked.insert({code(request.function), request.quantity});
}

bool Suspects::is_suspect(std::uint8_t unit) const {
  const std::lock_guard lock(mutex_);
  return debts_.contains(unit);
}

Request Suspects::question(std::uint8_t unit, std::span<std::byte, 2> data) {
  const std::lock_guard lock(mutex_);
  Debt& debt = debts_[unit];
  Request request;
  request.quantity = 1;
  switch (debt.attempts++ % kQuestions) {
    case 0:
      store_u16(data.data(), ++nonce_);
      request.function = FunctionCode::kDiagnostics;
      request.data = data;
      return request;
    case 1:
      for (const FunctionCode function :
           {FunctionCode::kReadHoldingRegisters, FunctionCode::kReadInputRegisters,
            FunctionCode::kReadCoils, FunctionCode::kReadDiscreteInputs}) {
        request.function = function;
        if (!debt.has(code(function))) return request;
      }
      return request;
    default:
      request.function = FunctionCode::kReadHoldingRegisters;
      while (debt.asked.contains({code(request.function), request.quantity}) &&
             request.quantity < kMaxReadRegisters)
        ++request.quantity;
      return request;
  }
}

bool Suspects::is_proof(std::uint8_t unit, const Request& question, const Reply& reply) const {
  const std::lock_guard lock(mutex_);
  const auto found = debts_.find(unit);
  if (found == debts_.end()) return true;
  const Debt& debt = found->second;
  if (reply.state == ReplyState::kException) return !debt.has(code(question.function));
  if (question.function == FunctionCode::kDiagnostics)
    return std::ranges::equal(reply.data, question.data);
  return !debt.asked.contains({code(question.function), question.quantity});
}

void Suspects::cleared(std::uint8_t unit) {
  const std::lock_guard lock(mutex_);
  debts_.erase(unit);
}

}  // namespace tributary::connectors::modbus
