#include "orchestrate/ports.hpp"

namespace tributary::orchestrate {

Task<std::vector<Result<Batch>>> FunctionPort::execute_all(std::string id,
                                                           std::vector<Json> parameters,
                                                           Duration timeout, connect::Calls calls) {
  std::vector<Result<Batch>> results(
      parameters.size(),
      fail(ErrorClass::kCancelled, "not_tried", "A call before this one met an obstacle."));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::string name = id;
    results[i] = co_await execute(std::move(name), std::move(parameters[i]), timeout);
    const bool obstacle = !results[i] && results[i].error().error_class != ErrorClass::kFunction;
    if (calls.stop_at_obstacle && obstacle) break;
  }
  co_return results;
}

}  // namespace tributary::orchestrate
