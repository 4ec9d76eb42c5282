#include "tests/support/nginx.hpp"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace tributary::test {

Nginx::Nginx(std::string server, const std::vector<std::pair<std::string, std::string>>& files) {
  const auto replace = [](std::string& text, const std::string& what, const std::string& by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
      text.replace(at, what.size(), by);
  };
  for (const auto& [name, text] : files) {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  if (!server.contains("listen ")) server += "\nlisten 127.0.0.1:PORT;\n";
  replace(server, "FOLDER", folder_.path().string());
  replace(server, "PORT", std::to_string(port_));
  const std::string at = folder_.path().string();
  const std::string user = ::geteuid() == 0 ? "user root;\n" : "";
  const auto config = folder_.path() / "nginx.conf";
  std::ofstream(config) << user << "daemon off;\nmaster_process off;\npid " << at
                        << "/nginx.pid;\nerror_log stderr;\nevents { worker_connections 64; }\n"
                        << "http {\nlog_format seen '$connection $request $status';\naccess_log "
                        << at << "/access.log seen;\n";
  std::ofstream more(config, std::ios::app);
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    more << kind << "_temp_path " << at << "/" << kind << ";\n";
  more << "server {\n" << server << "\n}\n}\n";
  more.close();
  process_ = std::make_unique<Process>(
      std::vector<std::string>{"/usr/sbin/nginx", "-p", at, "-c", config.string()});
  if (!wait_for_port(port_)) throw std::runtime_error("nginx did not start: " + process_->output());
}

std::string Nginx::log() const {
  std::ifstream file(folder_.path() / "access.log");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tributary::test
