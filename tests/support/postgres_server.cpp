#include "tests/support/postgres_server.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace tributary::test {
namespace {

namespace fs = std::filesystem;

// Where the package of the newest installed version keeps the server's programs.
std::string program(const std::string& name) {
  const fs::path versions = "/usr/lib/postgresql";
  fs::path newest;
  std::error_code none;
  for (const auto& version : fs::directory_iterator(versions, none)) {
    const fs::path found = version.path() / "bin" / name;
    if (fs::exists(found) && found > newest) newest = found;
  }
  if (newest.empty()) throw std::runtime_error("PostgreSQL is not installed: no " + name);
  return newest.string();
}

const passwd* service_account() {
  if (::geteuid() != 0) return nullptr;
  const passwd* entry = ::getpwnam("postgres");
  return entry != nullptr ? entry : ::getpwnam("nobody");
}

// The words that start a program as somebody who is not root; it dies with the test all the same.
std::vector<std::string> as_service(std::vector<std::string> words) {
  if (const passwd* account = service_account()) {
    const std::vector<std::string> before{"setpriv",
                                          fmt::format("--reuid={}", account->pw_uid),
                                          fmt::format("--regid={}", account->pw_gid),
                                          "--clear-groups",
                                          "--pdeathsig",
                                          "KILL",
                                          "--"};
    words.insert(words.begin(), before.begin(), before.end());
  }
  return words;
}

void give_to_service(const fs::path& path) {
  const passwd* account = service_account();
  if (account == nullptr) return;
  if (::chown(path.c_str(), account->pw_uid, account->pw_gid) != 0)
    throw std::runtime_error("cannot give away " + path.string());
}

std::string run(const std::vector<std::string>& words) {
  Process process(words);
  const int status = process.wait(std::chrono::seconds(60));
  const std::string output = process.output();
  if (status != 0) throw std::runtime_error(fmt::format("{} failed: {}", words[0], output));
  return output;
}

}  // namespace

PostgresServer::PostgresServer(PostgresOptions options) : options_(std::move(options)) {
  give_to_service(directory_.path());
  run(as_service({program("initdb"), "--no-sync", "--no-instructions", "--locale=C",
                  "--encoding=UTF8", "--auth=trust", "--username=postgres", "--pgdata",
                  path("data")}));
  configure();
  start();
  psql("postgres", fmt::format("create role {} login password '{}'", user_, options_.password));
  psql("postgres", fmt::format("create database {} owner {}", database_, user_));
}

PostgresServer::~PostgresServer() {
  stop();
}

void PostgresServer::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
  fs::permissions(path(name), fs::perms::owner_read | fs::perms::owner_write);
  give_to_service(path(name));
}

void PostgresServer::configure() const {
  std::string text = fmt::format(
      "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n"
      "max_connections = 30\nshared_buffers = 16MB\nfsync = {}\nlog_min_messages = warning\n"
      "dynamic_shared_memory_type = mmap\n",
      port_, directory_.path().string(), options_.durable ? "on" : "off");
  if (options_.identity) {
    write("data/server.crt", options_.identity->certificate);
    write("data/server.key", options_.identity->key);
    text += "ssl = on\n";
  }
  if (!options_.client_ca.empty()) {
    write("data/client-ca.crt", options_.client_ca);
    text += "ssl_ca_file = 'client-ca.crt'\n";
  }
  write("data/postgresql.conf", text + options_.configuration + "\n");
  write("data/pg_hba.conf", fmt::format("local all all trust\n{}\nhost all all 127.0.0.1/32 "
                                        "scram-sha-256\n",
                                        options_.access));
}

void PostgresServer::start() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    // The helpers of a server that was killed may hold its memory for a moment: then it ends at
    // once and is asked again.
    if (!process_ || !process_->running())
      process_ = std::make_unique<Process>(as_service({program("postgres"), "-D", path("data")}));
    Process probe(psql_words("postgres", "select 1"));
    if (probe.wait(std::chrono::seconds(20)) == 0) return;
    ::poll(nullptr, 0, 20);
  }
  throw std::runtime_error("PostgreSQL did not start: " + log());
}

void PostgresServer::stop() {
  if (!process_) return;
  if (process_->running()) ::kill(process_->pid(), SIGINT);
  process_->wait(std::chrono::seconds(20));
  process_.reset();
}

void PostgresServer::kill() {
  // The server's helpers end by themselves when their parent is gone.
  if (process_) process_->kill();
  process_.reset();
}

std::vector<std::string> PostgresServer::psql_words(const std::string& database,
                                                    const std::string& statements) const {
  return {"psql",
          "-h",
          directory_.path().string(),
          "-p",
          std::to_string(port_),
          "-U",
          "postgres",
          "-d",
          database,
          "-v",
          "ON_ERROR_STOP=1",
          "-XAtqc",
          statements};
}

std::string PostgresServer::psql(const std::string& database, const std::string& statements) const {
  std::string output = run(psql_words(database, statements));
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

}  // namespace tributary::test
