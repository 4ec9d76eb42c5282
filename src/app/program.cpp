#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "app/command.hpp"
#include "app/exit_codes.hpp"
#include "script/worker/worker.hpp"

namespace tributary::app {
namespace {

constexpr std::array<const Command*, 9> kCommands{
    &kServeCommand,  &kTokenCommand,    &kSimulateCommand, &kApplyCommand, &kPlanCommand,
    &kExportCommand, &kPipelineCommand, &kSymbolsCommand,  &kPointsCommand};

void print_help() {
  fmt::print(
      "Tributary {}: brings data from any source into one place and on to wherever it is "
      "needed.\n\n",
      version());
  fmt::print("Usage: tributary COMMAND [arguments]\n\nCommands:\n");
  for (const Command* command : kCommands)
    fmt::print("  {:<9} {}\n", command->name, command->summary);
  fmt::print("  {:<9} {}\n\n", "version", "Print the version.");
  fmt::print("tributary COMMAND --help tells more about each.\n\nExit codes:\n{}",
             exit_code_table());
}

void print_help(const Command& command) {
  fmt::print("Usage: tributary {} {}\n\n{}\n\nOptions:\n", command.name, command.arguments,
             command.details);
  for (const Option& option : command.options) {
    fmt::print("  {:<24} {}\n", fmt::format("{} {}", option.name, option.value), option.help);
  }
  fmt::print("  {:<24} {}\n\nExit codes:\n{}", "--help", "This text.", exit_code_table());
}

bool asks_for_help(std::span<const std::string> arguments) {
  return std::ranges::any_of(
      arguments, [](const auto& argument) { return argument == "--help" || argument == "-h"; });
}

}  // namespace

std::string_view version() {
  return TRIBUTARY_VERSION;
}

int run_program(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    print_help();
    fmt::print(
        stderr,
        "tributary: Say which command to run, for example: tributary serve --data-dir ./data\n");
    return kUsage;
  }
  const std::string& name = arguments.front();
  // The hub's own doing, not for people.
  if (name == "script-worker") return script::run_worker();
  const auto rest = arguments.subspan(1);
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return kOk;
  }
  if (name == "version" || name == "--version") {
    fmt::print("{}\n", version());
    return kOk;
  }
  auto command = std::ranges::find(kCommands, std::string_view(name), &Command::name);
  if (command == kCommands.end()) {
    return report(usage_error(fmt::format("There is no command \"{}\".", name)));
  }
  if (asks_for_help(rest)) {
    print_help(**command);
    return kOk;
  }
  auto parsed = Arguments::parse(rest, (*command)->options, (*command)->max_words);
  if (!parsed) return report(parsed.error());
  return (*command)->run(*parsed);
}

}  // namespace tributary::app
