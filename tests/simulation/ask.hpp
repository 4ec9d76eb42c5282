// How the world calls the manager. For world.cpp and operators.cpp.
#pragma once

#include "tests/simulation/world.hpp"

namespace tributary::simulation {

template <typename Make, typename Done>
void World::ask(Make make, Done done) {
  using T = typename std::invoke_result_t<Make, Manager&>::value_type;
  auto run = [](World* world, std::uint64_t life, Make call, Done answered) -> Task<void> {
    Task<T> task = call(world->hub_->manager());
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      if (world->life_ == life) answered();
    } else {
      T result = co_await std::move(task);
      if (world->life_ == life) answered(std::move(result));
    }
  };
  spawn(hub_->control(), run(this, life_, std::move(make), std::move(done)));
}

}  // namespace tributary::simulation
