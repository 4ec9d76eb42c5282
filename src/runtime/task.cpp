#include "runtime/task.hpp"

#include <cstdlib>
#include <exception>

#include "runtime/log.hpp"

namespace tributary {

void spawn(const Executor& executor, Task<void> task) {
  asio::co_spawn(executor, std::move(task), [](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& defect) {
      log::error("runtime",
                 "A task ended with an exception; the process cannot be trusted any more.",
                 {{"what", defect.what()}});
    }
    std::abort();
  });
}

}  // namespace tributary
