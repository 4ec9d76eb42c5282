#include "connectors/file/src/watch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "connectors/file/src/lines.hpp"
#include "connectors/file/src/path.hpp"
#include "http/encoding.hpp"
#include "model/depth.hpp"

namespace tributary::connectors::file {
namespace {

constexpr std::size_t kPiece = 64U << 10U;

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

bool is_connection_trouble(const Error& error) {
  return is_connection_error(error.error_class) || error.error_class == ErrorClass::kInternal;
}

// Walks down the folders along a pattern.
class Search {
 public:
  // `skip`: what is there counts as read.
  Search(const Root& root, const WatchOperation& operation, int events, bool skip)
      : root_(root),
        operation_(operation),
        glob_(operation.glob),
        events_(events),
        skip_(skip),
        room_(operation.seen->room()) {}

  Look run() {
    visit("", 0);
    // What could not be looked into may still be there.
    if (look_.trouble.empty()) operation_.seen->keep_only(known_);
    oldest_first(kMaxFound);
    if (operation_.settings.after == WatchSettings::After::kNothing && look_.files.size() > room_) {
      look_.files.resize(room_);
      look_.more = false;
      complain(operation_.settings.pattern, too_many("files that stay", kMaxSeen));
    }
    return std::move(look_);
  }

 private:
  void oldest_first(std::size_t most) {
    std::ranges::sort(look_.files, {}, age);
    if (look_.files.size() <= most) return;
    look_.files.resize(most);
    look_.more = true;
  }

  static std::pair<std::int64_t, std::string_view> age(const FoundFile& file) {
    return {file.state.modified_ns, file.path};
  }

  void complain(std::string path, Error error) {
    if (look_.trouble.size() < kMaxFound)
      look_.trouble.emplace_back(std::move(path), std::move(error));
  }

  // What lies in `folder` and fits the pattern from `part` on.
  void visit(const std::string& folder, std::size_t part) {
    if (++folders_ > kMaxFolders) {
      if (folders_ == kMaxFolders + 1) complain(folder, too_many("folders", kMaxFolders));
      return;
    }
    if (glob_.is_any_depth(part)) visit(folder, part + 1);
    const bool last = part + 1 == glob_.size();
    if (!last && glob_.is_plain(part)) {
      if (!open(folder)) return;  // it tells when the next one is made
      descend(folder, glob_.part(part), part + 1);
      return;
    }
    const auto handle = open(folder);
    if (!handle) return;
    const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(::dup(handle->get())));
    if (!listing) return complain(folder, Root::error_from(errno, "look into", folder));
    ::rewinddir(listing.get());
    while (const dirent* entry = ::readdir(listing.get())) {
      const std::string name(static_cast<const char*>(entry->d_name));
      if (!http::is_utf8(name) || !check_path(name)) continue;
      consider(handle->get(), folder, name, part, last);
    }
  }

  void consider(int handle, const std::string& folder, const std::string& name, std::size_t part,
                bool last) {
    const bool any_depth = glob_.is_any_depth(part);
    if (any_depth ? name.starts_with('.') : !glob_.matches(part, name)) return;
    struct statx about{};
    if (!look_at(handle, name, about)) return;
    if (!last) {
      if (S_ISDIR(about.stx_mode)) descend(folder, name, any_depth ? part : part + 1);
      return;
    }
    // With a second name it may lie anywhere, or is on its way here.
    if (!S_ISREG(about.stx_mode) || about.stx_nlink != 1) return;
    FoundFile file{join(folder, name), state_from(about)};
    if (file.path.size() > kMaxPath) return;
    if (operation_.seen->knows(file.path)) known_.insert(file.path);
    const bool changes = operation_.settings.changed == WatchSettings::Changed::kAgain;
    if (!operation_.seen->is_news(file, changes)) return;
    if (skip_ && operation_.seen->room() > 0) {
      known_.insert(file.path);
      operation_.seen->note(file);
    } else {
      look_.files.push_back(std::move(file));
      if (look_.files.size() >= 2 * kMaxFound) oldest_first(kMaxFound);
    }
  }

  void descend(const std::string& folder, const std::string& name, std::size_t part) {
    const std::string path = join(folder, name);
    const bool is_done = operation_.settings.after == WatchSettings::After::kMove &&
                         path == operation_.settings.move_to;
    if (!is_done && path.size() <= kMaxPath) visit(path, part);
  }

  // A folder that is not there (yet) is none of this search.
  std::optional<Handle> open(const std::string& folder) {
    auto handle = root_.open_folder(folder.empty() ? "." : folder);
    if (!handle) {
      const auto& code = handle.error().code;
      if (code != "file_not_found" && code != "not_a_plain_file" && code != "path_escapes")
        complain(folder, std::move(handle.error()));
      return std::nullopt;
    }
    // By the descriptor, so that no path is resolved a second time. Where it cannot be watched, it
    // is still looked through.
    if (events_ >= 0) {
      constexpr std::uint32_t kChanges =
          IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;
      ::inotify_add_watch(events_, fmt::format("/proc/self/fd/{}", handle->get()).c_str(),
                          kChanges);
    }
    return *std::move(handle);
  }

  static std::string join(const std::string& folder, const std::string& name) {
    return folder.empty() ? name : folder + "/" + name;
  }

  static Error too_many(std::string_view what, std::size_t bound) {
    return {ErrorClass::kFunction, "too_many_files",
            fmt::format("There are more than {} {}; the others are left alone", bound, what),
            "Let files be moved or deleted after reading, or use a narrower pattern.",
            "/settings/pattern"};
  }

  const Root& root_;
  const WatchOperation& operation_;
  const Glob& glob_;
  const int events_;
  const bool skip_;
  const std::size_t room_;
  std::size_t folders_ = 0;
  std::set<std::string> known_;  // and still there
  Look look_;
};

}  // namespace

// ---- what was seen ----

bool Seen::is_news(const FoundFile& file, bool changes) const {
  const std::scoped_lock lock(mutex_);
  const auto known = files_.find(file.path);
  if (known == files_.end()) return true;
  return changes ? known->second != file.state : !known->second.is_same_file(file.state);
}

bool Seen::knows(const std::string& path) const {
  const std::scoped_lock lock(mutex_);
  return files_.contains(path);
}

std::size_t Seen::room() const {
  const std::scoped_lock lock(mutex_);
  return kMaxSeen - std::min(kMaxSeen, files_.size());
}

void Seen::note(const FoundFile& file) {
  const std::scoped_lock lock(mutex_);
  files_[file.path] = file.state;
}

void Seen::keep_only(const std::set<std::string>& there) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(files_, [&there](const auto& each) { return !there.contains(each.first); });
}

Result<Look> look_through(const Root& root, const WatchOperation& operation, int events) {
  TRIBUTARY_TRY(root.check());
  const bool skip =
      operation.seen->begin() && operation.settings.existing == WatchSettings::Existing::kSkip;
  return Search(root, operation, events, skip).run();
}

// ---- one file ----

Json error_note(const Error& error) {
  Json note = json_object();
  note.insert_or_assign("code", error.code);
  note.insert_or_assign("message", error.message);
  return note;
}

Record file_record(const FoundFile& file, Json payload, std::optional<Json> error,
                   std::size_t number, bool last) {
  Record record = json_object();
  record.insert_or_assign("path", file.path);
  record.insert_or_assign("size", file.state.size);
  const std::chrono::nanoseconds modified(file.state.modified_ns);
  record.insert_or_assign(
      "modified", format_utc(UtcTime(std::chrono::duration_cast<UtcTime::duration>(modified))));
  record.insert_or_assign("number", number);
  record.insert_or_assign("last", last);
  record.insert_or_assign("payload", std::move(payload));
  if (error) record.insert_or_assign("error", *std::move(error));
  return record;
}

FileReading::FileReading(std::shared_ptr<const WatchOperation> operation, FoundFile file)
    : operation_(std::move(operation)),
      file_(std::move(file)),
      reader_(operation_->settings.format == WatchSettings::Format::kCsv ? Format::kCsv
                                                                         : Format::kJsonLines,
              character(operation_->settings.delimiter),
              operation_->settings.numbers == WatchSettings::Numbers::kAuto) {}

void FileReading::add(Json payload, std::optional<Json> error, std::size_t number,
                      std::size_t bytes) {
  waiting_.emplace_back(file_record(file_, std::move(payload), std::move(error), number, false),
                        bytes);
  waiting_bytes_ += bytes;
}

void FileReading::end_with(const Error& error) {
  add(Json::null(), error_note(error), reader_.seen() + 1, 0);
  ended_ = true;
  failed_ = true;
}

Result<void> FileReading::open(const Root& root) {
  auto handle = root.open_file(file_.path, Root::Use::kRead);
  TRIBUTARY_TRY(handle);
  const auto state = state_of(handle->get(), file_.path);
  TRIBUTARY_TRY(state);
  file_.state = *state;
  handle_ = *std::move(handle);
  return {};
}

Result<void> FileReading::read_text() {
  if (file_.state.size > kMaxTextFile) {
    return fail(ErrorClass::kFunction, "file_too_large",
                fmt::format("{} has {} bytes; a text may have {} MiB", file_.path, file_.state.size,
                            kMaxTextFile >> 20U),
                "Read it as lines.", "/settings/format");
  }
  std::string text(static_cast<std::size_t>(file_.state.size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = ::read(handle_.get(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Root::error_from(errno, "read", file_.path));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  if (!http::is_utf8(text)) {
    return fail(ErrorClass::kFunction, "invalid_utf8",
                fmt::format("{} is not UTF-8 text", file_.path), "Convert the file.",
                "/settings/format");
  }
  add(Json(std::move(text)), std::nullopt, 1, have);
  ended_ = true;
  return {};
}

Result<void> FileReading::read_more() {
  std::array<char, kPiece> buffer{};
  const auto got = ::read(handle_.get(), buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return {};
  if (got < 0) return fail(Root::error_from(errno, "read", file_.path));
  const RecordReader::Take take = [this](FileRecord found) {
    std::optional<Json> note;
    if (!found.error && !fits_into_record(found.value)) {
      found.error = "It is nested too deeply";
      found.value = Json::null();
    }
    if (found.error) note = error_note({ErrorClass::kFunction, "invalid_record", *found.error, {}});
    add(std::move(found.value), std::move(note), found.number, found.bytes);
    return true;
  };
  if (got == 0) {
    reader_.finish(true, take);
    ended_ = true;
    return {};
  }
  reader_.feed({buffer.data(), static_cast<std::size_t>(got)}, take);
  if (reader_.overlong()) {
    return fail(ErrorClass::kFunction, "invalid_record",
                fmt::format("Record {} is longer than {} MiB; the rest is left out",
                            reader_.seen() + 1, kMaxLineBytes >> 20U),
                "Is it a file of this format?", "/settings/format");
  }
  return {};
}

Result<std::vector<Record>> FileReading::next(const Root& root) {
  const auto format = operation_->settings.format;
  if (!std::exchange(opened_, true)) {
    if (format == WatchSettings::Format::kNone) {
      add(Json::null(), std::nullopt, 0, 0);
      ended_ = true;
    } else if (const auto opened = open(root); !opened) {
      if (is_connection_trouble(opened.error())) return fail(opened.error());
      end_with(opened.error());
      if (opened.error().code == "file_not_found") waiting_.clear();  // gone since it was found
    }
  }
  // One record more than a batch holds, to know which is the last.
  while (!ended_ && (waiting_.size() < 2 ||
                     (waiting_.size() <= kMaxBatchRecords && waiting_bytes_ < kMaxBatchText))) {
    const auto more = format == WatchSettings::Format::kText ? read_text() : read_more();
    if (!more) {
      if (is_connection_trouble(more.error())) return fail(more.error());
      end_with(more.error());
    }
    if (ended_ && reader_.seen() == 0 && waiting_.empty()) add(Json::null(), std::nullopt, 0, 0);
  }
  std::vector<Record> records;
  std::size_t bytes = 0;
  while (!waiting_.empty() && records.size() < kMaxBatchRecords && bytes < kMaxBatchText &&
         (ended_ || waiting_.size() > 1)) {
    bytes += waiting_.front().second;
    records.push_back(std::move(waiting_.front().first));
    waiting_.pop_front();
  }
  waiting_bytes_ -= bytes;
  if (ended_ && waiting_.empty() && !records.empty()) records.back().insert_or_assign("last", true);
  return records;
}

Result<void> FileReading::take_away(const Root& root) const {
  const WatchSettings& settings = operation_->settings;
  if (settings.after == WatchSettings::After::kMove)
    return root.move_file(file_.path, settings.move_to, file_.state);
  return root.remove_file(file_.path, file_.state);
}

Result<std::vector<Record>> FileReading::finish(const Root& root) {
  const bool stays = operation_->settings.after == WatchSettings::After::kNothing || failed_;
  if (stays) {
    if (handle_.valid() && !failed_) {
      const auto now = state_of(handle_.get(), file_.path);
      if (!now) return fail(now.error());
      // It is found again, as it is now.
      if (*now != file_.state) file_.state.modified_ns = 0;
    }
    operation_->seen->note(file_);
    return std::vector<Record>{};
  }
  const Result<void> done = take_away(root);
  if (done || done.error().code == "file_changed" || done.error().code == "file_not_found")
    return std::vector<Record>{};
  if (is_connection_trouble(done.error())) return fail(done.error());
  operation_->seen->note(file_);
  return std::vector<Record>{
      file_record(file_, Json::null(), error_note(done.error()), reader_.seen(), true)};
}

}  // namespace tributary::connectors::file
