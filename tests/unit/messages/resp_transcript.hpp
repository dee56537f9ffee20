#pragma once

// What a RespParser makes of a text, as text: "[SET][k][v]\n" per command, then "! <error>\n" if it failed.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "messages/resp_parser.hpp"

namespace kiwi::test {

inline void take_all(RespParser& parser, std::string& transcript) {
  while (const auto command = parser.next()) {
    for (const auto& arg : command->args) transcript.append("[").append(arg.view()).append("]");
    transcript += '\n';
  }
}

/// Fed in pieces that end at `cuts` (ascending), and the rest.
inline std::string parse_at_cuts(std::string_view text, std::vector<std::size_t> cuts,
                                 RespLimits limits = {}) {
  RespParser parser(limits);
  std::string transcript;
  cuts.push_back(text.size());
  std::size_t start = 0;
  for (const auto cut : cuts) {
    parser.feed(text.substr(start, cut - start));
    take_all(parser, transcript);
    start = cut;
  }
  if (parser.error())
    transcript += "! " + *parser.error() + "\n";
  return transcript;
}

inline std::string parse(std::string_view text, RespLimits limits = {}) {
  return parse_at_cuts(text, {}, limits);
}

inline std::string parse_in_pieces(std::string_view text, std::size_t piece, RespLimits limits = {}) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = piece; at < text.size(); at += piece) cuts.push_back(at);
  return parse_at_cuts(text, cuts, limits);
}

}  // namespace kiwi::test
