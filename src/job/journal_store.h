#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "exec/journal.h"

namespace tidemill {

// The journals of one job: files of checksummed records under `directory`/journal, written and synced by one thread
// that takes all that waits together (group commit). A file holds the records of one operator, subtask and epoch:
// `<operator>/<subtask>.<epoch>.<run>`.
class JournalStore {
 public:
  // `epoch`: the one that was restored (0 = none): records of later ones are recovered. `threaded` false: tests call
  // Flush.
  static Result<std::unique_ptr<JournalStore>> Open(FileSystem& files, std::string directory, int64_t epoch,
                                                    bool threaded = true);
  ~JournalStore();

  Result<std::unique_ptr<Journal>> MakeJournal(const std::string& operator_name, int subtask);
  // The manifest of `epoch` is durable: records up to it go. Best effort. Job's thread.
  void OnEpochDurable(int64_t epoch);
  // The greatest epoch that any file names: epochs go on above it.
  int64_t greatest_epoch() const { return greatest_epoch_; }
  // Writes and syncs what waits, on this thread.
  void Flush();
  static Status RemoveAll(FileSystem& files, const std::string& directory);

 private:
  class SubtaskJournal;
  struct File {
    std::string path;
    std::unique_ptr<WritableFile> out;
    Status failed;
  };
  struct Request {
    std::shared_ptr<File> file;
    Batch batch;
    std::function<void(Status)> done;
  };

  JournalStore(FileSystem& files, std::string directory, int64_t epoch)
      : files_(files), directory_(std::move(directory)), epoch_(epoch) {}
  Status Scan();
  void Push(Request request);
  void Loop();
  Result<std::vector<Batch>> ReadRecovered(const std::string& folder);

  FileSystem& files_;
  const std::string directory_;
  const int64_t epoch_;
  int64_t greatest_epoch_ = 0;
  int64_t run_ = 1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Request> queue_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace tidemill
