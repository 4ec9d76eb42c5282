#include "orchestrate/expression/lexer.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "orchestrate/expression/unicode.hpp"

namespace tributary::orchestrate::expression {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::unexpected<Problem> problem(std::size_t offset, std::string message) {
  return std::unexpected(Problem{offset, std::move(message)});
}

struct Refused {
  std::string_view text;
  std::string_view message;
  bool javascript = false;
};

// Longest first. What stands here is JavaScript, but not part of expressions.
constexpr std::string_view kBitwise = "bitwise operators are not part of expressions";
constexpr std::string_view kAssignment =
    "an expression cannot assign; compare with ==, or set fields with a set node";
constexpr std::array<Refused, 34> kRefused = {{
    {">>>=", kAssignment},
    {"**=", kAssignment},
    {"<<=", kAssignment},
    {">>=", kAssignment},
    {">>>", kBitwise, true},
    {"&&=", kAssignment},
    {"||=", kAssignment},
    {"?\?=", kAssignment},
    {"...", "spreading is not part of expressions", true},
    {"=>", "functions are not part of expressions; use a script node", true},
    {"++", "an expression cannot assign; write x + 1"},
    {"--", "an expression cannot assign; write x - 1, or - (-x)"},
    {"+=", kAssignment},
    {"-=", kAssignment},
    {"*=", kAssignment},
    {"/=", kAssignment},
    {"%=", kAssignment},
    {"&=", kAssignment},
    {"|=", kAssignment},
    {"^=", kAssignment},
    {"<<", kBitwise, true},
    {">>", kBitwise, true},
    {"//", "comments are not part of expressions", true},
    {"/*", "comments are not part of expressions", true},
    {"=", kAssignment},
    {"&", kBitwise, true},
    {"|", kBitwise, true},
    {"^", kBitwise, true},
    {"~", kBitwise, true},
    {",", "a comma is not part of expressions; write one expression"},
    {";", "an expression is one value, without ';'"},
    {"`", "template literals are not part of expressions; join strings with +", true},
    {"{",
     "objects and blocks are not part of expressions; an object is written in the settings, "
     "with an expression for each field",
     true},
    {"}", "a single '}' has no meaning here; an expression ends with '}}'"},
}};

struct Punctuator {
  std::string_view text;
  TokenKind kind;
};

constexpr std::array<Punctuator, 27> kPunctuators = {{
    {"===", TokenKind::kStrictEqual}, {"!==", TokenKind::kStrictNotEqual},
    {"}}", TokenKind::kEnd},          {"**", TokenKind::kPower},
    {"==", TokenKind::kEqual},        {"!=", TokenKind::kNotEqual},
    {"<=", TokenKind::kLessEqual},    {">=", TokenKind::kGreaterEqual},
    {"&&", TokenKind::kAnd},          {"||", TokenKind::kOr},
    {"?\?", TokenKind::kCoalesce},    {"?.", TokenKind::kOptionalDot},
    {"(", TokenKind::kLeftParen},     {")", TokenKind::kRightParen},
    {"[", TokenKind::kLeftBracket},   {"]", TokenKind::kRightBracket},
    {".", TokenKind::kDot},           {"?", TokenKind::kQuestion},
    {":", TokenKind::kColon},         {"+", TokenKind::kPlus},
    {"-", TokenKind::kMinus},         {"*", TokenKind::kStar},
    {"/", TokenKind::kSlash},         {"%", TokenKind::kPercent},
    {"<", TokenKind::kLess},          {">", TokenKind::kGreater},
    {"!", TokenKind::kNot},
}};

std::string quoted(std::string_view text, std::size_t offset) {
  const unsigned char c = static_cast<unsigned char>(text[offset]);
  if (c < 0x20 || c == 0x7F) return fmt::format("the control character {:#04x}", c);
  return fmt::format("'{}'", text.substr(offset, character_size(text, offset)));
}

}  // namespace

Token Lexer::make(TokenKind kind, std::size_t size) {
  Token token;
  token.kind = kind;
  token.offset = at_;
  at_ += size;
  token.end = at_;
  return token;
}

std::expected<Token, Problem> Lexer::next() {
  while (at_ < text_.size()) {
    const std::size_t space = js_space_size(rest());
    if (space == 0) break;
    at_ += space;
  }
  if (at_ >= text_.size()) return problem(at_, "the expression is not closed with '}}'");
  const char c = text_[at_];
  if (is_digit(c)) return number();
  if (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])) return number();
  if (c == '"' || c == '\'') return string();
  if (!starts_name(c)) return punctuation();
  std::size_t size = 0;
  while (at_ + size < text_.size() &&
         (starts_name(text_[at_ + size]) || is_digit(text_[at_ + size])) &&
         js_space_size(text_.substr(at_ + size)) == 0) {
    size += character_size(text_, at_ + size);
  }
  const std::string_view name = text_.substr(at_, size);
  Token token = make(TokenKind::kName, size);
  token.text = name;
  return token;
}

std::expected<Token, Problem> Lexer::punctuation() {
  const std::string_view rest_of_text = rest();
  // "?." before a digit is a ternary: a?.5:1.
  if (rest_of_text.starts_with("?.") && rest_of_text.size() > 2 && is_digit(rest_of_text[2])) {
    return make(TokenKind::kQuestion, 1);
  }
  const Punctuator* allowed = nullptr;
  for (const Punctuator& candidate : kPunctuators) {
    if (rest_of_text.starts_with(candidate.text)) {
      allowed = &candidate;
      break;
    }
  }
  for (const Refused& refused : kRefused) {
    const bool longer = allowed == nullptr || refused.text.size() > allowed->text.size();
    if (longer && rest_of_text.starts_with(refused.text)) {
      return std::unexpected(Problem{at_, std::string(refused.message), refused.javascript});
    }
  }
  if (allowed != nullptr) return make(allowed->kind, allowed->text.size());
  return problem(at_, quoted(text_, at_) + " is not part of expressions");
}

std::expected<Token, Problem> Lexer::number() {
  const std::size_t start = at_;
  std::size_t end = at_;
  const auto take = [&](auto accept) {
    while (end < text_.size() && accept(text_[end])) ++end;
  };
  const bool prefixed = text_[start] == '0' && start + 1 < text_.size() &&
                        std::string_view("xXoObB").find(text_[start + 1]) != std::string_view::npos;
  if (prefixed) {
    end += 2;
    take([](char c) { return is_digit(c) || starts_name(c); });
  } else {
    take(is_digit);
    if (end - start > 1 && text_[start] == '0') {
      return problem(start, "a number cannot start with 0");
    }
    if (end < text_.size() && text_[end] == '.') {
      ++end;
      take(is_digit);
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      ++end;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
      take(is_digit);
    }
    if (end < text_.size() && starts_name(text_[end]) && js_space_size(text_.substr(end)) == 0) {
      // 1_000 and 10n are numbers of JavaScript.
      const char next = end + 1 < text_.size() ? text_[end + 1] : ' ';
      const bool javascript =
          (text_[end] == '_' && is_digit(next)) || (text_[end] == 'n' && !starts_name(next));
      return std::unexpected(
          Problem{start, "a number runs into a name; numbers have no suffix", javascript});
    }
  }
  const std::string_view digits = text_.substr(start, end - start);
  Token token = make(TokenKind::kNumber, digits.size());
  // Whole numbers keep all 64 bits.
  std::uint64_t whole = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
  if (read.ec == std::errc{} && read.ptr == digits.data() + digits.size()) {
    if (whole <= static_cast<std::uint64_t>(INT64_MAX)) {
      token.number = static_cast<std::int64_t>(whole);
    } else {
      token.number = whole;
    }
    return token;
  }
  const double real = parse_number(digits);
  if (real != real) return problem(start, fmt::format("'{}' is not a number", digits));
  token.number = to_number(JsValue(real));
  return token;
}

std::expected<Token, Problem> Lexer::string() {
  const std::size_t start = at_;
  const char quote = text_[at_++];
  std::string value;
  while (true) {
    if (at_ >= text_.size()) return problem(start, "the string is not closed");
    const char c = text_[at_];
    if (c == quote) break;
    if (c == '\n' || c == '\r') return problem(start, "the string is not closed on its line");
    if (c == '\\') {
      if (auto done = escape(value); !done) return std::unexpected(std::move(done.error()));
    } else {
      value += c;
      ++at_;
    }
  }
  ++at_;
  Token token;
  token.kind = TokenKind::kString;
  token.offset = start;
  token.end = at_;
  token.text = std::move(value);
  return token;
}

std::expected<void, Problem> Lexer::escape(std::string& out) {
  const std::size_t start = at_++;
  if (at_ >= text_.size()) return problem(start, "the string is not closed");
  const char c = text_[at_++];
  constexpr std::string_view kLetters = "ntrbfv";
  constexpr std::string_view kMeaning = "\n\t\r\b\f\v";
  if (const auto at = kLetters.find(c); at != std::string_view::npos) {
    out += kMeaning[at];
    return {};
  }
  if (c == '0' && (at_ >= text_.size() || !is_digit(text_[at_]))) {
    out += '\0';
    return {};
  }
  if (is_digit(c)) return problem(start, "octal escapes are not part of expressions");
  if (c == '\n' || c == '\r') return problem(start, "a string cannot go on on the next line");
  if (c == 'x') {
    const auto code = hex(2);
    if (!code) return std::unexpected(code.error());
    append_utf8(*code, out);
    return {};
  }
  if (c != 'u') {
    out += c;
    return {};
  }
  auto code = unicode_escape();
  if (!code) return std::unexpected(code.error());
  const bool high = *code >= 0xD800 && *code < 0xDC00;
  if (high && rest().starts_with("\\u")) {
    at_ += 2;
    const auto low = unicode_escape();
    if (!low) return std::unexpected(low.error());
    if (*low >= 0xDC00 && *low < 0xE000) {
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
    }
  }
  if (*code >= 0xD800 && *code < 0xE000) {
    return problem(start, "half a surrogate pair is not a character");
  }
  append_utf8(*code, out);
  return {};
}

std::expected<char32_t, Problem> Lexer::unicode_escape() {
  if (at_ >= text_.size() || text_[at_] != '{') return hex(4);
  ++at_;
  const auto close = rest().find('}');
  if (close == std::string_view::npos || close == 0 || close > 6) {
    return problem(at_, "\\u{…} needs one to six hexadecimal digits");
  }
  const auto code = hex(close);
  ++at_;
  if (code && *code > 0x10FFFF) return problem(at_, "\\u{…} is above 10FFFF");
  return code;
}

std::expected<char32_t, Problem> Lexer::hex(std::size_t digits) {
  const std::string_view text = rest().substr(0, digits);
  std::uint32_t code = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), code, 16);
  if (text.size() != digits || read.ec != std::errc{} || read.ptr != text.data() + digits) {
    return problem(at_, fmt::format("an escape needs {} hexadecimal digits", digits));
  }
  at_ += digits;
  return static_cast<char32_t>(code);
}

}  // namespace tributary::orchestrate::expression
