#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "base/frame_server.h"

namespace tidemill {

// Answers on their way into a socket, each behind its length. One thread.
class FrameOutput {
 public:
  enum class Progress { kDone, kBlocked, kFailed };

  // Silent answers add nothing.
  void Add(FrameReply reply);
  // Hands the socket what it takes without waiting, files by sendfile. kBlocked: to be called again when it can be
  // written to. kFailed: the connection is of no use any more.
  Progress SendTo(int socket);
  // Everything as it lies in memory, for whoever encrypts it: the pieces must not be in files (LoadPieces).
  std::vector<std::string_view> Views() const;
  int64_t bytes() const { return bytes_; }  // of all that was added
  void Clear();

 private:
  struct Part {
    const char* data;
    int64_t length;
    const ReadableFile* file = nullptr;  // null: `data`
    int64_t offset = 0;
  };

  ssize_t SendMemory(int socket) const;
  ssize_t SendFile(int socket);
  void Advance(int64_t bytes);

  std::deque<FrameReply> replies_;  // what the parts point into
  std::deque<std::array<char, 4>> lengths_;
  std::deque<std::string> read_;  // from files that the kernel can't send by itself
  std::vector<Part> parts_;
  size_t next_ = 0;  // the first part that is not sent whole
  int64_t bytes_ = 0;
};

// Reads the pieces that are in files into memory. False when one can't be read whole.
bool LoadPieces(std::span<FramePiece> pieces);

}  // namespace tidemill
