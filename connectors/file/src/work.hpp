// What is done to files, on the lane: blocking, one job at a time, bounded in time by the disk.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/file/src/lines.hpp"
#include "connectors/file/src/root.hpp"
#include "connectors/file/src/watch.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::file {

// Files whose end a session remembers.
constexpr std::size_t kMaxKnownFiles = 1000;
// Numbered files of one path.
constexpr std::size_t kMaxRotations = 100'000;

// Lives on the lane; shared with its jobs.
class Worker {
 public:
  Worker(std::string root, bool writable) : path_(std::move(root)), writable_(writable) {}

  Result<void> open();
  Result<void> check();

  struct Written {
    std::string path;
    std::size_t bytes = 0;
    std::size_t repaired = 0;  // bytes of a torn record that were cut off
  };
  // `outcome_unknown` is set on an error after which the records may be in the file.
  Result<Written> write(const WriteOperation& operation, const std::string& path,
                        const Lines& lines);
  Result<std::vector<Record>> read(const ReadOperation& operation, const std::string& path);
  // See watch.hpp.
  Result<Look> look(const WatchOperation& operation, int events);
  Result<std::vector<Record>> next(FileReading& reading);
  Result<std::vector<Record>> finish(FileReading& reading);

  // From any thread: jobs that have not begun do nothing.
  void stop() { stopped_ = true; }

 private:
  // What is known of a file since this session last wrote to it.
  struct Known {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
  };
  Result<Written> append(const WriteOperation& operation, const std::string& path,
                         const Lines& lines);
  Result<Written> replace(const WriteOperation& operation, const std::string& path,
                          const Lines& lines);
  Result<std::string> file_with_room(const WriteOperation& operation, const std::string& path,
                                     std::size_t bytes);

  std::string path_;
  bool writable_;
  std::atomic<bool> stopped_ = false;
  std::unique_ptr<Root> root_;
  std::map<std::string, Known> known_;
  std::map<std::string, std::size_t> rotations_;  // the number in use, by path
};

}  // namespace tributary::connectors::file
