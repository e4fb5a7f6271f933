#include "base/status.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace tidemill {
namespace {

std::string CodeName(const ErrorCode& code) {
  char text[16];
  std::snprintf(text, sizeof(text), "TM%04u", static_cast<unsigned>(code.number));
  return text;
}

// Bytes of the UTF-8 character that starts at `text[i]`; a stray continuation byte counts as one.
size_t CharacterBytes(std::string_view text, size_t i) {
  size_t n = 1;
  while (i + n < text.size() && (static_cast<unsigned char>(text[i + n]) & 0xC0) == 0x80) ++n;
  return n;
}

std::string_view LineOf(std::string_view script, int line) {
  size_t start = 0;
  for (int i = 1; i < line; ++i) {
    size_t end = script.find('\n', start);
    if (end == std::string_view::npos) return {};
    start = end + 1;
  }
  std::string_view rest = script.substr(start);
  rest = rest.substr(0, rest.find('\n'));
  if (!rest.empty() && rest.back() == '\r') rest.remove_suffix(1);
  return rest;
}

// The blanks before the caret; a tab stays a tab, so that the caret stands right under its column on every terminal.
std::string PaddingBefore(std::string_view line, int column) {
  std::string padding;
  size_t i = 0;
  for (int c = 1; c < column; ++c) {
    if (i < line.size()) {
      padding += line[i] == '\t' ? '\t' : ' ';
      i += CharacterBytes(line, i);
    } else {
      padding += ' ';
    }
  }
  return padding;
}

// A line as a terminal may be given it: control characters, which could move its cursor or end a C string, become '?'.
std::string Shown(std::string_view line) {
  std::string shown(line);
  for (char& c : shown) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7F) c = '?';
  }
  return shown;
}

int CharactersIn(std::string_view line) {
  int n = 0;
  for (size_t i = 0; i < line.size(); i += CharacterBytes(line, i)) ++n;
  return n;
}

}  // namespace

Status::Status(const ErrorCode& code, std::string message)
    : payload_(std::make_shared<const Payload>(Payload{&code, std::move(message), {}, {}, {}})) {}

Status Status::At(SourcePosition position) const {
  if (ok() || payload_->position) return *this;
  Status copy = *this;
  Payload payload = *payload_;
  payload.position = std::move(position);
  copy.payload_ = std::make_shared<const Payload>(std::move(payload));
  return copy;
}

Status Status::WithHint(std::string hint) const {
  if (ok()) return *this;
  Status copy = *this;
  Payload payload = *payload_;
  payload.hint = std::move(hint);
  copy.payload_ = std::make_shared<const Payload>(std::move(payload));
  return copy;
}

Status Status::WithNote(std::string note) const {
  if (ok()) return *this;
  Status copy = *this;
  Payload payload = *payload_;
  payload.notes.push_back(std::move(note));
  copy.payload_ = std::make_shared<const Payload>(std::move(payload));
  return copy;
}

Status Status::WithContext(std::string_view context) const {
  if (ok()) return *this;
  Status copy = *this;
  Payload payload = *payload_;
  payload.message = std::string(context) + ": " + payload.message;
  copy.payload_ = std::make_shared<const Payload>(std::move(payload));
  return copy;
}

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text = CodeName(code()) + ": " + message();
  if (position()) {
    text += " (";
    if (!position()->file.empty()) text += position()->file + ":";
    text += std::to_string(position()->line) + ":" + std::to_string(position()->column) + ")";
  }
  return text;
}

std::string RenderError(const Status& status, std::string_view script) {
  if (status.ok()) return "";
  const std::string code = CodeName(status.code());
  std::string out = "error[" + code + "]: " + status.message() + "\n";
  std::string gutter = "  ";
  bool hint_shown = false;
  if (const auto& position = status.position()) {
    const std::string number = std::to_string(position->line);
    gutter.assign(number.size(), ' ');
    out += gutter + "--> " + (position->file.empty() ? "<input>" : position->file) + ":" + number + ":" +
           std::to_string(position->column) + "\n";
    if (!script.empty() && position->line > 0) {
      const std::string_view line = LineOf(script, position->line);
      const int room = std::max(1, CharactersIn(line) - position->column + 1);
      out += number + " | " + Shown(line) + "\n";
      out += gutter + " | " + PaddingBefore(line, position->column) +
             std::string(static_cast<size_t>(std::clamp(position->length, 1, room)), '^');
      if (!status.hint().empty()) out += " " + status.hint();
      out += "\n";
      hint_shown = true;
    }
  }
  if (!hint_shown && !status.hint().empty()) out += gutter + " = hint: " + status.hint() + "\n";
  for (const std::string& note : status.notes()) out += gutter + " = " + note + "\n";
  if (!status.code().remedy.empty()) out += gutter + " = help: " + std::string(status.code().remedy) + "\n";
  out += gutter + " = docs: tidemill explain " + code + "\n";
  return out;
}

void CheckFailed(const char* file, int line, const char* expression) {
  std::fprintf(stderr, "tidemill: internal error at %s:%d: %s\n", file, line, expression);
  std::fflush(stderr);
  std::abort();
}

}  // namespace tidemill
