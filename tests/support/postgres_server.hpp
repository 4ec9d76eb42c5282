// A real PostgreSQL on a free loopback port, with its data in a temporary directory: gone with the
// test. It never runs as root: a test that does gives it the account of Debian's package.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/certificates.hpp"
#include "tests/support/process.hpp"

namespace tributary::test {

struct PostgresOptions {
  // Lines for postgresql.conf, behind the server's own.
  std::string configuration{};
  // Lines for pg_hba.conf before "host all all 127.0.0.1/32 scram-sha-256"; the first that fits
  // decides.
  std::string access{};
  // What the server shows; without it, it answers "N" to a client that asks for TLS.
  std::optional<KeyPair> identity{};
  std::string client_ca{};  // PEM: who may issue certificates of clients
  std::string password = "right";
  // Waits for the disk at each commit. Off: what a killed machine would lose is no matter.
  bool durable = false;
};

// Throws std::runtime_error with the server's log when it does not start.
class PostgresServer {
 public:
  explicit PostgresServer(PostgresOptions options = {});
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  std::uint16_t port() const { return port_; }
  const std::string& user() const { return user_; }  // owner of the database
  const std::string& password() const { return options_.password; }
  const std::string& database() const { return database_; }

  // After stop() or kill(): with the same port and data.
  void start();
  // Ends sessions (SIGINT, "fast"); waits for the end.
  void stop();
  // SIGKILL for the server and all that belongs to it.
  void kill();
  // Runs statements as the superuser, past the network, and gives what psql prints: columns with
  // '|', rows with newlines. Throws std::runtime_error when one fails.
  std::string sql(const std::string& statements) const { return psql(database_, statements); }
  std::string log() const { return process_ ? process_->output() : std::string(); }

 private:
  std::string path(const std::string& name) const { return (directory_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const;
  void configure() const;
  std::vector<std::string> psql_words(const std::string& database,
                                      const std::string& statements) const;
  std::string psql(const std::string& database, const std::string& statements) const;

  PostgresOptions options_;
  TempDir directory_;
  std::uint16_t port_ = free_port();
  std::string user_ = "tributary";
  std::string database_ = "plant";
  std::unique_ptr<Process> process_;
};

}  // namespace tributary::test
