// Opening a partition: from its checkpoint on, every batch is read and checked.

#include <algorithm>

#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/partition_impl.h"

namespace tidemill::log_internal {

struct PartitionImpl::Recovery {
  PartitionImpl& partition;
  FileSystem& files;
  std::optional<DurableMark> mark;
  Checkpoint point;      // where checking begins
  bool changed = false;  // something was read that the checkpoint does not know, or was mended
  std::string where;

  explicit Recovery(PartitionImpl& p) : partition(p), files(p.context_.files) {
    where = "topic '" + p.topic_ + "', partition " + std::to_string(p.index_) + ": ";
  }

  Status FindSegments();
  Status DropUnacknowledged();
  Status ChooseStart(const std::optional<Checkpoint>& stored);
  Status CheckSegment(size_t i, int64_t* expected_offset);
  Status OnDamage(size_t i, const ScanEnd& end);
  Status CutAfter(size_t i, int64_t position);
  Result<bool> AnythingGoodBehind(size_t i, int64_t position, int64_t offset);
  bool KnownDurable(int64_t segment_base, int64_t position) const {
    return mark &&
           (mark->segment_base > segment_base || (mark->segment_base == segment_base && mark->position > position));
  }
};

Status PartitionImpl::Recovery::FindSegments() {
  TM_RETURN_IF_ERROR(FinishSwaps(files, partition.directory_));
  TM_ASSIGN_OR_RETURN(const auto entries, files.List(partition.directory_));
  for (const FileInfo& entry : entries) {
    const bool orphan =
        entry.path.ends_with(".index") && !files.Exists(entry.path.substr(0, entry.path.size() - 6) + ".log");
    if (orphan || entry.path.ends_with(".tmp")) TM_RETURN_IF_ERROR(files.Remove(entry.path));
    const auto base = ParseSegmentName(entry.path);
    if (!base) continue;
    auto segment = std::make_shared<Segment>();
    segment->base_offset = *base;
    segment->path = entry.path;
    segment->size = entry.size;
    segment->created_ms = entry.modified_us / 1000;
    segment->appended_ms = entry.modified_us / 1000;
    partition.segments_.push_back(std::move(segment));  // the list is sorted by path, and so by offset
  }
  return Status::OK();
}

// After a failed fsync what lies behind the last good one may read well now and be gone after the next power cut.
// Nobody was told that it is kept.
Status PartitionImpl::Recovery::DropUnacknowledged() {
  if (!mark || !mark->sync_failed) return Status::OK();
  auto& segments = partition.segments_;
  for (size_t i = 0; i < segments.size(); ++i) {
    const bool beyond = segments[i]->base_offset > mark->segment_base;
    const bool longer = segments[i]->base_offset == mark->segment_base && segments[i]->size.load() > mark->position;
    if (!beyond && !longer) continue;
    LogWarning(where + "an fsync failed before the last stop; what was never acknowledged is dropped from offset " +
               std::to_string(mark->offset));
    if (beyond && i == 0) return DamageError(segments[0]->path, 0, mark->offset, "the segments before it are missing");
    return beyond ? CutAfter(i - 1, segments[i - 1]->size.load()) : CutAfter(i, mark->position);
  }
  return Status::OK();
}

Status PartitionImpl::Recovery::ChooseStart(const std::optional<Checkpoint>& stored) {
  const auto& segments = partition.segments_;
  if (mark && mark->segment_base > segments.back()->base_offset) {
    return DamageError(SegmentPath(partition.directory_, mark->segment_base), 0, mark->segment_base,
                       "the segment is missing");
  }
  if (stored) {
    point = *stored;
    const auto it = std::find_if(segments.begin(), segments.end(),
                                 [&](const auto& s) { return s->base_offset == stored->segment_base; });
    if (it != segments.end() && (*it)->size.load() >= stored->position) return Status::OK();
    if (it == segments.end() && stored->segment_base > segments.back()->base_offset) {
      return DamageError(SegmentPath(partition.directory_, stored->segment_base), 0, stored->offset,
                         "the segment is missing");
    }
  }
  const int64_t base = segments.front()->base_offset;
  point = Checkpoint{std::max(base, stored ? stored->log_start : 0), base, 0, base, {}};
  changed = true;
  return Status::OK();
}

Result<bool> PartitionImpl::Recovery::AnythingGoodBehind(size_t i, int64_t position, int64_t offset) {
  for (; i < partition.segments_.size(); ++i, position = 0) {
    const Segment& segment = *partition.segments_[i];
    TM_ASSIGN_OR_RETURN(const auto file, files.OpenReadable(segment.path));
    TM_ASSIGN_OR_RETURN(const bool any, AnyBatchIn(*file, position, segment.size.load(), offset));
    if (any) return true;
  }
  return false;
}

Status PartitionImpl::Recovery::CutAfter(size_t i, int64_t position) {
  auto& segments = partition.segments_;
  changed = true;
  Segment& segment = *segments[i];
  if (segment.size.load() > position) {
    TM_ASSIGN_OR_RETURN(auto file, files.OpenWritable(segment.path, FileSystem::OpenMode::kAppend));
    TM_RETURN_IF_ERROR(file->Truncate(position));
    TM_RETURN_IF_ERROR(file->Sync());
    segment.size = position;
  }
  while (segments.size() > i + 1) {
    TM_RETURN_IF_ERROR(files.Remove(segments.back()->path));
    TM_RETURN_IF_ERROR(files.Remove(segments.back()->IndexPath()));
    segments.pop_back();
  }
  return files.SyncDirectory(partition.directory_);
}

Status PartitionImpl::Recovery::OnDamage(size_t i, const ScanEnd& end) {
  const Segment& segment = *partition.segments_[i];
  const bool is_last = i + 1 == partition.segments_.size();
  // Damage in a file that is as long as it was when it was synced is damage; a file that has become shorter was torn.
  const bool shortened =
      is_last && mark && mark->segment_base == segment.base_offset && segment.size.load() < mark->position;
  if (KnownDurable(segment.base_offset, end.position) && !(shortened && end.ends_early)) {
    return DamageError(segment.path, end.position, end.offset, end.damage);
  }
  TM_ASSIGN_OR_RETURN(const bool more, AnythingGoodBehind(i, end.position + 1, end.offset));
  // Without a mark there is no telling a hole from a tear: good data behind it must not be thrown away then.
  if (more && !mark) return DamageError(segment.path, end.position, end.offset, end.damage);
  const std::string what = where + "cut a torn tail of " + std::to_string(segment.size.load() - end.position) +
                           " bytes from '" + segment.path + "' at byte " + std::to_string(end.position) + ", offset " +
                           std::to_string(end.offset) + " (" + end.damage + ")";
  if (KnownDurable(segment.base_offset, end.position)) {
    LogError(what + "; records up to offset " + std::to_string(mark->offset - 1) +
             " had been acknowledged and are lost");
  } else {
    LogWarning(what);
  }
  return CutAfter(i, end.position);
}

Status PartitionImpl::Recovery::CheckSegment(size_t i, int64_t* expected_offset) {
  Segment& segment = *partition.segments_[i];
  const bool is_last = i + 1 == partition.segments_.size();
  const bool from_point = segment.base_offset == point.segment_base;
  int64_t position = 0, offset = segment.base_offset;
  segment.index.end_offset = segment.base_offset;
  // The part before the point needs no reading where the index knows it.
  TM_ASSIGN_OR_RETURN(auto index, LoadIndex(files, segment));
  if (from_point && index && index->covered_bytes == point.position && index->end_offset == point.offset) {
    segment.index = *std::move(index);
    position = point.position;
    offset = point.offset;
  } else if (from_point && point.position > 0) {
    changed = true;
  }
  TM_ASSIGN_OR_RETURN(const auto file, files.OpenReadable(segment.path));
  TM_ASSIGN_OR_RETURN(const ScanEnd end,
                      ScanBatches(*file, position, segment.size.load(), offset,
                                  [&](const BatchHeader& header, std::string_view batch, int64_t at) -> Status {
                                    segment.index.Add(header, at, segment.base_offset);
                                    if (from_point && at < point.position)
                                      return Status::OK();  // the point's transactions know it
                                    changed = true;
                                    std::optional<ControlMarker> marker;
                                    if (header.control()) {
                                      auto parsed = ParseControlBatch(header, batch);
                                      if (!parsed.ok())
                                        return DamageError(segment.path, at, header.base_offset,
                                                           parsed.status().message());
                                      marker = *parsed;
                                    }
                                    if (header.producer_id >= 0)
                                      partition.RememberLocked(header, marker, segment.appended_ms.load());
                                    return Status::OK();
                                  }));
  *expected_offset = end.offset;
  if (!end.damage.empty()) return OnDamage(i, end);
  if (is_last) {
    if (KnownDurable(segment.base_offset, end.position)) {
      LogError(where + "'" + segment.path + "' ends at offset " + std::to_string(end.offset) +
               "; records up to offset " + std::to_string(mark->offset - 1) + " had been acknowledged and are lost");
      changed = true;
    }
    return Status::OK();
  }
  const Segment& next = *partition.segments_[i + 1];
  if (next.base_offset == end.offset) return Status::OK();
  // The rest of this segment was cut off, or a whole one is gone.
  if (KnownDurable(next.base_offset, 0) || !mark) {
    return DamageError(segment.path, end.position, end.offset,
                       "the next segment begins with offset " + std::to_string(next.base_offset));
  }
  LogWarning(where + "dropped segments that were never acknowledged, from offset " + std::to_string(next.base_offset));
  return CutAfter(i, end.position);
}

Status PartitionImpl::CreateFirstSegment(int64_t base_offset) {
  auto segment = std::make_shared<Segment>();
  segment->base_offset = base_offset;
  segment->path = SegmentPath(directory_, base_offset);
  segment->created_ms = context_.NowMs();
  segment->index.end_offset = base_offset;
  TM_ASSIGN_OR_RETURN(auto file, context_.files.OpenWritable(segment->path, FileSystem::OpenMode::kCreateNew));
  segments_.push_back(std::move(segment));
  TM_RETURN_IF_ERROR(marks_->Add({base_offset, 0, base_offset}));  // syncs the directory as well
  return Status::OK();
}

Status PartitionImpl::Recover() {
  TM_RETURN_IF_ERROR(context_.files.CreateDirectories(directory_));
  TM_ASSIGN_OR_RETURN(marks_, DurableMarkFile::Open(context_.files, directory_));
  Recovery recovery(*this);
  recovery.mark = marks_->last();
  TM_ASSIGN_OR_RETURN(const auto stored, LoadCheckpoint(context_.files, directory_));
  TM_RETURN_IF_ERROR(recovery.FindSegments());
  if (segments_.empty()) {
    if ((recovery.mark && recovery.mark->offset > 0) || stored) {
      return Status(kCorruptBatch, "'" + directory_ + "' has no segment although records were written to it");
    }
    TM_RETURN_IF_ERROR(CreateFirstSegment(0));
    recovery.mark = marks_->last();
  }
  TM_RETURN_IF_ERROR(recovery.DropUnacknowledged());
  TM_RETURN_IF_ERROR(recovery.ChooseStart(stored));
  transactions_ = recovery.point.transactions;
  TM_ASSIGN_OR_RETURN(producers_, ProducerState::Parse(recovery.point.producers));
  cleaned_to_ = recovery.point.cleaned_to;
  clean_again_ms_ = recovery.point.clean_again_ms;
  log_start_ = std::max(recovery.point.log_start, segments_.front()->base_offset);
  end_offset_ = recovery.point.offset;

  size_t first = 0;
  while (segments_[first]->base_offset != recovery.point.segment_base) ++first;
  for (size_t i = first; i < segments_.size(); ++i) TM_RETURN_IF_ERROR(recovery.CheckSegment(i, &end_offset_));

  Segment& active = *segments_.back();
  TM_ASSIGN_OR_RETURN(active.writer, context_.files.OpenWritable(active.path, FileSystem::OpenMode::kAppend));
  log_start_ = std::min(log_start_, end_offset_);
  last_stable_ = transactions_.LastStable(end_offset_);
  checkpoint_ = {log_start_,    active.base_offset,     active.size.load(), end_offset_,
                 transactions_, producers_.Serialize(), cleaned_to_,        clean_again_ms_};
  if (recovery.changed || !recovery.mark) {
    for (size_t i = first; i + 1 < segments_.size(); ++i) {
      Segment& sealed = *segments_[i];
      TM_ASSIGN_OR_RETURN(auto file, context_.files.OpenWritable(sealed.path, FileSystem::OpenMode::kAppend));
      TM_RETURN_IF_ERROR(file->Sync());
      sealed.max_timestamp = sealed.index.max_timestamp;
      TM_RETURN_IF_ERROR(StoreIndex(context_.files, sealed, sealed.index));
      sealed.index = {};
    }
    TM_RETURN_IF_ERROR(active.writer->Sync());
    TM_RETURN_IF_ERROR(context_.files.SyncDirectory(directory_));
    TM_RETURN_IF_ERROR(marks_->Add({active.base_offset, active.size.load(), end_offset_}));
    TM_RETURN_IF_ERROR(StoreIndex(context_.files, active, active.index));
    TM_RETURN_IF_ERROR(StoreCheckpoint(context_.files, directory_, checkpoint_));
  }
  commit_->SetDurable(end_offset_);
  return Status::OK();
}

}  // namespace tidemill::log_internal
