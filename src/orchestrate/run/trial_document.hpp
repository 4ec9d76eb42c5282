// The part of a document that a trial runs, and where its parts stand in the whole.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrate/run/trial.hpp"

namespace tributary::orchestrate {

// What is pinned, as records for each port: a list (of the first port), an object of lists by the
// names of ports, or one record.
std::vector<std::vector<Record>> pinned_records(const Json& pin,
                                                const std::vector<std::string>& ports);

class TrialDocument {
 public:
  // Without what lies behind options.until, and without delivery: a trial keeps nothing. Problems
  // of the options are added.
  TrialDocument(const Json& body, const TrialOptions& options,
                std::vector<schema::FieldError>& problems);

  const Json& body() const { return body_; }
  const std::string& trigger() const { return trigger_; }
  const std::map<std::string, Json>& pins() const { return pins_; }
  // "/nodes/1/type" of the part → of the whole document.
  std::string original(const std::string& pointer) const;

 private:
  void keep_before(const std::string& until);
  void drop_deliveries();
  void find_trigger(const TrialOptions& options, std::vector<schema::FieldError>& problems);
  void read_pins(const TrialOptions& options, std::vector<schema::FieldError>& problems);
  bool has_node(const std::string& id) const;

  Json body_;
  std::string trigger_;
  std::map<std::string, Json> pins_;
  std::vector<std::size_t> node_places_;  // in the whole document
  std::vector<std::size_t> edge_places_;
};

}  // namespace tributary::orchestrate
