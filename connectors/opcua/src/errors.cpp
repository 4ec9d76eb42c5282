#include "connectors/opcua/src/errors.hpp"

#include <fmt/format.h>
#include <open62541/statuscodes.h>
#include <open62541/types.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tributary::connectors::opcua {
namespace {

constexpr std::uint32_t kInformation = 0x0000FFFF;  // overflow and other remarks

struct Meaning {
  std::uint32_t status;
  ErrorClass error_class;
  std::string_view code;  // empty: from the name
  std::string_view hint;
  std::string_view pointer;
};

constexpr std::string_view kTrustUs =
    "Accept the hub's application certificate at the server, usually by moving it from its "
    "rejected to its trusted "
    "certificates. The hub looks again by itself.";
constexpr std::string_view kWrongLogin = "Check the user and the password.";
constexpr std::string_view kIsItOpcUa =
    "Is this the port of an OPC UA server with the binary protocol (opc.tcp)?";

// What is about the connection and not about one call.
constexpr auto kMeanings = std::to_array<Meaning>({
    {UA_STATUSCODE_BADUSERACCESSDENIED, ErrorClass::kIdentity, "", kWrongLogin,
     "/settings/username"},
    {UA_STATUSCODE_BADIDENTITYTOKENINVALID, ErrorClass::kIdentity, "", kWrongLogin,
     "/settings/username"},
    {UA_STATUSCODE_BADIDENTITYTOKENREJECTED, ErrorClass::kIdentity, "", kWrongLogin,
     "/settings/authentication"},
    {UA_STATUSCODE_BADUSERSIGNATUREINVALID, ErrorClass::kIdentity, "",
     "Do the user certificate and its key belong together?", "/settings/userCertificate"},
    {UA_STATUSCODE_BADCERTIFICATEUNTRUSTED, ErrorClass::kTrust, "own_certificate_refused", kTrustUs,
     "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADCERTIFICATEINVALID, ErrorClass::kTrust, "own_certificate_refused", kTrustUs,
     "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADCERTIFICATECHAININCOMPLETE, ErrorClass::kTrust, "own_certificate_refused",
     kTrustUs, "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADCERTIFICATEURIINVALID, ErrorClass::kTrust, "own_certificate_refused",
     kTrustUs, "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADCERTIFICATEUSENOTALLOWED, ErrorClass::kTrust, "own_certificate_refused",
     kTrustUs, "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADCERTIFICATETIMEINVALID, ErrorClass::kTrust, "own_certificate_refused",
     "Has the hub's certificate expired, or is the server's clock wrong?",
     "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADCERTIFICATEREVOKED, ErrorClass::kTrust, "own_certificate_refused",
     "Enter another application certificate.", "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADSECURITYCHECKSFAILED, ErrorClass::kTrust, "own_certificate_refused", kTrustUs,
     "/settings/applicationCertificate"},
    {UA_STATUSCODE_BADINVALIDTIMESTAMP, ErrorClass::kTransient, "clock_differs",
     "Set the clocks of the hub and of the server.", ""},
    {UA_STATUSCODE_BADSECURITYPOLICYREJECTED, ErrorClass::kConfiguration, "",
     "Choose another security policy.", "/settings/securityPolicy"},
    {UA_STATUSCODE_BADSECURITYMODEREJECTED, ErrorClass::kConfiguration, "",
     "Choose another security mode.", "/settings/securityMode"},
    {UA_STATUSCODE_BADTCPENDPOINTURLINVALID, ErrorClass::kConfiguration, "",
     "The server does not know the path of this URL.", "/settings/endpointUrl"},
    {UA_STATUSCODE_BADTOOMANYSESSIONS, ErrorClass::kBusy, "",
     "Every place of the server is taken: close another client, or allow more.", ""},
    {UA_STATUSCODE_BADMAXCONNECTIONSREACHED, ErrorClass::kBusy, "",
     "Every place of the server is taken: close another client, or allow more.", ""},
    {UA_STATUSCODE_BADTCPSERVERTOOBUSY, ErrorClass::kBusy, "", "The server is overloaded.", ""},
    {UA_STATUSCODE_BADTCPNOTENOUGHRESOURCES, ErrorClass::kBusy, "", "The server is overloaded.",
     ""},
    {UA_STATUSCODE_BADTOOMANYOPERATIONS, ErrorClass::kBusy, "",
     "The server wants fewer requests at once.", ""},
    {UA_STATUSCODE_BADTIMEOUT, ErrorClass::kTransient, "timeout",
     "The server is overloaded or gone.", ""},
    {UA_STATUSCODE_BADREQUESTTIMEOUT, ErrorClass::kTransient, "timeout",
     "The server is overloaded.", ""},
    {UA_STATUSCODE_BADSHUTDOWN, ErrorClass::kTransient, "", "The server is shutting down.", ""},
    {UA_STATUSCODE_BADSERVERHALTED, ErrorClass::kTransient, "", "The server has stopped working.",
     ""},
    {UA_STATUSCODE_BADSESSIONIDINVALID, ErrorClass::kTransient, "session_lost",
     "The server has forgotten the session, usually because it was restarted.", ""},
    {UA_STATUSCODE_BADSESSIONCLOSED, ErrorClass::kTransient, "session_lost",
     "Somebody closed the session at the server.", ""},
    {UA_STATUSCODE_BADSESSIONNOTACTIVATED, ErrorClass::kTransient, "session_lost", "", ""},
    {UA_STATUSCODE_BADSECURECHANNELCLOSED, ErrorClass::kTransient, "connection_closed",
     "Was the server restarted?", ""},
    {UA_STATUSCODE_BADSECURECHANNELIDINVALID, ErrorClass::kTransient, "connection_closed",
     "Was the server restarted?", ""},
    {UA_STATUSCODE_BADSECURECHANNELTOKENUNKNOWN, ErrorClass::kTransient, "connection_closed",
     "Was the server restarted?", ""},
    {UA_STATUSCODE_BADCONNECTIONCLOSED, ErrorClass::kTransient, "connection_closed",
     "Was the server restarted?", ""},
    {UA_STATUSCODE_BADCONNECTIONREJECTED, ErrorClass::kTransient, "connection_closed",
     "Was the server restarted?", ""},
    {UA_STATUSCODE_BADNOTCONNECTED, ErrorClass::kTransient, "connection_closed", "", ""},
    {UA_STATUSCODE_BADSERVERNOTCONNECTED, ErrorClass::kTransient, "connection_closed", "", ""},
    {UA_STATUSCODE_BADTCPMESSAGETYPEINVALID, ErrorClass::kTransient, "protocol_error", kIsItOpcUa,
     "/settings/endpointUrl"},
    {UA_STATUSCODE_BADTCPMESSAGETOOLARGE, ErrorClass::kTransient, "message_too_large",
     "Ask for less at once, or allow larger messages.", "/settings/maxMessageBytes"},
    {UA_STATUSCODE_BADTCPINTERNALERROR, ErrorClass::kTransient, "protocol_error", kIsItOpcUa,
     "/settings/endpointUrl"},
    {UA_STATUSCODE_BADDECODINGERROR, ErrorClass::kTransient, "protocol_error", kIsItOpcUa,
     "/settings/endpointUrl"},
    {UA_STATUSCODE_BADENCODINGLIMITSEXCEEDED, ErrorClass::kTransient, "message_too_large",
     "Ask for less at once, or allow larger messages.", "/settings/maxMessageBytes"},
    {UA_STATUSCODE_BADPROTOCOLVERSIONUNSUPPORTED, ErrorClass::kTransient, "protocol_error",
     kIsItOpcUa, "/settings/endpointUrl"},
    {UA_STATUSCODE_BADCOMMUNICATIONERROR, ErrorClass::kTransient, "protocol_error", kIsItOpcUa,
     "/settings/endpointUrl"},
});

struct NodeHint {
  std::uint32_t status;
  std::string_view hint;
};
constexpr auto kNodeHints = std::to_array<NodeHint>({
    {UA_STATUSCODE_BADNODEIDUNKNOWN,
     "There is no such node now: browse the server for the right id, and write the namespace as "
     "nsu=URI, because its number may change."},
    {UA_STATUSCODE_BADNODEIDINVALID, "The server cannot read this node id."},
    {UA_STATUSCODE_BADATTRIBUTEIDINVALID, "This node has no value: it is an object or a method."},
    {UA_STATUSCODE_BADNOTREADABLE, "The server lets nobody read this node."},
    {UA_STATUSCODE_BADNOTWRITABLE, "The server lets nobody write this node."},
    {UA_STATUSCODE_BADUSERACCESSDENIED, "This user may not do that at this node."},
    {UA_STATUSCODE_BADTYPEMISMATCH, "The server wants another type."},
    {UA_STATUSCODE_BADOUTOFRANGE, "The server wants another value."},
    {UA_STATUSCODE_BADWRITENOTSUPPORTED,
     "The server takes no status or source time with a value: leave them out."},
    {UA_STATUSCODE_BADMONITOREDITEMFILTERUNSUPPORTED,
     "The server cannot use the deadband at this node: it must be a number, and one in percent "
     "needs "
     "a range (EURange)."},
    {UA_STATUSCODE_BADFILTERNOTALLOWED,
     "The server cannot use the deadband at this node: it must be a number."},
    {UA_STATUSCODE_BADDEADBANDFILTERINVALID,
     "A deadband in percent needs a node with a range (EURange)."},
    {UA_STATUSCODE_BADTOOMANYMONITOREDITEMS, "The server watches no more nodes."},
    {UA_STATUSCODE_BADHISTORYOPERATIONUNSUPPORTED,
     "The server records nothing of this node, or cannot give its history in this form."},
    {UA_STATUSCODE_BADHISTORYOPERATIONINVALID,
     "The server cannot give the history of this node for this time and in this form."},
    {UA_STATUSCODE_BADAGGREGATENOTSUPPORTED, "Choose another aggregate, or read the raw values."},
    {UA_STATUSCODE_BADRESPONSETOOLARGE, "Ask for less at once, or allow larger messages."},
    {UA_STATUSCODE_BADWAITINGFORINITIALDATA, "The server has no value yet."},
});

const Meaning* meaning_of(std::uint32_t status) {
  const auto* found = std::ranges::find(kMeanings, status & ~kInformation, &Meaning::status);
  return found == kMeanings.end() ? nullptr : found;
}

std::string hint_of(std::uint32_t status) {
  const auto* hint = std::ranges::find(kNodeHints, status & ~kInformation, &NodeHint::status);
  return hint == kNodeHints.end() ? std::string() : std::string(hint->hint);
}

}  // namespace

std::string status_name(std::uint32_t status) {
  const std::string_view name = UA_StatusCode_name(status & ~kInformation);
  if (name.empty() || name.starts_with("Unknown")) return fmt::format("0x{:08X}", status);
  return std::string(name);
}

std::string status_code(std::uint32_t status) {
  std::string code;
  bool lower_before = false;
  for (const char c : status_name(status)) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (upper && lower_before) code += '_';
    lower_before = !upper;
    code += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return code;
}

Error service_error(std::uint32_t status, std::string_view what, std::string_view peer) {
  const Meaning* meaning = meaning_of(status);
  std::string text = fmt::format("{} answered {} with {}", peer, what, status_name(status));
  if (meaning == nullptr) {
    return {ErrorClass::kFunction, status_code(status), std::move(text), hint_of(status)};
  }
  const std::string code = meaning->code.empty() ? status_code(status) : std::string(meaning->code);
  if (code == "timeout") text = fmt::format("{} did not answer {} in time", peer, what);
  if (code == "connection_closed")
    text = fmt::format("{} ended the connection during {}", peer, what);
  return {meaning->error_class, code, std::move(text), std::string(meaning->hint),
          std::string(meaning->pointer)};
}

Error node_error(std::uint32_t status, std::string_view what, std::string_view node) {
  return {ErrorClass::kFunction, status_code(status),
          fmt::format("{} of {} gave {}", what, node, status_name(status)), hint_of(status)};
}

std::shared_ptr<const Error> shared_node_error(std::uint32_t status, std::string_view what,
                                               std::string_view node) {
  return std::make_shared<const Error>(node_error(status, what, node));
}

Error cancelled() {
  return {ErrorClass::kCancelled, "cancelled", "Ended by the hub"};
}

}  // namespace tributary::connectors::opcua
