#include "runtime/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "runtime/log_control.hpp"

namespace tributary::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// JSON string escaping: control characters never reach the line, so a value cannot forge another
// line or an escape sequence of the terminal (checklist INJ7).
void append_escaped(std::string& line, std::string_view text) {
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\u{:04x}", byte);
    } else {
      line += c;
    }
  }
}

using Ring = spdlog::sinks::ringbuffer_sink_mt;

// The logger of the program: what it lets pass may differ by component. spdlog's own level is the
// lowest of them, so that most of what nobody wants costs one comparison.
class ComponentLogger final : public spdlog::logger {
 public:
  ComponentLogger(Level level, const spdlog::sink_ptr& sink, const std::shared_ptr<Ring>& ring)
      : spdlog::logger("tributary", {sink, ring}), ring_(ring) {
    levels_.level = level;
    set_level(to_spdlog(level));
  }

  void set(Levels levels) {
    Level lowest = levels.level;
    for (const auto& [component, level] : levels.components) lowest = std::min(lowest, level);
    const std::lock_guard lock(mutex_);
    same_for_all_ = levels.components.empty();
    levels.version = levels_.version + 1;
    levels_ = std::move(levels);
    set_level(to_spdlog(lowest));
  }
  Levels get() const {
    const std::lock_guard lock(mutex_);
    return levels_;
  }
  bool lets_pass(std::string_view component, Level level) const {
    if (same_for_all_) return true;
    const std::lock_guard lock(mutex_);
    const auto own = levels_.components.find(component);
    return level >= (own == levels_.components.end() ? levels_.level : own->second);
  }
  std::vector<std::string> last_lines() const { return ring_->last_formatted(); }

 private:
  const std::shared_ptr<Ring> ring_;
  std::atomic<bool> same_for_all_{true};
  mutable std::mutex mutex_;
  Levels levels_;
};

// Null before start().
ComponentLogger* own_logger() {
  return dynamic_cast<ComponentLogger*>(spdlog::default_logger_raw());
}

}  // namespace

void start(Level level, const std::string& file) {
  spdlog::sink_ptr sink;
  if (file.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
  }
  auto logger =
      std::make_shared<ComponentLogger>(level, sink, std::make_shared<Ring>(kMostLastLines));
  // The message is the JSON body; time and level are put around it.
  logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                      spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void set_levels(Levels levels) {
  if (auto* logger = own_logger()) logger->set(std::move(levels));
}

Levels levels() {
  auto* logger = own_logger();
  return logger ? logger->get() : Levels{};
}

std::vector<std::string> last_lines() {
  auto* logger = own_logger();
  return logger ? logger->last_lines() : std::vector<std::string>{};
}

void write(Level level, std::string_view component, std::string_view message,
           std::initializer_list<Field> fields) {
  auto* logger = spdlog::default_logger_raw();
  if (!logger->should_log(to_spdlog(level))) return;
  const auto* own = own_logger();
  if (own && !own->lets_pass(component, level)) return;
  std::string line = R"("component":")";
  append_escaped(line, component);
  line += R"(","message":")";
  append_escaped(line, message);
  line += '"';
  for (const auto& field : fields) {
    line += ",\"";
    append_escaped(line, field.name);
    line += "\":\"";
    append_escaped(line, field.value);
    line += '"';
  }
  logger->log(to_spdlog(level), "{}", line);
}

}  // namespace tributary::log
