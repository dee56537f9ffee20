#include "lab/invariants/texts.hpp"

namespace kiwi::lab::invariants {

std::string list_of(const std::vector<NodeId>& nodes) {
  std::string text;
  for (auto node : nodes) text += (text.empty() ? "" : ",") + name_of(node);
  return text.empty() ? "nobody" : text;
}

std::string list_of(NodeSet nodes) {
  std::vector<NodeId> all;
  for (std::uint64_t n = 1; n <= 64; ++n)
    if ((nodes & bit(NodeId(n))) != 0)
      all.push_back(NodeId(n));
  return list_of(all);
}

std::string text_of(const std::optional<Term>& term, Index index) {
  return term ? to_string(LogId{*term, index}) : "no entry " + to_string(index);
}

std::vector<Term> terms_of(const raft::Restored& found) {
  std::vector<Term> terms;
  terms.reserve(found.last.index - found.purged.index);
  for (std::size_t run = 0; run < found.runs.size(); ++run) {
    const auto end = run + 1 < found.runs.size() ? found.runs[run + 1].first : found.last.index + 1;
    terms.insert(terms.end(), end - found.runs[run].first, found.runs[run].term);
  }
  return terms;
}

}  // namespace kiwi::lab::invariants
