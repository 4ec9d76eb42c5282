// simulation: runs worlds by seed. README.md of this folder says how to read what it prints.
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "runtime/log.hpp"
#include "tests/simulation/mutations.hpp"
#include "tests/simulation/world.hpp"

namespace tributary::simulation {
namespace {

constexpr std::string_view kUsage =
    R"(Usage: simulation [--seed N | --seeds FROM:TO] [--mutation NAME] [--trace] [--log FILE]
  --seed N         one world (default 1)
  --seeds FROM:TO  the worlds FROM to TO; ends with the first one that violates an invariant
  --mutation NAME  with this defect built in: succeeds when it is found, and says where
  --trace          prints everything that happens
  --log FILE       the hub's own log
  --list-mutations
)";

struct Arguments {
  std::uint64_t from = 1;
  std::uint64_t to = 1;
  const Mutation* mutation = nullptr;
  bool trace = false;
  std::string log = "/dev/null";
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// The seeds of "7" or "1:100".
bool take_seeds(std::string_view text, Arguments& arguments) {
  const auto colon = text.find(':');
  const auto from = number(text.substr(0, colon));
  const auto to = colon == std::string_view::npos ? from : number(text.substr(colon + 1));
  if (!from || !to || *to < *from) return false;
  arguments.from = *from;
  arguments.to = *to;
  return true;
}

std::optional<Arguments> parse(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const std::string_view value = i + 1 < count ? words[i + 1] : "";
    if (word == "--trace") {
      arguments.trace = true;
      continue;
    }
    ++i;
    bool understood = true;
    if (word == "--seed" || word == "--seeds") {
      understood = take_seeds(value, arguments);
    } else if (word == "--mutation") {
      arguments.mutation = find_mutation(value);
      understood = arguments.mutation != nullptr;
    } else if (word == "--log") {
      arguments.log = value;
    } else {
      understood = false;
    }
    if (!understood) return std::nullopt;
  }
  return arguments;
}

void report(const Options& options, const Outcome& outcome, const Mutation* mutation) {
  fmt::print("VIOLATION: {}\n  version {}\n  {}\n  the last events:\n", outcome.violation,
             TRIBUTARY_VERSION, describe(options));
  for (const auto& line : outcome.last) fmt::print("    {}\n", line);
  fmt::print("  replay: build/debug/bin/simulation --seed {}{}{} --trace\n", options.seed,
             mutation ? " --mutation " : "", mutation ? mutation->name : "");
}

int run(const Arguments& arguments) {
  prepare_sqlite();
  log::start(log::Level::kInfo, arguments.log);
  Common common;
  const auto seams = arguments.mutation ? arguments.mutation->make() : nullptr;
  const auto begin = std::chrono::steady_clock::now();
  double virtual_seconds = 0;
  std::uint64_t handlers = 0;
  std::uint64_t hash = 0;
  for (std::uint64_t seed = arguments.from; seed <= arguments.to; ++seed) {
    const Options options = options_of(seed);
    if (arguments.trace) fmt::print("{}\n", describe(options));
    const Outcome outcome = World(common, options, seams, arguments.trace).run();
    virtual_seconds += to_seconds(outcome.virtual_time);
    handlers += outcome.handlers;
    hash = hash * 31 + outcome.hash;
    if (outcome.violation.empty()) continue;
    report(options, outcome, arguments.mutation);
    return arguments.mutation ? EXIT_SUCCESS : EXIT_FAILURE;
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto count = static_cast<double>(arguments.to - arguments.from + 1);
  fmt::print(
      "{} worlds, no violation; {:.1f} s, {:.0f} worlds a second, {:.1f} virtual hours, {:.2f} "
      "virtual hours a second, {} handlers, hash {:016x}\n",
      count, seconds, count / seconds, virtual_seconds / 3600, virtual_seconds / 3600 / seconds,
      handlers, hash);
  return arguments.mutation ? EXIT_FAILURE : EXIT_SUCCESS;
}

int list_mutations() {
  for (const auto& mutation : mutations()) fmt::print("{:<28} {}\n", mutation.name, mutation.what);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace tributary::simulation

int main(int count, char** words) {
  using namespace tributary::simulation;
  if (count == 2 && std::string_view(words[1]) == "--list-mutations") return list_mutations();
  const auto arguments = parse(count, words);
  if (!arguments) {
    fmt::print(stderr, "{}", kUsage);
    return 2;
  }
  try {
    return run(*arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "simulation: {}\n", error.what());
    return 2;
  }
}
