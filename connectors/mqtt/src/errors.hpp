// What brokers and the library say, as classified errors. Reason codes: MQTT 5.0, section 2.4;
// return codes: MQTT 3.1.1, section 3.2.2.3.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tributary::connectors::mqtt {

// The broker's refusal of CONNECT. `reason` is a 3.x return code (1 … 5) or a 5.0 reason code (0x80
// …). `with_user`: credentials were sent.
Error connect_refused(int reason, std::string_view peer, bool with_user);
// The broker's DISCONNECT (5.0 only).
Error disconnected_by_broker(int reason, std::string_view peer);
// The broker's refusal of one message. kFunction: the session goes on.
Error publish_refused(int reason, std::string_view topic);
// "not authorised": why one subscription was refused.
std::string_view refusal_text(int reason);
// Whether a library call failed because the connection did.
bool is_connection_failure(int result);
// A library call on the connection failed: the connection is lost. `result` is MOSQ_ERR_…,
// `error_number` errno.
Error connection_failed(int result, int error_number, std::string_view peer, bool connected);
// A TLS server's answer to a client that does not speak TLS. kConfiguration.
Error tls_expected(std::string_view peer);
// A library call refused its arguments. kFunction, or kInternal when it was not the caller's fault.
Error call_failed(int result, std::string_view what);

}  // namespace tributary::connectors::mqtt
