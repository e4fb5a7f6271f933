#include "server/script.h"

#include <gtest/gtest.h>

namespace tidemill {
namespace {

std::vector<std::string> Pieces(std::string_view text) {
  std::vector<std::string> pieces;
  for (const ScriptPiece& piece : SplitScript(text)) {
    pieces.emplace_back(text.substr(piece.begin, piece.end - piece.begin));
    if (!piece.complete) pieces.back() += "...";
  }
  return pieces;
}

using Strings = std::vector<std::string>;

TEST(SplitScript, CutsAtSemicolons) {
  EXPECT_EQ(Pieces("SELECT 1; SELECT 2 ;\n"), (Strings{"SELECT 1;", "SELECT 2 ;"}));
  EXPECT_EQ(Pieces(" \n-- nothing\n/* ; */ "), Strings{});
  EXPECT_EQ(Pieces("SELECT 1"), Strings{"SELECT 1..."});
}

TEST(SplitScript, PassesQuotesAndComments) {
  EXPECT_EQ(Pieces("SELECT ';''x', `a;b` -- no; end\n/* ; */;"), Strings{"SELECT ';''x', `a;b` -- no; end\n/* ; */;"});
  EXPECT_EQ(Pieces("SELECT 'open; 1;"), Strings{"SELECT 'open; 1;..."});
}

TEST(SplitScript, KeepsAStatementSetTogether) {
  const std::string set =
      "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN x THEN 1 END FROM t; INSERT INTO b SELECT 2; END;";
  EXPECT_EQ(Pieces(set + "SELECT 3;"), (Strings{set, "SELECT 3;"}));
  EXPECT_EQ(Pieces("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;"),
            Strings{"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;..."});
}

TEST(OnlyPiece, KeepsLinesAndColumns) {
  const std::string text = "SELECT 'ü';\n  SELECT 2;\n";
  const std::vector<ScriptPiece> pieces = SplitScript(text);
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(OnlyPiece(text, pieces[1]), "           \n  SELECT 2;");
}

TEST(VariablesFor, GivesTheFolderOfTheScript) {
  EXPECT_EQ(VariablesFor({{"a", "1"}}, "x/y/z.sql"),
            (std::map<std::string, std::string>{{"a", "1"}, {"script_dir", "x/y"}}));
  EXPECT_EQ(VariablesFor({}, "z.sql").at("script_dir"), ".");
  EXPECT_EQ(VariablesFor({{"script_dir", "mine"}}, "x/z.sql").at("script_dir"), "mine");
}

}  // namespace
}  // namespace tidemill
