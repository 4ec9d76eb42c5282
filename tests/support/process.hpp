// Child processes of tests: real peers such as mosquitto or a pymodbus server.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tributary::test {

// A program that is stopped, by its pid, when this goes: SIGTERM, and SIGKILL after 3 s. It also
// dies with the test.
class Process {
 public:
  // arguments[0] is the program (PATH is searched). Output goes to a file (output()).
  explicit Process(std::vector<std::string> arguments);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const { return pid_; }
  bool running();
  // SIGKILL, and waits for the end.
  void kill();
  // Waits for the end by itself; the exit status, -1 when a signal ended it or the limit came
  // first.
  int wait(std::chrono::milliseconds limit = std::chrono::seconds(20));
  // Waits until a line of the output starts with `prefix`; the rest of that line, or "" when the
  // limit came first or the program ended.
  std::string wait_for_line(const std::string& prefix,
                            std::chrono::milliseconds limit = std::chrono::seconds(20));
  // What it has written so far (standard output and error).
  std::string output() const;

 private:
  int pid_ = -1;
  int status_ = -1;
  bool reaped_ = false;
  std::filesystem::path output_;
};

// A port of 127.0.0.1 that is free now.
std::uint16_t free_port();
// Waits until something accepts connections at 127.0.0.1:port; false when the limit came first.
bool wait_for_port(std::uint16_t port, std::chrono::milliseconds limit = std::chrono::seconds(20));

// A directory that is removed with all it holds.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tributary::test
