// The subcommands of the binary, one file each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/arguments.hpp"

namespace tributary::app {

struct Command {
  std::string_view name;
  std::string_view arguments;  // "create --data-dir DIR …"
  std::string_view summary;    // one line for the list
  std::string_view details;    // paragraphs for --help
  std::span<const Option> options;
  std::size_t max_words;
  int (*run)(const Arguments& arguments);  // the exit code
};

extern const Command kServeCommand;
extern const Command kTokenCommand;
extern const Command kSimulateCommand;
extern const Command kApplyCommand;
extern const Command kPlanCommand;
extern const Command kExportCommand;
extern const Command kPipelineCommand;
extern const Command kSymbolsCommand;
extern const Command kPointsCommand;

// The whole program without main().
int run_program(std::span<const std::string> arguments);

std::string_view version();

}  // namespace tributary::app
