// The words of an expression. Everything JavaScript has and expressions do not is refused here or
// in the parser, with a sentence that says so.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "orchestrate/expression/value.hpp"

namespace tributary::orchestrate::expression {

// What is wrong, and at which byte of the text.
struct Problem {
  std::size_t offset = 0;
  std::string message;
  bool javascript = false;  // only this compiler does not have it: JavaScript does
};

enum class TokenKind : std::uint8_t {
  kEnd,  // the closing braces
  kNumber,
  kString,
  kName,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kDot,
  kOptionalDot,
  kQuestion,
  kColon,
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kPercent,
  kPower,
  kEqual,
  kNotEqual,
  kStrictEqual,
  kStrictNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kNot,
  kCoalesce,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t offset = 0;
  std::size_t end = 0;  // the byte after it
  std::string text;     // of a name, or of a string with its escapes resolved
  JsValue number;       // of a number
};

// Reads tokens from `text`, starting behind the opening braces.
class Lexer {
 public:
  Lexer(std::string_view text, std::size_t offset) : text_(text), at_(offset) {}

  std::expected<Token, Problem> next();

 private:
  std::expected<Token, Problem> number();
  std::expected<Token, Problem> string();
  std::expected<Token, Problem> punctuation();
  // Appends the character of the escape that starts at the backslash.
  std::expected<void, Problem> escape(std::string& out);
  std::expected<char32_t, Problem> unicode_escape();
  std::expected<char32_t, Problem> hex(std::size_t digits);
  Token make(TokenKind kind, std::size_t size);
  std::string_view rest() const { return text_.substr(at_); }

  std::string_view text_;
  std::size_t at_;
};

}  // namespace tributary::orchestrate::expression
