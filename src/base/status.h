#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tidemill {

// Who has to act on an error: the author of the script or command, the producer of the data, an outside system, or us.
enum class ErrorDomain : uint8_t { kUser, kData, kExternal, kInternal };

// One kind of error, `TM<number>`. Every room lists its own in `<room>/errors.h` as `inline constexpr ErrorCode`;
// numbers are never reused. `title` is a lower-case phrase without a full stop, `remedy` says what to do and may be
// empty.
struct ErrorCode {
  uint16_t number;
  ErrorDomain domain;
  std::string_view title;
  std::string_view remedy = "";
  bool retriable = false;
};

// A place in a script. Lines and columns count from 1, columns in characters; length is in characters, at least 1.
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;
};

// The outcome of a call: OK, or an error code with a message, an optional place, and notes. Cheap to return when OK
// (one null pointer). Not thread-safe; copies share an immutable payload.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(const ErrorCode& code, std::string message);

  static Status OK() { return {}; }

  bool ok() const { return payload_ == nullptr; }
  // All of these need !ok().
  const ErrorCode& code() const { return *payload_->code; }
  const std::string& message() const { return payload_->message; }
  const std::optional<SourcePosition>& position() const { return payload_->position; }
  // Extra lines of an error, e.g. "columns: a, b".
  const std::vector<std::string>& notes() const { return payload_->notes; }
  // The short line under the caret, e.g. "did you mean 'amount'?".
  const std::string& hint() const { return payload_->hint; }

  bool Is(const ErrorCode& code) const { return !ok() && payload_->code->number == code.number; }

  // Each returns a changed copy; on an OK status they do nothing.
  Status At(SourcePosition position) const;  // keeps a place that is already there
  Status WithHint(std::string hint) const;
  Status WithNote(std::string note) const;
  Status WithContext(std::string_view context) const;  // "context: message"

  // One line: `TM2104: message (file:line:column)`.
  std::string ToString() const;

 private:
  struct Payload {
    const ErrorCode* code;
    std::string message;
    std::string hint;
    std::optional<SourcePosition> position;
    std::vector<std::string> notes;
  };
  std::shared_ptr<const Payload> payload_;
};

// Renders an error as interfaces.md shows it: head line, place, the source line with a caret (`script` is the text of
// the file that the position names, may be empty), notes, and the remedy.
std::string RenderError(const Status& status, std::string_view script);

// Aborts with the message: our own bug. Stays on in release.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);

// A value or the error that prevented it.
template <typename T>
class [[nodiscard]] Result {
 public:
  using ValueType = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}        // NOLINT: implicit by design
  Result(Status status) : state_(std::in_place_index<1>, std::move(status)) {  // NOLINT
    if (std::get<1>(state_).ok()) CheckFailed(__FILE__, __LINE__, "Result made from an OK status");
  }
  template <typename U, typename = std::enable_if_t<
                            std::is_convertible_v<U, T> && !std::is_same_v<std::decay_t<U>, T> &&
                            !std::is_same_v<std::decay_t<U>, Status> && !std::is_same_v<std::decay_t<U>, Result>>>
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  const Status& status() const& {
    static const Status kOk;
    return ok() ? kOk : std::get<1>(state_);
  }
  T& operator*() & { return Value(); }
  const T& operator*() const& { return const_cast<Result*>(this)->Value(); }
  T&& operator*() && { return std::move(Value()); }
  T* operator->() { return &Value(); }
  const T* operator->() const { return &const_cast<Result*>(this)->Value(); }

 private:
  T& Value() {
    if (!ok()) CheckFailed(__FILE__, __LINE__, std::get<1>(state_).ToString().c_str());
    return std::get<0>(state_);
  }
  std::variant<T, Status> state_;
};

}  // namespace tidemill

#define TM_CHECK(expression)                                                     \
  do {                                                                           \
    if (!(expression)) ::tidemill::CheckFailed(__FILE__, __LINE__, #expression); \
  } while (false)

#define TM_RETURN_IF_ERROR(expression)            \
  do {                                            \
    ::tidemill::Status tm_status_ = (expression); \
    if (!tm_status_.ok()) [[unlikely]]            \
      return tm_status_;                          \
  } while (false)

#define TM_CONCAT_INNER(a, b) a##b
#define TM_CONCAT(a, b) TM_CONCAT_INNER(a, b)
// TM_ASSIGN_OR_RETURN(auto x, Make());
#define TM_ASSIGN_OR_RETURN(lhs, expression) \
  TM_ASSIGN_OR_RETURN_INNER(TM_CONCAT(tm_result_, __COUNTER__), lhs, expression)
#define TM_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                              \
  if (!result.ok()) [[unlikely]]                           \
    return result.status();                                \
  lhs = *std::move(result)
