#include "function/internal/like.h"

#include "function/internal/utf8.h"

namespace tidemill {

bool LikePattern::Make(std::string_view pattern, std::string_view escape, LikePattern& out) {
  out.pieces_.assign(1, Piece{});
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view character = pattern.substr(at, CharBytes(pattern, at));
    at += character.size();
    if (!escape.empty() && character == escape) {
      if (at >= pattern.size()) return false;
      const std::string_view escaped = pattern.substr(at, CharBytes(pattern, at));
      if (escaped != "%" && escaped != "_" && escaped != escape) return false;
      at += escaped.size();
      out.pieces_.back().bytes += escaped;
    } else if (character == "%") {
      out.pieces_.emplace_back();
    } else if (character == "_") {
      out.pieces_.back().bytes += kAnyChar;
      out.pieces_.back().plain = false;
    } else {
      out.pieces_.back().bytes += character;
    }
  }
  return true;
}

size_t LikePattern::MatchAt(const Piece& piece, std::string_view text, size_t at) {
  if (piece.plain) return text.substr(at).starts_with(piece.bytes) ? at + piece.bytes.size() : std::string_view::npos;
  for (char c : piece.bytes) {
    if (at >= text.size()) return std::string_view::npos;
    if (c == kAnyChar) {
      at += CharBytes(text, at);
    } else if (text[at++] != c) {
      return std::string_view::npos;
    }
  }
  return at;
}

size_t LikePattern::Find(const Piece& piece, std::string_view text, size_t from, size_t& end) {
  if (piece.plain) {
    const size_t at = text.find(piece.bytes, from);
    end = at + piece.bytes.size();
    return at;
  }
  for (size_t at = from; at <= text.size(); at += at < text.size() ? CharBytes(text, at) : 1) {
    end = MatchAt(piece, text, at);
    if (end != std::string_view::npos) return at;
  }
  return std::string_view::npos;
}

bool LikePattern::Matches(std::string_view text) const {
  const size_t first = MatchAt(pieces_.front(), text, 0);
  if (first == std::string_view::npos) return false;
  if (pieces_.size() == 1) return first == text.size();
  size_t at = first;
  for (size_t i = 1; i + 1 < pieces_.size(); ++i) {
    size_t end = 0;
    if (Find(pieces_[i], text, at, end) == std::string_view::npos) return false;
    at = end;
  }
  // The last piece stands at the end.
  const Piece& last = pieces_.back();
  if (last.plain) return text.size() >= at + last.bytes.size() && text.ends_with(last.bytes);
  for (size_t from = at; from <= text.size(); from += from < text.size() ? CharBytes(text, from) : 1) {
    if (MatchAt(last, text, from) == text.size()) return true;
  }
  return false;
}

bool SimilarToRegex(std::string_view pattern, std::string_view escape, std::string& regex) {
  regex = "(?s)^(?:";
  bool in_set = false;
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view character = pattern.substr(at, CharBytes(pattern, at));
    at += character.size();
    const char c = character[0];
    if (!escape.empty() && character == escape) {
      if (at >= pattern.size()) return false;
      const std::string_view escaped = pattern.substr(at, CharBytes(pattern, at));
      at += escaped.size();
      if (escaped.size() == 1 && !std::isalnum(static_cast<unsigned char>(escaped[0]))) regex += '\\';
      regex += escaped;
    } else if (in_set) {
      in_set = c != ']';
      if (c == '\\') regex += '\\';
      regex += character;
    } else if (c == '%') {
      regex += ".*";
    } else if (c == '_') {
      regex += '.';
    } else if (c == '.' || c == '^' || c == '$' || c == '\\') {
      regex += '\\';
      regex += c;
    } else {
      in_set = c == '[';
      regex += character;
    }
  }
  regex += ")$";
  return !in_set;
}

}  // namespace tidemill
