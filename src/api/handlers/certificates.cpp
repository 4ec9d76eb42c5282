#include "connect/certificates/certificates.hpp"
#include "api/handlers/common.hpp"
#include "connect/certificates/expiry.hpp"

namespace tributary::api::handlers {
namespace {

using connect::CertificateRole;
using connect::CertificateState;
using connect::CertificateView;

constexpr std::array kStates = {CertificateState::kOwn, CertificateState::kTrusted,
                                CertificateState::kRejected};

Json uses_view(const CertificateView& view) {
  Json uses = json_array();
  for (const auto& use : view.used_by) {
    Json item = json_object();
    const bool stored = !use.connection_id.empty() && use.role != CertificateRole::kDraft;
    item["connectionId"] = stored ? Json(use.connection_id) : Json::null();
    item["connectionName"] = use.connection_id.empty() ? Json::null() : Json(use.connection_name);
    item["role"] = to_string(use.role);
    uses.push_back(std::move(item));
  }
  return uses;
}

Json certificate_view(const CertificateView& view, UtcTime now) {
  const net::Certificate& certificate = view.certificate;
  Json json = json_object();
  json["id"] = certificate.sha256;
  json["state"] = to_string(view.state);
  json["subject"] = certificate.subject;
  json["issuer"] = certificate.issuer;
  Json names = json_array();
  for (const auto& name : certificate.names) names.push_back(name);
  json["names"] = std::move(names);
  json["notBefore"] = format_utc(certificate.not_before);
  json["notAfter"] = format_utc(certificate.not_after);
  json["daysLeft"] = connect::days_left(certificate.not_after, now);
  json["sha256"] = net::fingerprint_text(certificate.sha256);
  json["lastSeenAt"] = time_or_null(view.last_seen);
  Json reason = Json::null();
  if (view.state == CertificateState::kRejected) {
    reason = json_object();
    reason["code"] = view.code;
    reason["message"] = view.message;
  }
  json["reason"] = std::move(reason);
  Json decision = Json::null();
  if (view.decided) {
    decision = json_object();
    decision["by"] = view.decided_by;
    decision["at"] = time_or_null(view.decided_at);
  }
  json["decision"] = std::move(decision);
  json["usedBy"] = uses_view(view);
  json["pem"] = certificate.pem;
  return json;
}

std::expected<std::optional<CertificateState>, Problem> query_state(const Request& request) {
  const auto text = request.query_value("state");
  if (!text) return std::nullopt;
  const auto found =
      std::ranges::find(kStates, *text, [](CertificateState state) { return to_string(state); });
  if (found != kStates.end()) return *found;
  return refuse(Problem(400, "invalid_parameter", "state is one of own, trusted, rejected."));
}

// The certificate that a decision is about: one that can still be decided, if there is one.
std::optional<CertificateView> find(Services& services, const std::string& id) {
  std::optional<CertificateView> found;
  for (auto& view : services.manager.certificates().list()) {
    if (view.certificate.sha256 != id) continue;
    const bool better = !found || view.state == CertificateState::kRejected || view.decided;
    if (better) found = std::move(view);
  }
  return found;
}

void note_for_audit(Request& request, const CertificateView& view) {
  request.audit_detail["subject"] = view.certificate.subject;
  request.audit_detail["issuer"] = view.certificate.issuer;
  request.audit_detail["sha256"] = net::fingerprint_text(view.certificate.sha256);
  request.audit_detail["usedBy"] = uses_view(view);
}

}  // namespace

Json refused_certificate(Services& services, const connect::Diagnosis& diagnosis) {
  if (!diagnosis.shown || diagnosis.shown->accepted) return Json::null();
  const auto view = find(services, diagnosis.shown->certificate.sha256);
  return view ? certificate_view(*view, services.runtime.clock().utc_now()) : Json::null();
}

Task<Answer> list_certificates(Services& services, Request& request) {
  auto page = page_request(request);
  TRIBUTARY_CO_TRY(page);
  auto state = query_state(request);
  TRIBUTARY_CO_TRY(state);
  auto views = services.manager.certificates().list();
  std::erase_if(views, [&](const auto& view) { return *state && view.state != **state; });
  const UtcTime now = services.runtime.clock().utc_now();
  co_return Response::of(make_page(
      std::move(views), *page,
      [](const CertificateView& view) {
        // By the end of validity, the nearest first.
        return fmt::format("{} {} {}", format_utc(view.certificate.not_after),
                           view.certificate.sha256, to_string(view.state));
      },
      [now](const CertificateView& view) { return certificate_view(view, now); }));
}

Task<Answer> trust_certificate(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  const auto before = find(services, id);
  if (!before) co_return refuse(no_such("certificate"));
  note_for_audit(request, *before);
  const UtcTime now = services.runtime.clock().utc_now();
  if (request.dry_run) {
    if (auto refusal = services.manager.certificates().refuses_trust(id)) {
      co_return refuse(Problem(*refusal));
    }
    co_return Response::of(certificate_view(*before, now));
  }
  auto trusted = co_await services.manager.trust_certificate(id, request.actor());
  TRIBUTARY_CO_TRY(trusted);
  const auto after = find(services, id);
  co_return Response::of(certificate_view(after ? *after : *before, now));
}

Task<Answer> delete_certificate(Services& services, Request& request) {
  const std::string id = request.parameter("id");
  const auto view = find(services, id);
  if (!view) co_return refuse(no_such("certificate"));
  note_for_audit(request, *view);
  if (request.dry_run) {
    if (auto refusal = services.manager.certificates().refuses_removal(id)) {
      co_return refuse(Problem(*refusal));
    }
    co_return Response::no_content();
  }
  auto removed = co_await services.manager.remove_certificate(id, request.actor());
  TRIBUTARY_CO_TRY(removed);
  co_return Response::no_content();
}

}  // namespace tributary::api::handlers
