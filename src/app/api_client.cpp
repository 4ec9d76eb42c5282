#include "app/api_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace tributary::app {
namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr long kTimeoutMs = 120'000;
constexpr int kPollMs = 1'000;
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
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
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
  // One request on its way.
  class Transfer {
   public:
    Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() { curl_easy_cleanup(handle_); }

    CURL* handle() const { return handle_; }
    void prepare(const Impl& to, const Call& call);
    Result<Json> answer(const Impl& from, CURLcode code) const;
    std::size_t index = 0;  // among the calls

   private:
    void add_header(const std::string& line);

    CURL* handle_ = curl_easy_init();
    std::string url_, sent_, received_;
    std::unique_ptr<curl_slist, FreeList> headers_;
  };

  std::string base;    // "https://hub:8443"
  std::string socket;  // of the control socket
  std::string token;
  std::string ca_file;
  bool insecure = false;
  Transfer single;
};

void ApiClient::Impl::Transfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
  static_cast<void>(headers_.release());
  headers_.reset(longer);
}

void ApiClient::Impl::Transfer::prepare(const Impl& to, const Call& call) {
  curl_easy_reset(handle_);
  url_ = to.base + "/api/v1" + call.path;
  sent_ = call.body.value_or("");
  received_.clear();
  headers_.reset();
  for (const std::string& header : call.headers) add_header(header);
  if (call.body) add_header("Content-Type: application/json");
  if (!to.token.empty()) add_header("Authorization: Bearer " + to.token);
  add_header("Expect:");

  curl_easy_setopt(handle_, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &received_);
  curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
  if (call.body || call.method == "POST") {
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, sent_.c_str());
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(sent_.size()));
  }
  if (!to.socket.empty()) curl_easy_setopt(handle_, CURLOPT_UNIX_SOCKET_PATH, to.socket.c_str());
  if (!to.ca_file.empty()) curl_easy_setopt(handle_, CURLOPT_CAINFO, to.ca_file.c_str());
  if (to.insecure) {
    curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

Result<Json> ApiClient::Impl::Transfer::answer(const Impl& from, CURLcode code) const {
  if (code != CURLE_OK) {
    const std::string where = from.socket.empty() ? from.base : from.socket;
    return fail(ErrorClass::kTransient, "server_unreachable",
                fmt::format("No hub answers at {}: {}.", where, curl_easy_strerror(code)),
                from.socket.empty() ? "" : "Is `tributary serve` running on this data directory?");
  }
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status >= 300) return fail(refused(status, received_));
  if (received_.empty()) return Json::null();
  return parse_json(received_);
}

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
  const Call call{method, path, body ? std::optional(to_text(*body)) : std::nullopt, headers};
  impl_->single.prepare(*impl_, call);
  const CURLcode code = curl_easy_perform(impl_->single.handle());
  return impl_->single.answer(*impl_, code);
}

std::vector<Result<Json>> ApiClient::send_all(const std::vector<Call>& calls) {
  using Transfer = Impl::Transfer;
  const Result<Json> not_sent =
      fail(ErrorClass::kCancelled, "not_sent", "Another request failed before this one.");
  std::vector<Result<Json>> answers(calls.size(), not_sent);
  const std::unique_ptr<CURLM, FreeMulti> multi(curl_multi_init());
  std::vector<std::unique_ptr<Transfer>> transfers;
  std::vector<Transfer*> idle;
  std::size_t next = 0;
  bool failed = false;
  const auto begin = [&] {
    if (idle.empty()) idle.push_back(transfers.emplace_back(std::make_unique<Transfer>()).get());
    Transfer* transfer = idle.back();
    idle.pop_back();
    transfer->index = next;
    transfer->prepare(*impl_, calls[next++]);
    curl_multi_add_handle(multi.get(), transfer->handle());
  };
  const auto end = [&](const CURLMsg& message) {
    void* owner = nullptr;
    curl_easy_getinfo(message.easy_handle, CURLINFO_PRIVATE, &owner);
    auto* transfer = static_cast<Transfer*>(owner);
    const CURLcode code = message.data.result;
    curl_multi_remove_handle(multi.get(), transfer->handle());
    answers[transfer->index] = transfer->answer(*impl_, code);
    failed = failed || !answers[transfer->index];
    idle.push_back(transfer);
  };
  while (true) {
    while (!failed && next < calls.size() && transfers.size() - idle.size() < kCallsAtOnce) begin();
    if (transfers.size() == idle.size()) return answers;
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) end(*message);
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, kPollMs, nullptr);
  }
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
