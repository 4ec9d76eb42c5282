// A store without threads and without a data directory: one thread runs everything, and somebody
// else says when. For simulations, where a commit takes virtual time and the disk is memory.
#pragma once

#include <functional>
#include <string>

namespace tributary::store {

enum class Worker : std::uint8_t { kWriter, kReader };

struct Driven {
  // What SQLite opens: a path, or a URI that names a VFS of the caller's. Made when absent.
  std::string database;
  // The last run did not end in order: the file is checked first.
  bool unclean = false;
  // Work waits for a worker that is idle. Call `step` once, later, never inside this call: it does
  // one group of writes, or one read. After the store has gone it does nothing.
  std::function<void(Worker worker, std::move_only_function<void()> step)> schedule;
};

}  // namespace tributary::store
