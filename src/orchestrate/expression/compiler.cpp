// Recursive descent with one token of look-ahead, straight to code. Depth is bounded, so no input
// can exhaust the stack.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "orchestrate/expression/javascript.hpp"
#include "orchestrate/expression/program.hpp"

namespace tributary::orchestrate::expression {
namespace {

using Done = std::expected<void, Problem>;

#define EXPRESSION_TRY(call)                                                        \
  do {                                                                              \
    if (auto done = (call); !done) return std::unexpected(std::move(done.error())); \
  } while (false)

// The outermost operator of a part that has no parentheses around it: JavaScript refuses some
// neighbours.
enum class Shape : std::uint8_t { kOther, kLogical, kCoalesce, kUnary };

struct BinaryOperator {
  TokenKind token;
  int precedence;
  Op op;  // kJump… for those that may skip their right side
};

constexpr int kPowerPrecedence = 8;
constexpr std::array<BinaryOperator, 17> kBinaryOperators = {{
    {TokenKind::kCoalesce, 1, Op::kJumpIfPresentKeep},
    {TokenKind::kOr, 2, Op::kJumpIfTrueKeep},
    {TokenKind::kAnd, 3, Op::kJumpIfFalseKeep},
    {TokenKind::kEqual, 4, Op::kEqual},
    {TokenKind::kNotEqual, 4, Op::kNotEqual},
    {TokenKind::kStrictEqual, 4, Op::kStrictEqual},
    {TokenKind::kStrictNotEqual, 4, Op::kStrictNotEqual},
    {TokenKind::kLess, 5, Op::kLess},
    {TokenKind::kLessEqual, 5, Op::kLessEqual},
    {TokenKind::kGreater, 5, Op::kGreater},
    {TokenKind::kGreaterEqual, 5, Op::kGreaterEqual},
    {TokenKind::kPlus, 6, Op::kAdd},
    {TokenKind::kMinus, 6, Op::kSubtract},
    {TokenKind::kStar, 7, Op::kMultiply},
    {TokenKind::kSlash, 7, Op::kDivide},
    {TokenKind::kPercent, 7, Op::kRemainder},
    {TokenKind::kPower, kPowerPrecedence, Op::kPower},
}};

struct RootName {
  std::string_view name;
  Op op;
};
constexpr std::array<RootName, 8> kRoots = {{{"$input", Op::kInput},
                                             {"$trigger", Op::kTrigger},
                                             {"$item", Op::kItem},
                                             {"$index", Op::kIndex},
                                             {"$run", Op::kRun},
                                             {"$pipeline", Op::kPipeline},
                                             {"$env", Op::kEnv},
                                             {"$now", Op::kNow}}};

constexpr std::array<std::string_view, 40> kKeywords = {
    "new",   "function", "typeof",   "instanceof", "in",    "delete",   "void",  "this",
    "var",   "let",      "const",    "return",     "if",    "else",     "for",   "while",
    "do",    "switch",   "case",     "default",    "break", "continue", "class", "extends",
    "super", "import",   "export",   "await",      "async", "yield",    "throw", "try",
    "catch", "finally",  "debugger", "with",       "enum",  "static",   "of",    "eval"};

bool is_keyword(std::string_view name) {
  return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
}

std::string keyword_message(std::string_view name) {
  return fmt::format("'{}' is JavaScript that expressions do not have; use a script node for it",
                     name);
}

}  // namespace

std::size_t NodeNames::slot(std::string_view name) {
  auto slot = find(name);
  if (!slot) {
    names_.emplace_back(name);
    slot = names_.size() - 1;
  }
  uses_.push_back(*slot);
  return *slot;
}

std::size_t NodeNames::script(script::Source source) {
  // The same text is evaluated once, wherever it stands; messages count from its first place.
  const auto found =
      std::find_if(scripts_.begin(), scripts_.end(), [&](const script::Source& known) {
        return known.kind == source.kind && known.text == source.text;
      });
  if (found != scripts_.end()) return static_cast<std::size_t>(found - scripts_.begin());
  scripts_.push_back(std::move(source));
  return scripts_.size() - 1;
}

std::optional<std::size_t> NodeNames::find(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names_.begin());
}

class Compiler {
 public:
  Compiler(std::string_view text, std::size_t offset, NodeNames& nodes)
      : text_(text), lexer_(text, offset), nodes_(nodes) {}

  std::expected<Compiled, Problem> run() {
    EXPRESSION_TRY(advance());
    if (token_.kind == TokenKind::kEnd) return error("there is nothing between the braces");
    EXPRESSION_TRY(ternary());
    if (token_.kind != TokenKind::kEnd) return unexpected_token();
    program_.finish();
    return Compiled{std::move(program_), token_.end};
  }

 private:
  struct DepthGuard {
    explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;
    int& depth_;
  };

  std::unexpected<Problem> error(std::string message) const {
    return std::unexpected(Problem{token_.offset, std::move(message)});
  }

  // What JavaScript has and this compiler does not.
  std::unexpected<Problem> beyond(std::string message) const {
    return std::unexpected(Problem{token_.offset, std::move(message), true});
  }
  std::unexpected<Problem> keyword() const {
    return std::unexpected(
        Problem{token_.offset, keyword_message(token_.text), starts_javascript(token_.text)});
  }

  std::unexpected<Problem> unexpected_token() const {
    switch (token_.kind) {
      case TokenKind::kEnd:
        return error("the expression ends too early");
      case TokenKind::kName:
        if (is_keyword(token_.text)) return keyword();
        return error(fmt::format("'{}' follows without an operator between", token_.text));
      case TokenKind::kNumber:
      case TokenKind::kString:
        return error("a value follows without an operator between");
      case TokenKind::kLeftParen:
        return beyond("function calls are not part of expressions; use a script node");
      case TokenKind::kRightParen:
        return error("this ')' closes nothing");
      case TokenKind::kRightBracket:
        return error("this ']' closes nothing");
      default:
        return error("a value is missing here");
    }
  }

  Done advance() {
    auto token = lexer_.next();
    if (!token) return std::unexpected(std::move(token.error()));
    token_ = std::move(*token);
    return {};
  }

  Done expect(TokenKind kind, std::string_view message) {
    if (token_.kind != kind) {
      if (token_.kind == TokenKind::kName && is_keyword(token_.text)) return unexpected_token();
      return error(std::string(message));
    }
    return advance();
  }

  std::size_t emit(Op op, std::size_t operand, std::size_t offset) {
    program_.code_.push_back(
        {op, static_cast<std::uint32_t>(operand), static_cast<std::uint32_t>(offset)});
    return program_.code_.size() - 1;
  }
  void land(std::size_t jump) {
    program_.code_[jump].operand = static_cast<std::uint32_t>(program_.code_.size());
  }
  std::size_t constant(JsValue value) {
    program_.constants_.push_back(std::move(value));
    return program_.constants_.size() - 1;
  }

  Done check_depth() const {
    if (depth_ <= kMaxExpressionDepth) return {};
    return std::unexpected(Problem{token_.offset, "the expression is nested too deeply"});
  }

  Done ternary() {
    const DepthGuard guard(depth_);
    EXPRESSION_TRY(check_depth());
    auto condition = binary(1);
    if (!condition) return std::unexpected(std::move(condition.error()));
    if (token_.kind != TokenKind::kQuestion) return {};
    const std::size_t to_else = emit(Op::kJumpIfFalse, 0, token_.offset);
    EXPRESSION_TRY(advance());
    EXPRESSION_TRY(ternary());
    const std::size_t to_end = emit(Op::kJump, 0, token_.offset);
    EXPRESSION_TRY(expect(TokenKind::kColon, "the ':' of 'condition ? a : b' is missing"));
    land(to_else);
    EXPRESSION_TRY(ternary());
    land(to_end);
    return {};
  }

  // Precedence climbing: everything that binds at least as tightly as `lowest`.
  std::expected<Shape, Problem> binary(int lowest) {
    const DepthGuard guard(depth_);
    EXPRESSION_TRY(check_depth());
    auto left = unary();
    if (!left) return left;
    Shape shape = *left;
    while (true) {
      const auto found =
          std::find_if(kBinaryOperators.begin(), kBinaryOperators.end(),
                       [&](const BinaryOperator& o) { return o.token == token_.kind; });
      if (found == kBinaryOperators.end() || found->precedence < lowest) return shape;
      const std::size_t offset = token_.offset;
      if (found->precedence == kPowerPrecedence && shape == Shape::kUnary) {
        return error("put parentheses around the sign before '**': (-a) ** b or -(a ** b)");
      }
      const bool lazy = found->precedence <= 3;
      const std::size_t jump = lazy ? emit(found->op, 0, offset) : 0;
      EXPRESSION_TRY(advance());
      // "**" groups to the right, everything else to the left.
      const bool to_right = found->precedence == kPowerPrecedence;
      auto right = binary(to_right ? kPowerPrecedence : found->precedence + 1);
      if (!right) return right;
      const Shape made = found->precedence == 1 ? Shape::kCoalesce
                         : lazy                 ? Shape::kLogical
                                                : Shape::kOther;
      const auto clash = [&](Shape side) {
        return (made == Shape::kCoalesce && side == Shape::kLogical) ||
               (made == Shape::kLogical && side == Shape::kCoalesce);
      };
      if (clash(shape) || clash(*right)) {
        return std::unexpected(
            Problem{offset, "'?\?' next to '&&' or '||' needs parentheses, as in JavaScript"});
      }
      if (lazy) {
        land(jump);
      } else {
        emit(found->op, 0, offset);
      }
      shape = made;
    }
  }

  std::expected<Shape, Problem> unary() {
    const std::size_t offset = token_.offset;
    const TokenKind kind = token_.kind;
    if (kind != TokenKind::kMinus && kind != TokenKind::kPlus && kind != TokenKind::kNot) {
      EXPRESSION_TRY(postfix());
      return Shape::kOther;
    }
    const DepthGuard guard(depth_);
    EXPRESSION_TRY(check_depth());
    EXPRESSION_TRY(advance());
    auto operand = unary();
    if (!operand) return operand;
    emit(kind == TokenKind::kMinus  ? Op::kNegate
         : kind == TokenKind::kPlus ? Op::kPlus
                                    : Op::kNot,
         0, offset);
    return Shape::kUnary;
  }

  // A value and the fields behind it. "?." leaves the whole chain with undefined.
  Done postfix() {
    EXPRESSION_TRY(primary());
    std::vector<std::size_t> exits;
    while (true) {
      const std::size_t offset = token_.offset;
      if (token_.kind == TokenKind::kDot) {
        EXPRESSION_TRY(advance());
        EXPRESSION_TRY(named_member(offset));
      } else if (token_.kind == TokenKind::kOptionalDot) {
        EXPRESSION_TRY(advance());
        exits.push_back(emit(Op::kJumpIfNullish, 0, offset));
        if (token_.kind == TokenKind::kLeftBracket) {
          EXPRESSION_TRY(bracket_member());
        } else {
          EXPRESSION_TRY(named_member(offset));
        }
      } else if (token_.kind == TokenKind::kLeftBracket) {
        EXPRESSION_TRY(bracket_member());
      } else if (token_.kind == TokenKind::kLeftParen) {
        return unexpected_token();
      } else {
        break;
      }
    }
    for (const std::size_t exit : exits) land(exit);
    return {};
  }

  Done named_member(std::size_t offset) {
    if (token_.kind == TokenKind::kLeftParen) return unexpected_token();
    if (token_.kind != TokenKind::kName) return error("the name of a field is missing here");
    emit(Op::kMember, constant(std::move(token_.text)), offset);
    return advance();
  }

  Done bracket_member() {
    const std::size_t offset = token_.offset;
    const std::size_t before = program_.code_.size();
    EXPRESSION_TRY(advance());
    EXPRESSION_TRY(ternary());
    EXPRESSION_TRY(expect(TokenKind::kRightBracket, "the ']' is missing"));
    const bool literal =
        program_.code_.size() == before + 1 && program_.code_.back().op == Op::kConstant;
    if (!literal) {
      emit(Op::kDynamicMember, 0, offset);
      return {};
    }
    const std::size_t key = program_.code_.back().operand;
    program_.code_.pop_back();
    program_.constants_[key] = to_string(program_.constants_[key]);
    emit(Op::kMember, key, offset);
    return {};
  }

  Done primary() {
    const std::size_t offset = token_.offset;
    switch (token_.kind) {
      case TokenKind::kNumber:
        emit(Op::kConstant, constant(std::move(token_.number)), offset);
        return advance();
      case TokenKind::kString:
        emit(Op::kConstant, constant(std::move(token_.text)), offset);
        return advance();
      case TokenKind::kName:
        return name();
      case TokenKind::kLeftParen:
        if (is_arrow_function(text_.substr(offset))) return beyond("functions are JavaScript");
        EXPRESSION_TRY(advance());
        EXPRESSION_TRY(ternary());
        return expect(TokenKind::kRightParen, "the ')' is missing");
      case TokenKind::kLeftBracket:
        return beyond(
            "arrays are not part of expressions; write them in the settings, with an "
            "expression for each element");
      case TokenKind::kSlash:
        return beyond("regular expressions are not part of expressions; use a script node");
      case TokenKind::kEnd:
        return unexpected_token();
      default:
        return error("a value is missing here");
    }
  }

  Done name() {
    const std::size_t offset = token_.offset;
    const std::string_view word = token_.text;
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::array<std::pair<std::string_view, JsValue>, 6> words = {{{"true", true},
                                                                        {"false", false},
                                                                        {"null", Null{}},
                                                                        {"undefined", Undefined{}},
                                                                        {"NaN", kNaN},
                                                                        {"Infinity", kInfinity}}};
    for (const auto& [text, value] : words) {
      if (word != text) continue;
      emit(Op::kConstant, constant(value), offset);
      return advance();
    }
    for (const RootName& root : kRoots) {
      if (word != root.name) continue;
      if (root.op == Op::kTrigger) nodes_.use_trigger();
      emit(root.op, 0, offset);
      return advance();
    }
    if (word == "$node") return node_reference();
    if (is_keyword(word)) return keyword();
    if (is_javascript_name(word) || is_arrow_head(text_.substr(token_.end))) {
      return beyond(fmt::format("'{}' is JavaScript", word));
    }
    if (word.starts_with('$')) {
      return error(
          fmt::format("'{}' is not known; there are $input, $trigger, $node(\"id\"), "
                      "$item, $index, $run, $pipeline, $env, $now, $fn and $quality",
                      word));
    }
    return error(fmt::format("'{0}' is not known; a field of the record is $input.{0}", word));
  }

  // $node("id"), or $node["id"].
  Done node_reference() {
    const std::size_t offset = token_.offset;
    EXPRESSION_TRY(advance());
    const bool call = token_.kind == TokenKind::kLeftParen;
    if (!call && token_.kind != TokenKind::kLeftBracket) {
      return error("write $node(\"id\") with the id of a node");
    }
    EXPRESSION_TRY(advance());
    if (token_.kind != TokenKind::kString) {
      return error("$node takes the id of a node as a string: $node(\"n1\")");
    }
    const std::size_t slot = nodes_.slot(token_.text);
    emit(Op::kNode, slot, offset);
    EXPRESSION_TRY(advance());
    return expect(call ? TokenKind::kRightParen : TokenKind::kRightBracket,
                  call ? "the ')' of $node(…) is missing" : "the ']' of $node[…] is missing");
  }

  std::string_view text_;
  Lexer lexer_;
  NodeNames& nodes_;
  Token token_;
  Program program_;
  int depth_ = 0;
};

std::expected<Compiled, Problem> compile(std::string_view text, std::size_t offset,
                                         NodeNames& nodes) {
  return Compiler(text, offset, nodes).run();
}

}  // namespace tributary::orchestrate::expression
