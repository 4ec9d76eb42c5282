#include "spool/seen.hpp"

#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "runtime/log.hpp"

namespace tributary::spool {

namespace {

constexpr auto kPlaceBytes = static_cast<std::int64_t>(2 * kSlotBytes);

}  // namespace

Result<Seen> Seen::open(const std::string& path) {
  auto file = open_file(path, true);
  if (!file) return fail(std::move(file.error()));
  if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorClass::kInternal, "spool_unwritable",
                fmt::format("Another process works on the spool ({} is locked).", path),
                "Stop it first.");
  }
  Seen seen(std::move(*file));
  TRIBUTARY_TRY(seen.load());
  return seen;
}

Result<void> Seen::load() {
  std::string place(kPlaceBytes, '\0');
  for (;; ++end_) {
    auto count = read_at(file_, place.data(), place.size(), end_ * kPlaceBytes);
    if (!count) return fail(std::move(count.error()));
    if (*count == 0) return {};
    bool used = false;
    for (std::size_t half = 0; half < 2; ++half) {
      const std::size_t start = half * kSlotBytes;
      if (*count <= start) continue;
      auto slot = read_slot(std::string_view(place).substr(start, *count - start));
      if (!slot) continue;
      used = true;
      const auto [known, made] = slots_.try_emplace(slot->id, *slot);
      if (!made && known->second.generation >= slot->generation) continue;
      known->second = *slot;
      places_.insert_or_assign(slot->id, Place{end_, 1 - half});
    }
    if (!used) free_.insert(end_);
  }
}

Seen::Place& Seen::place_of(std::int64_t queue) {
  const auto known = places_.find(queue);
  if (known != places_.end()) return known->second;
  const std::int64_t index = free_.empty() ? end_++ : free_.extract(free_.begin()).value();
  return places_.emplace(queue, Place{index, 0}).first->second;
}

void Seen::write(const Slot& slot) {
  Place& place = place_of(slot.id);
  const auto half = static_cast<std::int64_t>(place.next_half * kSlotBytes);
  write_at(place.index * kPlaceBytes + half, write_slot(slot));
  place.next_half = 1 - place.next_half;
  slots_.insert_or_assign(slot.id, slot);
}

void Seen::erase(std::int64_t queue) {
  const auto known = places_.find(queue);
  slots_.erase(queue);
  if (known == places_.end()) return;
  write_at(known->second.index * kPlaceBytes, std::string(kPlaceBytes, '\0'));
  free_.insert(known->second.index);
  places_.erase(known);
}

void Seen::write_at(std::int64_t offset, std::string bytes) {
  bytes.resize(bytes.size() <= kSlotBytes ? kSlotBytes : static_cast<std::size_t>(kPlaceBytes));
  ssize_t written = 0;
  do {
    written = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
  } while (written < 0 && errno == EINTR);
  const bool refused = written != static_cast<ssize_t>(bytes.size());
  if (refused && !refused_) {
    log::warning("spool", "the numbers of the last commit cannot be noted beside the spool",
                 {{"reason", written < 0 ? std::strerror(errno) : "the disk is full"}});
  }
  refused_ = refused;
}

}  // namespace tributary::spool
