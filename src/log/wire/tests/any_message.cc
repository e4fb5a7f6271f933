#include "log/wire/tests/any_message.h"

#include <array>
#include <deque>
#include <limits>
#include <optional>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "log/wire/messages/message_list.h"
#include "log/wire/messages/visit_fields.h"

namespace tidemill::testing {

namespace {

using wire::FieldInfo;
using Uuid = std::array<uint8_t, 16>;

bool InVersion(const FieldInfo& field, int16_t version) { return version >= field.first && version <= field.last; }

class Filler {
 public:
  Filler(Random* random, int16_t version, std::deque<std::string>* strings)
      : random_(random), version_(version), strings_(strings) {}

  template <typename T>
  void Field(const FieldInfo& field, T& value) {
    if (InVersion(field, version_)) Value(field, value);
  }

 private:
  template <typename T>
  void Value(const FieldInfo& field, std::optional<T>& value) {
    if (version_ >= field.first_nullable && version_ <= field.last_nullable && random_->Uniform(3) == 0) {
      value.reset();
    } else {
      Value(field, value.emplace());
    }
  }

  template <typename T>
  void Value(const FieldInfo& field, std::vector<T>& values) {
    // Long arrays of numbers now and then, so that compact counts take two bytes.
    const bool is_long = std::is_arithmetic_v<T> && random_->Uniform(8) == 0;
    values.resize(is_long ? 100 + random_->Uniform(100) : random_->Uniform(4));
    for (T& value : values) Value(field, value);
  }

  void Value(const FieldInfo&, std::string_view& value) {
    const uint64_t choice = random_->Uniform(16);
    std::string& text = strings_->emplace_back(choice < 3    ? 0
                                               : choice < 15 ? random_->Uniform(12)
                                                             : 120 + random_->Uniform(200),
                                               ' ');
    for (char& c : text) c = static_cast<char>('!' + random_->Uniform(90));
    if (choice == 3) text += "\xc3\xa4\xe2\x82\xac";
    value = text;
  }

  void Value(const FieldInfo&, Uuid& value) {
    for (uint8_t& byte : value) byte = static_cast<uint8_t>(random_->Next());
  }

  template <typename T>
  void Value(const FieldInfo&, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = random_->Uniform(2) == 0;
    } else if constexpr (std::is_floating_point_v<T>) {
      value = random_->Normal();
    } else if constexpr (std::is_integral_v<T>) {
      const uint64_t choice = random_->Uniform(8);
      value = choice == 0   ? std::numeric_limits<T>::min()
              : choice == 1 ? std::numeric_limits<T>::max()
              : choice == 2 ? static_cast<T>(-1)
              : choice == 3 ? T{0}
                            : static_cast<T>(random_->Next());
    } else {
      wire::VisitFields(value, *this);
    }
  }

  Random* random_;
  int16_t version_;
  std::deque<std::string>* strings_;
};

class JsonPrinter {
 public:
  explicit JsonPrinter(int16_t version) : version_(version) {}

  template <typename T>
  void Field(const FieldInfo& field, T& value) {
    if (InVersion(field, version_)) json[field.name] = Value(value);
  }

  nlohmann::json json = nlohmann::json::object();

 private:
  template <typename T>
  nlohmann::json Value(std::optional<T>& value) {
    return value ? Value(*value) : nlohmann::json();
  }
  template <typename T>
  nlohmann::json Value(std::vector<T>& values) {
    auto array = nlohmann::json::array();
    for (T& value : values) array.push_back(Value(value));
    return array;
  }
  nlohmann::json Value(std::string_view& value) { return Hex(value); }
  nlohmann::json Value(Uuid& value) { return Hex({reinterpret_cast<const char*>(value.data()), value.size()}); }
  template <typename T>
  nlohmann::json Value(T& value) {
    if constexpr (std::is_arithmetic_v<T>) {
      return value;
    } else {
      JsonPrinter inner(version_);
      wire::VisitFields(value, inner);
      return std::move(inner.json);
    }
  }
  static std::string Hex(std::string_view bytes) {
    std::string hex;
    for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
    return hex;
  }

  int16_t version_;
};

class MemoryCounter {
 public:
  template <typename T>
  void Field(const FieldInfo&, T& value) {
    Value(value);
  }

  size_t bytes = 0;

 private:
  template <typename T>
  void Value(std::optional<T>& value) {
    if (value) Value(*value);
  }
  template <typename T>
  void Value(std::vector<T>& values) {
    bytes += values.capacity() * sizeof(T);
    for (T& value : values) Value(value);
  }
  template <typename T>
  void Value(T& value) {
    if constexpr (!std::is_arithmetic_v<T> && !std::is_same_v<T, std::string_view> && !std::is_same_v<T, Uuid>) {
      wire::VisitFields(value, *this);
    }
  }
};

template <typename Message>
class Typed final : public AnyMessage {
 public:
  explicit Typed(std::string_view name) : name_(name) {}
  std::string_view name() const override { return name_; }
  int16_t min_version() const override { return Message::kMinVersion; }
  int16_t max_version() const override { return Message::kMaxVersion; }
  std::unique_ptr<AnyMessage> Fresh() const override { return std::make_unique<Typed>(name_); }
  void Fill(Random& random, int16_t version) override {
    Filler filler(&random, version, &strings_);
    wire::VisitFields(message_, filler);
  }
  Status Decode(WireReader& reader, int16_t version) override {
    TM_ASSIGN_OR_RETURN(message_, Message::Decode(reader, version));
    return Status::OK();
  }
  void Read(WireReader& reader, int16_t version) override { message_.Read(reader, version); }
  void Encode(WireWriter& writer, int16_t version) const override { message_.Encode(writer, version); }
  std::string Json(int16_t version) override {
    JsonPrinter printer(version);
    wire::VisitFields(message_, printer);
    return printer.json.dump();
  }
  size_t HeldBytes() override {
    MemoryCounter counter;
    wire::VisitFields(message_, counter);
    return counter.bytes;
  }
  bool Equals(const AnyMessage& other) const override { return message_ == static_cast<const Typed&>(other).message_; }

 private:
  std::string_view name_;
  Message message_;
  std::deque<std::string> strings_;  // a deque: what is in it stays where it is
};

}  // namespace

std::vector<std::unique_ptr<AnyMessage>> AllMessages() {
  std::vector<std::unique_ptr<AnyMessage>> all;
#define TIDEMILL_ADD(Message) all.push_back(std::make_unique<Typed<wire::Message>>(#Message));
  TIDEMILL_WIRE_MESSAGES(TIDEMILL_ADD)
#undef TIDEMILL_ADD
  return all;
}

}  // namespace tidemill::testing
