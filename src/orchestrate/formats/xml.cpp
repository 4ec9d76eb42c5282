#include <fmt/format.h>

#include <map>
#include <pugixml.hpp>

#include "orchestrate/formats/decoders.hpp"

namespace tributary::orchestrate::formats {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorClass::kFunction, "invalid_xml", std::move(message));
}

// Looks at the tags before a tree is made of them: a tree of 100 000 levels cannot even be
// destroyed safely. What is not well-formed is left to the parser.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<void> check() {
    while ((at_ = text_.find('<', at_)) != std::string_view::npos) {
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("<!--")) {
        skip_behind("-->", 4);
      } else if (rest.starts_with("<![CDATA[")) {
        skip_behind("]]>", 9);
      } else if (rest.starts_with("<!")) {
        return fail(ErrorClass::kFunction, "doctype_not_allowed",
                    "The XML declares a document type; that is not allowed.",
                    "Leave out <!DOCTYPE …>: entities and external files are never read.");
      } else if (rest.starts_with("<?")) {
        skip_behind("?>", 2);
      } else if (rest.starts_with("</")) {
        --depth_;
        skip_behind(">", 2);
      } else {
        TRIBUTARY_TRY(start_tag());
      }
    }
    return {};
  }

 private:
  void skip_behind(std::string_view end, std::size_t offset) {
    const std::size_t found = text_.find(end, at_ + offset);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }

  Result<void> start_tag() {
    if (++elements_ > kMaxXmlElements) {
      return fail(ErrorClass::kFunction, "too_large",
                  fmt::format("The XML has more than {} elements.", kMaxXmlElements));
    }
    if (++depth_ > kMaxXmlDepth) {
      return fail(ErrorClass::kFunction, "nested_too_deep",
                  fmt::format("The XML is nested more than {} deep.", kMaxXmlDepth));
    }
    char quote = 0;
    std::size_t attributes = 0;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
        if (++attributes > kMaxXmlNames) return too_many_names();
      } else if (c == '>') {
        if (text_[at_ - 1] == '/') --depth_;
        break;
      }
    }
    return {};
  }

  static std::unexpected<Error> too_many_names() {
    return fail(ErrorClass::kFunction, "too_large",
                fmt::format("An element has more than {} attributes.", kMaxXmlNames));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t elements_ = 0;
};

Result<Json> content_of(const pugi::xml_node& element) {
  Json content = json_object();
  for (const pugi::xml_attribute& attribute : element.attributes()) {
    content.insert_or_assign(fmt::format("@{}", attribute.name()), attribute.value());
  }
  std::string text;
  std::map<std::string, std::vector<Json>> children;
  std::vector<std::string> order;
  for (const pugi::xml_node& child : element.children()) {
    if (child.type() != pugi::node_element) {
      text += child.value();
      continue;
    }
    auto inner = content_of(child);
    if (!inner) return inner;
    auto& same = children[child.name()];
    if (same.empty()) order.emplace_back(child.name());
    same.push_back(std::move(*inner));
    if (order.size() > kMaxXmlNames) {
      return fail(ErrorClass::kFunction, "too_large",
                  fmt::format("An element has children of more than {} names.", kMaxXmlNames));
    }
  }
  if (content.empty() && children.empty()) return Json(text);
  if (!text.empty()) content.insert_or_assign("#text", text);
  for (const std::string& name : order) {
    auto& same = children[name];
    if (same.size() == 1) {
      content.insert_or_assign(name, std::move(same.front()));
      continue;
    }
    Json list = json_array();
    for (Json& one : same) list.push_back(std::move(one));
    content.insert_or_assign(name, std::move(list));
  }
  return content;
}

}  // namespace

Result<Json> parse_xml(std::string_view text) {
  if (text.size() > kMaxParsedBytes) {
    return fail(ErrorClass::kFunction, "too_large",
                fmt::format("The text has {} bytes; {} MiB are allowed.", text.size(),
                            kMaxParsedBytes >> 20));
  }
  if (text.find('\0') != std::string_view::npos) return invalid("The XML holds a zero byte.");
  if (auto scanned = Scanner(text).check(); !scanned) return fail(std::move(scanned.error()));
  pugi::xml_document document;
  const pugi::xml_parse_result parsed =
      document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    const auto before = text.substr(0, static_cast<std::size_t>(parsed.offset));
    return invalid(fmt::format("The text is not valid XML: {}, in line {}.", parsed.description(),
                               std::count(before.begin(), before.end(), '\n') + 1));
  }
  const pugi::xml_node root = document.document_element();
  if (!root || root.next_sibling()) return invalid("XML has exactly one root element.");
  auto content = content_of(root);
  if (!content) return content;
  // Character references can name what is no character.
  if (auto utf8 = check_text(to_text(*content)); !utf8) return fail(std::move(utf8.error()));
  Json result = json_object();
  result.insert_or_assign(root.name(), std::move(*content));
  return result;
}

}  // namespace tributary::orchestrate::formats
