// A worker process and its channel, as the hub holds them.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"

namespace tributary::script {

// Ends the process (SIGKILL) and waits for its end when it goes; a killed process is gone at once.
class Process {
 public:
  // posix_spawn of `program script-worker`: descriptor 0 is the channel, 1 and 2 lead nowhere,
  // every other one is closed; an environment of its own; signals as a new program expects them.
  static Result<std::unique_ptr<Process>> start(const std::string& program);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // The hub's end of the channel, not blocking.
  int channel() const { return channel_; }
  void kill() const;
  // Time on a processor since its start; nullopt when that cannot be known (any more).
  std::optional<Duration> cpu_time() const;
  // Somebody stopped it (SIGSTOP), or it is gone: waiting longer is no use.
  bool is_stopped() const;

 private:
  Process(pid_t pid, int channel) : pid_(pid), channel_(channel) {}
  pid_t pid_;
  int channel_;
};

}  // namespace tributary::script
