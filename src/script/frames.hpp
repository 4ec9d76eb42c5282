// What the hub and a worker say to each other. A frame: four bytes of length, little endian, then
// the payload, whose first byte is its kind.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "script/script.hpp"
#include "script/wire.hpp"

namespace tributary::script {

constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kMaxRecordsPerFrame = 256;
constexpr std::size_t kFrameBytes = 1U << 20;        // a frame is closed when it is larger
constexpr std::size_t kMaxRequestBytes = 32U << 20;  // one record may be large
constexpr std::size_t kMaxSources = 1000;

enum class RequestKind : std::uint8_t { kCheck = 1, kRun = 2 };
enum class AnswerKind : std::uint8_t {
  kReady = 1,   // the sandbox is closed
  kRecord = 2,  // what one record gave
  kDone = 3,    // the frame is done, or given up before a record; the worker may want to end
  kCheck = 4,
  kExpired = 5,  // the record (or the check) used up its time in one long step; the worker ends now
};

// Codes of a failed evaluation.
enum class FailureKind : std::uint8_t {
  kFailed = 1,
  kTimeout = 2,
  kOutOfMemory = 3,
  kOutputTooLarge = 4,
};

// What went wrong, where in the source's own text (line 0: unknown).
struct Failure {
  FailureKind kind = FailureKind::kFailed;
  std::string message;
  int line = 0;
  int column = 0;
};

// ---- hub → worker ----

void write_header(std::string& out, std::size_t start);

std::string encode_check(const Source& source, const Limits& limits);
// Encodes records from `first` on, as many as a frame takes (at least one); `next` is the first
// that is not in it. Records are numbered as in `records`.
std::string encode_run(const std::vector<Source>& sources, const std::vector<Names>& records,
                       std::size_t first, std::size_t& next, const Limits& limits);

// A request as the worker reads it. Borrows from the payload.
struct RecordRequest {
  std::uint64_t record = 0;
  // Documents by place in Request::documents, plus one; 0: undefined.
  std::size_t input = 0, items = 0, trigger = 0, item = 0, run = 0, pipeline = 0, env = 0;
  std::vector<std::pair<std::string_view, std::size_t>> nodes;
  std::int64_t index = 0;
  std::string_view now;
};
struct Request {
  RequestKind kind = RequestKind::kRun;
  std::uint64_t cpu_ms = 0, memory_bytes = 0, stack_bytes = 0, output_bytes = 0;
  std::vector<std::pair<Source::Kind, std::string_view>> sources;
  std::string_view sources_bytes;  // the same sources as bytes: what a compiled set is known by
  std::vector<std::string_view> documents;
  std::vector<RecordRequest> records;
};
bool decode_request(std::string_view payload, Request& request);

// ---- worker → hub ----

struct RecordAnswer {
  std::uint64_t record = 0;
  std::vector<std::expected<Outcome, Failure>> outcomes;
};
struct Done {
  std::uint64_t next = 0;  // the first record that was not evaluated
  bool retire = false;     // the worker ends now
};
struct CheckAnswer {
  std::optional<Failure> problem;
};
struct Ready {};
struct Expired {
  std::uint64_t record = 0;
};
using Answer = std::variant<Ready, RecordAnswer, Done, CheckAnswer, Expired>;

// nullopt for anything malformed: the worker lies, and is ended.
std::optional<Answer> decode_answer(std::string_view payload);

void encode_ready(std::string& out);
void encode_done(std::string& out, const Done& done);
void encode_expired(std::string& out, std::uint64_t record);
void encode_check_answer(std::string& out, const std::optional<Failure>& problem);
// One outcome of a record's answer, behind its value or instead of it.
void encode_failure(wire::Writer& writer, const Failure& failure);
void encode_log(wire::Writer& writer, std::span<const std::string> log);

}  // namespace tributary::script
