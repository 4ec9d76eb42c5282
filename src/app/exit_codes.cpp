#include "app/exit_codes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace tributary::app {
namespace {

struct Named {
  ExitCode number;
  std::string_view meaning;
  std::array<std::string_view, 3> codes;  // of errors
};

constexpr std::array kCodes{
    Named{kOk, "done", {}},
    Named{kFailed, "failed for another reason", {}},
    Named{kUsage, "wrong arguments", {"usage"}},
    Named{kInvalidDocument, "the document cannot be used", {"invalid_document"}},
    Named{kServerUnreachable, "no hub answers", {"server_unreachable"}},
    Named{kRefused, "the hub refused", {"refused"}},
    Named{kDataDirUnwritable,
          "the data directory cannot be written",
          {"data_dir_unwritable", "control_socket_failed"}},
    Named{kDataDirLocked, "the data directory is in use by another hub", {"data_dir_locked"}},
    Named{kDiskFull, "the disk is full", {"disk_full"}},
    Named{kStoreDamaged, "the store is damaged", {"store_damaged"}},
    Named{kStoreTooNew, "the store was made by a later version", {"store_too_new"}},
    Named{kMasterKey,
          "the master key is missing, unsafe or invalid",
          {"master_key_missing", "master_key_unsafe", "master_key_invalid"}},
    Named{kPortTaken, "the port is taken", {"port_taken", "cannot_listen"}},
    Named{
        kAddressUnusable, "the address cannot be used", {"address_unusable", "plain_http_refused"}},
    Named{kCertificate,
          "the TLS certificate cannot be used",
          {"certificate_invalid", "certificate_failed"}},
    Named{kStopTimeout, "the stop took more than 10 s and was cut short", {}},
};

}  // namespace

ExitCode exit_code_of(const Error& error) {
  for (const Named& named : kCodes) {
    if (std::ranges::find(named.codes, std::string_view(error.code)) != named.codes.end())
      return named.number;
  }
  return kFailed;
}

std::string exit_code_table() {
  std::string table;
  for (const Named& named : kCodes) {
    table += fmt::format("  {:>3}  {}\n", static_cast<int>(named.number), named.meaning);
  }
  return table;
}

int report(const Error& error) {
  std::string sentence = error.message;
  if (!error.hint.empty()) sentence += " " + error.hint;
  fmt::print(stderr, "tributary: {}\n", sentence);
  return exit_code_of(error);
}

}  // namespace tributary::app
