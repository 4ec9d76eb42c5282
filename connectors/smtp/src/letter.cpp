#include "connectors/smtp/src/letter.hpp"

#include <fmt/format.h>

#include "http/encoding.hpp"
#include "schema/placeholders.hpp"

namespace tributary::connectors::smtp {
namespace {

Result<std::vector<Mailbox>> read_mailboxes(const std::vector<std::string>& texts,
                                            std::string_view member) {
  std::vector<Mailbox> mailboxes;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    auto mailbox =
        parse_mailbox(texts[i], ErrorClass::kFunction, fmt::format("/settings/{}/{}", member, i));
    TRIBUTARY_TRY(mailbox);
    mailboxes.push_back(*std::move(mailbox));
  }
  return mailboxes;
}

// Values as text that cannot become markup.
Result<std::string> fill_html(const std::string& html, const Json& parameters) {
  const Json text(html);
  Json escaped = json_object();
  for (const std::string& name : schema::placeholder_names(text)) {
    const Json& value = get_member(parameters, name);
    if (!parameters.is_object() || !parameters.contains(name))
      continue;  // fill says what is missing
    escaped.insert_or_assign(
        name, http::html_escape(value.is_string() ? value.as_string() : to_text(value)));
  }
  const auto filled = schema::fill_placeholders(text, escaped);
  TRIBUTARY_TRY(filled);
  return filled->as_string();
}

Result<Attachment> read_attachment(const SendSettings::Attachment& settings, std::size_t number) {
  const auto invalid = [&](std::string message, std::string_view member) {
    return fail(ErrorClass::kFunction, "invalid_attachment", std::move(message),
                "Give it a file name, a content type such as application/pdf, and its content.",
                fmt::format("/settings/attachments/{}/{}", number, member));
  };
  if (!is_content_type(settings.content_type))
    return invalid("The attachment's content type is none.", "contentType");
  const bool text = settings.encoding == SendSettings::Attachment::Encoding::kText;
  const Json& content = settings.content;
  Attachment attachment{settings.name, settings.content_type, {}};
  if (!content.is_string()) {
    if (content.is_null()) return invalid("The attachment has no content.", "content");
    attachment.bytes = to_text(content);
    return attachment;
  }
  if (text) {
    attachment.bytes = content.as_string();
    return attachment;
  }
  auto bytes = http::from_base64(content.as_string());
  if (!bytes) return invalid("The attachment's content is not base64.", "content");
  attachment.bytes = *std::move(bytes);
  return attachment;
}

bool names_a_record(const Json& parameters) {
  const auto has_meta = [](const Json& json) { return json.is_object() && json.contains("$meta"); };
  return has_meta(parameters) || has_meta(get_member(parameters, "payload"));
}

}  // namespace

Result<std::shared_ptr<const sdk::Operation>> prepare_operation(const sdk::FunctionSpec& function) {
  if (function.type != "smtp.send") {
    return fail(ErrorClass::kFunction, "unknown_function",
                fmt::format("SMTP connections have no function {}", function.type));
  }
  SendSettings settings = SendSettings::from_json(function.settings);
  const std::size_t recipients = settings.to.size() + settings.cc.size() + settings.bcc.size();
  if (recipients > kMaxRecipients) {
    return fail(ErrorClass::kFunction, "too_many_recipients",
                fmt::format("{} recipients; {} are allowed.", recipients, kMaxRecipients),
                "Use a mailing list.", "/settings/to");
  }
  for (const auto& [texts, member] : {std::pair(&settings.to, "to"), std::pair(&settings.cc, "cc"),
                                      std::pair(&settings.bcc, "bcc")}) {
    for (std::size_t i = 0; i < texts->size(); ++i) {
      if (schema::has_placeholder((*texts)[i])) continue;
      TRIBUTARY_TRY(parse_mailbox((*texts)[i], ErrorClass::kFunction,
                                  fmt::format("/settings/{}/{}", member, i)));
    }
  }
  return std::make_shared<const SendOperation>(std::move(settings), to_text(function.settings));
}

Result<Letter> make_letter(const SendSettings& settings, const Mailbox& from,
                           const Json& parameters) {
  Letter letter;
  letter.from = from;
  for (const auto& [texts, mailboxes, member] :
       {std::tuple(&settings.to, &letter.to, "to"), std::tuple(&settings.cc, &letter.cc, "cc"),
        std::tuple(&settings.bcc, &letter.bcc, "bcc")}) {
    auto read = read_mailboxes(*texts, member);
    TRIBUTARY_TRY(read);
    *mailboxes = *std::move(read);
  }
  if (settings.reply_to) {
    auto reply = parse_mailbox(*settings.reply_to, ErrorClass::kFunction, "/settings/replyTo");
    TRIBUTARY_TRY(reply);
    letter.reply_to = *std::move(reply);
  }
  letter.subject = settings.subject;
  letter.text = settings.text;
  if (settings.html) {
    auto html = fill_html(*settings.html, parameters);
    TRIBUTARY_TRY(html);
    letter.html = *std::move(html);
  }
  if (!letter.text && !letter.html) {
    const Json& payload = get_member(parameters, "payload");
    if (payload.is_null()) {
      return fail(ErrorClass::kFunction, "missing_text", "The mail has no text.",
                  "Give the function a text or HTML, or the caller the parameter payload.",
                  "/settings/text");
    }
    letter.text = payload.is_string() ? payload.as_string() : to_text(payload);
  }
  for (std::size_t i = 0; i < settings.attachments.size(); ++i) {
    auto attachment = read_attachment(settings.attachments[i], i);
    TRIBUTARY_TRY(attachment);
    letter.attachments.push_back(*std::move(attachment));
  }
  return letter;
}

std::optional<std::string> stable_id(const std::string& connection_id,
                                     const SendOperation& operation, const Json& parameters) {
  if (!names_a_record(parameters)) return std::nullopt;
  return http::sha256_hex(connection_id + "\n" + operation.text + "\n" + to_text(parameters))
      .substr(0, 40);
}

}  // namespace tributary::connectors::smtp
