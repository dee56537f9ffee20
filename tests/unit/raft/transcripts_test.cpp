// Plays transcripts/*.txt: lines that begin with "> " are commands (see stage.hpp), lines that begin with "#
// " tell the story, the others are what the command before them must print.
//
//   KIWI_REWRITE=1 raft_transcripts_test     writes what is printed now; read the diff before you keep it

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/raft/stage.hpp"

namespace kiwi::raft {
namespace {

std::string play(std::istream& script) {
  Stage stage;
  std::string text;
  for (std::string line; std::getline(script, line);) {
    const bool command = line.rfind("> ", 0) == 0;
    if (!command && !line.empty() && line[0] != '#')
      continue;
    text += line + "\n";
    if (command)
      text += stage.command(line.substr(2));
  }
  return text;
}

TEST(Transcripts, AllPlayAsWritten) {
  std::vector<std::filesystem::path> files;
  for (const auto& f : std::filesystem::directory_iterator("transcripts"))
    if (f.path().extension() == ".txt")
      files.push_back(f.path());
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 5u) << "run from tests/unit/raft";
  for (const auto& path : files) {
    SCOPED_TRACE(path.string());
    std::ifstream in(path);
    std::stringstream whole;
    whole << in.rdbuf();
    std::stringstream script(whole.str());
    const std::string played = play(script);
    if (std::getenv("KIWI_REWRITE") != nullptr)
      std::ofstream(path) << played;
    else
      EXPECT_EQ(whole.str(), played);
  }
}

}  // namespace
}  // namespace kiwi::raft
