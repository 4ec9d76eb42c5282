#include "spool/pages.hpp"

#include <cstring>
#include <optional>

#include "spool/database.hpp"
#include "spool/format.hpp"

namespace tributary::spool {

namespace {

constexpr std::size_t kPage = kPageBytes;
constexpr std::size_t kWalHeadBytes = 32;
constexpr std::size_t kFrameHeadBytes = 24;
constexpr std::size_t kFrameBytes = kFrameHeadBytes + kPage;
constexpr std::uint32_t kWalMagic = 0x377f0682;  // checksums over little-endian words
constexpr std::size_t kDatabaseHeadBytes = 100;

enum PageType { kInteriorIndex = 2, kLeafIndex = 10, kLeafTable = 13 };

// The largest record, with what belongs to its row.
constexpr std::size_t kMaxStretchBytes = kMaxEntryBytes + (1U << 20);
// Where pages follow one another without a cell that says how many.
constexpr std::size_t kMaxOrphanBytes = kMaxStretchBytes;

std::uint32_t big32(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return __builtin_bswap32(value);
}

std::size_t big16(const char* at) {
  return std::size_t{static_cast<std::uint8_t>(at[0])} * 256 + static_cast<std::uint8_t>(at[1]);
}

// The checksum of the WAL: two sums that feed one another, over words of 32 bits.
struct WalSum {
  std::uint32_t a = 0;
  std::uint32_t b = 0;

  void add(const char* at, std::size_t length) {
    for (std::size_t i = 0; i < length; i += 8) {
      std::array<std::uint32_t, 2> words;
      std::memcpy(words.data(), at + i, sizeof words);
      a += words[0] + b;
      b += words[1] + a;
    }
  }
  static WalSum stored(const char* at) { return {big32(at), big32(at + 4)}; }
  friend bool operator==(const WalSum&, const WalSum&) = default;
};

struct Varint {
  std::uint64_t value = 0;
  std::size_t bytes = 0;
};

std::optional<Varint> read_varint(const std::string& page, std::size_t at) {
  Varint varint;
  for (std::size_t i = 0; i < 9 && at + i < page.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(page[at + i]);
    varint.bytes = i + 1;
    if (i == 8) {
      varint.value = (varint.value << 8) | byte;
      return varint;
    }
    varint.value = (varint.value << 7) | (byte & 0x7f);
    if ((byte & 0x80) == 0) return varint;
  }
  return std::nullopt;
}

// How much of a payload lies in the page itself.
std::size_t local_bytes(std::size_t payload, int type) {
  const std::size_t most = type == kLeafTable ? kPage - 35 : (kPage - 12) * 64 / 255 - 23;
  const std::size_t least = (kPage - 12) * 32 / 255 - 23;
  if (payload <= most) return payload;
  const std::size_t fitting = least + (payload - least) % (kPage - 4);
  return fitting <= most ? fitting : least;
}

}  // namespace

Result<Pages> Pages::open(const Paths& paths) {
  Pages pages;
  for (auto [path, file] :
       {std::pair(&paths.database, &pages.database_), {&paths.wal, &pages.wal_}}) {
    if (!exists(*path)) continue;
    auto opened = open_file(*path, false);
    if (!opened) return fail(std::move(opened.error()));
    *file = std::move(*opened);
  }
  const auto whole = (size_of(paths.database) + kPageBytes - 1) / kPageBytes;
  pages.count_ = static_cast<std::uint32_t>(whole);
  TRIBUTARY_TRY(pages.read_wal());
  if (!pages.in_wal_.empty()) pages.count_ = std::max(pages.count_, pages.in_wal_.rbegin()->first);
  pages.visited_.resize(std::size_t{pages.count_} + 1);
  return pages;
}

// Every frame whose checksum fits the one noted in the frame before it, up to the last commit: one
// damaged frame takes only itself away.
Result<void> Pages::read_wal() {
  if (!wal_) return {};
  std::string head(kWalHeadBytes, '\0');
  auto got = read_at(wal_, head.data(), head.size(), 0);
  if (!got) return fail(std::move(got.error()));
  if (*got < head.size()) return {};
  WalSum sum;
  sum.add(head.data(), kWalHeadBytes - 8);
  const bool head_is_whole = big32(head.data()) == kWalMagic && sum == WalSum::stored(&head[24]);
  std::string salts = head.substr(16, 8);
  WalSum before = WalSum::stored(&head[24]);

  std::map<std::uint32_t, std::int64_t> pending;  // frames since the last commit
  std::string frame(kFrameBytes, '\0');
  for (std::int64_t at = kWalHeadBytes;; at += static_cast<std::int64_t>(kFrameBytes)) {
    got = read_at(wal_, frame.data(), frame.size(), at);
    if (!got) return fail(std::move(got.error()));
    if (*got < frame.size()) return {};
    if (at == kWalHeadBytes && !head_is_whole) salts = frame.substr(8, 8);
    WalSum own = before;
    own.add(frame.data(), 8);
    own.add(frame.data() + kFrameHeadBytes, kPage);
    before = WalSum::stored(&frame[16]);
    if (frame.compare(8, 8, salts) != 0 || own != before) continue;
    pending[big32(frame.data())] = at + static_cast<std::int64_t>(kFrameHeadBytes);
    if (big32(&frame[4]) == 0) continue;  // not the last frame of its commit
    for (const auto& [number, offset] : pending) in_wal_[number] = offset;
    pending.clear();
  }
}

Result<bool> Pages::read(std::uint32_t number, std::string& into) {
  into.assign(kPage, '\0');
  const auto newer = in_wal_.find(number);
  if (newer == in_wal_.end() && !database_) return false;
  const File& file = newer != in_wal_.end() ? wal_ : database_;
  const std::int64_t offset =
      newer != in_wal_.end() ? newer->second : (std::int64_t{number} - 1) * kPageBytes;
  auto count = read_at(file, into.data(), into.size(), offset);
  if (!count) return fail(std::move(count.error()));
  return *count > 0;  // of a page that is cut off, the rest reads as zeros
}

Result<void> Pages::for_each_stretch(Where where,
                                     const std::function<Result<void>(std::string_view)>& take) {
  std::string page;
  for (std::uint32_t number = 1; number <= count_; ++number) {
    auto there = read(number, page);
    if (!there) return fail(std::move(there.error()));
    if (*there) TRIBUTARY_TRY(read_cells(number, page, where, take));
  }
  return where == Where::kAll ? read_orphans(take) : Result<void>();
}

Result<void> Pages::read_cells(std::uint32_t number, const std::string& page, Where where,
                               const std::function<Result<void>(std::string_view)>& take) {
  const std::size_t start = number == 1 ? kDatabaseHeadBytes : 0;
  const int type = page[start];
  const bool index = type == kInteriorIndex || type == kLeafIndex;
  if (type != kLeafTable && (!index || where == Where::kTables)) return {};
  const std::size_t cells = start + (type == kInteriorIndex ? 12 : 8);
  const std::size_t count = std::min(big16(&page[start + 3]), (kPage - cells) / 2);
  for (std::size_t i = 0; i < count; ++i) {
    auto bytes = read_cell(page, big16(&page[cells + 2 * i]), type);
    if (!bytes) return fail(std::move(bytes.error()));
    if (!bytes->empty()) TRIBUTARY_TRY(take(*bytes));
  }
  return {};
}

Result<std::string> Pages::read_cell(const std::string& page, std::size_t at, int type) {
  if (type == kInteriorIndex) at += 4;  // the page on its left
  const auto length = read_varint(page, at);
  if (!length || length->value > kMaxStretchBytes) return std::string();
  at += length->bytes;
  if (type == kLeafTable) {
    const auto row = read_varint(page, at);
    if (!row) return std::string();
    at += row->bytes;
  }
  const std::size_t local = local_bytes(length->value, type);
  if (at + local > page.size()) return std::string();
  std::string bytes = page.substr(at, local);
  if (local == length->value || at + local + 4 > page.size()) return bytes;
  TRIBUTARY_TRY(follow(big32(&page[at + local]), length->value - local, bytes));
  return bytes;
}

Result<void> Pages::follow(std::uint32_t first, std::size_t wanted, std::string& into) {
  std::string page;
  const std::size_t end = into.size() + wanted;
  // Each page brings the end nearer, so a circle ends as well.
  for (std::uint32_t number = first; number != 0 && number <= count_ && into.size() < end;) {
    auto there = read(number, page);
    if (!there) return fail(std::move(there.error()));
    if (!*there) return {};
    visited_[number] = true;
    into.append(page, 4, std::min(kPage - 4, end - into.size()));
    number = big32(page.data());
  }
  return {};
}

Result<void> Pages::read_orphans(const std::function<Result<void>(std::string_view)>& take) {
  std::string page;
  std::vector<bool> pointed_at(visited_.size());
  const auto is_candidate = [&](std::uint32_t number) -> Result<bool> {
    if (visited_[number]) return false;
    auto there = read(number, page);
    if (!there || !*there) return there;
    return big32(page.data()) <= count_;
  };
  for (std::uint32_t number = 1; number <= count_; ++number) {
    auto candidate = is_candidate(number);
    if (!candidate) return fail(std::move(candidate.error()));
    if (*candidate) pointed_at[big32(page.data())] = true;
  }
  for (std::uint32_t number = 1; number <= count_; ++number) {
    auto candidate = is_candidate(number);
    if (!candidate) return fail(std::move(candidate.error()));
    if (!*candidate || pointed_at[number]) continue;
    std::string bytes;
    TRIBUTARY_TRY(follow(number, kMaxOrphanBytes, bytes));
    TRIBUTARY_TRY(take(bytes));
  }
  return {};
}

}  // namespace tributary::spool
