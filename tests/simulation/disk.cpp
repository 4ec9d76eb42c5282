#include "tests/simulation/disk.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

namespace tributary::simulation {

namespace {

// What a disk writes whole or not at all.
constexpr std::size_t kSector = 512;
constexpr int kReportedSector = 4096;
constexpr int kLongestPath = 256;

}  // namespace

struct Disk::File {
  // A write, or with `size` a change of length.
  struct Change {
    std::size_t offset = 0;
    Bytes data;
    std::optional<std::size_t> size;
  };
  struct ShmLock {
    int shared = 0;
    const void* exclusive = nullptr;
  };

  Bytes content;
  Bytes durable;
  std::vector<Change> unflushed;
  std::vector<std::pair<const void*, int>> locks;  // holder, level
  std::vector<std::unique_ptr<std::array<std::byte, 32768>>> shared_memory;
  std::array<ShmLock, SQLITE_SHM_NLOCK> shm_locks{};
  int shm_users = 0;

  static void write(Bytes& into, std::size_t offset, const std::byte* data, std::size_t size) {
    if (into.size() < offset + size) into.resize(offset + size);
    std::memcpy(into.data() + offset, data, size);
  }
  static void apply(Bytes& into, const Change& change) {
    if (change.size) {
      into.resize(*change.size);
    } else {
      write(into, change.offset, change.data.data(), change.data.size());
    }
  }
  void flush() {
    for (const auto& change : unflushed) apply(durable, change);
    unflushed.clear();
  }
};

// SQLite's side: plain functions over a table of pointers (sqlite.org/vfs.html).
struct Disk::Vfs {
  struct Handle {
    sqlite3_file base;
    Disk* disk;
    Disk::File* file;
    std::unique_ptr<Disk::File>* temporary;
    bool maps;
    std::array<bool, SQLITE_SHM_NLOCK> shared;
  };

  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  static Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Disk*>(vfs->pAppData); }

  static int close(sqlite3_file* file) {
    unlock(file, SQLITE_LOCK_NONE);
    shm_unmap(file, 0);
    delete of(file).temporary;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
    if (!of(file).disk->powered()) return SQLITE_IOERR_READ;
    const Bytes& content = of(file).file->content;
    const auto at = static_cast<std::size_t>(offset);
    const auto wanted = static_cast<std::size_t>(size);
    const std::size_t there = at < content.size() ? std::min(wanted, content.size() - at) : 0;
    if (there > 0) std::memcpy(into, content.data() + at, there);
    if (there == wanted) return SQLITE_OK;
    std::memset(static_cast<std::byte*>(into) + there, 0, wanted - there);
    return SQLITE_IOERR_SHORT_READ;
  }
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    Handle& handle = of(file);
    if (!handle.disk->operate()) return SQLITE_IOERR_WRITE;
    const auto* bytes = static_cast<const std::byte*>(data);
    const auto at = static_cast<std::size_t>(offset);
    const auto count = static_cast<std::size_t>(size);
    if (handle.disk->full_ && at + count > handle.file->content.size()) return SQLITE_FULL;
    File::write(handle.file->content, at, bytes, count);
    handle.file->unflushed.push_back({at, Bytes(bytes, bytes + count), std::nullopt});
    return SQLITE_OK;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    Handle& handle = of(file);
    if (!handle.disk->operate()) return SQLITE_IOERR_TRUNCATE;
    handle.file->unflushed.push_back({0, {}, static_cast<std::size_t>(size)});
    handle.file->content.resize(static_cast<std::size_t>(size));
    return SQLITE_OK;
  }
  static int sync(sqlite3_file* file, int /*flags*/) {
    Handle& handle = of(file);
    if (!handle.disk->operate()) return SQLITE_IOERR_FSYNC;
    if (std::exchange(handle.disk->fail_flush_, false)) {
      // The system marks the pages clean although the disk does not have them.
      handle.file->unflushed.clear();
      return SQLITE_IOERR_FSYNC;
    }
    handle.file->flush();
    return SQLITE_OK;
  }
  static int size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(of(file).file->content.size());
    return SQLITE_OK;
  }

  static int lock(sqlite3_file* file, int level) {
    auto& locks = of(file).file->locks;
    for (const auto& [holder, held] : locks) {
      if (holder == file) continue;
      const bool blocks = (level == SQLITE_LOCK_SHARED && held >= SQLITE_LOCK_PENDING) ||
                          (level == SQLITE_LOCK_RESERVED && held >= SQLITE_LOCK_RESERVED) ||
                          (level >= SQLITE_LOCK_PENDING && held >= SQLITE_LOCK_SHARED);
      if (blocks) return SQLITE_BUSY;
    }
    const auto mine = std::ranges::find(locks, static_cast<const void*>(file),
                                        [](const auto& each) { return each.first; });
    if (mine == locks.end()) {
      locks.emplace_back(file, level);
    } else {
      mine->second = std::max(mine->second, level);
    }
    return SQLITE_OK;
  }
  static int unlock(sqlite3_file* file, int level) {
    auto& locks = of(file).file->locks;
    std::erase_if(
        locks, [&](const auto& each) { return each.first == file && level == SQLITE_LOCK_NONE; });
    for (auto& [holder, held] : locks) {
      if (holder == file) held = std::min(held, level);
    }
    return SQLITE_OK;
  }
  static int check_reserved(sqlite3_file* file, int* reserved) {
    *reserved = std::ranges::any_of(
        of(file).file->locks, [](const auto& each) { return each.second >= SQLITE_LOCK_RESERVED; });
    return SQLITE_OK;
  }
  static int control(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
    return SQLITE_NOTFOUND;
  }
  static int sector_size(sqlite3_file* /*file*/) { return kReportedSector; }
  static int characteristics(sqlite3_file* /*file*/) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** into) {
    Handle& handle = of(file);
    auto& memory = handle.file->shared_memory;
    if (!std::exchange(handle.maps, true)) ++handle.file->shm_users;
    *into = nullptr;
    const auto index = static_cast<std::size_t>(region);
    if (index >= memory.size() && extend == 0) return SQLITE_OK;
    if (size != static_cast<int>(sizeof(*memory[0]))) return SQLITE_IOERR_SHMMAP;
    while (memory.size() <= index)
      memory.push_back(std::make_unique<std::array<std::byte, 32768>>());
    *into = memory[index]->data();
    return SQLITE_OK;
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    Handle& handle = of(file);
    const auto first = static_cast<std::size_t>(offset);
    const auto last = first + static_cast<std::size_t>(count);
    auto& locks = handle.file->shm_locks;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      for (std::size_t i = first; i < last; ++i) {
        if (exclusive && locks[i].exclusive == file) locks[i].exclusive = nullptr;
        if (!exclusive && std::exchange(handle.shared[i], false)) --locks[i].shared;
      }
      return SQLITE_OK;
    }
    for (std::size_t i = first; i < last; ++i) {
      const bool held = locks[i].exclusive != nullptr && locks[i].exclusive != file;
      const int others = locks[i].shared - (handle.shared[i] ? 1 : 0);
      if (held || (exclusive && others > 0)) return SQLITE_BUSY;
    }
    for (std::size_t i = first; i < last; ++i) {
      if (exclusive) {
        locks[i].exclusive = file;
      } else if (!std::exchange(handle.shared[i], true)) {
        ++locks[i].shared;
      }
    }
    return SQLITE_OK;
  }
  static void shm_barrier(sqlite3_file* /*file*/) {}
  static int shm_unmap(sqlite3_file* file, int /*remove*/) {
    Handle& handle = of(file);
    if (!std::exchange(handle.maps, false)) return SQLITE_OK;
    for (std::size_t i = 0; i < handle.shared.size(); ++i) {
      if (std::exchange(handle.shared[i], false)) --handle.file->shm_locks[i].shared;
      if (handle.file->shm_locks[i].exclusive == file)
        handle.file->shm_locks[i].exclusive = nullptr;
    }
    if (--handle.file->shm_users == 0) handle.file->shared_memory.clear();
    return SQLITE_OK;
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods table = {2,
                                             close,
                                             read,
                                             write,
                                             truncate,
                                             sync,
                                             size,
                                             lock,
                                             unlock,
                                             check_reserved,
                                             control,
                                             sector_size,
                                             characteristics,
                                             shm_map,
                                             shm_lock,
                                             shm_barrier,
                                             shm_unmap,
                                             nullptr,
                                             nullptr};
    return &table;
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
    Disk& disk = disk_of(vfs);
    file->pMethods = nullptr;
    if (!disk.powered()) return SQLITE_CANTOPEN;
    auto* handle = new (file) Handle{};
    handle->disk = &disk;
    if (path == nullptr) {
      handle->temporary = new std::unique_ptr<Disk::File>(std::make_unique<Disk::File>());
      handle->file = handle->temporary->get();
    } else {
      auto& entry = disk.files_[path];
      if (!entry) entry = std::make_unique<Disk::File>();
      handle->file = entry.get();
    }
    handle->base.pMethods = methods();
    if (out != nullptr) *out = flags;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int /*sync_directory*/) {
    Disk& disk = disk_of(vfs);
    if (!disk.operate()) return SQLITE_IOERR_DELETE;
    return disk.files_.erase(path) > 0 ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
  }
  static int access(sqlite3_vfs* vfs, const char* path, int /*flags*/, int* found) {
    *found = disk_of(vfs).files_.contains(path) ? 1 : 0;
    return SQLITE_OK;
  }
  static int full_path(sqlite3_vfs* /*vfs*/, const char* path, int size, char* into) {
    sqlite3_snprintf(size, into, "%s", path);
    return SQLITE_OK;
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* into) {
    for (int i = 0; i < size; ++i) into[i] = static_cast<char>(disk_of(vfs).chance_.next() & 0xff);
    return size;
  }
  static int sleep(sqlite3_vfs* /*vfs*/, int microseconds) { return microseconds; }
  static int current_time(sqlite3_vfs* /*vfs*/, sqlite3_int64* milliseconds) {
    *milliseconds = 0;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*into*/) { return 0; }

  sqlite3_vfs table{};
};

void prepare_sqlite() {
  sqlite3_config(SQLITE_CONFIG_URI, 1);
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3_initialize();
}

Disk::Disk(const Image& image, Random& chance)
    : chance_(chance),
      vfs_(std::make_unique<Vfs>()),
      name_(fmt::format("disk-{}", static_cast<const void*>(this))) {
  for (const auto& [path, bytes] : image) {
    auto file = std::make_unique<File>();
    file->content = bytes;
    file->durable = bytes;
    files_.emplace(path, std::move(file));
  }
  sqlite3_vfs& table = vfs_->table;
  table.iVersion = 2;
  table.szOsFile = sizeof(Vfs::Handle);
  table.mxPathname = kLongestPath;
  table.zName = name_.c_str();
  table.pAppData = this;
  table.xOpen = Vfs::open;
  table.xDelete = Vfs::remove;
  table.xAccess = Vfs::access;
  table.xFullPathname = Vfs::full_path;
  table.xRandomness = Vfs::randomness;
  table.xSleep = Vfs::sleep;
  table.xCurrentTimeInt64 = Vfs::current_time;
  table.xGetLastError = Vfs::last_error;
  if (sqlite3_vfs_register(&table, 0) != SQLITE_OK)
    throw std::logic_error("SQLite refused the simulated disk");
}

Disk::~Disk() {
  sqlite3_vfs_unregister(&vfs_->table);
}

std::string Disk::uri(const std::string& path) const {
  return fmt::format("file:{}?vfs={}", path, name_);
}

bool Disk::operate() {
  if (operations_left_ && powered_) {
    if (*operations_left_ == 0) powered_ = false;
    --*operations_left_;
  }
  return powered_;
}

Image Disk::after_kill() const {
  Image image;
  for (const auto& [path, file] : files_) image[path] = file->content;
  return image;
}

Image Disk::after_power_cut(Survival survival) const {
  if (survival == Survival::kEverything) return after_kill();
  Image image;
  for (const auto& [path, file] : files_) {
    Bytes bytes = file->durable;
    const auto& changes = file->unflushed;
    for (std::size_t i = 0; survival == Survival::kSome && i < changes.size(); ++i) {
      const auto& change = changes[i];
      if (change.size) {
        if (chance_.next() % 2 == 0) bytes.resize(*change.size);
        continue;
      }
      for (std::size_t at = 0; at < change.data.size(); at += kSector) {
        if (chance_.next() % 2 == 0) continue;
        const std::size_t count = std::min(kSector, change.data.size() - at);
        File::write(bytes, change.offset + at, change.data.data() + at, count);
      }
    }
    image[path] = std::move(bytes);
  }
  return image;
}

}  // namespace tributary::simulation
