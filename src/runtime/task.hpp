// Coroutines. An executor is one io_context that one thread runs: what is posted to it never
// overlaps, so an object that lives on one executor needs no lock. (A strand without the price of
// one: docs/adr/0002.)
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"

namespace tributary {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
template <typename T>
using Task = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> use_task{};

// Starts a task and forgets it. An exception that leaves it is a defect: it is logged and ends the
// process.
void spawn(const Executor& executor, Task<void> task);

// Runs `make_task()` on another executor and comes back to the caller's with its result.
template <typename F>
auto run_on(const Executor& executor, F make_task) -> std::invoke_result_t<F> {
  co_return co_await asio::co_spawn(executor, std::move(make_task), use_task);
}

}  // namespace tributary
