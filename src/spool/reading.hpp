// What is asked of the spool without changing it. Reader thread. Every question is one statement,
// so no read transaction outlives its answer (edge case 31).
#pragma once

#include <vector>

#include "spool/database.hpp"
#include "spool/spool.hpp"

namespace tributary::spool {

class Reading {
 public:
  Result<void> open(const std::string& path);
  void close();

  // The entries of a queue from `from` on. Error "spool_damaged" when one of them is not as it was
  // written.
  Result<std::vector<Entry>> entries(std::int64_t queue, std::int64_t from, std::size_t max_entries,
                                     std::size_t max_bytes);
  Result<std::vector<StateChange>> states(const std::string& pipeline);
  Result<std::vector<DeadLetter>> dead_letters(const std::string& pipeline,
                                               const std::string& before, std::size_t limit);
  Result<DeadLetter> dead_letter(const std::string& pipeline, const std::string& id);
  // Those of `ids` that are there (empty: all of the pipeline) in the order in which the letters
  // were accepted.
  Result<std::vector<std::string>> in_order(const std::string& pipeline,
                                            const std::vector<std::string>& ids);

 private:
  std::unique_ptr<Database> database_;
  Statement entries_, states_, dead_letters_, dead_letter_, dead_ids_;
};

}  // namespace tributary::spool
