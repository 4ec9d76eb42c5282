#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/use_future.hpp>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "app/command.hpp"
#include "app/exit_codes.hpp"
#include "app/hub.hpp"
#include "app/signals.hpp"
#include "runtime/log.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    {"--data-dir", "DIR", "Where everything is kept; made when it does not exist. Needed."},
    {"--listen", "HOST:PORT",
     "Address of the web interface and the API; 127.0.0.1:8443 by default. Port 0 takes a free "
     "one."},
    {"--tls", "auto|off|files",
     "auto, the default: a self-made certificate; files: --tls-cert and --tls-key; off: loopback "
     "only."},
    {"--tls-cert", "FILE", "Certificate with its chain, PEM."},
    {"--tls-key", "FILE", "Private key, PEM."},
    {"--allow-egress", "HOST:PORT",
     "A receiver of notices that may be on this machine or at another address that is refused "
     "otherwise; may be repeated."},
    {"--env", "NAME[=VALUE]",
     "A variable that expressions and scripts see as $env.NAME: this value, or the environment's; "
     "may be repeated."},
    {"--workers", "N", "Threads for connections and pipelines; one per processor by default."},
    {"--history-days", "N",
     "How long changes of status and past alarms are kept, 1 to 3650; 400 by default. Uptime and "
     "the other figures stay."},
    {"--log-level", "LEVEL", "debug, info (the default), warning or error."},
    {"--log-file", "FILE",
     "Where the log goes, one JSON object a line; standard error by default."},
};

constexpr auto kStopLimit = std::chrono::milliseconds{9500};

// What pipelines may see of the environment: only what is named here.
Result<void> read_variable(const std::string& text, Json& env) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const bool valid = !name.empty() && is_letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
  if (!valid) {
    return fail(usage_error(fmt::format(
        "--env takes NAME or NAME=VALUE, a name of letters, digits and _, not \"{}\".", text)));
  }
  if (equals != std::string::npos) {
    env.insert_or_assign(name, text.substr(equals + 1));
    return {};
  }
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) {
    return fail(usage_error(fmt::format("--env {0}: the environment has no {0}.", name)));
  }
  env.insert_or_assign(name, value);
  return {};
}

Result<HubOptions> read_options(const Arguments& arguments) {
  HubOptions options;
  auto data_dir = arguments.required("--data-dir");
  TRIBUTARY_TRY(data_dir);
  options.data_dir = *data_dir;
  auto listen = parse_host_port(arguments.get("--listen", "127.0.0.1:8443"));
  TRIBUTARY_TRY(listen);
  options.server.host = listen->host;
  options.server.port = listen->port;
  options.server.data_dir = *data_dir;

  const std::string tls = arguments.get("--tls", "auto");
  if (tls == "auto") {
    options.server.tls = api::TlsMode::kAuto;
  } else if (tls == "off") {
    options.server.tls = api::TlsMode::kOff;
  } else if (tls == "files") {
    options.server.tls = api::TlsMode::kFiles;
    auto certificate = arguments.required("--tls-cert");
    TRIBUTARY_TRY(certificate);
    auto key = arguments.required("--tls-key");
    TRIBUTARY_TRY(key);
    options.server.certificate = *certificate;
    options.server.key = *key;
  } else {
    return fail(usage_error(fmt::format("--tls takes auto, off or files, not \"{}\".", tls)));
  }
  for (const std::string& text : arguments.all("--allow-egress")) {
    auto target = parse_host_port(text);
    TRIBUTARY_TRY(target);
    options.allow_egress.push_back({target->host, target->port});
  }
  for (const std::string& text : arguments.all("--env")) {
    TRIBUTARY_TRY(read_variable(text, options.env));
  }
  auto workers =
      arguments.number("--workers", std::max(1U, std::thread::hardware_concurrency()), 1, 256);
  TRIBUTARY_TRY(workers);
  options.workers = static_cast<std::size_t>(*workers);
  auto days = arguments.number("--history-days", options.history_days, 1, 3650);
  TRIBUTARY_TRY(days);
  options.history_days = static_cast<int>(*days);
  return options;
}

Result<log::Level> read_log_level(const Arguments& arguments) {
  const std::string level = arguments.get("--log-level", "info");
  if (level == "debug") return log::Level::kDebug;
  if (level == "info") return log::Level::kInfo;
  if (level == "warning") return log::Level::kWarning;
  if (level == "error") return log::Level::kError;
  return fail(usage_error(
      fmt::format("--log-level takes debug, info, warning or error, not \"{}\".", level)));
}

void greet(Hub& hub) {
  fmt::print("Tributary {} listens on {}\n", version(), hub.server().url());
  const std::string fingerprint = hub.server().fingerprint();
  if (!fingerprint.empty()) fmt::print("Certificate SHA-256: {}\n", fingerprint);
  const std::string code = hub.setup_code();
  if (!code.empty()) {
    // The code stands behind the #, which browsers keep to themselves.
    fmt::print("There is no administrator yet. Make one within 15 minutes: {}/setup#code={}\n",
               hub.server().url(), code);
    fmt::print("Setup code: {}\n", code);
  }
  std::fflush(stdout);
}

int serve(const Arguments& arguments) {
  auto options = read_options(arguments);
  if (!options) return report(options.error());
  auto level = read_log_level(arguments);
  if (!level) return report(level.error());

  harden_process();
  ignore_broken_pipes();
  hold_stop_signals();
  log::start(*level, arguments.get("--log-file"));
  auto hub = Hub::start(std::move(*options));
  if (!hub) return report(hub.error());
  greet(**hub);
  wait_for_stop();
  fmt::print("Stopping.\n");
  std::fflush(stdout);
  if (!(*hub)->stop(kStopLimit)) {
    fmt::print(stderr, "tributary: The stop took more than {} s and was cut short.\n",
               kStopLimit.count() / 1000);
    std::fflush(nullptr);
    ::_exit(kStopTimeout);
  }
  return kOk;
}

}  // namespace

const Command kServeCommand{"serve",
                            "--data-dir DIR [--listen HOST:PORT] [--tls auto|off|files]",
                            "Run the hub with its web interface and API.",
                            "Prints its address and, while there is no user, the one-time setup "
                            "code. Ends cleanly on SIGINT and SIGTERM, within 10 s.\n"
                            "Logs to standard error or to --log-file, never secrets.",
                            kOptions,
                            0,
                            serve};

}  // namespace tributary::app
