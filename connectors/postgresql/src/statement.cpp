#include "connectors/postgresql/src/statement.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tributary::connectors::postgresql {
namespace {

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool continues_name(char c) {
  return starts_name(c) || (c >= '0' && c <= '9');
}
// In SQL, what stands before a quote or a $ without ending a word (PostgreSQL 15, section 4.1.1).
bool is_word(char c) {
  return continues_name(c) || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

// The name of the ((placeholder)) at the beginning of the text; empty when there is none.
std::string_view placeholder_at(std::string_view text) {
  if (!text.starts_with("((") || text.size() < 5 || !starts_name(text[2])) return {};
  std::size_t end = 3;
  while (end < text.size() && continues_name(text[end])) ++end;
  return text.substr(end).starts_with("))") ? text.substr(2, end - 2) : std::string_view{};
}

bool holds_placeholder(std::string_view text) {
  for (auto at = text.find("(("); at != std::string_view::npos; at = text.find("((", at + 1)) {
    if (!placeholder_at(text.substr(at)).empty()) return true;
  }
  return false;
}

// One pass over the text.
class Binder {
 public:
  Binder(std::string_view sql, std::string_view pointer) : sql_(sql), pointer_(pointer) {}

  Result<Statement> run() {
    while (at_ < sql_.size()) TRIBUTARY_TRY(step());
    if (!meaningful_)
      return refuse("empty_statement", "There is no SQL statement in the text", "Enter one.");
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return sql_.substr(at_); }
  std::unexpected<Error> refuse(std::string code, std::string message, std::string hint) const {
    return fail(ErrorClass::kFunction, std::move(code), std::move(message), std::move(hint),
                std::string(pointer_));
  }
  void take(std::size_t count) {
    out_.text += sql_.substr(at_, count);
    at_ += count;
  }

  Result<void> step() {
    const char c = sql_[at_];
    if (rest().starts_with("--")) {
      take(std::min(rest().size(), std::min(rest().find('\n'), rest().size())));
      return {};
    }
    if (rest().starts_with("/*")) return comment();
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ';') meaningful_ = true;
    if (c == '\'' || c == '"') return quoted(c, c == '\'' && has_escapes());
    if (c == '$') return dollar();
    if (const auto name = placeholder_at(rest()); !name.empty()) {
      out_.parameters.emplace_back(name);
      // Still in parentheses, so that neither neighbour can become part of it, and "in ((x))" is
      // what it looks like.
      out_.text += fmt::format("(${})", out_.parameters.size());
      at_ += name.size() + 4;
      return {};
    }
    take(1);
    return {};
  }

  // E'…' knows backslashes; '…' does not (standard_conforming_strings, set for each session).
  bool has_escapes() const {
    if (at_ == 0 || (sql_[at_ - 1] != 'e' && sql_[at_ - 1] != 'E')) return false;
    return at_ == 1 || !is_word(sql_[at_ - 2]);
  }

  Result<void> quoted(char quote, bool escapes) {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && sql_[end] != quote) end += escapes && sql_[end] == '\\' ? 2 : 1;
    if (end >= sql_.size()) return unterminated();
    return check_inside(end + 1 - at_);
  }

  Result<void> comment() {
    std::size_t depth = 0;
    std::size_t end = at_;
    do {
      const auto here = sql_.substr(end);
      if (here.empty()) return unterminated();
      const bool opens = here.starts_with("/*");
      const bool closes = here.starts_with("*/");
      if (opens) ++depth;
      if (closes) --depth;
      end += opens || closes ? 2 : 1;
    } while (depth > 0);
    take(end - at_);
    return {};
  }

  // $1 of their own, or $tag$ … $tag$.
  Result<void> dollar() {
    if (at_ > 0 && is_word(sql_[at_ - 1])) {
      take(1);
      return {};
    }
    const auto after = rest().substr(1);
    if (!after.empty() && after[0] >= '0' && after[0] <= '9') {
      return refuse("unexpected_parameter",
                    fmt::format("The statement has a ${} of its own", after[0]),
                    "Write ((name)) where a value belongs.");
    }
    std::size_t length = 0;
    if (!after.empty() && starts_name(after[0])) {
      while (length < after.size() && continues_name(after[length])) ++length;
    }
    if (length >= after.size() || after[length] != '$') {
      take(1);
      return {};
    }
    const auto tag = rest().substr(0, length + 2);
    const auto end = sql_.find(tag, at_ + tag.size());
    if (end == std::string_view::npos) return unterminated();
    return check_inside(end + tag.size() - at_);
  }

  Result<void> check_inside(std::size_t length) {
    const auto text = sql_.substr(at_, length);
    if (holds_placeholder(text)) {
      return refuse("placeholder_in_quotes",
                    fmt::format("A placeholder stands inside quotes: {}", text.substr(0, 80)),
                    "Write it without quotes: it is bound as a value. To put it into longer text, "
                    "join them with || in SQL.");
    }
    take(length);
    return {};
  }

  std::unexpected<Error> unterminated() const {
    return refuse("unterminated_quote",
                  fmt::format("A quote or comment that begins at character {} has no end", at_ + 1),
                  "Close it.");
  }

  std::string_view sql_;
  std::string_view pointer_;
  std::size_t at_ = 0;
  bool meaningful_ = false;
  Statement out_;
};

std::unexpected<Error> bad_table(std::string_view name, std::string_view why) {
  return fail(ErrorClass::kFunction, "invalid_table_name",
              fmt::format("{} is not the name of a table: {}", name, why),
              "Write table or schema.table; a part that holds a dot goes into double quotes.",
              "/settings/table");
}

}  // namespace

Result<Statement> bind_placeholders(std::string_view sql, std::string_view pointer) {
  return Binder(sql, pointer).run();
}

std::string quote_identifier(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    text += c;
    if (c == '"') text += c;
  }
  return text + '"';
}

Result<std::string> quote_table(std::string_view name) {
  if (holds_placeholder(name)) return bad_table(name, "a name never comes from the data");
  if (name.find('\0') != std::string_view::npos) return bad_table("It", "it holds a zero byte");
  std::vector<std::string> parts(1);
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (name[at] == '.') {
      parts.emplace_back();
      continue;
    }
    if (name[at] != '"' || !parts.back().empty()) {
      parts.back() += name[at];
      continue;
    }
    for (++at;; ++at) {
      if (at >= name.size()) return bad_table(name, "a double quote has no end");
      if (name[at] != '"') {
        parts.back() += name[at];
        continue;
      }
      if (at + 1 >= name.size() || name[at + 1] != '"') break;
      parts.back() += name[at++];
    }
    if (at + 1 < name.size() && name[at + 1] != '.')
      return bad_table(name, "something follows a double quote");
  }
  if (parts.size() > 2) return bad_table(name, "it has more than one dot");
  std::string text;
  for (const std::string& part : parts) {
    if (part.empty()) return bad_table(name, "a part of it is empty");
    if (!text.empty()) text += '.';
    text += quote_identifier(part);
  }
  return text;
}

}  // namespace tributary::connectors::postgresql
