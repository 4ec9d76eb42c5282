// Every certificate that the hub has to do with: its own, those in profiles, those that servers
// showed. Watches when they expire, and keeps what people decided about servers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connect/alarms.hpp"
#include "net/certificate.hpp"
#include "store/certificates.hpp"

namespace tributary::connect {

enum class CertificateState : std::uint8_t {
  kOwn,       // what the hub shows: its server certificate, client certificates of profiles
  kTrusted,   // issuers in profiles, servers that were accepted or that a person trusts
  kRejected,  // servers that were refused and wait for a decision
};
std::string_view to_string(CertificateState state);

enum class CertificateRole : std::uint8_t {
  kHub,
  kClient,
  kIssuer,
  kServer,
  kDraft,  // a server that the test of an unsaved profile met
};
std::string_view to_string(CertificateRole role);

struct CertificateUse {
  std::string connection_id;    // empty: the hub itself
  std::string connection_name;  // of a draft: the address that it leads to
  CertificateRole role = CertificateRole::kHub;
};

struct CertificateView {
  net::Certificate certificate;
  CertificateState state = CertificateState::kTrusted;
  std::vector<CertificateUse> used_by;
  std::optional<UtcTime> last_seen;  // of servers
  std::string code, message;         // why it is rejected
  bool decided = false;              // a person trusts it
  std::string decided_by;
  std::optional<UtcTime> decided_at;
};

// A certificate that stands in a profile: where, and the PEM text or a reference to it.
struct ProfileCertificates {
  CertificateUse use;
  std::string title;  // "CA certificates"
  std::string text;
};

// Beyond this, the one that was met longest ago is forgotten.
inline constexpr std::size_t kMaxRejected = 100;

// Lives on one executor (the control executor in a hub); call every member there.
class Certificates {
 public:
  // What the profiles hold now.
  using Profiles = std::function<std::vector<ProfileCertificates>()>;
  using NameOf = std::function<std::string(const std::string& connection_id)>;

  Certificates(Executor executor, Clock& clock, Timers& timers, store::Store& store, Alarms& alarms,
               Profiles profiles, NameOf name_of);
  ~Certificates();

  // Blocking; at start, before the first news.
  Result<void> load();
  // Looks at the clock now and then at least every hour, and within a second after changed().
  void start();
  // The hub goes down: nothing is looked at any more.
  void close();
  // The file of the hub's own server certificate; read at each look.
  void set_own(std::string path);
  // A profile came, changed or went.
  void changed();

  // A server showed its certificate to a connection, or to the test of a draft (draft.hpp).
  void shown(const std::string& connection_id, const net::ShownCertificate& shown);
  void forget_connection(const std::string& connection_id);

  // By the end of their validity, the nearest first.
  std::vector<CertificateView> list() const;
  // PEM: what people trust for this connection or draft.
  std::vector<std::string> trusted_for(const std::string& connection_id) const;

  // Trusts a rejected certificate for the connections that met it; answers their ids. Errors,
  // kFunction: "not_found"; "certificate_not_rejected"; "certificate_expired": trusting it would
  // not help.
  Task<Result<std::vector<std::string>>> trust(std::string sha256, std::string by);
  // A draft was saved: what its server showed and what was decided about it is the connection's
  // from now on. True when a decision came with it; not when that cannot be stored: then it is
  // asked for anew.
  Task<bool> adopt(std::string draft, std::string connection_id);
  // Forgets a rejected certificate, or ends the trust in one that a person trusted; answers the
  // connections that trusted it. Errors, kFunction: "not_found"; "certificate_in_use": it stands in
  // a profile, is the hub's own or was accepted because of its issuer.
  Task<Result<std::vector<std::string>>> remove(std::string sha256);
  // What trust() and remove() would refuse; nothing is changed.
  std::optional<Error> refuses_trust(const std::string& sha256) const;
  std::optional<Error> refuses_removal(const std::string& sha256) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tributary::connect
