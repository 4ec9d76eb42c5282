#include "script/worker/worker.hpp"

#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "script/frames.hpp"
#include "script/worker/budget.hpp"
#include "script/worker/javascript.hpp"
#include "script/worker/sandbox.hpp"
#include "script/worker/zones.hpp"

namespace tributary::script {
namespace {

constexpr std::size_t kFlushBytes = 64 * 1024;
constexpr std::uint64_t kFlushMs = 5;  // of CPU: the hub learns how far the frame is
// CPU time after which the rest of a frame goes back, so that others get their turn.
constexpr std::uint64_t kSliceMs = 100;
// The same for what the answers take.
constexpr std::size_t kSliceBytes = 16U << 20;
constexpr std::uint64_t kPrepareMs = 1000;
constexpr std::uint64_t kRetireAfterMs = kWorkerCpuSeconds * 1000 / 2;

bool read_exactly(char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(kChannel, data, size);
    if (got <= 0) return false;
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_exactly(std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const ssize_t written = ::write(kChannel, text.data() + at, text.size() - at);
    if (written <= 0) return false;
    at += static_cast<std::size_t>(written);
  }
  text.clear();
  return true;
}

bool read_frame(std::string& payload) {
  std::array<char, kHeaderBytes> header{};
  if (!read_exactly(header.data(), header.size())) return false;
  std::size_t size = 0;
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    size |= static_cast<std::size_t>(static_cast<std::uint8_t>(header[i])) << (8 * i);
  }
  if (size > kMaxRequestBytes) return false;
  payload.resize(size);
  return read_exactly(payload.data(), size);
}

bool serve_check(JavaScript& javascript, const Request& request) {
  std::string out;
  budget::begin(request.cpu_ms, 0, out);
  const auto& [kind, text] = request.sources.front();
  const auto problem = javascript.check(kind, text, request);
  budget::end();
  encode_check_answer(out, problem);
  return write_exactly(out);
}

bool serve_run(JavaScript& javascript, const Request& request) {
  std::string finished;  // whole answers that are not written yet
  std::string answer;
  const std::uint64_t first = request.records.empty() ? 0 : request.records.front().record;
  budget::begin(kPrepareMs, first, finished);
  javascript.prepare(request);
  budget::end();
  const std::uint64_t begun_ms = budget::used_ms();
  std::uint64_t flushed_ms = begun_ms;
  std::size_t answered = 0;
  Done done{first, false};
  for (const RecordRequest& record : request.records) {
    answer.assign(kHeaderBytes, '\0');
    wire::Writer writer(answer);
    writer.byte(static_cast<std::uint8_t>(AnswerKind::kRecord));
    writer.varint(record.record);
    budget::begin(request.cpu_ms, record.record, finished);
    javascript.evaluate(request, record, answer);
    budget::end();
    write_header(answer, 0);
    finished += answer;
    answered += answer.size();
    done.next = record.record + 1;
    if (javascript.must_retire() || budget::used_ms() >= begun_ms + kSliceMs ||
        answered >= kSliceBytes) {
      break;
    }
    const bool late = budget::used_ms() >= flushed_ms + kFlushMs;
    if ((late || finished.size() >= kFlushBytes) && !write_exactly(finished)) return false;
    if (late) flushed_ms = budget::used_ms();
  }
  done.retire = javascript.must_retire() || budget::used_ms() >= kRetireAfterMs;
  encode_done(finished, done);
  return write_exactly(finished) && !done.retire;
}

int refuse(std::string_view why) {
  fmt::print(stderr, "tributary: The script worker cannot start: {}.\n", why);
  return 1;
}

}  // namespace

int run_worker() {
  ::tzset();  // reads its file now, not in the sandbox
  if (sodium_init() < 0) return refuse("libsodium");
  if (!Zone::load()) return refuse("there are no time zones; install tzdata");
  auto javascript = JavaScript::make();
  if (!javascript) return refuse(javascript.error());
  if (!budget::start()) return refuse("there is no timer");
  if (const std::string wrong = enter_sandbox(); !wrong.empty()) return refuse(wrong);
  std::string ready;
  encode_ready(ready);
  if (!write_exactly(ready)) return 0;
  std::string payload;
  while (read_frame(payload)) {
    Request request;
    if (!decode_request(payload, request)) ::_exit(1);
    const bool go_on = request.kind == RequestKind::kCheck ? serve_check(**javascript, request)
                                                           : serve_run(**javascript, request);
    if (!go_on) break;
  }
  // Not through destructors: some would make system calls that the sandbox does not know.
  ::_exit(0);
}

}  // namespace tributary::script
