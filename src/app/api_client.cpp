#include "app/api_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace tributary::app {
namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr long kTimeoutMs = 120'000;
constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;

std::size_t collect(char* data, std::size_t size, std::size_t count, void* target) {
  auto& text = *static_cast<std::string*>(target);
  if (text.size() + size * count > kMaxAnswer) return 0;
  text.append(data, size * count);
  return size * count;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

Error refused(long status, const std::string& text) {
  auto problem = parse_json(text);
  std::string message = fmt::format("The hub answered with status {}.", status);
  if (problem && problem->is_object()) {
    message = get_string(*problem, "title");
    const std::string detail = get_string(*problem, "detail");
    if (!detail.empty()) message += ": " + detail;
    const Json& errors = get_member(*problem, "errors");
    for (std::size_t i = 1; errors.is_array() && i < errors.size(); ++i) {
      message += fmt::format("\n  {}: {}", get_string(errors[i], "pointer"),
                             get_string(errors[i], "message"));
    }
  }
  return Error(ErrorClass::kFunction, "refused", std::move(message));
}

}  // namespace

struct ApiClient::Impl {
  CURL* handle = curl_easy_init();
  std::string base;    // "https://hub:8443"
  std::string socket;  // of the control socket
  std::string token;
  std::string ca_file;
  bool insecure = false;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { curl_easy_cleanup(handle); }
};

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;

ApiClient ApiClient::local(const std::string& data_dir) {
  auto impl = std::make_unique<Impl>();
  impl->base = "http://localhost";
  impl->socket = data_dir + "/control.sock";
  return ApiClient(std::move(impl));
}

ApiClient ApiClient::remote(std::string url, std::string token, std::string ca_file,
                            bool insecure) {
  auto impl = std::make_unique<Impl>();
  while (url.ends_with('/')) url.pop_back();
  impl->base = std::move(url);
  impl->token = std::move(token);
  impl->ca_file = std::move(ca_file);
  impl->insecure = insecure;
  return ApiClient(std::move(impl));
}

Result<ApiClient> ApiClient::from_arguments(const Arguments& arguments) {
  if (arguments.has("--data-dir") == arguments.has("--url")) {
    return fail(usage_error("Give either --data-dir, for a hub on this machine, or --url."));
  }
  if (arguments.has("--data-dir")) return local(arguments.get("--data-dir"));
  std::string token;
  if (arguments.has("--token-file")) {
    std::ifstream file(arguments.get("--token-file"));
    if (!std::getline(file, token)) {
      return fail(usage_error(fmt::format("{} cannot be read.", arguments.get("--token-file"))));
    }
  } else if (const char* variable = std::getenv("TRIBUTARY_TOKEN")) {
    token = variable;
  }
  if (token.empty())
    return fail(
        usage_error("With --url an access token is needed: --token-file or TRIBUTARY_TOKEN."));
  return remote(arguments.get("--url"), std::move(token), arguments.get("--ca-file"),
                arguments.has("--insecure"));
}

Result<Json> ApiClient::get(const std::string& path) {
  return send("GET", path, std::nullopt);
}

Result<Json> ApiClient::send(const std::string& method, const std::string& path,
                             const std::optional<Json>& body,
                             const std::vector<std::string>& headers) {
  CURL* curl = impl_->handle;
  curl_easy_reset(curl);
  const std::string url = impl_->base + "/api/v1" + path;
  const std::string sent = body ? to_text(*body) : std::string();
  std::string received;
  std::unique_ptr<curl_slist, FreeList> list;
  const auto add_header = [&list](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const std::string& header : headers) add_header(header);
  if (body) add_header("Content-Type: application/json");
  if (!impl_->token.empty()) add_header("Authorization: Bearer " + impl_->token);
  add_header("Expect:");

  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.get());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
  if (body || method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent.size()));
  }
  if (!impl_->socket.empty())
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, impl_->socket.c_str());
  if (!impl_->ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, impl_->ca_file.c_str());
  if (impl_->insecure) {
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
  }

  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    const std::string where = impl_->socket.empty() ? impl_->base : impl_->socket;
    return fail(
        ErrorClass::kTransient, "server_unreachable",
        fmt::format("No hub answers at {}: {}.", where, curl_easy_strerror(code)),
        impl_->socket.empty() ? "" : "Is `tributary serve` running on this data directory?");
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status >= 300) return fail(refused(status, received));
  if (received.empty()) return Json::null();
  return parse_json(received);
}

Result<std::vector<Json>> ApiClient::list(const std::string& path) {
  std::vector<Json> items;
  std::string cursor;
  do {
    auto page =
        get(fmt::format("{}?limit=1000{}{}", path, cursor.empty() ? "" : "&cursor=", cursor));
    TRIBUTARY_TRY(page);
    for (const auto& item : get_member(*page, "items").array_range()) items.push_back(item);
    cursor = get_string(*page, "next");
  } while (!cursor.empty());
  return items;
}

}  // namespace tributary::app
