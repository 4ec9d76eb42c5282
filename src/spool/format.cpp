#include "spool/format.hpp"

#include <bit>
#include <cstring>
#include <type_traits>

namespace tributary::spool {

static_assert(std::endian::native == std::endian::little, "records are written as they lie");

namespace {

constexpr std::string_view kEntryMagic = "\x9eTsE";
constexpr std::string_view kReleasedMagic = "\x9eTsR";
constexpr std::string_view kSlotMagic = "\x9eTsQ";
constexpr std::string_view kDeadMagic = "\x9eTsD";
constexpr std::string_view kStateMagic = "\x9eTsS";
constexpr std::size_t kMagicBytes = 4;

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reversed

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

consteval Table make_table() {
  Table table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[0][i] = value;
  }
  for (std::size_t row = 1; row < table.size(); ++row) {
    for (std::uint32_t i = 0; i < 256; ++i) {
      const std::uint32_t before = table[row - 1][i];
      table[row][i] = (before >> 8) ^ table[0][before & 0xff];
    }
  }
  return table;
}
constexpr Table kTable = make_table();

template <typename T>
void put(std::string& out, T value) {
  static_assert(std::is_integral_v<T>);
  std::array<char, sizeof(T)> raw;
  std::memcpy(raw.data(), &value, sizeof(T));
  out.append(raw.data(), raw.size());
}

template <typename T>
T get(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

// Magic, length of what follows the checksum, checksum of that.
constexpr std::size_t kEnvelopeBytes = 12;

std::string seal(std::string_view magic, const std::string& body) {
  std::string out(magic);
  put(out, static_cast<std::uint32_t>(body.size()));
  put(out, crc32c(body));
  return out + body;
}

// What seal() was given, or nullopt.
std::optional<std::string_view> unseal(std::string_view magic, std::string_view bytes) {
  if (bytes.size() < kEnvelopeBytes || !bytes.starts_with(magic)) return std::nullopt;
  const auto length = get<std::uint32_t>(bytes, kMagicBytes);
  if (bytes.size() - kEnvelopeBytes < length) return std::nullopt;
  const std::string_view body = bytes.substr(kEnvelopeBytes, length);
  if (crc32c(body) != get<std::uint32_t>(bytes, kMagicBytes + 4)) return std::nullopt;
  return body;
}

// Reads what the checksum has vouched for; a body that is too short all the same gives zeros and
// says so.
class Body {
 public:
  explicit Body(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T number() {
    if (!has(sizeof(T))) return T{};
    at_ += sizeof(T);
    return get<T>(bytes_, at_ - sizeof(T));
  }
  std::string text() {
    const auto length = number<std::uint32_t>();
    if (!has(length)) return {};
    at_ += length;
    return std::string(bytes_.substr(at_ - length, length));
  }
  bool whole() const { return whole_; }

 private:
  bool has(std::size_t count) { return whole_ = whole_ && bytes_.size() - at_ >= count; }
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool whole_ = true;
};

constexpr ErrorClass kLastErrorClass = ErrorClass::kInternal;

// By name: the order of the enumeration may change.
ErrorClass error_class_of(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(kLastErrorClass); ++i) {
    if (to_string(static_cast<ErrorClass>(i)) == name) return static_cast<ErrorClass>(i);
  }
  return ErrorClass::kInternal;
}

}  // namespace

namespace {

std::uint64_t word_at(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint32_t crc_by_table(std::uint32_t crc, const char* at, std::size_t left) {
  for (; left >= 8; left -= 8, at += 8) {
    const std::uint64_t word = word_at(at) ^ crc;
    crc = kTable[7][word & 0xff] ^ kTable[6][(word >> 8) & 0xff] ^ kTable[5][(word >> 16) & 0xff] ^
          kTable[4][(word >> 24) & 0xff] ^ kTable[3][(word >> 32) & 0xff] ^
          kTable[2][(word >> 40) & 0xff] ^ kTable[1][(word >> 48) & 0xff] ^ kTable[0][word >> 56];
  }
  for (; left > 0; --left, ++at) {
    crc = (crc >> 8) ^ kTable[0][(crc ^ static_cast<std::uint8_t>(*at)) & 0xff];
  }
  return crc;
}

#ifdef __x86_64__
// The processor knows this polynomial.
__attribute__((target("sse4.2"))) std::uint32_t crc_by_processor(std::uint32_t crc, const char* at,
                                                                 std::size_t left) {
  std::uint64_t wide = crc;
  for (; left >= 8; left -= 8, at += 8) wide = __builtin_ia32_crc32di(wide, word_at(at));
  crc = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) crc = __builtin_ia32_crc32qi(crc, static_cast<std::uint8_t>(*at));
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
#ifdef __x86_64__
  static const bool knows = __builtin_cpu_supports("sse4.2") != 0;
  if (knows) return ~crc_by_processor(~0U, bytes.data(), bytes.size());
#endif
  return crc32c_portable(bytes);
}

std::uint32_t crc32c_portable(std::string_view bytes) {
  return ~crc_by_table(~0U, bytes.data(), bytes.size());
}

namespace {

void append_sealed(std::string& chunk, std::string_view magic, const EntryView& entry,
                   std::string_view body) {
  const std::size_t start = chunk.size();
  chunk.append(magic);
  put(chunk, static_cast<std::uint32_t>(body.size()));
  put(chunk, entry.queue);
  put(chunk, entry.seq);
  put(chunk, entry.at_us);
  put(chunk, crc32c(body));
  put(chunk, crc32c(std::string_view(chunk).substr(start)));
  chunk.append(body);
}

}  // namespace

void append_entry(std::string& chunk, const EntryView& entry) {
  if (entry.released_us == 0) return append_sealed(chunk, kEntryMagic, entry, entry.payload);
  std::string body;
  put(body, entry.released_us);
  body.append(entry.payload);
  append_sealed(chunk, kReleasedMagic, entry, body);
}

std::optional<EntryView> read_entry(std::string_view bytes) {
  constexpr std::size_t kChecked = kEntryHeaderBytes - 4;
  const bool released = bytes.starts_with(kReleasedMagic);
  if (bytes.size() < kEntryHeaderBytes || (!released && !bytes.starts_with(kEntryMagic)))
    return std::nullopt;
  if (crc32c(bytes.substr(0, kChecked)) != get<std::uint32_t>(bytes, kChecked)) return std::nullopt;
  const auto length = get<std::uint32_t>(bytes, 4);
  if (bytes.size() - kEntryHeaderBytes < length) return std::nullopt;
  EntryView entry{get<std::int64_t>(bytes, 8), get<std::int64_t>(bytes, 16),
                  get<std::int64_t>(bytes, 24), bytes.substr(kEntryHeaderBytes, length)};
  if (crc32c(entry.payload) != get<std::uint32_t>(bytes, 32)) return std::nullopt;
  if (released) {
    if (length < kReleasedBytes) return std::nullopt;
    entry.released_us = get<std::int64_t>(entry.payload, 0);
    if (entry.released_us == 0) return std::nullopt;
    entry.payload.remove_prefix(kReleasedBytes);
  }
  return entry;
}

Entry to_entry(const EntryView& view) {
  Entry entry{view.seq, from_micros(view.at_us), std::string(view.payload), std::nullopt};
  if (view.released_us != 0) entry.released_at = from_micros(view.released_us);
  return entry;
}

std::optional<std::vector<EntryView>> read_chunk(std::string_view chunk, std::int64_t queue,
                                                 std::int64_t first, std::int64_t count) {
  std::vector<EntryView> entries;
  std::size_t at = 0;
  while (at < chunk.size()) {
    auto entry = read_entry(chunk.substr(at));
    const std::int64_t expected = first + static_cast<std::int64_t>(entries.size());
    if (!entry || entry->queue != queue || entry->seq != expected) return std::nullopt;
    at += entry->size();
    entries.push_back(*entry);
  }
  if (static_cast<std::int64_t>(entries.size()) != count) return std::nullopt;
  return entries;
}

std::string write_slot(const Slot& slot) {
  std::string body;
  for (const std::int64_t number :
       {slot.generation, slot.id, slot.head, slot.next, slot.delivered, slot.dead, slot.dropped,
        slot.turned_away, slot.lost, slot.waiting, slot.bytes, slot.dead_letters, slot.dead_bytes,
        slot.oldest_us}) {
    put(body, number);
  }
  put(body, static_cast<std::uint8_t>(slot.forgotten));
  put_text(body, slot.name.pipeline);
  put_text(body, slot.name.node);
  return seal(kSlotMagic, body);
}

std::optional<Slot> read_slot(std::string_view bytes) {
  const auto sealed = unseal(kSlotMagic, bytes);
  if (!sealed) return std::nullopt;
  Body body(*sealed);
  Slot slot;
  for (std::int64_t* number :
       {&slot.generation, &slot.id, &slot.head, &slot.next, &slot.delivered, &slot.dead,
        &slot.dropped, &slot.turned_away, &slot.lost, &slot.waiting, &slot.bytes,
        &slot.dead_letters, &slot.dead_bytes, &slot.oldest_us}) {
    *number = body.number<std::int64_t>();
  }
  slot.forgotten = body.number<std::uint8_t>() != 0;
  slot.name.pipeline = body.text();
  slot.name.node = body.text();
  if (!body.whole()) return std::nullopt;
  return slot;
}

std::string write_dead(const DeadRecord& record) {
  const DeadLetter& letter = record.letter;
  std::string body;
  put(body, record.queue);
  put(body, record.seq);
  put(body, to_micros(letter.accepted_at));
  put(body, to_micros(letter.dead_at));
  put(body, letter.attempts);
  put(body, static_cast<std::uint8_t>(letter.reason.outcome_unknown));
  for (const std::string& text :
       {letter.id, letter.queue.pipeline, letter.queue.node,
        std::string(to_string(letter.reason.error_class)), letter.reason.code,
        letter.reason.message, letter.reason.hint, letter.reason.pointer, letter.payload}) {
    put_text(body, text);
  }
  return seal(kDeadMagic, body);
}

std::optional<DeadRecord> read_dead(std::string_view bytes) {
  const auto sealed = unseal(kDeadMagic, bytes);
  if (!sealed) return std::nullopt;
  Body body(*sealed);
  DeadRecord record;
  DeadLetter& letter = record.letter;
  record.queue = body.number<std::int64_t>();
  record.seq = body.number<std::int64_t>();
  letter.accepted_at = from_micros(body.number<std::int64_t>());
  letter.dead_at = from_micros(body.number<std::int64_t>());
  letter.attempts = body.number<std::int64_t>();
  letter.reason.outcome_unknown = body.number<std::uint8_t>() != 0;
  letter.id = body.text();
  letter.queue.pipeline = body.text();
  letter.queue.node = body.text();
  letter.reason.error_class = error_class_of(body.text());
  letter.reason.code = body.text();
  letter.reason.message = body.text();
  letter.reason.hint = body.text();
  letter.reason.pointer = body.text();
  letter.payload = body.text();
  if (!body.whole()) return std::nullopt;
  return record;
}

std::string write_state(const StateRecord& record) {
  std::string body;
  put(body, record.generation);
  for (const std::string* text : {&record.pipeline, &record.change.node, &record.change.key}) {
    put_text(body, *text);
  }
  put_text(body, record.change.value.value_or(""));
  return seal(kStateMagic, body);
}

std::optional<StateRecord> read_state(std::string_view bytes) {
  const auto sealed = unseal(kStateMagic, bytes);
  if (!sealed) return std::nullopt;
  Body body(*sealed);
  StateRecord record;
  record.generation = body.number<std::int64_t>();
  record.pipeline = body.text();
  record.change.node = body.text();
  record.change.key = body.text();
  record.change.value = body.text();
  if (!body.whole()) return std::nullopt;
  return record;
}

void find_records(std::string_view bytes, const Found& found) {
  const std::string_view mark = kEntryMagic.substr(0, 3);  // every kind begins so
  std::size_t at = bytes.find(mark);
  while (at != std::string_view::npos) {
    const std::string_view rest = bytes.substr(at);
    // What a whole record contains is its own affair: the search goes on behind it.
    std::size_t skip = 1;
    if (const auto entry = read_entry(rest)) {
      skip = entry->size();
      if (found.entry) found.entry(*entry);
    } else if (auto slot = read_slot(rest)) {
      if (found.slot) found.slot(std::move(*slot));
    } else if (auto dead = read_dead(rest)) {
      skip = kEnvelopeBytes + get<std::uint32_t>(rest, kMagicBytes);
      if (found.dead) found.dead(std::move(*dead));
    } else if (auto state = read_state(rest)) {
      skip = kEnvelopeBytes + get<std::uint32_t>(rest, kMagicBytes);
      if (found.state) found.state(std::move(*state));
    }
    at = bytes.find(mark, at + skip);
  }
}

}  // namespace tributary::spool
