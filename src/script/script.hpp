// JavaScript outside of the hub: a pool of sandboxed worker processes (QuickJS, seccomp, rlimits,
// no files, no sockets), fed in batches and killed by the wall clock. A script is text from a
// person: it can fail, loop, eat memory or try to get out; the hub only ever waits for a reply with
// a deadline. docs/adr/0009 says why it is built like this.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "model/json.hpp"
#include "runtime/runtime.hpp"

namespace tributary::script {

// Source text. Same kind and text: compiled once in each worker.
struct Source {
  enum class Kind : std::uint8_t {
    kExpression,  // the inside of {{ }}: an expression over the names of a call
    kFunction,    // the body of a function (record) → record, list of records, or nothing
  };
  Kind kind = Kind::kExpression;
  std::string text;
  // Where the text begins in what a person wrote; messages count from there.
  int line = 1;
  int column = 1;
  friend auto operator<=>(const Source&, const Source&) = default;
};

// The names for one record. What is null is undefined. Everything pointed at outlives the call; a
// document that several records or names point at is sent once.
struct Names {
  const Json* input = nullptr;     // $input
  const Json* items = nullptr;     // $items: a whole batch, for scripts that take one
  const Json* trigger = nullptr;   // $trigger
  const Json* item = nullptr;      // $item
  const Json* run = nullptr;       // $run
  const Json* pipeline = nullptr;  // $pipeline
  const Json* env = nullptr;       // $env
  std::vector<std::pair<std::string, const Json*>> nodes;  // $node("…")
  std::int64_t index = 0;
  UtcTime now;
};

struct Limits {
  Duration cpu{std::chrono::milliseconds{100}};  // of one record; the wall clock gives twice that
  std::size_t memory_bytes = 32U << 20;
  std::size_t stack_bytes = 256U << 10;
  std::size_t output_bytes = 4U << 20;  // of one record
};

constexpr Duration kMaxCpu{std::chrono::seconds{1}};
constexpr std::size_t kMaxSourceBytes = 64 * 1024;
constexpr std::size_t kMaxRunBytes = 256U << 20;  // results of one call; what is beyond fails
constexpr std::size_t kMaxLogLines = 20;          // of one record
constexpr std::size_t kMaxLogBytes = 4 * 1024;    // of one record

// What one source gave for one record.
struct Outcome {
  std::optional<Json> value;     // nullopt: undefined
  std::vector<std::string> log;  // console.log, bounded
};

// Any executor.
class Scripts {
 public:
  // `program`: a program that calls run_worker() for `program script-worker`. Workers start when
  // they are needed, and end when they were idle for a while. The runtime outlives this.
  Scripts(Runtime& runtime, std::string program, std::size_t workers);
  ~Scripts();
  Scripts(const Scripts&) = delete;
  Scripts& operator=(const Scripts&) = delete;

  // Whether the text is JavaScript, without running it. Error: kConfiguration "invalid_expression"
  // | "invalid_script" with line and column in the message; kInternal "script_unavailable".
  Task<Result<void>> check(Source source, Limits limits = {});

  // Evaluates several sources over several records: result[record][source]. One that fails does
  // not stop the others; when a worker had to be killed, the record it was at fails (with all its
  // sources that were not done) with "script_timeout" or "script_out_of_memory", and the rest goes
  // on in another worker. Errors of records: kFunction "script_failed" (message with line and
  // column), "script_timeout", "script_out_of_memory", "script_output_too_large". Error of the
  // call: kInternal "script_unavailable".
  // `stop` is asked every now and then: once it says yes, what is left fails with kCancelled
  // "script_stopped".
  using Results = std::vector<std::vector<Result<Outcome>>>;
  Task<Result<Results>> run(std::vector<Source> sources, std::vector<Names> records,
                            Limits limits = {}, std::function<bool()> stop = {});

  // Processes that are there, for tests and for people who look.
  std::vector<int> worker_pids() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tributary::script
