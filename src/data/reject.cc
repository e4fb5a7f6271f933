#include "data/reject.h"

namespace tidemill {

const char* RejectReasonName(RejectReason reason) {
  switch (reason) {
    case RejectReason::kMalformed:
      return "malformed";
    case RejectReason::kWrongType:
      return "wrong_type";
    case RejectReason::kMissingField:
      return "missing_field";
    case RejectReason::kTooLarge:
      return "too_large";
    case RejectReason::kInvalidUtf8:
      return "invalid_utf8";
    case RejectReason::kNullRowtime:
      return "null_rowtime";
    case RejectReason::kOutOfRange:
      return "out_of_range";
    case RejectReason::kLate:
      return "late";
    case RejectReason::kExpression:
      return "expression";
    case RejectReason::kNotNull:
      return "not_null";
    case RejectReason::kUndeliverable:
      return "undeliverable";
  }
  return "unknown";
}

}  // namespace tidemill
