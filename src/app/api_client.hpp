// The command line's way to a hub: its HTTP API, over the control socket of a data directory or
// over the network.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/arguments.hpp"
#include "base/error.hpp"
#include "model/json.hpp"

namespace tributary::app {

inline constexpr std::size_t kCallsAtOnce = 64;

class ApiClient {
 public:
  // Over DATA_DIR/control.sock: needs no token, only the user the hub runs as.
  static ApiClient local(const std::string& data_dir);
  // Over the network. `ca_file` empty: the system's authorities; `insecure`: any certificate.
  static ApiClient remote(std::string url, std::string token, std::string ca_file, bool insecure);
  // From --data-dir, or --url with --token, --token-file, --ca-file, --insecure. Error: "usage".
  static Result<ApiClient> from_arguments(const Arguments& arguments);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;

  // The JSON of a 2xx answer (null without a body). Errors: kTransient "server_unreachable";
  // kFunction "refused" with the hub's sentence and every field it named.
  Result<Json> get(const std::string& path);
  Result<Json> send(const std::string& method, const std::string& path,
                    const std::optional<Json>& body, const std::vector<std::string>& headers = {});
  struct Call {
    std::string method;
    std::string path;
    std::optional<std::string> body;  // JSON
    std::vector<std::string> headers;
  };
  // Begins the calls in their order, up to kCallsAtOnce of them at work at a time, and none after
  // one has failed: those fail with kCancelled "not_sent". An answer for each, as send() gives it.
  std::vector<Result<Json>> send_all(const std::vector<Call>& calls);
  // All pages of a list.
  Result<std::vector<Json>> list(const std::string& path);

 private:
  struct Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The options that from_arguments() reads.
inline constexpr Option kDataDirOption{
    "--data-dir", "DIR", "Data directory of the hub on this machine; its control socket is used."};
inline constexpr Option kUrlOption{
    "--url", "URL", "Address of a hub elsewhere, for example https://hub.example:8443."};
inline constexpr Option kTokenOption{
    "--token-file", "FILE",
    "File with an access token, for --url; or the variable TRIBUTARY_TOKEN."};
inline constexpr Option kCaOption{
    "--ca-file", "FILE", "Certificate that the hub's must be signed by (or be), for --url."};
inline constexpr Option kInsecureOption{"--insecure", "",
                                        "Accept any certificate of the hub, for --url."};

}  // namespace tributary::app
