// Patterns of paths. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace tributary::connectors::file {

// "inbox/**/*.csv": its parts between the slashes, of which the last is the file's name.
class Glob {
 public:
  // Error: kFunction "invalid_pattern", pointer "/settings/pattern".
  static Result<Glob> parse(std::string_view text);

  std::size_t size() const { return parts_.size(); }
  // Whether a part stands for any number of folders.
  bool is_any_depth(std::size_t part) const { return parts_[part] == "**"; }
  // Whether a part stands for one name only.
  bool is_plain(std::size_t part) const;
  const std::string& part(std::size_t part) const { return parts_[part]; }
  // Wildcards do not match the dot at the beginning of a name.
  bool matches(std::size_t part, const std::string& name) const;
  // Whether files that fit may lie in `folder` itself or below it, as far as its plain parts tell.
  bool begins_in(std::string_view folder) const;

 private:
  std::vector<std::string> parts_;
};

}  // namespace tributary::connectors::file
