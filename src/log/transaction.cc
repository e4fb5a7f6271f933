#include "log/transaction.h"

#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill {

std::string PreparedTransaction::Serialize() const {
  std::string text;
  log_internal::AppendBig<uint8_t>(&text, 1);  // version
  log_internal::AppendText(&text, transactional_id);
  log_internal::AppendBig(&text, producer_id);
  log_internal::AppendBig<uint32_t>(&text, static_cast<uint32_t>(parts.size()));
  for (const Part& part : parts) {
    log_internal::AppendText(&text, part.topic);
    log_internal::AppendBig(&text, part.partition);
    log_internal::AppendBig(&text, part.first_offset);
    log_internal::AppendBig(&text, part.last_offset);
  }
  return text;
}

Result<PreparedTransaction> PreparedTransaction::Parse(std::string_view text) {
  log_internal::ByteReader reader(text);
  PreparedTransaction transaction;
  const bool known = reader.Big<uint8_t>() == 1;
  transaction.transactional_id = reader.Text();
  transaction.producer_id = reader.Big<int64_t>();
  for (auto n = reader.Big<uint32_t>(); n > 0 && reader.ok(); --n) {
    Part part;
    part.topic = reader.Text();
    part.partition = reader.Big<int32_t>();
    part.first_offset = reader.Big<int64_t>();
    part.last_offset = reader.Big<int64_t>();
    transaction.parts.push_back(std::move(part));
  }
  if (!known || !reader.ok() || !reader.AtEnd())
    return Status(kUnknownTransaction, "the bytes are not a prepared transaction of this version");
  return transaction;
}

}  // namespace tidemill
