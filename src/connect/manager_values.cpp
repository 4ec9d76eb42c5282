// Running functions and watching their values.
#include "connect/manager_impl.hpp"

namespace tributary::connect {

namespace {

Error no_such_function() {
  return {ErrorClass::kFunction, "not_found", "There is no such function."};
}

}  // namespace

Task<ExecuteResult> Manager::execute(std::string id, Json parameters, Duration timeout) {
  const auto target = impl_->routes.find(id);
  if (!target) {
    ExecuteResult answer{fail(no_such_function()), {}, impl_->runtime.clock().utc_now()};
    co_return answer;
  }
  auto run = [target, id = std::move(id), parameters = std::move(parameters), timeout] {
    return target->execute(id, parameters, timeout);
  };
  co_return co_await run_on(target->executor(), std::move(run));
}

Task<std::vector<Result<Batch>>> Manager::execute_all(std::string id, std::vector<Json> parameters,
                                                      Duration timeout, Calls calls) {
  const auto target = impl_->routes.find(id);
  if (!target) {
    std::vector<Result<Batch>> results(parameters.size(), fail(no_such_function()));
    co_return results;
  }
  auto run = [target, id = std::move(id), parameters = std::move(parameters), timeout,
              calls]() mutable {
    return target->execute_all(std::move(id), std::move(parameters), timeout, calls);
  };
  co_return co_await run_on(target->executor(), std::move(run));
}

Task<Result<Batch>> Manager::last_values(std::string function_id) {
  const auto target = impl_->routes.find(function_id);
  if (!target) co_return fail(no_such_function());
  auto run = [](std::shared_ptr<ConnectionActor> actor,
                std::string function) -> Task<Result<Batch>> {
    co_return actor->last_values(function);
  };
  auto begin = [run, target, function_id = std::move(function_id)] {
    return run(target, function_id);
  };
  co_return co_await run_on(target->executor(), std::move(begin));
}

Result<Registration> Manager::watch_values(const std::string& function_id,
                                           ValuesListener listener) {
  const auto found = impl_->functions.find(function_id);
  const auto target = impl_->routes.find(function_id);
  if (found == impl_->functions.end() || !target) return fail(no_such_function());
  if (!found->second.config->is_subscription()) {
    return fail(ErrorClass::kFunction, "not_a_subscription",
                "Only subscriptions have live values.");
  }
  auto viewer = std::make_shared<Viewer>(std::move(listener));
  asio::post(target->executor(),
             [target, function_id, viewer] { target->add_viewer(function_id, viewer); });
  return Registration(viewer.get(), [viewer](void*) { viewer->drop(); });
}

Result<Registration> Manager::consume(const std::string& function_id, BatchConsumer consumer) {
  const auto found = impl_->functions.find(function_id);
  const auto target = impl_->routes.find(function_id);
  if (found == impl_->functions.end() || !target) return fail(no_such_function());
  if (!found->second.config->is_subscription()) {
    return fail(ErrorClass::kFunction, "not_a_subscription", "Only subscriptions can be consumed.");
  }
  auto kept = std::make_shared<Consumer>(target->executor(), std::move(consumer));
  asio::post(target->executor(),
             [target, function_id, kept] { target->add_consumer(function_id, kept); });
  return Registration(kept.get(), [kept](void*) { kept->drop(); });
}

}  // namespace tributary::connect
