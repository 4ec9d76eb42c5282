// file.watch, the side of the disk: finding files, reading one in batches, and what becomes of it.
// Blocking: on the lane.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "connectors/file/src/operation.hpp"
#include "connectors/file/src/records.hpp"
#include "connectors/file/src/root.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::file {

// Files that a function remembers as read, and folders that it looks into. What is beyond is left
// alone, and said once.
constexpr std::size_t kMaxSeen = 50'000;
constexpr std::size_t kMaxFolders = 10'000;
// Files of one look; those that changed longest ago come first, the others with the next look.
constexpr std::size_t kMaxFound = 1000;
// Bounds of one batch.
constexpr std::size_t kMaxBatchRecords = 500;
constexpr std::size_t kMaxBatchText = 1U << 20U;
// A file that is given as one text.
constexpr std::size_t kMaxTextFile = 16U << 20U;

struct FoundFile {
  std::string path;
  FileState state;
};

// What a function has read. Shared by its sessions, whose lanes may overlap for a moment.
class Seen {
 public:
  // Whether a file is to be read: it is new or, with `changes`, not as it was.
  bool is_news(const FoundFile& file, bool changes) const;
  bool knows(const std::string& path) const;
  // How many more there is room for.
  std::size_t room() const;
  void note(const FoundFile& file);
  // Forgets those that are not there any more.
  void keep_only(const std::set<std::string>& there);
  // True once: for the first look of all.
  bool begin() { return !begun_.exchange(true); }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, FileState> files_;
  std::atomic<bool> begun_ = false;
};

// What one look found.
struct Look {
  std::vector<FoundFile> files;  // to be read; the oldest first
  bool more = false;             // than kMaxFound
  // Folders and files that could not be looked at, with why.
  std::vector<std::pair<std::string, Error>> trouble;
};
// Looks through all folders where files of the pattern may lie. `events`: an inotify descriptor
// that is to tell of changes there, or -1. Errors: those of Root::check().
Result<Look> look_through(const Root& root, const WatchOperation& operation, int events);

// One file on its way.
class FileReading {
 public:
  FileReading(std::shared_ptr<const WatchOperation> operation, FoundFile file);

  // The next records; none: the file has ended. A file or a line that cannot be read is a record
  // with an error. Errors: connection classes.
  Result<std::vector<Record>> next(const Root& root);
  // All records were accepted: moves or deletes the file, and remembers it. A record tells when
  // that went wrong. Nothing is done for a file that changed meanwhile: it is read again.
  Result<std::vector<Record>> finish(const Root& root);
  const std::string& path() const { return file_.path; }

 private:
  Result<void> open(const Root& root);
  Result<void> take_away(const Root& root) const;
  Result<void> read_more();
  Result<void> read_text();
  void end_with(const Error& error);
  void add(Json payload, std::optional<Json> error, std::size_t number, std::size_t bytes);

  std::shared_ptr<const WatchOperation> operation_;
  FoundFile file_;
  Handle handle_;
  RecordReader reader_;
  std::deque<std::pair<Record, std::size_t>> waiting_;  // with their bytes
  std::size_t waiting_bytes_ = 0;
  bool opened_ = false;
  bool ended_ = false;   // there is nothing more to read
  bool failed_ = false;  // it could not be read to its end: it stays where it is
};

// {"path", "size", "modified", "number", "last", "payload"} and, when something is wrong, "error".
Record file_record(const FoundFile& file, Json payload, std::optional<Json> error,
                   std::size_t number, bool last);
Json error_note(const Error& error);

}  // namespace tributary::connectors::file
