#include "log/internal/open_segments.h"

#include <algorithm>

namespace tidemill::log_internal {
namespace {

constexpr size_t kSegmentsMax = 128;
constexpr size_t kIndexBytesMax = 16 << 20;

}  // namespace

OpenSegments::Entry& OpenSegments::TouchLocked(const std::shared_ptr<Segment>& segment) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return !entry.segment.owner_before(segment) && !segment.owner_before(entry.segment);
  });
  if (found == entries_.end()) {
    entries_.push_front({segment, nullptr, nullptr});
  } else {
    entries_.splice(entries_.begin(), entries_, found);
  }
  return entries_.front();
}

void OpenSegments::BoundLocked() {
  size_t count = 0, bytes = 0;
  std::erase_if(entries_, [&](const Entry& entry) {
    if (entry.index != nullptr) bytes += entry.index->entries.size() * sizeof(IndexEntry);
    return ++count > kSegmentsMax || (count > 1 && bytes > kIndexBytesMax) || entry.segment.expired();
  });
}

template <typename Set>
void OpenSegments::Keep(const std::shared_ptr<Segment>& segment, const Set& set) {
  std::lock_guard lock(mutex_);
  if (segment->replaced.load()) return;  // it may be another's file by now; whoever asked finds out too
  set(TouchLocked(segment));
  BoundLocked();
}

Result<std::shared_ptr<ReadableFile>> OpenSegments::File(const std::shared_ptr<Segment>& segment) {
  {
    std::lock_guard lock(mutex_);
    if (const Entry& entry = TouchLocked(segment); entry.file != nullptr) return entry.file;
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<ReadableFile> file, files_.OpenReadable(segment->path));
  Keep(segment, [&](Entry& entry) { entry.file = file; });
  return file;
}

Result<std::shared_ptr<const SegmentIndex>> OpenSegments::Index(const std::shared_ptr<Segment>& segment) {
  {
    std::lock_guard lock(mutex_);
    if (const Entry& entry = TouchLocked(segment); entry.index != nullptr) return entry.index;
  }
  TM_ASSIGN_OR_RETURN(SegmentIndex loaded, LoadOrRebuildIndex(files_, *segment));
  const auto index = std::make_shared<const SegmentIndex>(std::move(loaded));
  Keep(segment, [&](Entry& entry) { entry.index = index; });
  return index;
}

void OpenSegments::Prune() {
  std::lock_guard lock(mutex_);
  BoundLocked();
}

}  // namespace tidemill::log_internal
