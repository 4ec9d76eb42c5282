#include "orchestrate/expression/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>

namespace tributary::orchestrate::expression {
namespace {

using Stack = boost::container::small_vector<JsValue, 8>;

bool is_root(Op op) {
  return op >= Op::kInput && op <= Op::kNode;
}

const Json* document(Op op, std::uint32_t slot, const Scope& scope) {
  switch (op) {
    case Op::kInput:
      return scope.input;
    case Op::kTrigger:
      return scope.trigger;
    case Op::kItem:
      return scope.item;
    case Op::kRun:
      return scope.run;
    case Op::kPipeline:
      return scope.pipeline;
    case Op::kEnv:
      return scope.env;
    case Op::kNode:
      return slot < scope.nodes.size() ? scope.nodes[slot].get() : nullptr;
    default:
      return nullptr;
  }
}

JsValue root_value(const Instruction& instruction, const Scope& scope) {
  if (instruction.op == Op::kIndex) return scope.index;
  if (instruction.op == Op::kNow) return format_utc(scope.now);
  const Json* json = document(instruction.op, instruction.operand, scope);
  if (json == nullptr) return Undefined{};
  return from_json(*json);
}

Problem no_members(const JsValue& value, std::string_view key, std::uint32_t offset) {
  return {offset, fmt::format("cannot read '{}' of {}; write ?. where a field may be missing", key,
                              describe(value))};
}

Problem too_long(std::uint32_t offset) {
  return {offset, fmt::format("the text is longer than {} MiB", kMaxTextBytes >> 20)};
}

// A constant without copying its text.
JsValue borrow(const JsValue& constant) {
  if (const auto text = as_string(constant)) return *text;
  return constant;
}

bool compare(Op op, const JsValue& a, const JsValue& b) {
  switch (op) {
    case Op::kEqual:
      return loose_equals(a, b);
    case Op::kNotEqual:
      return !loose_equals(a, b);
    case Op::kStrictEqual:
      return strict_equals(a, b);
    case Op::kStrictNotEqual:
      return !strict_equals(a, b);
    case Op::kLess:
      return less_than(a, b).value_or(false);
    case Op::kGreater:
      return less_than(b, a).value_or(false);
    case Op::kLessEqual:
      return !less_than(b, a).value_or(true);
    default:
      return !less_than(a, b).value_or(true);
  }
}

JsValue calculate(Op op, const JsValue& a, const JsValue& b) {
  switch (op) {
    case Op::kAdd:
      return add(a, b);
    case Op::kSubtract:
      return subtract(a, b);
    case Op::kMultiply:
      return multiply(a, b);
    case Op::kDivide:
      return divide(a, b);
    case Op::kRemainder:
      return remainder(a, b);
    case Op::kPower:
      return power(a, b);
    default:
      return compare(op, a, b);
  }
}

// True when control goes to the operand.
bool jumps(Op op, Stack& stack) {
  JsValue& top = stack.back();
  switch (op) {
    case Op::kJump:
      return true;
    case Op::kJumpIfNullish:
      if (!is_nullish(top)) return false;
      top = Undefined{};
      return true;
    case Op::kJumpIfFalse: {
      const bool jump = !to_boolean(top);
      stack.pop_back();
      return jump;
    }
    case Op::kJumpIfFalseKeep:
      if (!to_boolean(top)) return true;
      break;
    case Op::kJumpIfTrueKeep:
      if (to_boolean(top)) return true;
      break;
    default:
      if (!is_nullish(top)) return true;
      break;
  }
  stack.pop_back();
  return false;
}

}  // namespace

void Program::finish() {
  path_ = !code_.empty() && is_root(code_[0].op) && code_[0].op != Op::kIndex &&
          code_[0].op != Op::kNow &&
          std::all_of(code_.begin() + 1, code_.end(), [this](const Instruction& i) {
            // Every "?." of one chain leaves to its end.
            return i.op == Op::kMember || (i.op == Op::kJumpIfNullish && i.operand == code_.size());
          });
}

std::expected<std::optional<const Json*>, Problem> Program::find(const Scope& scope) const {
  const Json* at = document(code_[0].op, code_[0].operand, scope);
  for (std::size_t i = 1; i < code_.size(); ++i) {
    const Instruction& instruction = code_[i];
    const bool nullish = at == nullptr || at->is_null();
    if (instruction.op == Op::kJumpIfNullish) {
      if (nullish) return nullptr;
      continue;
    }
    const std::string_view key = *as_string(constants_[instruction.operand]);
    if (nullish) {
      return std::unexpected(no_members(at == nullptr ? JsValue(Undefined{}) : JsValue(Null{}), key,
                                        instruction.offset));
    }
    if (at->is_object()) {
      const auto found = at->find(key);
      at = found == at->object_range().end() ? nullptr : &found->value();
    } else if (at->is_array() && !key.empty() && key.size() < 10 && key[0] >= '0' &&
               key[0] <= '9' && (key.size() == 1 || key[0] != '0') &&
               std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      const std::size_t index = std::stoul(std::string(key));
      at = index < at->size() ? &(*at)[index] : nullptr;
    } else {
      return std::nullopt;  // "length", a character of a string, a field of a number
    }
  }
  return at;
}

std::expected<JsValue, Problem> Program::evaluate(const Scope& scope) const {
  if (path_) {
    auto found = find(scope);
    if (!found) return std::unexpected(std::move(found.error()));
    if (*found) return **found == nullptr ? JsValue(Undefined{}) : from_json(***found);
  }
  Stack stack;
  for (std::size_t at = 0; at < code_.size(); ++at) {
    const Instruction& instruction = code_[at];
    const Op op = instruction.op;
    if (op == Op::kConstant) {
      stack.push_back(borrow(constants_[instruction.operand]));
    } else if (is_root(op)) {
      stack.push_back(root_value(instruction, scope));
    } else if (op == Op::kMember || op == Op::kDynamicMember) {
      std::string dynamic;
      if (op == Op::kDynamicMember) {
        dynamic = to_string(stack.back());
        stack.pop_back();
      }
      const std::string_view key =
          op == Op::kMember ? *as_string(constants_[instruction.operand]) : dynamic;
      if (is_nullish(stack.back())) {
        return std::unexpected(no_members(stack.back(), key, instruction.offset));
      }
      stack.back() = member(stack.back(), key);
    } else if (op >= Op::kJump) {
      if (jumps(op, stack)) at = instruction.operand - 1;
    } else if (op == Op::kNegate) {
      stack.back() = negate(stack.back());
    } else if (op == Op::kPlus) {
      stack.back() = to_number(stack.back());
    } else if (op == Op::kNot) {
      stack.back() = !to_boolean(stack.back());
    } else {
      const JsValue right = std::move(stack.back());
      stack.pop_back();
      JsValue result = calculate(op, stack.back(), right);
      if (const auto text = as_string(result); text && text->size() > kMaxTextBytes) {
        return std::unexpected(too_long(instruction.offset));
      }
      stack.back() = std::move(result);
    }
  }
  return std::move(stack.back());
}

}  // namespace tributary::orchestrate::expression
