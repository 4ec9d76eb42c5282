#include "connectors/file/src/glob.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "connectors/file/src/path.hpp"

namespace tributary::connectors::file {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(ErrorClass::kFunction, "invalid_pattern", std::move(message),
              "A pattern is relative to the connection's folder, such as inbox/*.csv.",
              "/settings/pattern");
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

Result<Glob> Glob::parse(std::string_view text) {
  // What a path must not be, a pattern must not be either.
  if (const auto checked = check_path(text); !checked)
    return invalid(fmt::format("As a pattern: {}", checked.error().message));
  Glob glob;
  glob.parts_ = split(text);
  if (std::ranges::count(glob.parts_, "**") > 1) return invalid("** stands in the pattern twice");
  if (glob.parts_.back() == "**") return invalid("After ** stands no name of a file");
  for (const std::string& part : glob.parts_) {
    if (part != "**" && part.find("**") != std::string::npos)
      return invalid(fmt::format("** stands beside other characters in \"{}\"", part));
    if (part.find('\\') != std::string::npos) return invalid("The pattern holds a backslash");
  }
  return glob;
}

bool Glob::is_plain(std::size_t part) const {
  return parts_[part].find_first_of("*?[") == std::string::npos;
}

bool Glob::matches(std::size_t part, const std::string& name) const {
  return ::fnmatch(parts_[part].c_str(), name.c_str(), FNM_PERIOD | FNM_NOESCAPE) == 0;
}

bool Glob::begins_in(std::string_view folder) const {
  const auto names = split(folder);
  if (names.size() >= parts_.size()) return false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_plain(i) || parts_[i] != names[i]) return false;
  }
  return true;
}

}  // namespace tributary::connectors::file
