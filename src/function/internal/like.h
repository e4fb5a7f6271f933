#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// A LIKE pattern: % is any text, _ one character, an escaped character itself. Immutable once made.
class LikePattern {
 public:
  // `escape`: one character, or empty for none. False when an escape stands before anything but %, _ or itself.
  static bool Make(std::string_view pattern, std::string_view escape, LikePattern& out);
  bool Matches(std::string_view text) const;

 private:
  // The pattern is pieces with % between them. A piece is bytes, with kAnyChar standing for _.
  static constexpr char kAnyChar = '\xff';  // never a byte of UTF-8
  struct Piece {
    std::string bytes;
    bool plain = true;  // without _
  };
  static size_t MatchAt(const Piece& piece, std::string_view text, size_t at);  // end of the match, npos = none
  static size_t Find(const Piece& piece, std::string_view text, size_t from, size_t& end);

  std::vector<Piece> pieces_;
};

// A SIMILAR TO pattern as a regular expression for RE2; false when malformed.
bool SimilarToRegex(std::string_view pattern, std::string_view escape, std::string& regex);

}  // namespace tidemill
