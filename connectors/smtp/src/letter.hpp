// The letter that one call sends, made of a function's settings and the caller's parameters. Pure.
#pragma once

#include <string>

#include "connectors/smtp/settings.hpp"
#include "connectors/smtp/src/mime.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::smtp {

class SendOperation final : public sdk::Operation {
 public:
  explicit SendOperation(SendSettings settings_, std::string text_)
      : settings(std::move(settings_)), text(std::move(text_)) {}
  const SendSettings settings;
  const std::string text;  // of the settings, for the message's id
};

// As Connector::prepare.
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(const sdk::FunctionSpec& function);

// Without message_id and date. Errors: kFunction "invalid_address", "missing_text",
// "invalid_attachment".
Result<Letter> make_letter(const SendSettings& settings, const Mailbox& from,
                           const Json& parameters);

// The same for every repeat of one record, another for every other record. Nothing when the
// parameters do not say which record they are ($meta): two mails with the same text may then be two
// events.
std::optional<std::string> stable_id(const std::string& connection_id,
                                     const SendOperation& operation, const Json& parameters);

constexpr std::size_t kMaxRecipients = 100;  // to, cc and bcc together

}  // namespace tributary::connectors::smtp
