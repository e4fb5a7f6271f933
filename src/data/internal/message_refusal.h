#pragma once

#include <string>

#include "data/reject.h"

namespace tidemill {

// Why a message can't be read.
struct MessageRefusal {
  RejectReason reason = RejectReason::kMalformed;
  std::string field;  // "a.b", empty = the whole message
  std::string detail;
};

}  // namespace tidemill
