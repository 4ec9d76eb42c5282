// node-opcua as a peer: a server that nobody here wrote.
#pragma once

#include <fstream>

#include "connectors/opcua/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::opcua {

using namespace std::chrono_literals;

inline constexpr const char* kPeer = TRIBUTARY_SOURCE_DIR "/tests/peers/opcua.mjs";
inline constexpr const char* kPeerNamespace = "http://tributary.example/peer";

inline std::vector<std::string> peer_arguments(const std::filesystem::path& folder,
                                               std::uint16_t port,
                                               const std::vector<std::string>& more) {
  std::vector<std::string> all = {"node", kPeer, folder.string(), std::to_string(port)};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// The server of tests/peers/opcua.mjs.
class Peer {
 public:
  explicit Peer(std::vector<std::string> more = {}) : more_(std::move(more)) { start(); }
  void start() {
    process_ = std::make_unique<test::Process>(peer_arguments(folder(), port_, more_));
    const std::string said = process_->wait_for_line("port ", 60s);
    if (said.empty()) throw std::runtime_error("node-opcua did not start: " + process_->output());
    port_ = static_cast<std::uint16_t>(std::stoi(said));
  }
  void kill() { process_->kill(); }
  std::uint16_t port() const { return port_; }
  std::string url() const { return fmt::format("opc.tcp://127.0.0.1:{}", port_); }
  std::string output() const { return process_->output(); }
  std::string certificate() {
    std::ifstream file(process_->wait_for_line("certificate "));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void set_options(std::vector<std::string> more) { more_ = std::move(more); }

 private:
  // node-opcua makes its keys once for the whole run.
  static const std::filesystem::path& folder() {
    static const test::TempDir directory;
    return directory.path();
  }
  std::vector<std::string> more_;
  std::uint16_t port_ = 0;
  std::unique_ptr<test::Process> process_;
};

class Collector final : public sdk::Sink {
 public:
  Task<Result<void>> deliver(Batch batch) override {
    for (const Scan& scan : batch.scans()) {
      for (const Sample& sample : scan.samples) samples.emplace_back(scan.name_of(sample), sample);
    }
    co_return Result<void>{};
  }
  std::size_t good(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(samples, [name](const auto& each) {
      return each.first == name && each.second.quality.is_good();
    }));
  }
  std::vector<std::pair<std::string, Sample>> samples;
};

class NodeOpcua : public OpcuaTest {
 protected:
  sdk::Profile trusting(Peer& peer, std::string_view more = "{}") {
    auto made = profile(peer.url(), more);
    made.trusted_certificates.push_back(peer.certificate());
    return made;
  }
  static std::string peer_nodes(std::initializer_list<std::string_view> names,
                                std::string_view more = "") {
    return nodes(names, more, kPeerNamespace);
  }
  std::unique_ptr<sdk::Subscription> subscribe(sdk::Sink& sink, std::string_view settings) {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    operation_ = prepare("opcua.subscribe", settings);
    auto made = context_.run(subscriber->subscribe(*operation_, sink, context_.in(5s)));
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  std::shared_ptr<const sdk::Operation> operation_;
};

}  // namespace tributary::connectors::opcua
