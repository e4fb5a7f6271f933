#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "base/file_system.h"
#include "log/internal/segment.h"

namespace tidemill::log_internal {

// What reading needs of segments again and again: their open files, and the indexes of those that are not written to
// any more. The ones used last are kept, within a bound. Thread-safe.
class OpenSegments {
 public:
  explicit OpenSegments(FileSystem& files) : files_(files) {}

  Result<std::shared_ptr<ReadableFile>> File(const std::shared_ptr<Segment>& segment);
  // Of a segment that is not written to.
  Result<std::shared_ptr<const SegmentIndex>> Index(const std::shared_ptr<Segment>& segment);
  // Closes files of segments that are no part of the log any more, so that their space is given back.
  void Prune();

 private:
  struct Entry {
    std::weak_ptr<Segment> segment;
    std::shared_ptr<ReadableFile> file;
    std::shared_ptr<const SegmentIndex> index;
  };

  // The segment's entry, moved to the front; made when it is not there.
  Entry& TouchLocked(const std::shared_ptr<Segment>& segment);
  template <typename Set>
  void Keep(const std::shared_ptr<Segment>& segment, const Set& set);
  void BoundLocked();

  FileSystem& files_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last is first
};

}  // namespace tidemill::log_internal
