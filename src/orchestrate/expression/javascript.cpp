#include "orchestrate/expression/javascript.hpp"

#include <algorithm>
#include <array>

namespace tributary::orchestrate::expression {
namespace {

constexpr std::array<std::string_view, 12> kStarting = {"new",   "function", "typeof", "instanceof",
                                                        "in",    "delete",   "void",   "this",
                                                        "class", "async",    "super",  "await"};

constexpr std::array<std::string_view, 38> kNames = {"Math",
                                                     "JSON",
                                                     "Number",
                                                     "String",
                                                     "Boolean",
                                                     "Object",
                                                     "Array",
                                                     "Date",
                                                     "RegExp",
                                                     "Map",
                                                     "Set",
                                                     "WeakMap",
                                                     "WeakSet",
                                                     "BigInt",
                                                     "Symbol",
                                                     "Error",
                                                     "TypeError",
                                                     "RangeError",
                                                     "Promise",
                                                     "Proxy",
                                                     "Reflect",
                                                     "parseInt",
                                                     "parseFloat",
                                                     "isNaN",
                                                     "isFinite",
                                                     "encodeURI",
                                                     "encodeURIComponent",
                                                     "decodeURI",
                                                     "decodeURIComponent",
                                                     "escape",
                                                     "unescape",
                                                     "ArrayBuffer",
                                                     "DataView",
                                                     "Uint8Array",
                                                     "Float32Array",
                                                     "Float64Array",
                                                     "$fn",
                                                     "$quality"};

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view skip_space(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

// Reads JavaScript just far enough to know what is code.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t offset) : text_(text), at_(offset) {}

  std::optional<std::size_t> end() {
    while (at_ < text_.size()) {
      if (open_.empty() && text_.substr(at_).starts_with("}}")) return at_;
      if (!step()) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  bool step() {
    const char c = text_[at_];
    if (is_space(c)) {
      ++at_;
      return true;
    }
    if (c == '"' || c == '\'') return skip_string(c);
    if (c == '`') return skip_template();
    if (c == '/') return slash();
    if (is_word(c)) {
      const std::size_t start = at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      const std::string_view word = text_.substr(start, at_ - start);
      value_before_ = word != "return" && word != "typeof" && word != "in" && word != "of";
      return true;
    }
    if (c == '(' || c == '[' || c == '{') open_.push_back(c);
    if (c == ')' || c == ']' || c == '}') {
      if (open_.empty()) return false;
      // The code of a template's ${…} ends here, its text goes on.
      const bool in_template = open_.back() == '`';
      open_.pop_back();
      ++at_;
      value_before_ = true;
      return !in_template || template_text();
    }
    value_before_ = false;
    ++at_;
    return true;
  }

  bool skip_string(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
    value_before_ = true;
    return at_ <= text_.size();
  }

  bool skip_template() {
    ++at_;
    return template_text();
  }

  // To the end of the template, or into its next ${.
  bool template_text() {
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '`') {
        ++at_;
        value_before_ = true;
        return true;
      } else if (text_.substr(at_).starts_with("${")) {
        at_ += 2;
        open_.push_back('`');
        value_before_ = false;
        return true;
      }
    }
    return false;
  }

  bool slash() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("//")) {
      const auto line = rest.find('\n');
      at_ = line == std::string_view::npos ? text_.size() : at_ + line;
      return true;
    }
    if (rest.starts_with("/*")) {
      const auto close = rest.find("*/", 2);
      at_ = close == std::string_view::npos ? text_.size() : at_ + close + 2;
      return true;
    }
    if (value_before_) {  // a division
      ++at_;
      value_before_ = false;
      return true;
    }
    bool in_class = false;
    for (++at_; at_ < text_.size() && (in_class || text_[at_] != '/'); ++at_) {
      if (text_[at_] == '\\') ++at_;
      if (at_ < text_.size() && text_[at_] == '[') in_class = true;
      if (at_ < text_.size() && text_[at_] == ']') in_class = false;
    }
    ++at_;
    value_before_ = true;
    return at_ <= text_.size();
  }

  std::string_view text_;
  std::size_t at_;
  std::string open_;           // brackets; '`' for ${ of a template
  bool value_before_ = false;  // a slash divides
};

}  // namespace

bool starts_javascript(std::string_view keyword) {
  return std::find(kStarting.begin(), kStarting.end(), keyword) != kStarting.end();
}

bool is_javascript_name(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_arrow_head(std::string_view behind_name) {
  return skip_space(behind_name).starts_with("=>");
}

bool is_arrow_function(std::string_view from_parenthesis) {
  int depth = 0;
  for (std::size_t i = 0; i < from_parenthesis.size(); ++i) {
    if (from_parenthesis[i] == '(') ++depth;
    if (from_parenthesis[i] == ')' && --depth == 0) {
      return is_arrow_head(from_parenthesis.substr(i + 1));
    }
  }
  return false;
}

std::optional<std::size_t> find_javascript_end(std::string_view text, std::size_t offset) {
  return Scanner(text, offset).end();
}

void collect_names(std::string_view script, NodeNames& nodes) {
  if (script.find("$trigger") != std::string_view::npos) nodes.use_trigger();
  constexpr std::string_view kNode = "$node";
  for (auto at = script.find(kNode); at != std::string_view::npos;
       at = script.find(kNode, at + 1)) {
    std::string_view rest = skip_space(script.substr(at + kNode.size()));
    if (rest.empty() || (rest[0] != '(' && rest[0] != '[')) continue;
    rest = skip_space(rest.substr(1));
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'' && rest[0] != '`')) continue;
    const auto close = rest.find(rest[0], 1);
    const std::string_view id = rest.substr(1, close == std::string_view::npos ? 0 : close - 1);
    if (!id.empty() && id.find('$') == std::string_view::npos) nodes.slot(id);
  }
}

}  // namespace tributary::orchestrate::expression
