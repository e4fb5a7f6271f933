#include "exec/operator.h"

namespace tidemill {

EventTime Operator::HoldsWatermark(EventTime watermark) const { return IsQuiescent() ? watermark : kMinEventTime; }
Status Operator::OnTimer(uint32_t, EventTime, Collector&) { return Status::OK(); }
Status Operator::PrepareSnapshot() { return Status::OK(); }
Status Operator::OnWake(Collector&) { return Status::OK(); }
bool Operator::HasRoom() const { return true; }
bool Operator::IsQuiescent() const { return true; }
void Operator::Close() noexcept {}

}  // namespace tidemill
