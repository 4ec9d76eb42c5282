// Which hub this is: an id that belongs to one data directory and never to two.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace tributary::store {

// Reads DIR/node.id or makes it. The file also says which directory of which machine it was made
// for; in a copy of the directory, or a restored backup, a new id is made, because both may run at
// the same time and brokers throw out the first of two clients with one id (edge case 9). Moving
// the directory within its disk keeps the id. Blocking. Error: kInternal "data_dir_unwritable".
Result<std::string> node_id(const std::string& data_dir, UtcTime now);

}  // namespace tributary::store
