#include "connectors/modbus/src/line_channel.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <filesystem>

namespace tributary::connectors::modbus {
namespace {

// Far more lines than a hub has; what the units of forgotten ones owe is forgotten with them.
constexpr std::size_t kMaxLines = 1024;

}  // namespace

LineChannel::LineChannel(std::shared_ptr<Line> line, Executor executor, Timers& timers,
                         bool exclusive)
    : line_(std::move(line)),
      executor_(executor),
      timers_(timers),
      exclusive_(exclusive),
      peer_(line_->peer()) {}

LineChannel::~LineChannel() {
  abort();
  // The line belongs to its executor, also when it goes.
  const Executor home = line_->executor();
  asio::post(home, [line = std::move(line_)] {});
}

Task<Result<Reply>> LineChannel::exchange(Ask ask) {
  if (ended_) co_return fail(ErrorClass::kCancelled, "cancelled", "The hub ended the session.");
  auto errand = std::make_shared<Errand>(executor_);
  errand->job->request_data.assign(ask.request.data.begin(), ask.request.data.end());
  errand->job->ask = ask;
  errand->job->ask.request.data = errand->job->request_data;
  errand_ = errand;
  spawn(line_->executor(),
        [](std::shared_ptr<Line> line, std::shared_ptr<Errand> to, Executor home) -> Task<void> {
          auto result = co_await line->exchange(to->job);
          asio::post(home, [to, result = std::move(result)]() mutable {
            to->result = std::move(result);
            to->done.set();
          });
        }(line_, errand, executor_));
  co_await errand->done.wait();
  if (!errand->result) {
    Error error(ErrorClass::kCancelled, "cancelled", "The hub ended the session.");
    error.outcome_unknown = is_write(ask.request.function);
    co_return std::unexpected(std::move(error));
  }
  auto result = std::move(*errand->result);
  if (!result && is_silence(result.error()) && ask.timeout == Timeout::kEnds) abort();
  co_return result;
}

void LineChannel::abort() noexcept {
  if (std::exchange(ended_, true)) return;
  if (errand_) {
    errand_->job->abandoned = true;
    errand_->done.set();
  }
  if (exclusive_) line_->abort();
}

Result<std::shared_ptr<Line>> SerialLines::acquire(const net::SerialSettings& settings,
                                                   const LineOptions& options, Executor executor,
                                                   Timers& timers) {
  std::error_code ignored;
  // Names that stay the same (/dev/serial/by-id/…) are links to the port.
  const auto real = std::filesystem::canonical(settings.device, ignored);
  const std::string name = ignored ? settings.device : real.string();
  const std::lock_guard lock(mutex_);
  std::erase_if(open_, [](const auto& entry) { return entry.second.line.expired(); });
  if (const auto found = open_.find(name); found != open_.end()) {
    auto line = found->second.line.lock();
    net::SerialSettings same = settings;
    same.device = found->second.settings.device;
    if (line && !line->broken()) {
      if (same == found->second.settings && options == found->second.options) return line;
      return fail(ErrorClass::kConfiguration, "line_in_use",
                  fmt::format("{} is in use by another connection with another speed, format or "
                              "protocol.",
                              settings.device),
                  "All units of one line have the same settings; give the connections the same "
                  "ones.",
                  "/settings/serialPort");
    }
  }
  auto stream = net::open_serial(settings, executor, timers);
  if (!stream) return std::unexpected(std::move(stream.error()));
  auto line =
      std::make_shared<Line>(*std::move(stream), executor, timers, options, suspects_locked(name));
  open_.insert_or_assign(name, Entry{line, settings, options});
  return line;
}

std::shared_ptr<Suspects> SerialLines::suspects(const std::string& line) {
  const std::lock_guard lock(mutex_);
  return suspects_locked(line);
}

std::shared_ptr<Suspects> SerialLines::suspects_locked(const std::string& line) {
  auto& entry = suspects_[line];
  if (!entry) entry = std::make_shared<Suspects>();
  if (suspects_.size() > kMaxLines) {
    std::erase_if(suspects_, [&](const auto& other) {
      return other.first != line && other.second.use_count() == 1;
    });
  }
  return entry;
}

}  // namespace tributary::connectors::modbus
