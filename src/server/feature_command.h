#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/status.h"
#include "server/command_line.h"

namespace tidemill {

class FeatureStore;

// The feature store of a data directory, without the rest of it: reading does not wait for a process that has the
// directory open.
class FeatureSession {
 public:
  static Result<FeatureSession> Open(const CommandContext& context, bool read_only);
  FeatureSession(FeatureSession&&) noexcept;
  ~FeatureSession();

  FeatureStore& store();
  FileSystem& files();
  const Clock& clock();

 private:
  FeatureSession();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tidemill
