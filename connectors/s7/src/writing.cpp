#include "connectors/s7/src/writing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "connectors/s7/src/errors.hpp"

namespace tributary::connectors::s7 {
namespace {

// One value on its way: its bytes lie in Job::bytes.
struct Outgoing {
  std::uint32_t point = 0;  // index of the variable; its sample has the index of this
  std::size_t offset = 0;
  std::size_t size = 0;
  std::size_t skipped = 0;  // bytes of the variable that are left as they are, at its front
  std::string pointer;
};

// A piece of a value.
struct Piece {
  Item item;
  std::uint32_t value = 0;  // index in Job::values
  std::size_t offset = 0;   // in Job::bytes
};

struct Job {
  std::vector<Outgoing> values;
  std::vector<std::byte> bytes;
  Scan scan;
};

bool is_text(const Variable& variable) {
  return variable.layout.count == 1 &&
         (variable.layout.type == Type::kString || variable.layout.type == Type::kWstring);
}
bool is_wide(const Variable& variable) {
  return variable.layout.type == Type::kWstring;
}

std::pair<const Json*, std::string> find_value(const std::string& name, const Json& parameters,
                                               const Json& values) {
  if (parameters.is_object() && parameters.contains(name))
    return {&parameters.at(name), "/parameters/" + escape_pointer(name)};
  if (values.is_object() && values.contains(name))
    return {&values.at(name), "/settings/values/" + escape_pointer(name)};
  return {nullptr, {}};
}

Result<Job> encode_all(const S7Operation& operation, const Json& parameters) {
  const auto& work = std::get<WriteWork>(operation.work());
  Job job;
  job.scan.points = operation.points();
  for (std::uint32_t i = 0; i < work.variables.size(); ++i) {
    const Variable& variable = work.variables[i];
    const std::string& name = operation.names()[i];
    auto [json, pointer] = find_value(name, parameters, work.values);
    if (json == nullptr) continue;
    const bool bits = variable.layout.type == Type::kBool;
    const std::size_t size = bits ? variable.layout.count : variable.bytes();
    const std::size_t offset = job.bytes.size();
    job.bytes.resize(offset + size);
    if (auto encoded = encode(variable.layout, *json, std::span(job.bytes).subspan(offset));
        !encoded) {
      encoded.error().message = fmt::format("Point '{}': {}", name, encoded.error().message);
      encoded.error().pointer = std::move(pointer);
      return std::unexpected(std::move(encoded.error()));
    }
    job.values.push_back({i, offset, size, 0, std::move(pointer)});
    Sample sample;
    sample.point = i;
    sample.value = from_json(*json);
    job.scan.samples.push_back(std::move(sample));
  }
  if (!job.values.empty()) return job;
  return fail(ErrorClass::kFunction, "missing_value",
              fmt::format("There is nothing to write: none of the points ({}) has a value.",
                          fmt::join(operation.names(), ", ")),
              "Put values into the function, or give parameters with the names of its points.",
              "/settings/values");
}

// --- texts: how long they are declared in the CPU ---

// The item that says it: STRING begins with a byte, WSTRING with a word.
Item header_of(const Variable& variable) {
  return {variable.area, variable.db, variable.begin,
          static_cast<std::uint16_t>(is_wide(variable) ? 2 : 1), -1};
}

// What of the text's bytes is written: behind the declared length, which is the CPU's.
Result<void> trim_text(const S7Operation& operation, const Variable& variable, std::size_t declared,
                       Job& job, Outgoing& value) {
  const bool wide = is_wide(variable);
  const std::byte* header = &job.bytes[value.offset];
  const std::size_t length = wide ? load_u16(header + 2) : std::to_integer<std::size_t>(header[1]);
  const std::size_t used = (wide ? 4U : 2U) + length * (wide ? 2U : 1U);
  if (declared == 0) {  // memory that nobody declared as a text: ours is written whole
    value.size = used;
    return {};
  }
  if (length > declared) {
    return fail(ErrorClass::kFunction, "too_long",
                fmt::format("Point '{}': the text has {} characters, the CPU's {} holds {}.",
                            operation.names()[value.point], length, to_string(variable.layout.type),
                            declared),
                "Give a shorter text, or declare a longer one in the CPU's program.",
                value.pointer);
  }
  value.skipped = wide ? 2 : 1;
  value.offset += value.skipped;
  value.size = used - value.skipped;
  return {};
}

Task<Result<void>> look_at_texts(Channel& channel, const S7Operation& operation, Job& job,
                                 const CallLimits& limits, const Clock& clock) {
  const auto& work = std::get<WriteWork>(operation.work());
  for (Outgoing& value : job.values) {
    const Variable& variable = work.variables[value.point];
    if (!is_text(variable)) continue;
    const Item item = header_of(variable);
    ItemReplies replies;
    auto turn = co_await channel.take_turn(Urgency::kWrite, limits.deadline);
    if (!turn) co_return std::unexpected(std::move(turn.error()));
    std::uint16_t refused = 0;
    const auto deadline = std::min(limits.deadline, clock.steady_now() + limits.request_timeout);
    auto read = co_await read_items(channel, std::span(&item, 1), deadline, replies, refused);
    if (!read) co_return std::unexpected(std::move(read.error()));
    // A CPU that refuses this refuses the write too, and says why then.
    if (refused != 0 || replies[0].code != kItemDone) continue;
    const auto data = replies[0].data;
    const std::size_t declared =
        is_wide(variable) ? load_u16(data.data()) : std::to_integer<std::size_t>(data[0]);
    TRIBUTARY_CO_TRY(trim_text(operation, variable, declared, job, value));
  }
  co_return Result<void>{};
}

// --- requests ---

std::vector<Piece> pieces_of(const S7Operation& operation, const Job& job, const Limits& limits) {
  const auto& work = std::get<WriteWork>(operation.work());
  std::vector<Piece> pieces;
  for (std::uint32_t v = 0; v < job.values.size(); ++v) {
    const Outgoing& value = job.values[v];
    const Variable& variable = work.variables[value.point];
    Item item{variable.area, variable.db, variable.begin, 1, -1};
    if (variable.layout.type == Type::kBool) {
      for (std::size_t i = 0; i < value.size; ++i) {
        item.begin = variable.begin + static_cast<std::uint32_t>((variable.bit + i) / 8);
        item.bit = static_cast<std::int8_t>((variable.bit + i) % 8);
        pieces.push_back({item, v, value.offset + i});
      }
      continue;
    }
    const std::size_t unit = is_counted(variable.area) ? 2 : 1;
    for (std::size_t done = 0; done < value.size;) {
      const std::size_t size = std::min(value.size - done, longest_write(limits));
      item.begin = variable.begin + static_cast<std::uint32_t>((value.skipped + done) / unit);
      item.amount = static_cast<std::uint16_t>(size / unit);
      pieces.push_back({item, v, value.offset + done});
      done += size;
    }
  }
  return pieces;
}

// How many of the first pieces one request takes.
std::size_t fitting(std::span<const Piece> pieces, const Limits& limits, bool one_by_one) {
  std::size_t used = kJobHeaderSize + 2;
  std::size_t count = 0;
  for (const Piece& piece : pieces) {
    used += kItemSize + kItemReplySize + padded(size_of(piece.item));
    const bool full = count >= limits.max_items || used > limits.pdu_size;
    if (count > 0 && (full || (one_by_one && piece.value != pieces[0].value))) break;
    ++count;
  }
  return count;
}

std::string names_of(const S7Operation& operation, const Job& job, std::span<const Piece> pieces) {
  std::vector<std::string_view> names;
  for (const Piece& piece : pieces) {
    const std::string_view name = operation.names()[job.values[piece.value].point];
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

void mark(Job& job, std::uint32_t value, std::shared_ptr<const Error> error, Quality quality) {
  Sample& sample = job.scan.samples[value];
  sample.value = std::monostate{};
  sample.error = std::move(error);
  sample.quality = quality;
}

// What is left after a refusal, or after the time was over.
void skip(Job& job, std::span<const Piece> pieces, std::string_view reason) {
  const auto error = std::make_shared<const Error>(
      ErrorClass::kFunction, "not_written", fmt::format("It was not written, because {}.", reason));
  for (const Piece& piece : pieces) {
    if (job.scan.samples[piece.value].quality.is_good()) mark(job, piece.value, error, kBad);
  }
}

// False when something of it was refused.
bool take_answers(Job& job, std::span<const Piece> pieces, std::uint16_t refused,
                  const ItemReplies& replies) {
  bool done = true;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (refused == 0 && replies[i].code == kItemDone) continue;
    done = false;
    const Item& item = pieces[i].item;
    auto error = std::make_shared<const Error>(
        refused != 0 ? message_error(refused, "write " + describe(item))
                     : item_error(replies[i].code, item, true));
    mark(job, pieces[i].value, std::move(error),
         refused != 0 ? kBadConfigurationError : item_quality(replies[i].code));
  }
  return done;
}

Error cut_off(Error error, const S7Operation& operation, const Job& job,
              std::span<const Piece> before, std::span<const Piece> now) {
  if (!before.empty())
    error.message += fmt::format(" Written before: {}.", names_of(operation, job, before));
  error.message +=
      fmt::format(" Whether this was done is not known: {}.", names_of(operation, job, now));
  return error;
}

Task<Result<void>> send_all(Channel& channel, const S7Operation& operation, Job& job,
                            const CallLimits& limits, const Clock& clock) {
  const bool one_by_one = std::get<WriteWork>(operation.work()).one_by_one;
  const std::vector<Piece> all = pieces_of(operation, job, limits.wire);
  ItemReplies replies;
  std::array<WriteItem, kMaxItems> items;
  for (std::size_t at = 0; at < all.size();) {
    const auto rest = std::span(all).subspan(at);
    if (at > 0 && clock.steady_now() >= limits.deadline) {
      skip(job, rest, "the time for the call was over");
      break;
    }
    auto turn = co_await channel.take_turn(Urgency::kWrite, limits.deadline);
    if (!turn) {
      skip(job, rest, "the time for the call was over");
      break;
    }
    const auto pieces = rest.first(fitting(rest, limits.wire, one_by_one));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      items[i] = {pieces[i].item,
                  std::span(job.bytes).subspan(pieces[i].offset, size_of(pieces[i].item))};
    }
    const std::size_t size = encode_write(channel.next_reference(),
                                          std::span(items).first(pieces.size()), channel.out());
    const auto deadline = std::min(limits.deadline, clock.steady_now() + limits.request_timeout);
    auto answer = co_await channel.exchange(size, deadline, Effect::kChanges);
    const auto before = std::span(all).first(at);
    if (!answer)
      co_return std::unexpected(cut_off(std::move(answer.error()), operation, job, before, pieces));
    if (answer->error == 0 && !decode_write(*answer, pieces.size(), replies)) {
      Error error = channel.wrong_answer("write " + describe(pieces[0].item));
      error.outcome_unknown = true;
      co_return std::unexpected(cut_off(std::move(error), operation, job, before, pieces));
    }
    at += pieces.size();
    if (!take_answers(job, pieces, answer->error, replies)) {
      skip(job, std::span(all).subspan(at),
           "the CPU refused something before it: " + names_of(operation, job, pieces));
      break;
    }
  }
  co_return Result<void>{};
}

// --- reading back ---

// How many of the first pieces one read takes.
std::size_t readable(std::span<const Piece> pieces, const Limits& limits) {
  const std::size_t most =
      std::min(limits.max_items, (limits.pdu_size - kJobHeaderSize - 2) / kItemSize);
  std::size_t used = kAckHeaderSize + 2;
  std::size_t count = 0;
  for (const Piece& piece : pieces) {
    used += kItemReplySize + padded(size_of(piece.item));
    if (count > 0 && (count >= most || used > limits.pdu_size)) break;
    ++count;
  }
  return count;
}

bool holds(const Job& job, const Piece& piece, const ItemReply& reply) {
  if (reply.code != kItemDone) return false;
  const auto wanted = std::span(job.bytes).subspan(piece.offset, size_of(piece.item));
  if (piece.item.bit < 0) return std::ranges::equal(reply.data, wanted);
  return (std::to_integer<int>(reply.data[0]) >> piece.item.bit & 1) ==
         std::to_integer<int>(wanted[0]);
}

Task<Result<void>> verify_all(Channel& channel, const S7Operation& operation, Job& job,
                              const CallLimits& limits, const Clock& clock) {
  const auto error =
      std::make_shared<const Error>(ErrorClass::kFunction, "not_verified",
                                    "The CPU accepted the value, but holds another one now.",
                                    "Does the CPU's program write this variable too?");
  std::vector<Piece> all = pieces_of(operation, job, limits.wire);
  std::erase_if(
      all, [&](const Piece& piece) { return !job.scan.samples[piece.value].quality.is_good(); });
  ItemReplies replies;
  Items items;
  for (std::size_t at = 0; at < all.size();) {
    const auto rest = std::span(all).subspan(at);
    const auto pieces = rest.first(readable(rest, limits.wire));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      items[i] = pieces[i].item;
      items[i].bit = -1;  // the byte around it
    }
    auto turn = co_await channel.take_turn(Urgency::kWrite, limits.deadline);
    if (!turn) co_return std::unexpected(std::move(turn.error()));
    std::uint16_t refused = 0;
    const auto deadline = std::min(limits.deadline, clock.steady_now() + limits.request_timeout);
    auto read = co_await read_items(channel, std::span(items).first(pieces.size()), deadline,
                                    replies, refused);
    if (!read) co_return std::unexpected(std::move(read.error()));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (refused != 0 || !holds(job, pieces[i], replies[i]))
        mark(job, pieces[i].value, error, kBad);
    }
    at += pieces.size();
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<Scan>> write_variables(Channel& channel, const S7Operation& operation,
                                   const Json& parameters, CallLimits limits, const Clock& clock) {
  auto job = encode_all(operation, parameters);
  if (!job) co_return std::unexpected(std::move(job.error()));
  auto looked = co_await look_at_texts(channel, operation, *job, limits, clock);
  if (!looked) co_return std::unexpected(std::move(looked.error()));
  auto sent = co_await send_all(channel, operation, *job, limits, clock);
  if (!sent) co_return std::unexpected(std::move(sent.error()));
  if (std::get<WriteWork>(operation.work()).verify) {
    auto verified = co_await verify_all(channel, operation, *job, limits, clock);
    if (!verified) {
      Error error = std::move(verified.error());
      error.message += " The writes had been confirmed; they cannot be read back.";
      co_return std::unexpected(std::move(error));
    }
  }
  job->scan.receive_time = clock.utc_now();
  co_return std::move(job->scan);
}

}  // namespace tributary::connectors::s7
