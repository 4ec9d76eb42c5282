// The secrets of webhooks: they come with a body and never leave again. In the document stands only
// whether there is one, and since when.
#pragma once

#include <string>
#include <vector>

#include "model/json.hpp"
#include "schema/schema.hpp"
#include "secrets/vault.hpp"
#include "store/rows.hpp"

namespace tributary::orchestrate::hooks {

// The field of the secret of a node in the table of secrets.
std::string secret_field(const std::string& node_id);

// Takes the secrets out of a pipeline's body and puts {"set", "changedAt"} in their place. What it
// returns are the rows that the pipeline has then: new ones for texts, the present ones where the
// body says {"set": true} (what a GET answered), none where it says nothing. Wrong ones are told in
// `problems`. A null vault refuses texts.
std::vector<store::SecretRow> take_secrets(Json& body, const std::string& pipeline_id,
                                           const std::vector<store::SecretRow>& present,
                                           const secrets::Vault* vault, UtcTime now,
                                           std::vector<schema::FieldError>& problems);

// Where a body has the text of a secret: drafts and other documents beside the pipelines keep none.
// Empty: nowhere.
std::string find_secret(const Json& body);

// A body as it may be written down for people to read: each secret is "(secret)".
Json without_secrets(const Json& body);

}  // namespace tributary::orchestrate::hooks
