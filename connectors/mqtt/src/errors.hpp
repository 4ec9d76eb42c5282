// What brokers and the client say, as classified errors. Reason codes: MQTT 5.0, section 2.4;
// return codes: MQTT 3.1.1, section 3.2.2.3.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "connectors/mqtt/src/client.hpp"

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
// The connection ended. `error_number` errno, 0: the broker ended it in order. `logged_in`: it had
// accepted the login.
Error connection_lost(int error_number, std::string_view peer, bool logged_in);
// Bytes that no broker may send. kTransient. `what` completes "sent …".
Error not_mqtt(std::string_view what, std::string_view peer);
// A TLS server's answer to a client that does not speak TLS. kConfiguration.
Error tls_expected(std::string_view peer);
// A packet was not made; `what` names it. kFunction.
Error not_sent(Refusal refusal, std::string_view what);

}  // namespace tributary::connectors::mqtt
