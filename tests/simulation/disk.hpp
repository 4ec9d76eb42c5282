// A disk in memory, behind a VFS of its own. It knows what was written and what was flushed: when
// the power goes, only the latter is sure to be there again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace tributary::simulation {

using Bytes = std::vector<std::byte>;
// The files of a disk, by path.
using Image = std::map<std::string, Bytes>;

// What a power cut leaves of the writes that were not flushed.
enum class Survival : std::uint8_t { kNothing, kSome, kEverything };

// Once per process, before SQLite is used: URIs name the VFS, one thread uses it.
void prepare_sqlite();

class Disk {
 public:
  // `chance` also feeds SQLite's own randomness, so that a run repeats to the byte.
  Disk(const Image& image, Random& chance);
  // After every connection to it was closed.
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // What SQLite opens to get `path` on this disk.
  std::string uri(const std::string& path) const;

  // ---- faults ----
  void set_full(bool full) { full_ = full; }
  // The next flush is refused, and what it should have flushed is lost with the next power cut.
  void fail_next_flush() { fail_flush_ = true; }
  // The power goes with the n-th write or flush from now; later operations fail.
  void cut_power_after(std::uint64_t operations) { operations_left_ = operations; }
  void cut_power() { powered_ = false; }
  // A cut that was announced and has not come yet does not come.
  void keep_power() { operations_left_.reset(); }
  bool powered() const { return powered_; }

  // What the next start finds.
  Image after_power_cut(Survival survival) const;
  // What the next start finds after the process was killed: the system still has every write.
  Image after_kill() const;

  struct File;
  struct Vfs;
  // For the VFS: counts an operation that changes the disk; false when the power is gone.
  bool operate();

 private:
  friend struct Vfs;
  std::map<std::string, std::unique_ptr<File>> files_;
  Random& chance_;
  std::unique_ptr<Vfs> vfs_;
  std::string name_;
  bool full_ = false;
  bool fail_flush_ = false;
  bool powered_ = true;
  std::optional<std::uint64_t> operations_left_;
};

}  // namespace tributary::simulation
