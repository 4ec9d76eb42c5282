// An object that is read member by member, in linear time whatever the names are.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/json.hpp"

namespace tributary {

class ObjectBuilder {
 public:
  // `members`: how many are to come, as far as that can be believed.
  explicit ObjectBuilder(std::size_t members);
  // Of members with one name the first counts. The text of `name` must live until take().
  void add(std::string_view name, Json value);
  Json take();

 private:
  bool few_;
  Json json_ = json_object();
  std::vector<std::pair<std::string, Json>> members_;
  std::unordered_set<std::string_view> names_;
};

}  // namespace tributary
