// A compiled expression: a short program for a stack machine. Immutable once compiled, any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "orchestrate/expression/lexer.hpp"
#include "orchestrate/expression/value.hpp"
#include "script/script.hpp"

namespace tributary::orchestrate::expression {

// What a script gave; nullopt: undefined.
using Computed = Result<std::optional<Json>>;

// What the names mean for one record. Null: undefined. Everything outlives the evaluation and its
// result.
struct Scope {
  const Json* input = nullptr;     // $input
  const Json* trigger = nullptr;   // $trigger
  const Json* item = nullptr;      // $item: the element of a for-each loop, otherwise the record
  const Json* run = nullptr;       // $run {id, trigger, startedAt}
  const Json* pipeline = nullptr;  // $pipeline {id, name, version}
  const Json* env = nullptr;       // $env: the declared variables
  std::int64_t index = 0;          // $index: position of the item
  UtcTime now;                     // $now
  // $node("…"): by the slots that NodeNames gave out.
  std::span<const std::shared_ptr<const Json>> nodes;
  // What JavaScript gave for this record, by the slots that NodeNames gave out.
  std::span<const Computed> scripts;
};

// The nodes that the expressions of one pipeline refer to, each with a slot in Scope::nodes.
class NodeNames {
 public:
  // The slot of a name; a new one when it was not known. Counts as a use.
  std::size_t slot(std::string_view name);
  std::optional<std::size_t> find(std::string_view name) const;
  const std::vector<std::string>& names() const { return names_; }
  // Slots asked for since the last call: what the node just compiled refers to.
  std::vector<std::size_t> take_uses() { return std::exchange(uses_, {}); }

  // The slot of JavaScript of the node that is compiled now.
  std::size_t script(script::Source source);
  // The sources of the node just compiled, by slot.
  std::vector<script::Source> take_scripts() { return std::exchange(scripts_, {}); }

  void use_trigger() { uses_trigger_ = true; }
  // Some expression mentions $trigger: it must be kept for every record.
  bool uses_trigger() const { return uses_trigger_; }

 private:
  std::vector<std::string> names_;
  std::vector<std::size_t> uses_;
  std::vector<script::Source> scripts_;
  bool uses_trigger_ = false;
};

enum class Op : std::uint8_t {
  kConstant,
  kInput,
  kTrigger,
  kItem,
  kIndex,
  kRun,
  kPipeline,
  kNow,
  kEnv,
  kNode,           // operand: slot
  kMember,         // operand: constant
  kDynamicMember,  // key on top
  kPlus,           // unary
  kNegate,
  kNot,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kRemainder,
  kPower,
  kEqual,
  kNotEqual,
  kStrictEqual,
  kStrictNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  // Jumps, operand: target. "Keep" leaves the value on the stack when it jumps and drops it when it
  // does not.
  kJump,
  kJumpIfFalse,        // always drops
  kJumpIfFalseKeep,    // &&
  kJumpIfTrueKeep,     // ||
  kJumpIfPresentKeep,  // ??
  kJumpIfNullish,      // ?. : the value becomes undefined when it jumps, stays when it does not
};

struct Instruction {
  Op op = Op::kConstant;
  std::uint32_t operand = 0;
  std::uint32_t offset = 0;  // byte of the source, for messages
};

class Program {
 public:
  // The result borrows from the scope and from the program. A problem is what JavaScript would
  // throw.
  std::expected<JsValue, Problem> evaluate(const Scope& scope) const;
  // A reference to a field and nothing else ($input.a?.b[0]): evaluated without the stack.
  bool is_path() const { return path_; }
  // Of a path: the document it points at, null when there is none; nullopt for roots that are no
  // documents.
  std::expected<std::optional<const Json*>, Problem> find(const Scope& scope) const;

 private:
  friend class Compiler;
  void finish();

  std::vector<Instruction> code_;
  std::vector<JsValue> constants_;  // own their strings
  bool path_ = false;
};

constexpr std::size_t kMaxExpressionBytes = 16 * 1024;  // of one string with its text
constexpr int kMaxExpressionDepth = 200;
constexpr std::size_t kMaxTextBytes = 16 * 1024 * 1024;  // of a string that an expression makes

struct Compiled {
  Program program;
  std::size_t end = 0;  // the byte after the closing braces
};

// Compiles the expression that starts at `offset`, behind the opening braces.
std::expected<Compiled, Problem> compile(std::string_view text, std::size_t offset,
                                         NodeNames& nodes);

}  // namespace tributary::orchestrate::expression
