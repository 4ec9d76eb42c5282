// nginx as a peer: on a free loopback port, with everything it writes in a folder of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hpp"

namespace tributary::test {

class Nginx {
 public:
  // `server`: the lines of its server block; FOLDER stands for its folder, PORT for its port.
  // `files`: names below the folder, and texts. Throws std::runtime_error when it does not come up.
  explicit Nginx(std::string server,
                 const std::vector<std::pair<std::string, std::string>>& files = {});

  std::uint16_t port() const { return port_; }
  std::string log() const;  // of requests: "CONNECTION GET /path HTTP/1.1 200"

 private:
  TempDir folder_;
  std::uint16_t port_ = free_port();
  std::unique_ptr<Process> process_;
};

}  // namespace tributary::test
