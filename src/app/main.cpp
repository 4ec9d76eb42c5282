#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "app/exit_codes.hpp"

int main(int count, char** values) {
  const std::vector<std::string> arguments(values + 1, values + count);
  try {
    return tributary::app::run_program(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "tributary: The program failed: {}\n", error.what());
    return tributary::app::kFailed;
  }
}
